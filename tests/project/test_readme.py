"""Every command of the README is run, in its order, in a copy of the repository, and says what the README shows.

A server command runs on in the background until the next one. What stands in for what is in one table.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sysconfig
import threading
import venv
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.documents import ROOT, Example, steps
from tests.support.running import eventually

STEPS = steps("README.md")
COMMANDS = [step for step in STEPS if step.language == "sh"]
SERVERS = ("replaymock record ", "replaymock replay")
ANSWERS: dict[str, tuple[dict[str, str], Any]] = {
    "/api/items": ({}, {"items": [{"id": 1, "name": "pen"}]}),
    "/login": (
        {"Set-Cookie": "session_id=8f3a; Path=/; HttpOnly"},
        {"access_token": "t0ps3cret", "profile": "{origin}/users/ada"},
    ),
}


class Backend(BaseHTTPRequestHandler):
    """What stands in for https://api.example.com."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        headers, value = ANSWERS[self.path.partition("?")[0]]
        body = json.dumps(value, separators=(",", ":")).replace("{origin}", f"http://{self.headers['host']}").encode()
        self.send_response(200)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        return None


class Reader:
    """Someone who follows the README from top to bottom."""

    def __init__(self, root: Path, port: int, backend: str) -> None:
        self._root = root
        self._port = port
        self._backend = backend
        self._log = root.parent / "log"
        self._server: subprocess.Popen[bytes] | None = None
        search = f"{root / '.venv/bin'}:{os.environ['PATH']}"
        self._environment = {**os.environ, "PATH": search, "REPLAYMOCK_PORT": str(port), "HOME": str(root.parent)}

    def follow(self, step: Example, shown: Example | None) -> None:
        """Does what a block of commands says; `shown` is the block after it."""
        *lines, last = self._instead(step.text).strip().splitlines()
        if last.startswith(SERVERS):
            self._sh("\n".join(lines))
            self._serve(last)
        elif last.startswith("curl "):
            eventually(lambda: self._as_shown(step, shown), 10)
        else:
            self._sh("\n".join([*lines, last]))

    def stop(self) -> int:
        """Ends the server that runs, if one does; its exit code."""
        if self._server is None:
            return 0
        self._server.send_signal(signal.SIGTERM)
        code, self._server = self._server.wait(15), None
        return code

    def cassettes(self) -> list[str]:
        """What is in the files of the folder."""
        return [file.read_text() for file in (self._root / "cassettes").rglob("*") if file.is_file()]

    def _serve(self, line: str) -> None:
        assert self.stop() == 0
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                ["sh", "-c", f"exec {line}"], cwd=self._root, env=self._environment, stderr=log
            )
        eventually(lambda: b" ready: " in self._log.read_bytes(), 20)

    def _as_shown(self, step: Example, shown: Example | None) -> bool:
        printed = self._sh(self._instead(step.text))
        if shown is None:
            return True
        if shown.language == "":
            return self._instead(shown.text) in self._log.read_text()
        if shown.file:
            file = self._root / shown.file
            return file.exists() and _lasting(file.read_text()) == _lasting(shown.text)
        return bool(json.loads(printed) == json.loads(shown.text))

    def _sh(self, text: str) -> str:
        done = subprocess.run(
            ["sh", "-euc", text],
            cwd=self._root,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _instead(self, text: str) -> str:
        for what, stand_in in {
            "https://api.example.com": self._backend,
            "localhost:8081": f"localhost:{self._port}",
            "scripts/test": "scripts/test tests/project/test_scripts.py -k executable",
            "npm test": f"curl -fsS http://localhost:{self._port}/api/1",
            "curl ": "curl --silent --show-error ",
        }.items():
            text = text.replace(what, stand_in)
        return text


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    root = tmp_path_factory.mktemp("readme") / "replaymock"
    shutil.copytree(
        ROOT, root, ignore=shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__")
    )
    _make_venv(root)
    for line in ("init --quiet", "config user.name Ada", "config user.email ada@example.com"):
        subprocess.run(["git", *line.split()], cwd=root, check=True)
    backend = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=backend.serve_forever, args=(0.01,), daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    reading = Reader(root, port, f"http://127.0.0.1:{backend.server_address[1]}")
    yield reading
    reading.stop()
    backend.shutdown()
    backend.server_close()


def test_the_readme_is_true_from_top_to_bottom(reader: Reader) -> None:
    for step, following in zip(STEPS, [*STEPS[1:], None], strict=True):
        if step.language == "sh" and "--fail-on-miss" not in step.text:
            reader.follow(step, following if following and following.language != "sh" else None)
    assert reader.stop() == 0
    kept = reader.cassettes()
    assert len(kept) > 3
    assert not any(secret in text for text in kept for secret in ("hunter2", "t0ps3cret", "8f3a", "127.0.0.1"))


def test_the_ci_example_passes_when_every_request_hits(reader: Reader) -> None:
    reader.stop()
    reader.follow(_ci_example(), None)


def test_the_ci_example_fails_on_a_miss(reader: Reader) -> None:
    reader.stop()
    missing = _ci_example().text.replace("npm test", "curl http://localhost:8081/api/nowhere")
    with pytest.raises(AssertionError, match="never recorded"):
        reader.follow(Example("sh", missing, ""), None)


def _ci_example() -> Example:
    return next(step for step in COMMANDS if "--fail-on-miss" in step.text)


def _lasting(cassette: str) -> str:
    """A cassette without when it was recorded and how long that took."""
    return re.sub(r'"recorded_at": "[^"]+"|"elapsed_ms": [0-9]+', "", cassette)


def _make_venv(root: Path) -> None:
    """Gives the copy a venv of its own that reads the packages of this one, and writes to none of them.

    Its stamp and its command are there, so that the scripts find nothing to install.
    """
    place = root / ".venv"
    venv.create(place, symlinks=True)
    own = next(place.glob("lib/python*/site-packages"))
    (own / "lent.pth").write_text(f"{root}\n{sysconfig.get_path('purelib')}\n")
    command = place / "bin/replaymock"
    command.write_text(f"#!{place}/bin/python\nfrom replaymock.cli import main\nmain()\n")
    command.chmod(0o755)
    pins = (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    (place / "installed-for").write_bytes(pins)
