"""How exchanges come into cassettes: one after another, what is large searched for secrets in a thread first."""

import asyncio
from collections import deque
from collections.abc import Callable, Container, Generator, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

from replaymock.cassettes.model import WEBSOCKET_BODY, Cassette
from replaymock.http.messages import OFFLOAD_BYTES, Exchange, Request, should_offload
from replaymock.http.problem import fault
from replaymock.http.websocket_messages import Message
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import IndexEntry
from replaymock.recording.cassette_builder import BuiltCassette, CassetteBuilder, StoredCassettes, file_for
from replaymock.recording.extent import is_open
from replaymock.recording.request_capture import CapturedRequest
from replaymock.recording.response_capture import NotRecordable
from replaymock.replay.sequence import WRITE_METHODS

Steps = Generator[Callable[[], Any], Any, None]
"""What one in the line does: each piece of work it yields is done in the thread, and what came of it is sent back."""


class SerialExecutor:
    """Who waits to be served, and whose turn it is."""

    def __init__(self) -> None:
        self._places: deque[Steps] = deque()
        self._under_way: Future[Any] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="line")

    def join(self, steps: Steps) -> None:
        """Has these steps done when all before them are; at once where nobody waits."""
        self._places.append(steps)
        if len(self._places) == 1:
            self._go_on()

    def settle(self) -> None:
        """Waits until everything is done."""
        while self._under_way:
            wait([self._under_way])
            self._done(self._under_way)

    def _go_on(self, done: Future[Any] | None = None) -> None:
        while self._places:
            try:
                work = _next_work(self._places[0], done)
            except BaseException:
                self._places.popleft()
                self._go_on()
                raise
            if work:
                self._begin(work)
                return
            self._places.popleft()
            done = None

    def _begin(self, work: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()
        self._under_way = self._thread.submit(work)
        self._under_way.add_done_callback(lambda done: loop.call_soon_threadsafe(self._done, done))

    def _done(self, done: Future[Any]) -> None:
        if done is self._under_way:  # or the end of the run did not wait to be told
            self._under_way = None
            self._go_on(done)


def _next_work(steps: Steps, done: Future[Any] | None) -> Callable[[], Any] | None:
    """What is to be done next in the thread; None where the steps are at their end."""
    error = done.exception() if done else None
    try:
        return steps.throw(error) if error else steps.send(done.result() if done else None)
    except StopIteration:
        return None


@dataclass(slots=True, eq=False)
class PendingExchange:
    """The place of a request in the order. `take` is there once its exchange is over and waits to be taken."""

    session: str
    method: str
    name: Hashable
    take: Callable[[], None] | None = None

    def holds_up(self, later: "PendingExchange") -> bool:
        """Whether a request that arrived later is taken later."""
        if self.session != later.session:
            return False
        return self.method in WRITE_METHODS or (self.method, self.name) == (later.method, later.name)


class ArrivalOrder:
    """Every request that has arrived and is not taken yet, in the order of arrival."""

    def __init__(self) -> None:
        self._open: dict[PendingExchange, None] = {}

    def arrive(self, session: str, method: str, name: Hashable) -> PendingExchange:
        """The turn of a request that has just arrived; `name` tells it from others of its method."""
        turn = PendingExchange(session, method, name)
        self._open[turn] = None
        return turn

    def end(self, turn: PendingExchange, take: Callable[[], None]) -> bool:
        """Has an exchange taken as soon as it is its turn; whether that is so already."""
        turn.take = take
        if self._is_held_up(turn):
            return False
        self._take(turn)
        return True

    def leave(self, turn: PendingExchange) -> None:
        """Gives a turn up: there is nothing to take."""
        if turn in self._open:
            del self._open[turn]
            self._go_on()

    def hurry(self, turn: PendingExchange) -> None:
        """Has an exchange taken that has waited long enough."""
        if turn in self._open and turn.take:
            self._take(turn)

    def settle(self) -> None:
        """Has every exchange taken that is over, in order."""
        for turn in list(self._open):
            self.hurry(turn)

    def _take(self, turn: PendingExchange) -> None:
        del self._open[turn]
        if turn.take:
            turn.take()
        self._go_on()

    def _go_on(self) -> None:
        for turn in list(self._open):
            if turn in self._open and turn.take and not self._is_held_up(turn):
                self._take(turn)

    def _is_held_up(self, turn: PendingExchange) -> bool:
        for other in self._open:
            if other is turn:
                return False
            if other.holds_up(turn):
                return True
        return False


class CassetteStore(StoredCassettes, Protocol):
    """Where cassettes are served from and stored."""

    def put(self, file: str, cassette: Cassette, canonical: CanonicalRequest | None = None) -> IndexEntry:
        """Serves a cassette from now on, and has it written; its entry. `canonical` is its request, if known."""


Warn = Callable[[Request, str], None]
"""Tells the user of a trouble with a request."""

Done = Callable[[str, str], None]
"""Learns what became of an exchange, and in which file."""


class RecordingPipeline:
    """Takes exchanges, serves what is new, and has it saved."""

    def __init__(self, recording: CassetteBuilder, library: CassetteStore, warn: Warn) -> None:
        self._recording = recording
        self._library = library
        self._warn = warn
        self._line = SerialExecutor()

    def join(
        self,
        exchange: Exchange,
        asked: CapturedRequest | None,
        there: Container[str] | None,
        done: Done,
    ) -> None:
        """Has an exchange taken when all before it are; `asked` is its request, if that was read.

        Where it is to fill a gap, `there` are the files there were when it was asked: not if it was filled by then.
        """
        self._line.join(self._steps(exchange, asked, there, done))

    def join_conversation(
        self,
        exchange: Exchange,
        messages: tuple[Message, ...],
        there: Container[str] | None,
        done: Done,
    ) -> None:
        """Has what was said on a WebSocket taken, as an exchange."""
        self._line.join(self._conversation_steps(exchange, messages, there, done))

    def settle(self) -> None:
        """Waits until everything is taken."""
        self._line.settle()

    def _steps(
        self,
        exchange: Exchange,
        asked: CapturedRequest | None,
        there: Container[str] | None,
        done: Done,
    ) -> Steps:
        outcome, file = "forwarded", ""
        try:
            if asked is None and should_offload(exchange.request):
                asked = yield self._recording.reading(exchange.request)
            asked = asked or self._recording.read(exchange.request)
            if not self._is_filled(asked, there):
                takes_long = should_offload(exchange.request) or should_offload(exchange.response)
                work = self._recording.ahead(exchange, self._library, asked) if takes_long else None
                ahead = (yield work) if work else None
                taken = self._recording.take(exchange, self._library, asked, ahead)
                self._look_at(taken, exchange.request)
                outcome, file = self.put(taken)
        except Exception as error:
            self._tell_unkept(exchange.request, error)
        done(outcome, file)

    def _conversation_steps(
        self,
        exchange: Exchange,
        messages: tuple[Message, ...],
        there: Container[str] | None,
        done: Done,
    ) -> Steps:
        outcome, file = "forwarded", ""
        try:
            asked = self._recording.read(exchange.request, WEBSOCKET_BODY)
            if not self._is_filled(asked, there):
                takes_long = sum(len(message.data) for message in messages) > OFFLOAD_BYTES
                ahead = (yield self._recording.conversation_ahead(exchange, messages, asked)) if takes_long else None
                taken = self._recording.take_conversation(exchange, messages, self._library, ahead)
                outcome, file = self.put(taken)
        except Exception as error:
            self._tell_unkept(exchange.request, error)
        done(outcome, file)

    def _tell_unkept(self, request: Request, error: Exception) -> None:
        """Tells why an exchange is not kept, be it a fault of this program: whoever asked was answered all the same."""
        self._warn(request, f"not saved, {error if isinstance(error, NotRecordable) else fault(error)}")

    def _is_filled(self, asked: CapturedRequest, there: Container[str] | None) -> bool:
        """Whether there is no gap any more, nor one at the end of what was left there."""
        if there is None:
            return False
        index = self._library.index
        entry = index.entries.get(file_for(asked.canonical, index))
        if entry is None or entry.file in there:
            return False
        return not any(map(is_open, self._library.cassette(entry).responses))

    def _look_at(self, taken: BuiltCassette, request: Request) -> None:
        if taken.changed and any(recorded.encoded for recorded in taken.cassette.responses):
            self._warn(request, f"{taken.file} keeps its content coding, and was not searched for secrets")

    def put(self, taken: BuiltCassette) -> tuple[str, str]:
        """Serves and saves what was taken, where it is news; what became of it, and in which file."""
        if not taken.changed:
            return "unchanged", taken.file
        self._recording.served(self._library.put(taken.file, taken.cassette, taken.canonical))
        return "recorded", taken.file
