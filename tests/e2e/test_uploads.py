"""Uploads over `--max-body` while recording: passed on whole in bounded memory, answered by the backend, never kept."""

import hashlib
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from replaymock.proxy.routes import Upstream
from tests.support.inside import Told, running_app
from tests.support.running import Got, ask, cassettes, eventually, raw_backend, replaymock, reply

LIMIT = 1000
PIECE = b"0123456789abcdef" * 4096
EVENTS = b"data: 1\n\ndata: 2\n\n"


def read_body(connection: socket.socket) -> tuple[bytes, int, str]:
    """The head of a request, and how long its body is and what comes of it, read without keeping it."""
    stream = connection.makefile("rb")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return b"", 0, ""
        head += line
    digest, size = hashlib.sha256(), 0
    length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
    left = int(length[1]) if length else 0
    while left or not length:
        if not length:
            left = int(stream.readline(), 16)
        if not left:
            break
        while left and (piece := stream.read(min(left, 1 << 20))):
            digest.update(piece)
            size, left = size + len(piece), left - len(piece)
        if not length:
            stream.readline()
    return head, size, digest.hexdigest()


def handle(connection: socket.socket) -> None:
    head, size, digest = read_body(connection)
    if b" /events " in head:
        connection.sendall(reply(EVENTS, "Content-Type: text/event-stream"))
    elif b" /full " in head:
        connection.sendall(reply(b'{"error": "full"}', status="507 Insufficient Storage"))
    else:
        connection.sendall(reply(json.dumps({"size": size, "sha256": digest}).encode(), status="201 Created"))


@pytest.fixture
def backend() -> Iterator[tuple[Upstream, ...]]:
    with raw_backend(handle) as origin:
        yield (Upstream("", origin),)


def chunked(body: bytes, size: int) -> bytes:
    chunks = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def upload(url: str, method: str, target: str, body: bytes, chunk: int = 0, *headers: tuple[str, str]) -> Got:
    """Uploads a body; in chunks of this size where one is given."""
    if not chunk:
        return ask(url, method, target, headers, body)
    return ask(url, method, target, [*headers, ("Transfer-Encoding", "chunked")], chunked(body, chunk))


@pytest.mark.parametrize("mode", ["all", "new", "rewrite"])
@pytest.mark.parametrize("chunk", [0, 100, 70_000], ids=["length", "small chunks", "large chunks"])
@pytest.mark.parametrize("size", [LIMIT + 1, 5_000_000])
def test_it_is_answered_by_the_backend_and_told_of_once_and_not_kept(
    backend: tuple[Upstream, ...], tmp_path: Path, mode: str, chunk: int, size: int
) -> None:
    told, body = Told(), (PIECE * (size // len(PIECE) + 1))[:size]
    with running_app(tmp_path, told, upstreams=backend, mode=mode, max_body=LIMIT) as app:
        got = upload(app.url, "POST", "/up?token=hunter2-of-the-test", body, chunk)
        (done,) = eventually(lambda: told.events("request"))
        assert upload(app.url, "POST", "/up", body[:LIMIT], chunk).json()["size"] == LIMIT
    assert (got.status, got.json()) == (201, {"size": size, "sha256": hashlib.sha256(body).hexdigest()})
    assert got.header("cache-status") == f"replaymock; fwd={'uri-miss' if mode == 'new' else 'request'}"
    assert not got.header("replaymock-cassette")
    assert (done["status"], done["outcome"]) == (201, "forwarded")
    (warning,) = told.events("warning")
    assert warning["message"] == "POST /up: not saved, its request body is larger than --max-body"
    (cassette,) = cassettes(tmp_path).values()
    assert cassette["responses"][0]["json"]["size"] == LIMIT


@pytest.mark.parametrize("mode", ["all", "new"])
@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        ("PUT", "/up", (("Content-Type", "application/json"),), 201),
        ("PATCH", "/up", (("Content-Type", "multipart/form-data; boundary=b"),), 201),
        ("DELETE", "/up", (("Content-Encoding", "gzip"),), 201),
        ("POST", "/full", (("Content-Type", "text/csv"),), 507),
        ("POST", "/events", (), 200),
        ("GET", "/up", (("Content-Type", "application/x-www-form-urlencoded"),), 201),
    ],
)
def test_whatever_it_is_it_passes(
    backend: tuple[Upstream, ...],
    tmp_path: Path,
    mode: str,
    method: str,
    target: str,
    headers: tuple[tuple[str, str], ...],
    status: int,
) -> None:
    told = Told()
    with running_app(tmp_path, told, upstreams=backend, mode=mode, max_body=LIMIT) as app:
        got = [upload(app.url, method, target, b"x" * 50_000, chunk, *headers) for chunk in (0, 999)]
        outcomes = eventually(lambda: len(done := told.events("request")) == 2 and {one["outcome"] for one in done})
    assert [one.status for one in got] == [status, status]
    assert all("stored" not in one.header("cache-status") for one in got)
    assert got[0].body == got[1].body
    assert outcomes == {"forwarded"}
    assert cassettes(tmp_path) == {}


def test_a_backend_that_does_not_want_it_says_so_itself(tmp_path: Path) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(reply(b'{"error": "mine"}', status="413 Too Much"))
        while connection.recv(1 << 16):
            pass

    with raw_backend(refuse) as origin:
        upstreams = (Upstream("", origin),)
        with running_app(tmp_path, upstreams=upstreams, mode="all", max_body=LIMIT) as app:
            got = ask(app.url, "POST", "/up", [], PIECE * 100)
    assert (got.status, got.json()) == (413, {"error": "mine"})
    assert cassettes(tmp_path) == {}


@pytest.mark.parametrize("mode", ["all", "new"])
@pytest.mark.parametrize("chunk", [0, 100])
def test_what_upstream_is_not_asked_for_is_refused_as_ever(
    backend: tuple[Upstream, ...], tmp_path: Path, mode: str, chunk: int
) -> None:
    page = [("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "PUT")]
    with running_app(tmp_path, upstreams=backend, mode=mode, max_body=LIMIT) as app:
        for method, target, headers in (("POST", "/__replaymock/reset", []), ("OPTIONS", "/up", page)):
            got = upload(app.url, method, target, b"x" * 50_000, chunk, *headers)
            assert (got.status, got.json()["code"]) == (413, "body_too_large")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measured as Linux tells it")
@pytest.mark.parametrize("mode", ["all", "new"])
@pytest.mark.parametrize("chunk", [0, len(PIECE)], ids=["length", "chunked"])
def test_its_memory_is_bounded_whatever_its_size(
    backend: tuple[Upstream, ...], tmp_path: Path, mode: str, chunk: int
) -> None:
    count = 200 * 1024 * 1024 // len(PIECE)
    framing = "Transfer-Encoding: chunked" if chunk else f"Content-Length: {count * len(PIECE)}"
    sent = b"%x\r\n%b\r\n" % (len(PIECE), PIECE) if chunk else PIECE
    with replaymock("record", tmp_path / "c", "--upstream", backend[0].origin, "--mode", mode) as server:
        before = _peak(server.process.pid)
        with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
            connection.sendall(f"POST /up HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode())
            for _ in range(count):
                connection.sendall(sent)
            connection.sendall(b"0\r\n\r\n" if chunk else b"")
            assert b" 201 " in connection.recv(100)
        assert _peak(server.process.pid) - before < 150


def _peak(process: int) -> float:
    """The most memory a process has had, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found
    return int(found[1]) / 1024
