"""Accepts connections for the fast path, which answers from ready bytes what it can. Without it, all works, but slower.

It answers requests whose response is constant, and others that can be answered at once. At the first request that it
cannot answer, it hands the socket to the server, with the bytes already read, and does not get it back.
"""

import asyncio
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import httptools

from replaymock.draining import wait_while
from replaymock.errors import RequestRefused
from replaymock.http.headers import connection_persistence, get, has
from replaymock.http.messages import Request
from replaymock.http.rendered import RenderedResponse, with_connection
from replaymock.server.access import validate_request
from replaymock.server.connections import IDLE_SECONDS, IdleReaper
from replaymock.server.date_header import DatedStatusLines
from replaymock.server.fastpath.cache import ReadyResponse, ReadyResponses, ready
from replaymock.server.fastpath.connection import FastConnection
from replaymock.server.listener import Acceptor
from replaymock.telemetry.events import ServedRequest

FastAnswer = tuple[RenderedResponse, ServedRequest]
"""A response, and its request as the journal has it."""


class FastAnswers(Protocol):
    """Gives the responses of the fast path."""

    def constant_answer(self, request: Request) -> FastAnswer | None:
        """The response that all equal requests get until a cassette changes; None if there is no such response."""

    def answer_at_once(self, request: Request) -> FastAnswer | None:
        """The response to this request, which then counts as made; None, and nothing changed, if it may take time."""


class FullServer(Protocol):
    """The server that takes over connections."""

    def take_over(self, connection: socket.socket, address: object, data: bytes) -> None:
        """Serves a connection. `data` are the bytes that were read from it and not answered."""

    def can_accept(self, others: int) -> bool:
        """Whether one more connection may be accepted beside the server's own and these others."""


class FastPath:
    """Accepts connections, answers what it can, and hands the others on.

    `count` counts a request with a new response, `repeat` one whose ready response was sent before.
    """

    def __init__(
        self,
        answers: FastAnswers,
        server: FullServer,
        count: Callable[[ServedRequest], None],
        repeat: Callable[[ServedRequest], None],
        warn: Callable[[str], None],
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.responses = ReadyResponses()
        self.repeat = repeat
        self._answers = answers
        self._server = server
        self._count = count
        self._loop = asyncio.get_running_loop()
        self.starts = DatedStatusLines(self._loop)
        self._connections: IdleReaper[FastConnection] = IdleReaper(idle_seconds)
        self._acceptor = Acceptor(self._take, lambda: server.can_accept(len(self._connections)), warn)

    def listen(self, sockets: list[socket.socket]) -> None:
        """Accepts on these listening sockets from now on."""
        self._acceptor.listen(sockets)

    def forget(self) -> None:
        """Drops all ready responses, because a cassette has changed."""
        self.responses.forget()

    def stop_accepting(self) -> None:
        """Stops accepting connections."""
        self._acceptor.close()

    async def drain(self, seconds: float, hurry: asyncio.Event) -> None:
        """Waits until all responses are out, at most for so many seconds or until `hurry`; closes all connections."""
        await wait_while(self._is_sending, seconds, hurry)
        self.close()

    def close(self) -> None:
        """Closes every connection."""
        self._connections.stop()
        for connection in list(self._connections):
            connection.close()

    def answer(self, head: bytes) -> ReadyResponse | None:
        """The response to a request head, which is counted; None if it is for the server."""
        ready_before = self.responses.get(head)
        if ready_before is not None:
            self.repeat(ready_before.served)
            return ready_before
        response = self._make(head)
        if response is not None:
            self._count(response.served)
            self.responses.offer(head, response)
        return response

    def answer_now(self, data: bytes, start: int) -> tuple[ReadyResponse, int] | None:
        """The response to the request that begins at `start`, for this one time, and where that request ends.

        The request is counted. None if it is for the server, or if it is not complete yet.
        """
        parsed = parse_request(data, start)
        answer = self._answers.answer_at_once(parsed[0]) if parsed else None
        if parsed is None or answer is None:
            return None
        request, version, end = parsed
        self._count(answer[1])
        return _ready(request, version, *answer), end

    def left(self, connection: FastConnection) -> None:
        """Called when a connection is closed or handed on."""
        self._connections.remove(connection)

    def hand_over(self, connection: FastConnection, peer: socket.socket, address: object, data: bytes) -> None:
        """Gives a connection to the server, with the bytes that are not answered."""
        self.left(connection)
        self._server.take_over(peer, address, data)

    def _is_sending(self) -> bool:
        return any(connection.is_sending for connection in self._connections)

    def _make(self, head: bytes) -> ReadyResponse | None:
        parsed = parse_head(head)
        answer = self._answers.constant_answer(parsed[0]) if parsed else None
        if parsed is None or answer is None or answer[0].steps:
            return None
        return _ready(*parsed, *answer)

    def _take(self, peer: socket.socket, address: object) -> None:
        self._connections.add(FastConnection(self, self._loop, peer, address))


def _ready(request: Request, version: str, answer: RenderedResponse, served: ServedRequest) -> ReadyResponse:
    """A response in ready bytes, with the `Connection` header that its client needs."""
    persistence = connection_persistence(request.headers, version)
    if persistence.option:
        answer = with_connection(answer, persistence.option)
    return ready(answer.head, answer.body, served, closes=persistence.is_closing)


class _HeadFields:
    """The headers of one request head, as httptools reads them."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        # httptools 0.9 leaves white space after a value, which RFC 9112 section 5.1 excludes.
        self.headers.append((name.decode("latin-1"), value.decode("latin-1").strip(" \t")))


def parse_head(head: bytes) -> tuple[Request, str] | None:
    """The request of a head, and its HTTP version; None unless it is plain.

    A plain request is a valid GET or HEAD, with no body, no upgrade and no options in `Connection` but `close` and
    `keep-alive`.
    """
    line = _LINE.match(head)
    parsed = _parsed(head, line) if line else None
    return parsed if parsed and not has(parsed[0].headers, "content-length") else None


def parse_request(data: bytes, start: int) -> tuple[Request, str, int] | None:
    """The request that begins at `start`, its HTTP version, and where it ends; None unless it is complete and plain.

    Here, plain requests may have any usual method, and a body with a length.
    """
    end = data.find(b"\r\n\r\n", start) + 4
    head = data[start:end]
    line = _ANY_LINE.match(head)
    parsed = _parsed(head, line) if line else None
    if parsed is None:
        return None
    request, version = parsed
    size = int(get(request.headers, "content-length", "0"))
    if len(data) - end < size:
        return None
    return replace(request, body=data[end : end + size]) if size else request, version, end + size


def _parsed(head: bytes, line: re.Match[bytes]) -> tuple[Request, str] | None:
    fields = _HeadFields()
    try:
        httptools.HttpRequestParser(fields).feed_data(head)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    method, target, version = (part.decode("ascii") for part in line.groups())
    request = Request(method, target, tuple(fields.headers))
    if any(has(request.headers, name) for name in _NOT_PLAIN):
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

_NOT_PLAIN = ("transfer-encoding", "upgrade", "expect", "te", "trailer")
