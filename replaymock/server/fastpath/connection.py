"""One connection on the fast path: reads bytes and writes ready responses, until the server takes it over."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from replaymock.server.date_header import DatedStatusLines
from replaymock.server.fastpath.cache import ReadyResponse, ReadyResponses
from replaymock.telemetry.events import ServedRequest

_READ = 16 * 1024
_MOST_QUEUED = 16 * 1024


class FastPathHost(Protocol):
    """The fast path, as its connections see it."""

    responses: ReadyResponses
    starts: DatedStatusLines
    repeat: Callable[[ServedRequest], None]

    def answer(self, head: bytes) -> ReadyResponse | None:
        """The response to a request head, which is counted; None if it is not constant."""

    def answer_now(self, data: bytes, start: int) -> tuple[ReadyResponse, int] | None:
        """The response to the request that begins at `start`, and where that ends; None if it is for the server."""

    def left(self, connection: "FastConnection") -> None:
        """Called when a connection is closed or handed on."""

    def hand_over(self, connection: "FastConnection", peer: socket.socket, address: object, data: bytes) -> None:
        """Gives a connection to the server, with the bytes that are not answered."""


class FastConnection:
    """One connection, as long as every request on it can be answered here."""

    __slots__ = (
        "_address",
        "_ends",
        "_find",
        "_lane",
        "_loop",
        "_moved",
        "_peer",
        "_receive",
        "_repeat",
        "_rest",
        "_send",
        "_start",
        "_unsent",
        "_was_idle",
    )

    def __init__(
        self, host: FastPathHost, loop: asyncio.AbstractEventLoop, peer: socket.socket, address: object
    ) -> None:
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lane = host
        self._loop = loop
        self._peer = peer
        self._address = address
        # Looked up once: this is what every request needs.
        self._receive, self._send = peer.recv, peer.send
        self._find, self._repeat, self._start = host.responses.get, host.repeat, host.starts.get
        self._unsent: list[memoryview] = []
        self._rest = b""
        self._ends = False
        self._moved = loop.time()
        self._was_idle = True
        loop.add_reader(peer, self._readable)

    @property
    def is_sending(self) -> bool:
        """Whether a response is on its way."""
        return bool(self._unsent)

    def is_idle_for(self, seconds: float, now: float) -> bool:
        """Whether nothing was read or written for so long. Must be called a few times in that time."""
        if not self._was_idle:
            self._was_idle = True
            self._moved = now
        return now - self._moved >= seconds

    def close(self) -> None:
        """Ends the connection."""
        self._leave()
        self._peer.close()
        self._lane.left(self)

    def _readable(self) -> None:
        try:
            data = self._receive(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._was_idle = False
        known = self._find(data)
        if known is None or not known.is_simple:
            self._serve(data)
            return
        self._repeat(known.served)
        wire = (self._start(known.start) or self._lane.starts.make(known.start)) + known.wire
        try:
            sent = self._send(wire)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(wire):
            self._wait_to_send([memoryview(wire)[sent:]])

    def _serve(self, data: bytes) -> None:
        """Answers the requests in `data` in order, as far as the socket takes it; the rest once it takes more."""
        while data:
            answered, pieces = self._answers(data)
            if not answered:
                self._leave()
                self._lane.hand_over(self, self._peer, self._address, data)
                return
            data = b"" if self._ends else data[answered:]
            try:
                unsent = self._send_all(pieces)
            except OSError:
                self.close()
                return
            if unsent:
                self._rest = data
                self._wait_to_send(unsent)
                return
        if self._ends:
            self.close()

    def _answers(self, data: bytes) -> tuple[int, list[memoryview]]:
        """How many bytes of `data` are answered, and the responses: about as much as a socket takes, or a large one."""
        wires: list[bytes] = []
        queued = start = 0
        body = b""
        while start < len(data) and not self._ends and not body and queued < _MOST_QUEUED:
            end = data.find(b"\r\n\r\n", start) + 4
            answer = self._lane.answer(data[start:end]) if end > 3 else None  # noqa: PLR2004 - not found
            if answer is None:
                now = self._lane.answer_now(data, start) if end > 3 else None  # noqa: PLR2004 - not found
                if now is None:
                    break
                answer, end = now
            wires += (self._start(answer.start) or self._lane.starts.make(answer.start), answer.wire)
            queued += len(answer.wire)
            body = answer.body
            self._ends = answer.closes
            start = end
        return start, [memoryview(piece) for piece in (b"".join(wires), body) if piece]

    def _send_all(self, pieces: list[memoryview]) -> list[memoryview]:
        """Sends as much as the socket takes. What is left is given as views of the responses, without a copy."""
        for at, piece in enumerate(pieces):
            try:
                sent = self._send(piece)
            except (BlockingIOError, InterruptedError):
                sent = 0
            if sent:
                self._was_idle = False
            if sent < len(piece):
                return [piece[sent:], *pieces[at + 1 :]]
        return []

    def _wait_to_send(self, unsent: list[memoryview]) -> None:
        self._unsent = unsent
        self._loop.remove_reader(self._peer)
        self._loop.add_writer(self._peer, self._writable)

    def _writable(self) -> None:
        try:
            self._unsent = self._send_all(self._unsent)
        except OSError:
            self.close()
            return
        if self._unsent:
            return
        self._loop.remove_writer(self._peer)
        if self._ends:
            self.close()
            return
        self._loop.add_reader(self._peer, self._readable)
        rest, self._rest = self._rest, b""
        self._serve(rest)

    def _leave(self) -> None:
        self._loop.remove_reader(self._peer)
        self._loop.remove_writer(self._peer)
