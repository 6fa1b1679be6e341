"""The client's connection: ready bytes on a real socket, and when it is kept, closed or reset."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import cast

import pytest
from tornado import httputil
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from replaymock.http.messages import Request, ResponseHead
from replaymock.http.rendered import Delay, SendBody, SendHead, delayed, frame
from replaymock.server.client_connection import ClientConnection
from tests.support.inside import held_open
from tests.support.running import eventually, undated

ANSWER = frame(200, "OK", (("X-A", "1"),), b"body")
READY = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody"
HEAD = ResponseHead(200, "OK", (("X-A", "1"),))
RESET = "reset"
Way = Callable[[ClientConnection], Awaitable[None]]


class Answering(httputil.HTTPServerConnectionDelegate):
    """A server that answers each request in one way, and counts what it is told of its ends."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.done = 0
        self.left = 0
        self.sockets: list[socket.socket] = []

    def start_request(self, _server: object, connection: httputil.HTTPConnection) -> httputil.HTTPMessageDelegate:
        self.sockets.append(cast(HTTP1Connection, connection).stream.socket)
        return Message(self, ClientConnection(cast(HTTP1Connection, connection), self.ended))

    def ended(self) -> None:
        self.done += 1

    def gone(self) -> None:
        self.left += 1


class Message(httputil.HTTPMessageDelegate):
    def __init__(self, answering: Answering, client: ClientConnection) -> None:
        self._answering = answering
        self._client = client

    def headers_received(
        self, start_line: httputil.RequestStartLine | httputil.ResponseStartLine, headers: httputil.HTTPHeaders
    ) -> None:
        line = cast(httputil.RequestStartLine, start_line)
        self._client.start_request(Request(line.method, line.path, tuple(headers.get_all())), line.version)

    def finish(self) -> None:
        self._client.received()
        self._client.on_leave(self._answering.gone)
        self._task = asyncio.ensure_future(self._answering.way(self._client))


@contextlib.contextmanager
def answering(way: Way) -> Iterator[tuple[Answering, int]]:
    found = Answering(way)

    @contextlib.asynccontextmanager
    async def listening() -> AsyncIterator[tuple[Answering, int]]:
        server = HTTPServer(cast(Callable[[httputil.HTTPServerRequest], None], found))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        yield found, sockets[0].getsockname()[1]
        server.stop()
        await server.close_all_connections()

    with held_open(listening) as value:
        yield value


def said(port: int, *lines: str, version: str = "1.1", method: str = "GET", count: int = 1) -> tuple[bytes, str]:
    """What comes back to `count` equal requests, and how the connection ended: kept, closed, or reset."""
    request = "\r\n".join([f"{method} / HTTP/{version}", "Host: x", *lines, "", ""]).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=0.3) as connection:
        connection.sendall(request * count)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            return received, "kept"
        except ConnectionResetError:
            return received, RESET
        return received, "closed"


async def whole(client: ClientConnection) -> None:
    client.answer(ANSWER)


async def in_steps(client: ClientConnection) -> None:
    client.answer(replace(ANSWER, steps=(Delay(0.02), SendHead(), Delay(0.02), SendBody(ANSWER.body))))


async def with_length(client: ClientConnection) -> None:
    client.begin(HEAD, 4)
    await client.write(b"bo")
    await client.write(b"")
    await client.write(b"dy")
    client.finish()


async def without_length(client: ClientConnection) -> None:
    client.begin(HEAD, None)
    await client.write(b"bo")
    await client.write(b"")
    await client.write(b"dy")
    client.finish()


async def at_once(client: ClientConnection) -> None:
    client.send_whole(HEAD, 4, b"body")
    client.finish()


async def at_once_without_length(client: ClientConnection) -> None:
    client.send_whole(HEAD, None, b"body")
    client.finish()


async def cut(client: ClientConnection) -> None:
    client.begin(HEAD, None)
    await client.write(b"bo")
    client.abort()


CHUNKED = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("way", "sent"),
    [
        (whole, READY),
        (in_steps, READY),
        (with_length, READY),
        (without_length, CHUNKED),
        (at_once, READY),
        (at_once_without_length, CHUNKED.replace(b"2\r\nbo\r\n2\r\ndy", b"4\r\nbody")),
    ],
)
def test_what_is_ready_goes_out_as_it_is_and_the_connection_is_kept(way: Way, sent: bytes) -> None:
    """Writing without `write_headers` is called allowed but deprecated by Tornado: this pins it."""
    with answering(way) as (server, port):
        received, ending = said(port, count=3)
        assert (undated(received), ending) == (sent * 3, "kept")
        assert received.count(b"HTTP/1.1 200 OK\r\nDate: ") == (3 if way in (whole, in_steps) else 0)
        assert server.done >= 3


