"""Turns captures into cassettes, in the order their requests arrived; large ones are prepared in a thread."""

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
"""Starts building the cassette of an exchange."""

Warn = Callable[[Request, str], None]
"""Warns the user of a trouble with a request."""

Done = Callable[[str, str], None]
"""Called with the outcome of a capture (`recorded`, `unchanged` or `forwarded`) and the file it is in."""


class CassetteStore(StoredCassettes, Protocol):
    """Where cassettes are served from and stored."""

    def put(self, file: str, cassette: Cassette, canonical: CanonicalRequest | None = None) -> IndexEntry:
        """Serves a cassette from now on, and queues it for writing; its index entry. `canonical` is its request."""


class RecordingPipeline:
    """Builds the cassettes of captures one after another, and serves and saves those that changed."""

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
        """Records a capture after all those submitted before, then calls `done`.

        `captured` is its request in canonical form, if that is known. In mode `new`, `cassettes_at_start` are the
        cassettes that existed when the response came: if another identical request created the cassette since, this one
        is not recorded.
        """
        self._executor.run(self._steps(capture, captured, cassettes_at_start, done))

    def settle(self) -> None:
        """Blocks until everything submitted is recorded."""
        self._executor.settle()

    def put(self, built: BuiltCassette) -> tuple[str, str]:
        """Serves and saves a cassette if it changed. The outcome (`recorded` or `unchanged`) and the file."""
        if not built.is_changed:
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
                captured = yield builder.reader(request)
            captured = captured or builder.read(request, capture.known_body)
            if not self._is_filled_already(captured, cassettes_at_start):
                work = builder.prebuilder(capture, self._library, captured) if capture.is_large else None
                prebuilt = (yield work) if work else None
                built = builder.build(capture, self._library, captured, prebuilt)
                self._warn_of_coding(built, request)
                outcome, file = self.put(built)
        except Exception as error:  # the client has its response all the same
            self._warn(request, f"not saved, {error if isinstance(error, NotRecordable) else fault(error)}")
        done(outcome, file)

    def _is_filled_already(self, captured: CapturedRequest, cassettes_at_start: Container[str] | None) -> bool:
        """Whether an identical request has created the cassette since; not if its response was cut short."""
        if cassettes_at_start is None:
            return False
        index = self._library.index
        entry = index.entries.get(file_for(captured.canonical, index))
        if entry is None or entry.file in cassettes_at_start:
            return False
        return not any(map(is_open, self._library.cassette(entry).responses))

    def _warn_of_coding(self, built: BuiltCassette, request: Request) -> None:
        if built.is_changed and any(recorded.encoded for recorded in built.cassette.responses):
            self._warn(request, f"{built.file} keeps its content coding, and was not searched for secrets")


class PendingExchange:
    """A request that has arrived and whose exchange is not recorded yet."""

    def __init__(self, session: str, method: str, name: Hashable) -> None:
        self._session = session
        self._method = method
        self._name = name
        self.build: Build | None = None

    def finish(self, build: Build) -> None:
        """Records that the exchange is over; `build` is to be called when it is its turn."""
        self.build = build

    def holds_up(self, later: "PendingExchange") -> bool:
        """Whether a request that arrived later has to wait for this one."""
        if self._session != later._session:
            return False
        return self._method in WRITE_METHODS or (self._method, self._name) == (later._method, later._name)


class ArrivalOrder:
    """The requests that have arrived and are not recorded yet, in their order.

    An exchange waits for earlier writes of its session, and for earlier requests with its method and name.
    """

    def __init__(self) -> None:
        self._open: dict[PendingExchange, None] = {}

    def arrive(self, session: str, method: str, name: Hashable) -> PendingExchange:
        """Adds a request that has just arrived; `name` distinguishes it from others with the same method."""
        pending = PendingExchange(session, method, name)
        self._open[pending] = None
        return pending

    def finish(self, pending: PendingExchange, build: Build) -> bool:
        """Records an exchange as soon as it is its turn. True if that is now."""
        pending.finish(build)
        if self._is_held_up(pending):
            return False
        self._build(pending, build)
        return True

    def abandon(self, pending: PendingExchange) -> None:
        """Removes a request of which nothing is to be recorded."""
        if pending in self._open:
            del self._open[pending]
            self._build_ready()

    def force(self, pending: PendingExchange) -> None:
        """Records an exchange that is over without waiting any longer."""
        if pending in self._open and pending.build:
            self._build(pending, pending.build)

    def settle(self) -> None:
        """Records every exchange that is over, in order."""
        for pending in list(self._open):
            self.force(pending)

    def _build(self, pending: PendingExchange, build: Build) -> None:
        del self._open[pending]
        build()
        self._build_ready()

    def _build_ready(self) -> None:
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
"""The recording of one capture. Each function it yields runs in the thread, and its result is sent back."""


class SerialExecutor:
    """Runs `Steps` one after another: themselves on the event loop, what they yield in one thread."""

    def __init__(self) -> None:
        self._waiting: deque[Steps] = deque()
        self._running: Future[Any] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="line")

    def run(self, steps: Steps) -> None:
        """Runs these steps after all those before; at once if there are none."""
        self._waiting.append(steps)
        if len(self._waiting) == 1:
            self._advance()

    def settle(self) -> None:
        """Blocks until everything is done."""
        while self._running:
            wait([self._running])
            self._done(self._running)

    def _advance(self, done: Future[Any] | None = None) -> None:
        while self._waiting:
            try:
                work = _next_work(self._waiting[0], done)
            except BaseException:
                self._waiting.popleft()
                self._advance()
                raise
            if work:
                self._begin(work)
                return
            self._waiting.popleft()
            done = None

    def _begin(self, work: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()
        self._running = self._thread.submit(work)
        self._running.add_done_callback(lambda done: loop.call_soon_threadsafe(self._done, done))

    def _done(self, done: Future[Any]) -> None:
        if done is self._running:  # otherwise `settle` has handled it already
            self._running = None
            self._advance(done)


def _next_work(steps: Steps, done: Future[Any] | None) -> Callable[[], Any] | None:
    """The next function for the thread; None if the steps have ended."""
    error = done.exception() if done else None
    try:
        return steps.throw(error) if error else steps.send(done.result() if done else None)
    except StopIteration:
        return None
