"""An accelerator beside the server: requests whose answer is constant are served from ready bytes.

So are, as they come, small whole requests whose answer depends on what happened before, or on their body. The lane owns
a connection only while every request on it is of these kinds, and hands the socket, with the bytes already read, to the
server at the first thing it does not know. Delete this file and everything still works, slower.
"""

import asyncio
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import httptools

from replaymock.errors import RequestRefused
from replaymock.http.headers import get, has
from replaymock.http.messages import Request
from replaymock.http.rendered import RenderedResponse, with_header
from replaymock.server.access import validate_request
from replaymock.server.connections import SECONDS
from replaymock.server.date_header import DatedStatusLines
from replaymock.server.fastpath.cache import ReadyResponse, ReadyResponses, ready
from replaymock.server.fastpath.connection import FastConnection
from replaymock.server.listener import Acceptor
from replaymock.telemetry.events import ServedRequest

Constant = tuple[RenderedResponse, ServedRequest]
"""An answer that every equal request gets as long as the index lives, and how it stands in the journal."""


class FastAnswers(Protocol):
    """The server beside the lane."""

    def constant(self, request: Request) -> Constant | None:
        """The answer every equal request gets, if there is one."""

    def direct(self, request: Request) -> Constant | None:
        """The answer to this very request, which has then been served; None, and nothing done, if it may take time."""

    def take_over(self, connection: socket.socket, address: Any, data: bytes) -> None:
        """Serves a connection, with its peer's address and the bytes that were read from it and not answered."""

    def has_room(self, others: int) -> bool:
        """Whether one more connection is taken beside its own and these others."""


class FastPath:
    """Accepts connections, serves what it can, and hands the others on.

    `count` takes note of an answer that was made for a request, `repeat` of one that was served before.
    """

    def __init__(
        self,
        road: FastAnswers,
        count: Callable[[ServedRequest], None],
        repeat: Callable[[ServedRequest], None],
        warn: Callable[[str], None],
        idle_seconds: float = SECONDS,
    ) -> None:
        self.known = ReadyResponses()
        self.repeat = repeat
        self._road = road
        self._count = count
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self.starts = DatedStatusLines(self._loop)
        self._connections: set[FastConnection] = set()
        self._acceptor = Acceptor(self._take, lambda: road.has_room(len(self._connections)), warn)
        self._sweeping = self._loop.call_later(idle_seconds / 4, self._sweep)

    def listen(self, sockets: list[socket.socket]) -> None:
        """Accepts on these listening sockets from now on."""
        self._acceptor.listen(sockets)

    def forget(self) -> None:
        """Forgets every ready answer: the index is another one."""
        self.known.forget()

    def stop_accepting(self) -> None:
        """Takes no more connections."""
        self._acceptor.close()

    async def drain(self, seconds: float, hurry: asyncio.Event) -> None:
        """Waits until every answer is out, no longer than `seconds` or until `hurry`, and closes every connection."""
        deadline = self._loop.time() + seconds
        # Looked at in turns, once, at the end: an event would cost every request.
        while self._is_sending() and self._loop.time() < deadline and not hurry.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self.close()

    def close(self) -> None:
        """Closes every connection."""
        self._sweeping.cancel()
        for connection in list(self._connections):
            connection.close()

    def answer(self, head: bytes) -> ReadyResponse | None:
        """What a request head is answered with here, noted as served; None for what the server must see."""
        known = self.known.get(head)
        if known is not None:
            self.repeat(known.served)
            return known
        made = self._make(head)
        if made is not None:
            self._count(made.served)
            self.known.offer(head, made)
        return made

    def answer_now(self, data: bytes, start: int) -> tuple[ReadyResponse, int] | None:
        """What the request that begins at `start` is answered with this once, noted as served, and where it ends.

        None for what the server must see, which is also a request that is not whole yet.
        """
        parsed = parse_request(data, start)
        found = self._road.direct(parsed[0]) if parsed else None
        if parsed is None or found is None:
            return None
        request, version, end = parsed
        self._count(found[1])
        return _ready(request, version, *found), end

    def left(self, connection: FastConnection) -> None:
        """Learns that a connection is closed or handed on."""
        self._connections.discard(connection)

    def hand_over(self, connection: FastConnection, peer: socket.socket, address: Any, data: bytes) -> None:
        """Gives a connection to the server, with what it has not answered."""
        self.left(connection)
        self._road.take_over(peer, address, data)

    def _is_sending(self) -> bool:
        return any(connection.is_sending for connection in self._connections)

    def _make(self, head: bytes) -> ReadyResponse | None:
        parsed = parse_head(head)
        found = self._road.constant(parsed[0]) if parsed else None
        if parsed is None or found is None or found[0].steps:
            return None
        return _ready(*parsed, *found)

    def _take(self, peer: socket.socket, address: Any) -> None:
        self._connections.add(FastConnection(self, self._loop, peer, address))

    def _sweep(self) -> None:
        """Closes connections on which nothing has moved for too long."""
        oldest = self._loop.time() - self._idle_seconds
        for connection in [connection for connection in self._connections if connection.moved_before(oldest)]:
            connection.close()
        self._sweeping = self._loop.call_later(self._idle_seconds / 4, self._sweep)


