"""The server on real sockets: what it reads, what it refuses, and how it ends."""

import asyncio
import contextlib
import http.client
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from replaymock.app import App
from replaymock.proxy.routes import Upstream
from replaymock.replay.engine import ReplayEngine
from replaymock.replay.faults import Latency
from replaymock.replay.overrides import ReplayOptions
from replaymock.server.http_server import MAX_HEADER, HttpServer
from replaymock.server.listener import bind
from replaymock.telemetry.events import Event, ServedRequest
from tests.support.factories import a_cassette
from tests.support.inside import a_server, an_engine, held_open, put, running_app, simple
from tests.support.running import ask, eventually, exchange, raw_backend, read_whole, reply

ITEMS = b"GET /items HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("served")
    for name in ("one", "two", "last"):
        put(folder, f"{name}.json", {"name": name})
    put(
        folder,
        "up/POST.json",
        {**simple("/up", "taken"), "request": {"method": "POST", "path": "/up", "text": "x" * 9}},
    )
    with running_app(folder, max_body=1000) as running:
        yield running


def answers(port: int, data: bytes) -> list[tuple[int, bytes]]:
    """The status and body of each answer to what is sent on one connection, until it is closed."""
    found = []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        stream = connection.makefile("rb")
        while line := stream.readline():
            head = http.client.parse_headers(stream)
            found.append((int(line.split()[1]), stream.read(int(head["content-length"] or 0))))
        stream.close()
    return found


def test_requests_sent_at_once_are_answered_in_their_order(app: App) -> None:
    first = b"".join(b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % name for name in (b"one", b"none", b"two"))
    statuses = [status for status, _ in answers(app.port, first + LAST)]
    assert statuses == [200, 404, 200, 200]
    assert [b'"one"' in body or b'"two"' in body for _, body in answers(app.port, first + LAST)][:3] == [
        True,
        False,
        True,
    ]


def test_a_request_may_come_byte_by_byte(app: App) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in LAST:
            connection.send(bytes([byte]))
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "framing",
    [b"Content-Length: 9\r\n\r\nxxxxxxxxx", b"Transfer-Encoding: chunked\r\n\r\n4\r\nxxxx\r\n5\r\nxxxxx\r\n0\r\n\r\n"],
)
def test_a_body_is_read_in_either_framing_and_the_connection_goes_on(app: App, framing: bytes) -> None:
    request = b"POST /up HTTP/1.1\r\nHost: localhost\r\n" + framing
    assert [status for status, _ in answers(app.port, request + LAST)] == [200, 200]


FRAMED = {
    b"Content-Length: 9": b"x" * 9,
    b"Transfer-Encoding: chunked": b"9\r\nxxxxxxxxx\r\n0\r\n\r\n",
}


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, App]]:
    """Recorders of each mode, before a backend that tells what was expected of it."""

    def handle(connection: socket.socket) -> None:
        head, body = read_whole(connection)
        connection.sendall(reply(body + b"|" + b"".join(re.findall(rb"\r\nExpect: (.*?)\r\n", head))))

    with contextlib.ExitStack() as opened:
        upstreams = (Upstream("", opened.enter_context(raw_backend(handle))),)
        folder = tmp_path_factory.mktemp("recorded")
        yield {
            mode: opened.enter_context(running_app(folder / mode, mode=mode, upstreams=upstreams))
            for mode in ("all", "new", "rewrite")
        }


@pytest.mark.parametrize("mode", ["replay", "all", "new", "rewrite"])
@pytest.mark.parametrize("framing", FRAMED)
@pytest.mark.parametrize(
    "expects",
    [
        b"Expect: 100-continue",
        b"Expect: 100-Continue",
        b"EXPECT:   100-CONTINUE \t",
        b"expect:100-Continue",
        b"Expect: , 100-continue",
    ],
)
def test_who_waits_for_leave_to_send_a_body_gets_it(
    app: App, recorder: dict[str, App], mode: str, framing: bytes, expects: bytes
) -> None:
    port = recorder[mode].port if mode in recorder else app.port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for _ in range(2):
            connection.sendall(b"POST /up HTTP/1.1\r\nHost: localhost\r\n%b\r\n%b\r\n\r\n" % (framing, expects))
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(FRAMED[framing])
            answer = b""
            while not answer.endswith((b'taken"', b"|")):
                answer += connection.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("mode", ["replay", "all", "new"])
@pytest.mark.parametrize(
    "head",
    [
        b"POST /up HTTP/1.1\r\nExpect: 200-ok\r\n",
        b"POST /up HTTP/1.0\r\nExpect: 100-continue\r\n",
        b"POST /up HTTP/1.1\r\nExpect: 100 continue\r\n",
    ],
)
def test_who_expects_something_else_is_not_asked_and_answered(
    app: App, recorder: dict[str, App], mode: str, head: bytes
) -> None:
    port = recorder[mode].port if mode in recorder else app.port
    answer = exchange(port, head + b"Host: localhost\r\nContent-Length: 9\r\nConnection: close\r\n\r\n" + b"x" * 9)
    assert answer.startswith(b"HTTP/1.1 200 ") and b" 100 " not in answer
    if mode == "all" and b"1.1" in head:
        assert answer.endswith(b"|" + re.findall(rb"Expect: (.*)\r", head)[0])


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n",
        b"POST /up HTTP/1.1\r\nContent-Length: 9\r\n",
        b"POST /__replaymock/reset HTTP/1.1\r\nHost: evil.example\r\nTransfer-Encoding: gzip\r\n",
    ],
)
def test_who_is_refused_is_not_asked_for_the_body_too(app: App, request_head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=5) as connection:
        connection.sendall(request_head + b"Expect: 100-continue\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 4") and b"HTTP/1.1 100" not in answer


