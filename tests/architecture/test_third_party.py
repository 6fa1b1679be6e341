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

# Few runs need these, and they are slow to load: 50 and 25 ms; RE2 is an optional extra.
LATE: dict[str, set[str]] = {
    "http.selectors": {"import jsonpath"},
    "redaction.gitleaks.expressions": {"import re2"},
    "storage.watcher": {"from watchfiles import Change as Kind", "from watchfiles import awatch"},
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
    inside = [
        ast.unparse(node)
        for function in ast.walk(TREES[module])
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    if module.partition(".")[0] not in ("cli", "wiring"):
        assert set(inside) == LATE.get(module, set())
