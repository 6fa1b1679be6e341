"""The real command as a process, and backends on real sockets, for tests at the edges."""

import atexit
import contextlib
import functools
import http.client
import json
import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 20.0


class Running:
    """A `replaymock record` or `replay` that is ready."""

    def __init__(self, process: subprocess.Popen[str], log: Path, ready: dict[str, Any]) -> None:
        self.process = process
        self.url: str = ready["url"]
        self.port: int = ready["port"]
        self._log = log

    @property
    def log(self) -> str:
        """What it wrote to stderr so far."""
        return self._log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it as a user would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(15)

    def wait_for_log(self, text: str, seconds: float = 5.0) -> str:
        """The log, once it holds `text`."""
        return eventually(lambda: self.log if text in self.log else None, seconds)


@functools.cache
def _of_this_process() -> str:
    """A folder that is gone once the tests have run."""
    folder = tempfile.mkdtemp(prefix="replaymock-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def eventually(look: Callable[[], Any], seconds: float = 5.0) -> Any:
    """The first true answer of `look`, tried again until time is up."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() > deadline:
            assert found, "it did not happen in time"
            return found
        time.sleep(0.02)


@contextlib.contextmanager
def replaymock(
    command: str,
    folder: Path | None,
    *arguments: str,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    python: str = sys.executable,
) -> Iterator[Running]:
    """The real command on a free port, with `folder` as its cassettes if one is named; ended at the end."""
    logs = Path(tempfile.mkdtemp(dir=_of_this_process()))
    log, ready = logs / "log", logs / "ready.json"
    named = ["--cassettes", str(folder)] if folder else []
    line = [python, "-m", "replaymock", command, *named, "--port", "0"]
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*line, "--ready-file", str(ready), *arguments],
            stderr=stderr,
            stdout=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env={**os.environ, **(env or {})},
        )
    try:
        eventually(lambda: ready.exists() or process.poll() is not None, START_SECONDS)
        assert ready.exists(), log.read_text()
        yield Running(process, log, json.loads(ready.read_text()))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert process.stdout is not None
        process.stdout.close()


def run(
    *arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "replaymock", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
        check=False,
        env={**os.environ, **(env or {})},
    )


@contextlib.contextmanager
def raw_backend(handle: Callable[[socket.socket], None]) -> Iterator[str]:
    """A backend that gives each connection to `handle`, in a thread of its own; its origin."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                handle(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 256

        def handle_error(self, request: object, client_address: object) -> None:
            return None

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def read_request(connection: socket.socket) -> bytes:
    """The bytes of one request without body, up to its blank line."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def exchange(port: int, data: bytes, seconds: float = 5.0) -> bytes:
    """Sends raw bytes and reads until the other side closes; ask for `Connection: close`."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(data)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
        return received


@dataclass(frozen=True)
class Got:
    """An answer as it came over the wire: `body` without transfer coding, still in its content coding."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name]

    def header(self, name: str) -> str:
        """A header's value; empty when there is none."""
        return ", ".join(self.all(name))

    def json(self) -> Any:
        """The body as a JSON value."""
        return json.loads(self.body)


@contextlib.contextmanager
def asking(
    origin: str,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
    seconds: float = 15.0,
) -> Iterator[http.client.HTTPResponse]:
    """A request sent byte for byte as given, and the answer with its head read.

    The body gets a Content-Length unless the headers say that it already is chunked.
    """
    host, _, port = origin.rpartition("//")[2].rpartition(":")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}:{port}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None and "Transfer-Encoding: chunked" not in lines:
        lines.append(f"Content-Length: {len(body)}")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))
        answer = http.client.HTTPResponse(connection, method=method)
        try:
            answer.begin()
            yield answer
        finally:
            answer.close()


def ask(
    origin: str, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes | None = None
) -> Got:
    """The whole answer to a request. http.client.IncompleteRead or ConnectionResetError when it is cut short."""
    with asking(origin, method, target, headers, body) as answer:
        return Got(answer.status, answer.reason, answer.getheaders(), answer.read())


def undated(data: bytes) -> bytes:
    """Answers without the line that says when each was given."""
    return re.sub(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT(?=\r\n)", b"", data)


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """The bytes of an answer with a length, JSON unless a header says otherwise, that ends its connection."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    if not any(header.lower().startswith("content-type:") for header in headers):
        head.append("Content-Type: application/json")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def read_whole(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head of one request and its body, framed by Content-Length or chunked."""
    head, _, body = read_request(connection).partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    is_chunked = b"transfer-encoding: chunked" in head.lower()
    while (lengths and len(body) < int(lengths[0])) or (is_chunked and not body.endswith(b"0\r\n\r\n")):
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head, body


def cassettes(folder: Path) -> dict[str, dict[str, Any]]:
    """Every cassette of a folder by its name in it, but for what is being written (hidden)."""
    files = [file for file in folder.rglob("*.json") if not file.name.startswith(".")]
    return {file.relative_to(folder).as_posix(): json.loads(file.read_text()) for file in files}
