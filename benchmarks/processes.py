"""Servers as processes: started on their core, waited for until they are ready, and ended."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import Cores

START_SECONDS = 120.0
STOP_SECONDS = 60.0
_LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers on a port."""

    port: int
    pid: int


class DidNotStart(Exception):
    """A server ended, or was not ready in time; the last lines it wrote."""


@contextlib.contextmanager
def started(command: Sequence[str], port: int, ready: Callable[[], bool]) -> Iterator[Server]:
    """A command that was told its port, once it is ready."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
        try:
            deadline = time.monotonic() + START_SECONDS
            while not ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    lines = log.read().decode(errors="replace").splitlines()
                    raise DidNotStart("\n".join(lines[-_LAST_LINES:]) or "it said nothing")
                time.sleep(0.002)
            yield Server(port, process.pid)
        finally:
            _end(process)


@contextlib.contextmanager
def replaymock(
    cores: Cores, command: str, cassettes: Path, *arguments: str, module: str = "replaymock"
) -> Iterator[Server]:
    """The real command, or a module that is one."""
    port = free_port()
    line = [sys.executable, "-m", module, command, "--cassettes", str(cassettes), "--port", str(port), "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ready.json"
        whole = cores.pinned([*line, "--ready-file", str(file), *arguments])
        with started(whole, port, file.exists) as server:
            yield server


@contextlib.contextmanager
def ours(cores: Cores, name: str, *arguments: str) -> Iterator[Server]:
    """One of `benchmarks.servers`."""
    port = free_port()
    line = [sys.executable, "-m", "benchmarks.servers", name, str(port), *arguments]
    with started(cores.pinned(line), port, lambda: listens(port)) as server:
        yield server


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def listens(port: int) -> bool:
    """Whether connections are taken."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def answers(port: int, path: str) -> bool:
    """Whether a GET is answered with a 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # A wrapper may end before what it started; its group is of our making.
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