def _ready(request: Request, version: str, answer: RenderedResponse, served: ServedRequest) -> ReadyResponse:
    """An answer made ready, with what its caller wants to become of the connection (RFC 9112 section 9.3)."""
    option = get(request.headers, "connection").lower()
    closes = option == "close" or (version == "HTTP/1.0" and option != "keep-alive")
    if option == "close":
        answer = with_header(answer, b"Connection: close")
    elif option and version == "HTTP/1.0":
        answer = with_header(answer, b"Connection: keep-alive")
    return ready(answer.head, answer.body, served, closes=closes)


class _Head:
    """What httptools tells of one request head."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        # httptools 0.9 leaves the white space after a value in place (RFC 9112 section 5.1 takes it away).
        self.headers.append((name.decode("latin-1"), value.decode("latin-1").strip(" \t")))


def parse_head(head: bytes) -> tuple[Request, str] | None:
    """The request of a head and its HTTP version, if it is plain.

    That is GET or HEAD without body, upgrade, options of the connection but `close` and `keep-alive`, or anything that
    is refused.
    """
    line = _LINE.match(head)
    found = _parsed(head, line) if line else None
    return found if found and not has(found[0].headers, "content-length") else None


def parse_request(data: bytes, start: int) -> tuple[Request, str, int] | None:
    """The request that begins at `start`, its HTTP version, and where it ends, if it is all there and else plain.

    Its body, if any, has a length.
    """
    end = data.find(b"\r\n\r\n", start) + 4
    head = data[start:end]
    line = _ANY_LINE.match(head)
    found = _parsed(head, line) if line else None
    if found is None:
        return None
    request, version = found
    size = int(get(request.headers, "content-length", "0"))
    if len(data) - end < size:
        return None
    return replace(request, body=data[end : end + size]) if size else request, version, end + size


def _parsed(head: bytes, line: re.Match[bytes]) -> tuple[Request, str] | None:
    found = _Head()
    try:
        httptools.HttpRequestParser(found).feed_data(head)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    method, target, version = (part.decode("ascii") for part in line.groups())
    request = Request(method, target, tuple(found.headers))
    if any(has(request.headers, name) for name in _NOT_HERE):
        return None
    if get(request.headers, "connection").lower() not in ("", "close", "keep-alive"):
        return None
    try:
        validate_request(request, version)
    except RequestRefused:
        return None
    return request, version


_LINE = re.compile(rb"(GET|HEAD) (/[!-~]*) (HTTP/1\.[01])\r\n")

_ANY_LINE = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (/[!-~]*) (HTTP/1\.[01])\r\n")

_NOT_HERE = ("transfer-encoding", "upgrade", "expect", "te", "trailer")
