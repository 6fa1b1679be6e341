"""The messages between workers and their parent over a socket pair: one JSON object a line."""

import contextlib
import selectors
import socket
import time

import msgspec

from replaymock.telemetry.events import Dropped, Event
from replaymock.telemetry.journal import BroadcastQuestion, JournalDelta

MOST_UNSENT = 1 << 20
"""How many bytes wait to be sent to the parent before events are dropped."""

_CHUNK = 1 << 20


class EventMessage(msgspec.Struct, frozen=True, tag=True):
    """From a worker: an event, `Ready` among them."""

    event: Event


class DeltaMessage(msgspec.Struct, frozen=True, tag=True):
    """From a worker: what its journal gained since the last delta; at its end also the cassettes it did not use.

    `answers` is the number of the query that it answers, or 0.
    """

    delta: JournalDelta
    answers: int = 0
    unused: list[str] | None = None


class QueryMessage(msgspec.Struct, frozen=True, tag=True):
    """From a worker: a question to all others, and what its own journal gained."""

    number: int
    question: BroadcastQuestion
    delta: JournalDelta


class Failed(msgspec.Struct, frozen=True, tag=True):
    """From a worker that cannot start or go on: the reason."""

    message: str


class Order(msgspec.Struct, frozen=True, tag=True):
    """From the parent: `end` (sent again: without waiting for requests in flight), or `reload`."""

    command: str


class QueryRequest(msgspec.Struct, frozen=True, tag=True):
    """From the parent: another worker's question, to be answered by a delta."""

    number: int
    question: BroadcastQuestion


class QueryReply(msgspec.Struct, frozen=True, tag=True):
    """From the parent: the reply to a question, what the journals of all workers hold."""

    number: int
    total: JournalDelta


FromWorker = EventMessage | DeltaMessage | QueryMessage | Failed
FromParent = Order | QueryRequest | QueryReply

_encoder = msgspec.json.Encoder()
from_worker = msgspec.json.Decoder(FromWorker)
from_parent = msgspec.json.Decoder(FromParent)


def encode_line(message: FromWorker | FromParent) -> bytes:
    """A message as it is sent."""
    return _encoder.encode(message) + b"\n"


class LineSplitter:
    """Splits bytes into lines. They may come in any pieces."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete by now, without their ends."""
        *whole, rest = data.split(b"\n")
        if whole:
            whole[0] = b"".join([*self._pieces, whole[0]])
            self._pieces = []
        if rest:
            self._pieces.append(rest)
        return whole


class Outbox:
    """A worker's end of a pair. It never waits: what the parent does not take now is sent later.

    Past a bound, events are dropped until everything is sent; then a `Dropped` event counts them.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._unsent = bytearray()
        self._dropped = 0

    @property
    def is_behind(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._unsent)

    def send(self, message: FromWorker) -> bool:
        """Sends a message now or later. True if something is still to be sent."""
        if isinstance(message, EventMessage) and (self._dropped or len(self._unsent) >= MOST_UNSENT):
            self._dropped += 1
            return True
        self._unsent += encode_line(message)
        return self.flush()

    def flush(self) -> bool:
        """Sends what the parent takes now. True if something is left, which is never so once the parent is gone."""
        while self._unsent:
            try:
                del self._unsent[: self._end.send(self._unsent[:_CHUNK], socket.MSG_DONTWAIT)]
            except BlockingIOError:
                return True
            except OSError:
                self._unsent.clear()
            if self._dropped and not self._unsent:
                self._unsent += encode_line(EventMessage(Dropped(self._dropped)))
                self._dropped = 0
        return False

    def finish(self, seconds: float) -> None:
        """Sends what is left, and waits up to some seconds for the parent to take it."""
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._end, selectors.EVENT_WRITE)
            while self.flush() and time.monotonic() < end:
                selector.select(end - time.monotonic())


class Link:
    """The parent's end of a pair. It never waits: what a worker does not take now is sent later."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.end = end
        self.unsent = b""
        self._lines = LineSplitter()

    def send(self, message: FromParent) -> None:
        """Sends a message, now or later."""
        self.unsent += encode_line(message)
        self.flush()

    def flush(self) -> None:
        """Sends what the worker takes now. If the worker is gone, `receive` will notice."""
        with contextlib.suppress(OSError):
            self.unsent = self.unsent[self.end.send(self.unsent) :]

    def receive(self) -> list[FromWorker] | None:
        """The messages that have come; None once the worker is gone."""
        try:
            data = self.end.recv(_CHUNK)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        return [from_worker.decode(line) for line in self._lines.feed(data)] if data else None
