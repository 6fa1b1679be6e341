"""What workers and their parent tell each other over a socket pair: one JSON object a line."""

import contextlib
import selectors
import socket
import time

import msgspec

from replaymock.telemetry.events import Dropped, Event
from replaymock.telemetry.journal import BroadcastQuestion, JournalDelta


class EventMessage(msgspec.Struct, frozen=True, tag=True):
    """From a worker: an event of `--json`, `ready` among them."""

    event: Event


class DeltaMessage(msgspec.Struct, frozen=True, tag=True):
    """From a worker: what it noted since it last told; at its end also the cassettes it did not use."""

    news: JournalDelta
    answers: int = 0
    unused: list[str] | None = None


class QueryMessage(msgspec.Struct, frozen=True, tag=True):
    """From a worker: a question to all others, and what it noted itself."""

    number: int
    question: BroadcastQuestion
    news: JournalDelta


class Failed(msgspec.Struct, frozen=True, tag=True):
    """From a worker that cannot start: why."""

    message: str


class Order(msgspec.Struct, frozen=True, tag=True):
    """From the parent: `end` (said twice: without waiting for what is in flight), or `reload`."""

    what: str


class QueryRequest(msgspec.Struct, frozen=True, tag=True):
    """From the parent: another worker's question, to be answered by what was noted."""

    number: int
    question: BroadcastQuestion


class QueryReply(msgspec.Struct, frozen=True, tag=True):
    """From the parent: what all workers noted, the answer to a question."""

    number: int
    news: JournalDelta


FromWorker = EventMessage | DeltaMessage | QueryMessage | Failed
FromParent = Order | QueryRequest | QueryReply

_encoder = msgspec.json.Encoder()
from_worker = msgspec.json.Decoder(FromWorker)
from_parent = msgspec.json.Decoder(FromParent)


def line(message: FromWorker | FromParent) -> bytes:
    """A message as it is sent."""
    return _encoder.encode(message) + b"\n"


class Lines:
    """Bytes as they come, cut into lines."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole by now."""
        *whole, rest = data.split(b"\n")
        if whole:
            whole[0] = b"".join([*self._pieces, whole[0]])
            self._pieces = []
        if rest:
            self._pieces.append(rest)
        return whole


class Outbox:
    """A worker's end of a pair. It never waits: what the parent does not take now is kept for later.

    Events find room up to a bound. From there on they are dropped until all is sent, and how many it were is said then.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._unsent = bytearray()
        self._dropped = 0

    @property
    def is_behind(self) -> bool:
        """Whether something is kept."""
        return bool(self._unsent)

    def send(self, message: FromWorker) -> bool:
        """Sends a message, or keeps it; whether something is kept now."""
        if isinstance(message, EventMessage) and (self._dropped or len(self._unsent) >= MOST_UNSENT):
            self._dropped += 1
            return True
        self._unsent += line(message)
        return self.flush()

    def flush(self) -> bool:
        """Sends what was kept, as far as it is taken now; whether something is left. It forgets it with the parent."""
        while self._unsent:
            try:
                del self._unsent[: self._end.send(self._unsent[:_READ], socket.MSG_DONTWAIT)]
            except BlockingIOError:
                return True
            except OSError:
                self._unsent.clear()
            if self._dropped and not self._unsent:
                self._unsent += line(EventMessage(Dropped(self._dropped)))
                self._dropped = 0
        return False

    def finish(self, seconds: float) -> None:
        """Sends what is left, and waits for that up to some seconds."""
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._end, selectors.EVENT_WRITE)
            while self.flush() and time.monotonic() < end:
                selector.select(end - time.monotonic())


class Link:
    """The parent's end of a pair. It never waits: what a worker does not take now is kept for later."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.end = end
        self.unsent = b""
        self._lines = Lines()

    def send(self, message: FromParent) -> None:
        """Sends a message, or keeps it."""
        self.unsent += line(message)
        self.flush()

    def flush(self) -> None:
        """Sends what was kept, as far as it is taken now. That a worker is gone is found out by `receive`."""
        with contextlib.suppress(OSError):
            self.unsent = self.unsent[self.end.send(self.unsent) :]

    def receive(self) -> list[FromWorker] | None:
        """The messages that have come; None once the worker is gone."""
        try:
            data = self.end.recv(_READ)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        return [from_worker.decode(found) for found in self._lines.feed(data)] if data else None


_READ = 1 << 20
MOST_UNSENT = 1 << 20
