"""An accelerator beside the server: requests whose answer is constant are served from ready bytes.

It owns a connection only while every request on it is such a request, and hands the socket, with the bytes already
read, to the server at the first thing it does not know. Delete this file and everything still works, slower.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from replaymock.accepting import Acceptor
from replaymock.answer import Answer, with_header
from replaymock.exchange import Request
from replaymock.headers import get, list_items
from replaymock.journal import Served
from replaymock.plainhead import parse

Constant = tuple[Answer, Served]
"""An answer that every equal request gets as long as the index lives, and how it stands in the journal."""

HandOver = Callable[[socket.socket, Any, bytes], None]
"""Takes a connection with its peer's address and the bytes that were read from it and not answered."""

MOST_CONNECTIONS = 4096
IDLE_SECONDS = 60.0
_READ = 64 * 1024
_MOST_QUEUED = 1024 * 1024
_KNOWN_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a request head, byte for byte as it came, is answered with."""

    wire: bytes
    served: Served
    closes: bool


class FastLane:
    """Accepts connections, serves what it can, and hands the others on."""

    def __init__(
        self,
        constant: Callable[[Request], Constant | None],
        count: Callable[[Served], None],
        hand_over: HandOver,
        warn: Callable[[str], None],
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.count = count
        self.known: dict[bytes, _Ready] = {}
        self._known_bytes = 0
        self._constant = constant
        self._hand_over = hand_over
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._connections: set[_Connection] = set()
        self._acceptor = Acceptor(self._loop, self._take, warn)
        self._sweeping = self._loop.call_later(idle_seconds / 4, self._sweep)

    def listen(self, sockets: list[socket.socket]) -> None:
        """Accepts on these listening sockets from now on."""
        self._acceptor.listen(sockets)

    def forget(self) -> None:
        """Forgets every ready answer: the index is another one."""
        self.known.clear()
        self._known_bytes = 0

    def stop_accepting(self) -> None:
        """Takes no more connections."""
        self._acceptor.close()

    async def drain(self, seconds: float, hurry: asyncio.Event) -> None:
        """Waits until every answer is out, no longer than `seconds` or until `hurry`, and closes every connection."""
        deadline = self._loop.time() + seconds
        # Looked at in turns, once, at the end: an event would cost every request.
        while self._is_sending() and self._loop.time() < deadline and not hurry.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self._sweeping.cancel()
        for connection in list(self._connections):
            connection.close()

    def find(self, head: bytes) -> _Ready | None:
        """What a request head is answered with here; None for what the server must see."""
        ready = self.known.get(head)
        if ready is None:
            ready = self._make(head)
            if ready is not None:
                self._remember(head, ready)
        return ready

    def left(self, connection: "_Connection") -> None:
        """Learns that a connection is closed or handed on."""
        self._connections.discard(connection)
        self._acceptor.resume()

    def hand_over(self, connection: "_Connection", peer: socket.socket, address: Any, data: bytes) -> None:
        """Gives a connection to the server, with what it has not answered."""
        self.left(connection)
        self._hand_over(peer, address, data)

    def _is_sending(self) -> bool:
        return any(connection.is_sending for connection in self._connections)

    def _make(self, head: bytes) -> _Ready | None:
        request = parse(head)
        found = self._constant(request) if request else None
        if request is None or found is None:
            return None
        answer, served = found
        closes = "close" in list_items(get(request.headers, "connection"))
        if closes:
            answer = with_header(answer, b"Connection: close")
        return _Ready(answer.wire, served, closes)

    def _remember(self, head: bytes, ready: _Ready) -> None:
        self._known_bytes += len(head) + len(ready.wire)
        if self._known_bytes > _KNOWN_BYTES:
            self.forget()
            self._known_bytes = len(head) + len(ready.wire)
        self.known[head] = ready

    def _take(self, peer: socket.socket, address: Any) -> None:
        self._connections.add(_Connection(self, self._loop, peer, address))
        if len(self._connections) >= MOST_CONNECTIONS:
            self._acceptor.pause()

    def _sweep(self) -> None:
        """Closes connections on which nothing has moved for too long."""
        oldest = self._loop.time() - self._idle_seconds
        for connection in [connection for connection in self._connections if connection.moved_before(oldest)]:
            connection.close()
        self._sweeping = self._loop.call_later(self._idle_seconds / 4, self._sweep)


class _Connection:
    """One connection while it is in the lane."""

    __slots__ = ("_address", "_ends", "_lane", "_loop", "_moved", "_peer", "_rest", "_unsent", "_was_idle")

    def __init__(self, lane: FastLane, loop: asyncio.AbstractEventLoop, peer: socket.socket, address: Any) -> None:
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lane = lane
        self._loop = loop
        self._peer = peer
        self._address = address
        self._unsent = b""
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
            data = self._peer.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._was_idle = False
        ready = self._lane.known.get(data)
        if ready is None:
            self._serve(data)
            return
        self._lane.count(ready.served)
        self._ends = ready.closes
        self._send(ready.wire)

    def _serve(self, data: bytes) -> None:
        """Answers the requests in `data` in order, as far as they are known and as there is room for the answers."""
        wires: list[bytes] = []
        queued = start = 0
        while start < len(data) and not self._ends and queued < _MOST_QUEUED:
            end = data.find(b"\r\n\r\n", start) + 4
            ready = self._lane.find(data[start:end]) if end > 3 else None  # noqa: PLR2004 - not found
            if ready is None:
                break
            self._lane.count(ready.served)
            wires.append(ready.wire)
            queued += len(ready.wire)
            self._ends = ready.closes
            start = end
        self._rest = b"" if self._ends else data[start:]
        self._send(b"".join(wires))

    def _send(self, data: bytes) -> None:
        try:
            sent = self._peer.send(data) if data else 0
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._loop.remove_reader(self._peer)
            self._loop.add_writer(self._peer, self._writable)
        elif self._ends:
            self.close()
        elif self._rest:
            self._go_on()

    def _writable(self) -> None:
        try:
            sent = self._peer.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        self._was_idle = False
        self._unsent = self._unsent[sent:]
        if self._unsent:
            return
        self._loop.remove_writer(self._peer)
        if self._ends:
            self.close()
            return
        self._loop.add_reader(self._peer, self._readable)
        if self._rest:
            self._go_on()

    def _go_on(self) -> None:
        """Takes up what was left of the input once the answers before it are out."""
        rest, self._rest = self._rest, b""
        end = rest.find(b"\r\n\r\n") + 4
        if end > 3 and self._lane.find(rest[:end]):  # noqa: PLR2004 - found
            self._serve(rest)
            return
        self._leave()
        self._lane.hand_over(self, self._peer, self._address, rest)

    def _leave(self) -> None:
        self._loop.remove_reader(self._peer)
        self._loop.remove_writer(self._peer)
