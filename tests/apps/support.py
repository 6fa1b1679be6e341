"""What the checks with real applications share: one visit, made direct, while recording, and on replay.

A visit is a function of the origin it is made to, and yields what a user sees, each with its name. The first visit says
whether the script is right, the others whether replaymock is.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tests.support.browser import chromium
from tests.support.running import eventually, replaymock

PYTHON = os.environ.get("REPLAYMOCK_PYTHON", sys.executable)
Visit = Callable[[str], Iterator[tuple[str, Any]]]
Backend = Callable[[], AbstractContextManager[str]]
_faults: list[str] = []


def check(name: str, good: bool, detail: str = "") -> None:
    """One line, and a fault to end with unless it is good."""
    print(f"ok     {name}" if good else f"FAULT  {name}: {detail}", flush=True)
    if not good:
        _faults.append(name)


def finish() -> None:
    """Ends the script: exit code 1 if there was a fault."""
    sys.exit(1 if _faults else 0)


def three_ways(backend: Backend, visit: Visit, expected: dict[str, Any], config: str = "") -> None:
    """Checks that a visit shows what is expected, whoever answers; `backend` is a fresh one each time, and its origin.

    It is recorded twice, from two fresh backends, and the second recording has to leave the files alone.
    """
    with _project(config) as project:
        if not _direct(backend, visit, expected):
            return
        _record("recorded", project, backend, visit, expected)
        _git(project, "add", "cassettes")
        _replay("replayed", project, visit, expected)
        _record("recorded again", project, backend, visit, expected)
        changed = _git(project, "diff", "--stat", "--", "cassettes") + _git(
            project, "ls-files", "--others", "cassettes"
        )
        check("recorded again: an empty git diff", not changed, changed)
        for command in ("check", "scan"):
            line = [PYTHON, "-m", "replaymock", command]
            done = subprocess.run(line, cwd=project, check=False, capture_output=True, text=True)
            check(f"replaymock {command}", done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:])


def while_recording(backend: Backend, visit: Visit, expected: dict[str, Any]) -> None:
    """The same for what cannot be replayed: its client makes up ids that the answers have to repeat, say."""
    with _project("") as project:
        if _direct(backend, visit, expected):
            _record("recorded", project, backend, visit, expected)


@contextlib.contextmanager
def _project(config: str) -> Iterator[Path]:
    """A folder under git, with a replaymock.toml."""
    with tempfile.TemporaryDirectory(prefix="replaymock-app-") as name:
        project = Path(name)
        (project / "replaymock.toml").write_text(config)
        _git(project, "init", "--quiet")
        yield project


def _direct(backend: Backend, visit: Visit, expected: dict[str, Any]) -> bool:
    """Whether the visit held; if not, the script or the application is at fault, and the rest would say nothing."""
    before = len(_faults)
    with backend() as origin:
        _compare("direct", visit, origin, expected)
    return len(_faults) == before


def _record(mode: str, project: Path, backend: Backend, visit: Visit, expected: dict[str, Any]) -> None:
    with (
        backend() as origin,
        replaymock("record", project / "cassettes", "--upstream", origin, cwd=project, python=PYTHON) as server,
    ):
        _compare(mode, visit, server.url, expected)
        check(f"{mode}: ends with 0", (code := server.stop()) == 0, f"{code}: {server.log[-1000:]}")


def _replay(mode: str, project: Path, visit: Visit, expected: dict[str, Any]) -> None:
    with replaymock("replay", project / "cassettes", "--fail-on-miss", cwd=project, python=PYTHON) as server:
        _compare(mode, visit, server.url, expected)
        check(f"{mode}: nothing missed", server.stop() == 0, server.log[-2000:])


def _compare(mode: str, visit: Visit, origin: str, expected: dict[str, Any]) -> None:
    left = dict(expected)
    try:
        for name, seen in visit(origin):
            wanted = left.pop(name)
            check(f"{mode}: {name}", seen == wanted, f"expected {_short(wanted)}, saw {_short(seen)}")
    except Exception as error:  # whatever an application raises is a finding
        check(f"{mode}: the visit comes to its end", False, f"{type(error).__name__}: {_short(error)}")
    if left:
        check(f"{mode}: all was seen", False, f"not {', '.join(left)}")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) < 600 else f"{text[:300]} … {text[-300:]}"


def _git(project: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=project, check=True, capture_output=True, text=True)
    return done.stdout


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def serving(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> Iterator[str]:
    """A server as a process, `PORT` in its command being a free one; its origin, once it listens."""
    port = free_port()
    line = [str(word).replace("PORT", str(port)) for word in command]
    with tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(line, env={**os.environ, **(env or {})}, cwd=cwd, stdout=log, stderr=log)
        try:
            eventually(lambda: child.poll() is not None or _listens(port), 60)
            if child.poll() is not None:
                log.seek(0)
                raise RuntimeError(log.read())
            yield f"http://127.0.0.1:{port}"
        finally:
            child.terminate()
            child.wait(15)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def browsing() -> Iterator[tuple[Any, list[str]]]:
    """A page in a Chromium with a new profile, and the errors of its console as they come."""
    errors: list[str] = []

    def heard(message: Any) -> None:
        # A browser asks for an icon of its own accord, at a time of its own.
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            errors.append(f"{message.text} {message.location['url']}")

    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", heard)
        yield page, errors
