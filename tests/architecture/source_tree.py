"""The product's modules as parsed files: who imports what, and which names are defined where."""

import ast
from collections.abc import Iterator
from pathlib import Path

import replaymock

PACKAGE = Path(replaymock.__file__).parent
TESTS = Path(__file__).parents[1]


def module_name(file: Path) -> str:
    """`http.headers` for `replaymock/http/headers.py`; the package itself is empty."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


FILES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}
TREES = {module: ast.parse(file.read_text(encoding="utf-8")) for module, file in FILES.items()}
PACKAGES = {module for module, file in FILES.items() if file.name == "__init__.py"}
MODULES = sorted(set(FILES) - (PACKAGES - {"cli"}))


def imported(module: str) -> Iterator[str]:
    """Every dotted name a module imports, also inside functions and where only types need it."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner.removeprefix("replaymock.") in FILES else str(node.module)


def own_imports(module: str) -> set[str]:
    """The product's modules that a module imports."""
    names = {name.removeprefix("replaymock").lstrip(".") for name in imported(module) if name.startswith("replaymock")}
    return names - {""}


def outside(module: str) -> set[str]:
    """The top-level packages from elsewhere that a module imports."""
    return {name.split(".")[0] for name in imported(module)} - {"replaymock"}


def classes() -> Iterator[tuple[str, str]]:
    """Each class on the top level of a module: its name without a leading underscore, and the module."""
    for module, tree in TREES.items():
        yield from ((node.name.lstrip("_"), module) for node in tree.body if isinstance(node, ast.ClassDef))
