"""A package imports only from layers below its own, and no files import each other in a circle."""

import pytest

from tests.architecture.source_tree import FILES, MODULES, own_imports

# From the ground up; packages on one line do not see each other. The map is in docs/architecture.md.
LAYERS = [
    "draining errors placeholders suggestions",
    "toml_tables",
    "http",
    "redaction",
    "cassettes",
    "matching",
    "telemetry",
    "storage",
    "proxy replay",
    "recording",
    "server",
    "config",
    "app wiring",
    "cli demo __main__",
]
LAYER = {package: height for height, line in enumerate(LAYERS) for package in line.split()}
# Two on one line that may see each other, one way: a command runs the demo, an app is put together by wiring.
SIBLINGS = {("app", "wiring"), ("cli", "demo"), ("__main__", "cli")}


def package(module: str) -> str:
    return module.partition(".")[0]


def is_wrong(module: str, used: str) -> bool:
    above, below = package(module), package(used)
    return above != below and LAYER[below] >= LAYER[above] and (above, below) not in SIBLINGS


def test_every_package_has_a_layer() -> None:
    assert {package(module) for module in FILES if module} == set(LAYER)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_layers_below(module: str) -> None:
    assert not {used for used in own_imports(module) if is_wrong(module, used)}


@pytest.mark.parametrize("module", [module for module in MODULES if package(module) == "server"])
def test_the_server_is_given_what_stores_forwards_and_records(module: str) -> None:
    assert not {used for used in own_imports(module) if package(used) in ("storage", "proxy", "recording")}


def test_there_is_no_circle() -> None:
    left = {module: own_imports(module) & set(MODULES) for module in MODULES}
    while free := [module for module, used in left.items() if not used & set(left)]:
        for module in free:
            del left[module]
    assert not left