@pytest.mark.parametrize("way", [whole, in_steps, with_length, without_length, at_once_without_length])
def test_who_asks_for_close_is_told_so_and_gets_it(way: Way) -> None:
    with answering(way) as (_, port):
        received, ending = said(port, "Connection: TE, Close", count=2)
    assert ending == "closed"
    assert received.count(b"HTTP/1.1 200 OK") == 1
    assert b"\r\nConnection: close\r\n" in received


@pytest.mark.parametrize(
    ("way", "lines", "ending", "option"),
    [
        (whole, (), "closed", b""),
        (whole, ("Connection: keep-alive",), "kept", b"Connection: keep-alive\r\n"),
        (with_length, ("Connection: Keep-Alive",), "kept", b"Connection: keep-alive\r\n"),
        (without_length, ("Connection: keep-alive",), "closed", b"Connection: close\r\n"),
        (at_once, ("Connection: Keep-Alive",), "kept", b"Connection: keep-alive\r\n"),
        (at_once_without_length, ("Connection: keep-alive",), "closed", b"Connection: close\r\n"),
    ],
)
def test_a_caller_of_http_1_0_gets_no_chunks_and_is_kept_only_if_it_can_tell_the_end(
    way: Way, lines: tuple[str, ...], ending: str, option: bytes
) -> None:
    with answering(way) as (_, port):
        received, ended = said(port, *lines, version="1.0")
    assert ended == ending
    assert option in received
    assert b"chunked" not in received
    assert received.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize(("version", "ending"), [("1.1", "closed"), ("1.0", RESET)])
def test_a_body_cut_short_never_looks_whole(version: str, ending: str) -> None:
    with answering(cut) as (server, port):
        received, ended = said(port, version=version)
        eventually(lambda: server.done)
    assert ended == ending
    assert not received.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("way", [with_length, without_length, at_once, at_once_without_length])
def test_the_answer_to_head_has_no_body_and_the_connection_goes_on(way: Way) -> None:
    with answering(way) as (_, port):
        received, ending = said(port, method="HEAD", count=2)
    assert ending == "kept"
    assert received == b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n" * 2


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_gets_no_framing(status: int) -> None:
    async def way(client: ClientConnection) -> None:
        client.begin(ResponseHead(status, "None", ()), None)
        await client.write(b"never")
        client.finish()

    with answering(way) as (_, port):
        assert said(port) == (f"HTTP/1.1 {status} None\r\n\r\n".encode(), "kept")


def test_the_pieces_of_a_stream_do_not_wait_for_one_another_to_be_acknowledged() -> None:
    options: list[int] = []

    async def way(client: ClientConnection) -> None:
        client.begin(HEAD, 4)
        options.append(server.sockets[-1].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await client.write(b"body")
        client.finish()

    with answering(way) as (server, port):
        assert said(port, count=2) == (READY * 2, "kept")
    assert [bool(option) for option in options] == [True, True]


@pytest.mark.parametrize("way", ["writing", "waiting"])
def test_a_caller_who_leaves_ends_what_is_being_done_for_it(way: str) -> None:
    ended: list[str] = []

    async def answer(client: ClientConnection) -> None:
        if way == "waiting":
            client.answer(delayed(ANSWER, 60))
            return
        client.begin(HEAD, None)
        try:
            while True:
                await client.write(b"x" * 100_000)
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            ended.append("cancelled")

    with answering(answer) as (server, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            if way == "writing":
                connection.recv(100)
        eventually(lambda: server.done if way == "waiting" else ended and server.left)


def test_a_slow_reader_holds_the_writer_back() -> None:
    written: list[int] = []

    async def way(client: ClientConnection) -> None:
        client.begin(HEAD, None)
        for number in range(1000):
            await client.write(b"x" * 100_000)
            written.append(number)

    with answering(way) as (_, port), socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: written)
        assert _rest(written) < 500


def _rest(written: list[int]) -> int:
    """How much was written when no more is."""
    while True:
        count = len(written)
        try:
            eventually(lambda count=count: len(written) > count, 0.2)
        except AssertionError:
            return count
