"""What a command loads: replay nothing that could open a connection, the command line nothing that serves."""

import subprocess
import sys

REPLAYING = """
from replaymock.telemetry import console
from replaymock.app import App
from replaymock.config.settings import Settings
App(Settings(cassettes="."), console.standard(json=False, verbose=False, quiet=True, no_color=True).emit)
"""


def loaded_after(code: str) -> set[str]:
    """The modules that are loaded once a fresh interpreter has run some code."""
    script = f"{code}\nimport sys; print(chr(10).join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    return set(done.stdout.split())


def test_replay_loads_nothing_that_could_open_a_connection_out() -> None:
    loaded = loaded_after(REPLAYING)
    assert "replaymock.server.http_server" in loaded
    assert not loaded & {"httpx", "httpcore", "replaymock.proxy.upstreams", "replaymock.proxy.forwarder"}
    assert not [name for name in loaded if name.startswith(("replaymock.recording.", "replaymock.proxy.client"))]


def test_the_command_line_loads_neither_tornado_nor_httpx() -> None:
    loaded = loaded_after("import replaymock.cli")
    assert not loaded & {"tornado", "httpx", "watchfiles", "jsonpath", "rich", "rich_click"}