@pytest.mark.parametrize(
    "refused",
    [
        b"GET http://elsewhere/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /one HTTP/1.1\r\n\r\n",
        b"POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_refused_request_ends_its_connection_so_that_nothing_smuggled_is_read(app: App, refused: bytes) -> None:
    assert [status for status, _ in answers(app.port, refused + LAST)] == [400]
    assert b"\r\nConnection: close\r\n" in exchange(app.port, refused)


def test_a_far_too_large_body_is_read_on_until_the_refusal_was_seen(app: App) -> None:
    size = 20 * 1024 * 1024
    head = f"POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", app.port), timeout=20) as connection:
        connection.sendall(head + b"x" * size)
        received = connection.makefile("rb").read()
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"--max-body" in received


def test_a_too_long_head_is_not_served(app: App) -> None:
    request = b"GET /one HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * MAX_HEADER + b"\r\n\r\n"
    assert b" 200 " not in exchange(app.port, request)
    assert ask(app.url, "GET", "/one").status == 200


@pytest.mark.parametrize("target", ["/one", "/none", "/__replaymock/health", "/__replaymock/none", "/one?x=1"])
def test_the_answer_to_head_is_that_to_get_without_body(app: App, target: str) -> None:
    got, head = ask(app.url, "GET", target), ask(app.url, "HEAD", target)
    raw = exchange(app.port, f"HEAD {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert raw.endswith(b"\r\n\r\n")
    assert head.status == got.status
    assert head.header("content-type") == got.header("content-type")
    assert head.header("content-length")


def test_more_arguments_than_tornado_takes_are_no_hindrance(app: App) -> None:
    query = "&".join(f"a{number}=1" for number in range(2000))
    assert ask(app.url, "GET", f"/one?{query}").json()["name"] == "one"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_localhost_is_both_loopback_addresses_on_one_port(app: App, address: str) -> None:
    with socket.create_connection((address, app.port), timeout=5) as connection:
        connection.sendall(LAST)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def slow(seconds: float) -> ReplayEngine:
    """An engine that holds each answer back for so long."""
    return an_engine(a_cassette(), options=ReplayOptions(latency=Latency(seconds, seconds)))


@contextlib.asynccontextmanager
async def listening(engine: ReplayEngine) -> AsyncIterator[tuple[HttpServer, int]]:
    server = a_server(engine, 1000)
    sockets = bind("127.0.0.1", 0)
    server.listen(sockets)
    port = sockets[0].getsockname()[1]
    yield server, port
    server.stop_accepting()
    await server.drain(0)


def test_a_fault_of_the_program_is_a_500_without_its_inside_and_one_line_in_the_log() -> None:
    told: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, ServedRequest):
            raise ZeroDivisionError("secret detail")
        told.append(event.to_json()["message"])

    with held_open(lambda: listening(an_engine(a_cassette(), emit=emit))) as (_, port):
        for _ in range(2):
            got = ask(f"http://127.0.0.1:{port}", "GET", "/items")
            assert (got.status, got.json()["code"]) == (500, "internal_error")
            assert b"secret detail" not in got.body
    assert len(told) == 2
    assert "ZeroDivisionError at test_http_server.py:" in told[0]


@contextlib.asynccontextmanager
async def calling(port: int, data: bytes) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    yield reader, writer
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()


@pytest.mark.parametrize(("patience", "is_whole"), [(5.0, True), (0.05, False)])
def test_draining_waits_for_what_is_in_flight_but_not_for_ever(patience: float, is_whole: bool) -> None:
    async def story() -> bytes:
        async with listening(slow(0.3)) as (server, port), calling(port, ITEMS) as (reader, _):
            await asyncio.sleep(0.1)
            server.stop_accepting()
            await server.drain(patience)
            with contextlib.suppress(ConnectionResetError):
                return await reader.read()
            return b""

    assert (b"200 OK" in asyncio.run(story())) is is_whole


def test_who_idles_or_left_is_not_waited_for() -> None:
    async def story() -> float:
        async with (
            listening(slow(60.0)) as (server, port),
            calling(port, b""),
            calling(port, b"GET /items HTTP/1.1\r\nHo"),
            calling(port, ITEMS) as (_, gone),
        ):
            await asyncio.sleep(0.1)
            gone.close()
            began = asyncio.get_running_loop().time()
            await server.drain(20)
            return asyncio.get_running_loop().time() - began

    assert asyncio.run(story()) < 3


def test_an_upload_goes_upstream_while_it_comes(tmp_path: Path) -> None:
    arrived: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        arrived.append(connection.recv(65536))
        read_whole(connection)
        connection.sendall(reply(b"{}"))

    with (
        raw_backend(handle) as origin,
        running_app(tmp_path / "c", upstreams=(Upstream("", origin),), mode="all") as app,
        socket.create_connection(("127.0.0.1", app.port), timeout=5) as client,
    ):
        client.sendall(b"POST /up HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        eventually(lambda: arrived)


def test_nothing_is_imported_with_the_first_connection() -> None:
    code = "import sys, replaymock.server.http_server; sys.exit('tornado.platform.asyncio' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=20, check=False).returncode == 0
