"""An accelerator beside the server: requests whose answer is constant are served from ready bytes.

It owns a connection only while every request on it is such a request, and hands the socket, with the bytes already
read, to the server at the first thing it does not know. Delete this file and everything still works, slower.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol

from replaymock.accepting import Acceptor
from replaymock.answer import Answer, with_header
from replaymock.dates import Starts
from replaymock.exchange import Request
from replaymock.headers import get
from replaymock.journal import Served
from replaymock.patience import SECONDS
from replaymock.plainhead import parse
from replaymock.ready import Known, Ready, ready

Constant = tuple[Answer, Served]
"""An answer that every equal request gets as long as the index lives, and how it stands in the journal."""

_READ = 16 * 1024
_MOST_QUEUED = 16 * 1024


class Road(Protocol):
    """The server beside the lane."""

    def constant(self, request: Request) -> Constant | None:
        """The answer every equal request gets, if there is one."""

    def take_over(self, connection: socket.socket, address: Any, data: bytes) -> None:
        """Serves a connection, with its peer's address and the bytes that were read from it and not answered."""

    def has_room(self, others: int) -> bool:
        """Whether one more connection is taken beside its own and these others."""


class FastLane:
    """Accepts connections, serves what it can, and hands the others on.

    `count` takes note of an answer that was made for a request, `repeat` of one that was served before.
    """

    def __init__(
        self,
        road: Road,
        count: Callable[[Served], None],
        repeat: Callable[[Served], None],
        warn: Callable[[str], None],
        idle_seconds: float = SECONDS,
    ) -> None:
        self.known = Known()
        self.repeat = repeat
        self._road = road
        self._count = count
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self.starts = Starts(self._loop)
        self._connections: set[_Connection] = set()
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

    def answer(self, head: bytes) -> Ready | None:
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

    def left(self, connection: "_Connection") -> None:
        """Learns that a connection is closed or handed on."""
        self._connections.discard(connection)

    def hand_over(self, connection: "_Connection", peer: socket.socket, address: Any, data: bytes) -> None:
        """Gives a connection to the server, with what it has not answered."""
        self.left(connection)
        self._road.take_over(peer, address, data)

    def _is_sending(self) -> bool:
        return any(connection.is_sending for connection in self._connections)

    def _make(self, head: bytes) -> Ready | None:
        parsed = parse(head)
        found = self._road.constant(parsed[0]) if parsed else None
        if parsed is None or found is None or found[0].steps:
            return None
        (request, version), (answer, served) = parsed, found
        option = get(request.headers, "connection").lower()
        closes = option == "close" or (version == "HTTP/1.0" and option != "keep-alive")
        if option == "close":
            answer = with_header(answer, b"Connection: close")
        elif option and version == "HTTP/1.0":
            answer = with_header(answer, b"Connection: keep-alive")
        return ready(answer.head, answer.body, served, closes=closes)

    def _take(self, peer: socket.socket, address: Any) -> None:
        self._connections.add(_Connection(self, self._loop, peer, address))

    def _sweep(self) -> None:
        """Closes connections on which nothing has moved for too long."""
        oldest = self._loop.time() - self._idle_seconds
        for connection in [connection for connection in self._connections if connection.moved_before(oldest)]:
            connection.close()
        self._sweeping = self._loop.call_later(self._idle_seconds / 4, self._sweep)


class _Connection:
    """One connection while it is in the lane."""

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

    def __init__(self, lane: FastLane, loop: asyncio.AbstractEventLoop, peer: socket.socket, address: Any) -> None:
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lane = lane
        self._loop = loop
        self._peer = peer
        self._address = address
        # Looked up once: this is what every request needs.
        self._receive, self._send = peer.recv, peer.send
        self._find, self._repeat, self._start = lane.known.get, lane.repeat, lane.starts.get
        self._unsent: list[memoryview] = []
        self._rest = b""
        self._ends = False
        self._moved = loop.time()
        self._was_idle = True
        loop.add_reader(peer, self._readable)

    @property
    def is_sending(self) -> bool:
        """Whether an answer is on its way."""
        return bool(self._unsent)

    def moved_before(self, moment: float) -> bool:
        """Whether nothing came or went since `moment`; asked a few times in an idle period."""
        if not self._was_idle:
            self._was_idle = True
            self._moved = self._loop.time()
        return self._moved < moment

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
        """Answers the requests in `data` in order, as far as they are known; the rest once there is room, or never."""
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
        """How much of `data` is answered by what: about as much as a socket takes, or one large answer."""
        wires: list[bytes] = []
        queued = start = 0
        body = b""
        while start < len(data) and not self._ends and not body and queued < _MOST_QUEUED:
            end = data.find(b"\r\n\r\n", start) + 4
            answer = self._lane.answer(data[start:end]) if end > 3 else None  # noqa: PLR2004 - not found
            if answer is None:
                break
            wires += (self._start(answer.start) or self._lane.starts.make(answer.start), answer.wire)
            queued += len(answer.wire)
            body = answer.body
            self._ends = answer.closes
            start = end
        return start, [memoryview(piece) for piece in (b"".join(wires), body) if piece]

    def _send_all(self, pieces: list[memoryview]) -> list[memoryview]:
        """Sends as much as the socket takes; what is left. It still is the memory of the answers, not a copy."""
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
