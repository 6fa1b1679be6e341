"""Files and names: one concept a file, no class name twice, tests where the module's package is."""

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.architecture.source_tree import FILES, MODULES, PACKAGE, PACKAGES, TESTS, TREES, classes

MOST_LINES = 450
LONGEST_FUNCTION = 60


@pytest.mark.parametrize("module", sorted(FILES))
def test_a_file_and_its_functions_have_a_bounded_size(module: str) -> None:
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    functions = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert not [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION]


def test_no_class_name_is_used_twice() -> None:
    counted = Counter(name for name, _ in classes())
    twice = {name for name, count in counted.items() if count > 1}
    assert not {(name, module) for name, module in classes() if name in twice}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is_for(module: str) -> None:
    if module != "__main__":
        assert ast.get_docstring(TREES[module])


@pytest.mark.parametrize("package", sorted(PACKAGES - {"", "cli"}))
def test_a_package_opens_with_a_map_of_itself_and_re_exports_nothing(package: str) -> None:
    tree = TREES[package]
    assert len(ast.get_docstring(tree) or "") > 40
    assert not tree.body[1:]


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_the_map_of_a_package_names_each_of_its_modules(package: str) -> None:
    prefix = f"{package}." if package else ""
    inside = {name.removeprefix(prefix) for name in FILES if name.startswith(prefix) and name != package}
    modules = {name for name in inside if "." not in name and not name.startswith("__")}
    assert not {name for name in modules if f"`{name}`" not in (ast.get_docstring(TREES[package]) or "")}


@pytest.mark.parametrize("word", ["utils", "util", "helpers", "helper", "manager", "base", "common", "misc"])
def test_no_module_or_class_is_called_a_word_that_says_nothing(word: str) -> None:
    names = {part for module in FILES for part in module.split(".")} | {name.lower() for name, _ in classes()}
    assert not [name for name in names if name == word or name.endswith(word)]


def test_a_test_file_stands_in_the_package_of_its_module_and_is_named_for_it() -> None:
    """`tests/http/test_headers.py` or, for a part, `tests/http/test_headers_lists.py`."""
    for folder in {TESTS / module.partition(".")[0] for module in PACKAGES if module}:
        for file in folder.rglob("test_*.py"):
            place = PACKAGE / file.parent.relative_to(TESTS)
            modules = {module.stem for module in place.glob("*.py")}
            name = file.stem.removeprefix("test_")
            assert any(name == module or name.startswith(f"{module}_") for module in modules), file


def test_no_test_imports_another_test() -> None:
    for file in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
                assert not (node.module or "").rpartition(".")[2].startswith("test_"), file


def test_no_test_file_is_empty() -> None:
    assert not [file for file in TESTS.rglob("test_*.py") if "def test_" not in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("module", MODULES)
def test_no_attribute_of_another_object_is_assigned_from_outside_its_class(module: str) -> None:
    """A part is whole when it is made, and changes by its own methods."""
    assert not list(foreign_assignments(TREES[module]))


def foreign_assignments(tree: ast.AST, owned: frozenset[str] = frozenset()) -> Iterator[str]:
    """Targets such as `other.name = …`, where `name` belongs to a class of ours that this is not the inside of."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from foreign_assignments(node, ATTRIBUTES[node.name])
            continue
        yield from (
            ast.unparse(target)
            for target in _targets(node)
            if isinstance(target, ast.Attribute)
            and ast.unparse(target.value) not in ("self", "cls")
            and target.attr in OURS - owned
        )
        yield from foreign_assignments(node, owned)


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        yield node.target


def _attributes(owner: ast.ClassDef) -> frozenset[str]:
    """What a class declares, or assigns to itself."""
    declared = {
        node.target.id for node in owner.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assigned = {
        target.attr
        for node in ast.walk(owner)
        for target in _targets(node)
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self"
    }
    return frozenset(declared | assigned)


ATTRIBUTES = {
    node.name: _attributes(node) for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
}
OURS = frozenset().union(*ATTRIBUTES.values())
