"""The house rules: floors, single imports, no circles, a test file for each room, files and functions of bounded size."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import replaymock

PACKAGE = Path(replaymock.__file__).parent
TESTS = Path(__file__).parent

# From the ground up; a module imports only from lines above its own. The names are those of docs/architecture.md.
FLOORS: list[tuple[str, str]] = [
    ("values", "errors headers home mode"),
    ("values", "exchange"),
    ("texts", "wording"),
    (
        "texts",
        "targets tokens secrets graphql schema sequence mediatypes codings times messages handshake signing challenges",
    ),
    ("texts", "columns jwts labels encoded embedded members markup parameters shapes places re2"),
    ("texts", "code vendors glance gitleaks"),
    ("texts", "rulesfile"),
    ("messages", "bodies rewrites answer origin cors shifting conditional"),
    ("messages", "events injection known"),
    ("messages", "masking numbering"),
    ("meaning", "hiding"),
    ("meaning", "redaction"),
    ("meaning", "matching"),
    ("meaning", "naming"),
    ("cassettes", "config faults"),
    ("cassettes", "conversation"),
    ("cassettes", "cassette"),
    ("cassettes", "sidecars"),
    ("cassettes", "reading prepare timing settings"),
    ("memory", "shelf unsaved volatile extent"),
    ("memory", "index sessions history turns repeats joining"),
    ("memory", "asking storing hindsight"),
    ("memory", "misses proposals finding faulty keeping wholes"),
    ("memory", "recording"),
    ("memory", "journal"),
    ("memory", "listeners"),
    ("edges out", "disk holding watching addressing"),
    ("edges out", "files"),
    ("edges out", "store proxying framing"),
    ("edges out", "relaying wire"),
    ("edges out", "uploading slicing"),
    ("edges out", "proxied transport websocket"),
    ("edges out", "dialling socketplay socketrelay"),
    ("edges out", "upstream"),
    ("conductors", "problems passing"),
    ("conductors", "playing"),
    ("conductors", "attempt line lingering ranging"),
    ("conductors", "taking"),
    ("conductors", "recorder"),
    ("conductors", "responder socketrecorder"),
    ("conductors", "sockets"),
    ("edges in", "dates printing"),
    ("edges in", "guard frontpage"),
    ("edges in", "admin admission console connection receiving"),
    ("edges in", "plainhead listening accepting patience ready"),
    ("edges in", "lane upgrading"),
    ("edges in", "fastlane connections"),
    ("edges in", "server library"),
    ("edges in", "lookback"),
    ("edges in", "announcements pipes chorus"),
    ("entrances", "equipment"),
    ("entrances", "app inspection scanning demo.shop demo.comparison cli.rules cli.showing"),
    ("entrances", "cli.options"),
    ("entrances", "worker sarif"),
    ("entrances", "workers"),
    ("entrances", "demo.backend demo.report demo.visit cli.folder cli.serve"),
    ("entrances", "demo.story"),
    ("entrances", "cli.demo"),
    ("entrances", "cli"),
    ("entrances", "__main__"),
]
FLOOR = {module: floor for floor, (_, modules) in enumerate(FLOORS) for module in modules.split()}
ROOM = {module: room for room, modules in FLOORS for module in modules.split()}

# Who may import what from outside. httpx's errors are the words of the whole road upstream; only `proxied` sends by it.
ONLY_IN = {
    "httpx": {"upstream", "proxied", "transport", "uploading", "wire", "demo.visit"},
    "tornado": {"server", "connection", "connections", "listening", "patience", "upgrading", "demo.backend"},
    "httptools": {"plainhead", "framing"},
    "wsproto": {"websocket"},
    "h11": {"dialling"},
    "watchfiles": {"watching"},
    "jsonpath": {"rewrites"},
    "brotli": {"codings"},
    "backports": {"codings"},
}
WORLD = {"socket", "ssl", "os", "pathlib", "io", "tempfile", "shutil", "subprocess", "threading", "asyncio", "signal"}
WORLD |= {"time", "datetime", "random", "secrets", "uuid", "logging", "sys"}
PURE_ROOMS = {"values", "texts", "messages", "meaning", "cassettes", "memory"}
# A package's own file, where it holds nothing but its docstring or version.
SIGNS = {"", "demo"}


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


FILES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}
MODULES = sorted(set(FILES) - SIGNS)


def imported(module: str) -> Iterator[str]:
    """Every dotted name a module imports, also inside functions and where only types need it."""
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner.removeprefix("replaymock.") in FILES else str(node.module)


def rooms_used(module: str) -> set[str]:
    names = {
        name.removeprefix("replaymock").lstrip(".") for name in imported(module) if name.split(".")[0] == "replaymock"
    }
    return names - SIGNS


def outside(module: str) -> set[str]:
    return {name.split(".")[0] for name in imported(module)} - {"replaymock"}


def test_every_module_has_a_floor_and_every_floor_its_modules() -> None:
    assert sorted(FLOOR) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_lower_floors(module: str) -> None:
    wrong = {used for used in rooms_used(module) if FLOOR[used] >= FLOOR[module]}
    assert not wrong


def test_there_is_no_circle() -> None:
    left = {module: rooms_used(module) for module in MODULES}
    while free := [module for module, used in left.items() if not used & set(left)]:
        for module in free:
            del left[module]
    assert not left


@pytest.mark.parametrize(("library", "rooms"), ONLY_IN.items())
def test_a_library_is_imported_in_one_room(library: str, rooms: set[str]) -> None:
    assert {module for module in FILES if library in outside(module)} == rooms


@pytest.mark.parametrize("module", [module for module in MODULES if ROOM[module] in PURE_ROOMS])
def test_nothing_below_the_edges_knows_the_world(module: str) -> None:
    assert not outside(module) & WORLD


def test_every_module_has_a_test_file_of_its_name() -> None:
    wanted = {module.replace(".", "_") for module in MODULES if module != "__main__"}
    wanted = {"cli" if name.startswith("cli_") else name for name in wanted}
    assert not [name for name in sorted(wanted) if not (TESTS / f"test_{name}.py").exists()]


def test_no_test_file_is_empty() -> None:
    assert not [file.name for file in TESTS.glob("test_*.py") if "def test_" not in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("word", ["utils", "util", "helpers", "helper", "manager", "base", "common", "misc"])
def test_no_module_or_class_is_called_a_word_that_says_nothing(word: str) -> None:
    names = {part for module in FILES for part in module.split(".")}
    for file in FILES.values():
        tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        names |= {node.name.lower().strip("_") for node in tree if isinstance(node, ast.ClassDef)}
    assert not [name for name in names if name == word or name.endswith(word)]


@pytest.mark.parametrize("module", sorted(FILES))
def test_a_file_and_its_functions_are_small(module: str) -> None:
    text = FILES[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) < 450
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert not [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= 60]


@pytest.mark.parametrize("module", MODULES)
def test_every_room_says_what_it_is_for(module: str) -> None:
    if module != "__main__":
        assert ast.get_docstring(ast.parse(FILES[module].read_text(encoding="utf-8")))


def loaded_after(code: str) -> set[str]:
    """The modules that are loaded once a fresh interpreter has run some code."""
    script = f"{code}\nimport sys; print(chr(10).join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    return set(done.stdout.split())


REPLAYING = """
from pathlib import Path
from replaymock.telemetry import console
from replaymock.app import App
from replaymock.config.settings import Settings
App(Settings(cassettes="."), console.standard(json=False, verbose=False, quiet=True, no_color=True).report)
"""


def test_replay_loads_nothing_that_could_open_a_connection_out() -> None:
    loaded = loaded_after(REPLAYING)
    assert "replaymock.server.http_server" in loaded
    assert not loaded & {
        "httpx",
        "httpcore",
        *(f"replaymock.{name}" for name in ("upstream", "recorder", "recording", "relaying")),
    }


def test_the_command_line_loads_neither_tornado_nor_httpx() -> None:
    loaded = loaded_after("import replaymock.cli")
    assert not loaded & {"tornado", "httpx", "watchfiles", "jsonpath", "rich", "rich_click"}
