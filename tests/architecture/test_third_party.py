"""Which packages import what from outside, and what stays without input, output, clock and random numbers."""

import ast

import pytest

from tests.architecture.source_tree import FILES, MODULES, TREES, outside

ONLY_IN = {
    "tornado": ("server", "demo"),
    "httptools": ("server.fastpath", "proxy.client"),
    "httpx": ("proxy", "demo"),
    "h11": ("proxy.websocket",),
    "wsproto": ("http.websocket_frames",),
    "watchfiles": ("storage.watcher",),
    "jsonpath": ("http.selectors",),
    "brotli": ("http.content_coding",),
    "re2": ("redaction.gitleaks.expressions",),
    "backports": ("http.content_coding",),
    "click": ("cli",),
    "rich_click": ("cli",),
}
PURE = ("http", "redaction", "cassettes", "matching", "replay")
WORLD = {"socket", "ssl", "os", "pathlib", "io", "tempfile", "shutil", "subprocess", "threading", "signal", "time"}
WORLD |= {"asyncio", "secrets", "uuid", "logging"}
# A WebSocket is spoken on a connection that is passed in; so is the random generator, of which only the type is named.
EXEMPT = {"http.websocket_frames", "replay.websocket", "replay.engine"}

# Imports inside functions outside of `cli` and `wiring`: slow to load and rarely needed, or an optional extra.
LATE: dict[str, set[str]] = {
    "http.selectors": {
        "import jsonpath",  # 40 ms, with a JSON path in the configuration
    },
    "redaction.gitleaks.expressions": {
        "import re2",  # the extra `gitleaks`
    },
    "suggestions": {
        "import difflib",  # 2 ms at every start, for who mistypes
    },
    "storage.watcher": {
        "from watchfiles import Change as Kind",  # 50 ms, which the first response does not wait for
        "from watchfiles import awatch",  # of the same library
    },
}


@pytest.mark.parametrize(("library", "places"), ONLY_IN.items())
def test_a_library_is_imported_where_it_belongs(library: str, places: tuple[str, ...]) -> None:
    users = {module for module in FILES if library in outside(module)}
    assert users
    assert not {module for module in users if not f"{module}.".startswith(tuple(f"{place}." for place in places))}


@pytest.mark.parametrize("module", [module for module in MODULES if module.partition(".")[0] in PURE])
def test_what_decides_does_no_input_or_output(module: str) -> None:
    if module not in EXEMPT:
        assert not outside(module) & WORLD
    calls = [ast.unparse(node.func) for node in ast.walk(TREES[module]) if isinstance(node, ast.Call)]
    assert not {call for call in calls if call in ("open", "datetime.now", "datetime.utcnow", "date.today", "Random")}


@pytest.mark.parametrize("module", MODULES)
def test_imports_inside_functions_are_for_what_only_some_runs_need(module: str) -> None:
    if module.partition(".")[0] not in ("cli", "wiring"):
        assert {ast.unparse(node) for node in late_imports(module)} == LATE.get(module, set())


@pytest.mark.parametrize("module", sorted(LATE))
def test_every_late_import_has_its_reason_beside_it(module: str) -> None:
    lines = FILES[module].read_text(encoding="utf-8").splitlines()
    assert not [lines[node.lineno - 1] for node in late_imports(module) if "PLC0415 - " not in lines[node.lineno - 1]]


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_imported_by_a_name_made_at_run_time(module: str) -> None:
    """But for a module of Python's own that has no types, and whose name is a constant."""
    calls = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.Call)]
    imports = [node for node in calls if ast.unparse(node.func).rpartition(".")[2] in ("import_module", "__import__")]
    assert not [node for node in imports if not isinstance(node.args[0], ast.Constant)]
    assert not imports or module == "config.ambiguity"


def late_imports(module: str) -> list[ast.Import | ast.ImportFrom]:
    """The imports inside functions."""
    return [
        node
        for function in ast.walk(TREES[module])
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


@pytest.mark.parametrize("module", ["app", "wiring"])
def test_the_parts_of_a_run_have_their_types(module: str) -> None:
    """`Any`, also in the text of an annotation, would hide from the type checker how the parts fit together."""
    assert not [node.lineno for node in ast.walk(TREES[module]) if _names_any(node)]


def _names_any(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return any(map(_names_any, ast.walk(ast.parse(node.value, mode="eval"))))
        except SyntaxError:
            return False
    return (isinstance(node, ast.Name) and node.id == "Any") or (isinstance(node, ast.Attribute) and node.attr == "Any")
