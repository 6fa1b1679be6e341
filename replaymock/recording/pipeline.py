"""How captures come into cassettes: in the order their requests arrived, what is large searched in a thread first."""

import asyncio
from collections import deque
from collections.abc import Callable, Container, Generator, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Protocol

from replaymock.cassettes.model import Cassette
from replaymock.http.messages import Request, should_offload
from replaymock.http.problem import fault
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import IndexEntry
from replaymock.recording.capture import Capture
from replaymock.recording.cassette_builder import BuiltCassette, CassetteBuilder, StoredCassettes, file_for
from replaymock.recording.extent import is_open
from replaymock.recording.request_capture import CapturedRequest
from replaymock.recording.response_capture import NotRecordable
from replaymock.replay.sequence import WRITE_METHODS

Build = Callable[[], None]
"""Has the cassette of an exchange built."""

Warn = Callable[[Request, str], None]
"""Tells the user of a trouble with a request."""

Done = Callable[[str, str], None]
"""Learns what became of a capture, and in which file."""


class CassetteStore(StoredCassettes, Protocol):
    """Where cassettes are served from and stored."""

    def put(self, file: str, cassette: Cassette, canonical: CanonicalRequest | None = None) -> IndexEntry:
        """Serves a cassette from now on, and has it written; its entry. `canonical` is its request, if known."""


class RecordingPipeline:
    """Builds the cassettes of captures one after another, serves what is new, and has it saved."""

    def __init__(self, builder: CassetteBuilder, library: CassetteStore, warn: Warn) -> None:
        self._builder = builder
        self._library = library
        self._warn = warn
        self._executor = SerialExecutor()

    def submit(
        self,
        capture: Capture,
        captured: CapturedRequest | None,
        cassettes_at_start: Container[str] | None,
        done: Done,
    ) -> None:
        """Has a capture recorded when all before it are; `captured` is its request, if that was read.

        In mode `new`, `cassettes_at_start` are the cassettes there were when the response came. If an equal request has
        created the cassette since, this one is not recorded.
        """
        self._executor.run(self._steps(capture, captured, cassettes_at_start, done))

    def settle(self) -> None:
        """Waits until everything is recorded."""
        self._executor.settle()

    def put(self, built: BuiltCassette) -> tuple[str, str]:
        """Serves and saves a cassette, where it is news; what became of it, and in which file."""
        if not built.changed:
            return "unchanged", built.file
        self._builder.served(self._library.put(built.file, built.cassette, built.canonical))
        return "recorded", built.file

    def _steps(
        self,
        capture: Capture,
        captured: CapturedRequest | None,
        cassettes_at_start: Container[str] | None,
        done: Done,
    ) -> "Steps":
        request, builder = capture.exchange.request, self._builder
        outcome, file = "forwarded", ""
        try:
            if captured is None and should_offload(request):
                captured = yield builder.reading(request)
            captured = captured or builder.read(request, capture.known_body)
            if not self._is_filled(captured, cassettes_at_start):
                work = builder.prebuilding(capture, self._library, captured) if capture.is_large else None
                prebuilt = (yield work) if work else None
                built = builder.build(capture, self._library, captured, prebuilt)
                self._warn_of_coding(built, request)
                outcome, file = self.put(built)
        except Exception as error:  # whoever asked was answered all the same
            self._warn(request, f"not saved, {error if isinstance(error, NotRecordable) else fault(error)}")
        done(outcome, file)

    def _is_filled(self, captured: CapturedRequest, cassettes_at_start: Container[str] | None) -> bool:
        """Whether another request has filled the gap meanwhile, or what was left at the end of its cassette."""
        if cassettes_at_start is None:
            return False
        index = self._library.index
        entry = index.entries.get(file_for(captured.canonical, index))
        if entry is None or entry.file in cassettes_at_start:
            return False
        return not any(map(is_open, self._library.cassette(entry).responses))

    def _warn_of_coding(self, built: BuiltCassette, request: Request) -> None:
        if built.changed and any(recorded.encoded for recorded in built.cassette.responses):
            self._warn(request, f"{built.file} keeps its content coding, and was not searched for secrets")


class PendingExchange:
    """The place of a request in the order of arrival."""

    def __init__(self, session: str, method: str, name: Hashable) -> None:
        self._session = session
        self._method = method
        self._name = name
        self.build: Build | None = None

    def finish(self, build: Build) -> None:
        """Learns that the exchange is over; `build` waits for its turn."""
        self.build = build

    def holds_up(self, later: "PendingExchange") -> bool:
        """Whether a request that arrived later is recorded later."""
        if self._session != later._session:
            return False
        return self._method in WRITE_METHODS or (self._method, self._name) == (later._method, later._name)


class ArrivalOrder:
    """Every request that has arrived and is not recorded yet, in the order of arrival."""

    def __init__(self) -> None:
        self._open: dict[PendingExchange, None] = {}

    def arrive(self, session: str, method: str, name: Hashable) -> PendingExchange:
        """The place of a request that has just arrived; `name` tells it from others of its method."""
        pending = PendingExchange(session, method, name)
        self._open[pending] = None
        return pending

    def finish(self, pending: PendingExchange, build: Build) -> bool:
        """Has an exchange recorded as soon as it is its turn; whether that is so already."""
        pending.finish(build)
        if self._is_held_up(pending):
            return False
        self._build(pending, build)
        return True

    def abandon(self, pending: PendingExchange) -> None:
        """Gives a place up: there is nothing to record."""
        if pending in self._open:
            del self._open[pending]
            self._go_on()

    def force(self, pending: PendingExchange) -> None:
        """Has an exchange recorded that has waited long enough."""
        if pending in self._open and pending.build:
            self._build(pending, pending.build)

    def settle(self) -> None:
        """Has every exchange recorded that is over, in order."""
        for pending in list(self._open):
            self.force(pending)

    def _build(self, pending: PendingExchange, build: Build) -> None:
        del self._open[pending]
        build()
        self._go_on()

    def _go_on(self) -> None:
        for pending in list(self._open):
            if pending in self._open and pending.build and not self._is_held_up(pending):
                self._build(pending, pending.build)

    def _is_held_up(self, pending: PendingExchange) -> bool:
        for other in self._open:
            if other is pending:
                return False
            if other.holds_up(pending):
                return True
        return False


Steps = Generator[Callable[[], Any], Any, None]
"""What is done for one capture: each piece of work it yields runs in the thread, and its result is sent back."""


class SerialExecutor:
    """Runs steps one after another: on the loop, and their pieces of work in one thread."""

    def __init__(self) -> None:
        self._waiting: deque[Steps] = deque()
        self._under_way: Future[Any] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="line")

    def run(self, steps: Steps) -> None:
        """Has these steps done when all before them are; at once where nobody waits."""
        self._waiting.append(steps)
        if len(self._waiting) == 1:
            self._go_on()

    def settle(self) -> None:
        """Waits until everything is done."""
        while self._under_way:
            wait([self._under_way])
            self._done(self._under_way)

    def _go_on(self, done: Future[Any] | None = None) -> None:
        while self._waiting:
            try:
                work = _next_work(self._waiting[0], done)
            except BaseException:
                self._waiting.popleft()
                self._go_on()
                raise
            if work:
                self._begin(work)
                return
            self._waiting.popleft()
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
