"""Records what is forwarded: a ticket for each request, in the order they arrive."""

import asyncio
from collections.abc import Callable, Container
from functools import partial

from msgspec import Struct

from replaymock.cassettes.path_templates import compile_template
from replaymock.http import challenges
from replaymock.http.headers import Headers
from replaymock.http.messages import Exchange, Request, should_offload
from replaymock.http.problem import fault
from replaymock.http.uri import normal_path
from replaymock.http.websocket_messages import Message
from replaymock.recording.capture import Capture
from replaymock.recording.cassette_builder import CassetteBuilder, file_for
from replaymock.recording.pipeline import ArrivalOrder, CassetteStore, PendingExchange, RecordingPipeline, Warn
from replaymock.recording.request_capture import CapturedRequest
from replaymock.telemetry.events import ServedRequest

TURN_SECONDS = 5.0
"""How long an exchange waits for requests that arrived before it and are still going on, until it is recorded."""

Served = Callable[[ServedRequest], None]
"""Learns of a request that was served."""


class RecorderOptions(Struct, frozen=True):
    """Which paths are recorded, as globs, and whether only what is missing is (`fills_gaps`)."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    fills_gaps: bool = False

    def wants(self, path: str) -> bool:
        """Whether what is at a path is recorded."""
        if not self.only and not self.skip:
            return True
        path = normal_path(path)
        if any(compile_template(glob).match(path) for glob in self.skip):
            return False
        return not self.only or any(compile_template(glob).match(path) for glob in self.only)


class ExchangeRecorder:
    """Gives out tickets, and records what they bring."""

    def __init__(
        self,
        options: RecorderOptions,
        builder: CassetteBuilder,
        pipeline: RecordingPipeline,
        library: CassetteStore,
        warn: Warn,
        served: Served,
        clock: Callable[[], float],
    ) -> None:
        self.builder = builder
        self.pipeline = pipeline
        self.library = library
        self.warn = warn
        self.clock = clock
        self.order = ArrivalOrder()
        self.fills_gaps = options.fills_gaps
        self._options = options
        self._served = served

    def wants(self, path: str) -> bool:
        """Whether what is at a path is recorded."""
        return self._options.wants(path)

    def begin(self, request: Request, *, is_conversation: bool = False) -> "RecordingTicket":
        """The ticket of a request that has just arrived; of one for a WebSocket if it `is_conversation`."""
        # What is said on a WebSocket has no turn: it may last.
        order, session = self.order, request.session
        pending = None if is_conversation else order.arrive(session, request.method, request.target)
        return RecordingTicket(self, request, pending, is_wanted=self._options.wants(request.path))

    def served(self, request: Request, status: int, outcome: str, file: str, started: float) -> None:
        """Tells of a request that was served, since `started`."""
        shown = self.builder.shown(request)
        elapsed = (self.clock() - started) * 1000
        self._served(ServedRequest(request.method, shown, status, outcome, file, elapsed))

    def settle(self) -> None:
        """Records every exchange that is over, whatever it waits for."""
        self.order.settle()
        self.pipeline.settle()


class RecordingTicket:
    """One exchange, from the arrival of its request."""

    def __init__(
        self, recorder: ExchangeRecorder, request: Request, pending: PendingExchange | None, *, is_wanted: bool
    ) -> None:
        self.is_wanted = is_wanted
        self._recorder = recorder
        self._request = request
        self._started = recorder.clock()
        self._captured: CapturedRequest | None = None
        self._cassettes_at_start: Container[str] | None = None
        self._pending = pending

    def wants(self, status: int, headers: Headers) -> bool:
        """Whether a response with this head is recorded."""
        policy = self._recorder.builder.policy
        if not self.is_wanted:
            return False
        if challenges.is_offered(status, headers):
            # It is of a login that holds for a connection. On replay there is none, and clients fail on half of one.
            return status in policy.statuses and not challenges.is_step(headers)
        return policy.wants(status)

    def cassette_for(self, request: Request | None) -> str | None:
        """The cassette that the response will be in; empty where that is not known yet, None where there will be none.

        As a rule the request is whole when its response comes, and what is made of it here is good to the end. A large
        one is read once it is recorded, as no response waits for that.
        """
        recorder = self._recorder
        index = recorder.library.index
        file = ""
        try:
            if request is not None and not should_offload(request):
                self._captured = recorder.builder.read(request)
                file = file_for(self._captured.canonical, index)
        except Exception as error:
            # It is answered all the same, whatever went wrong.
            recorder.warn(self._request, f"not saved, {fault(error)}")
            return None
        if recorder.fills_gaps:
            self._cassettes_at_start = index.entries.keys() & {file} if file else frozenset(index.entries)
        return file

    def finish(
        self, exchange: Exchange, status: int, messages: tuple[Message, ...] | None = None, warning: str = ""
    ) -> None:
        """Has an exchange recorded when it is its turn; `status` went out to the client.

        Of a WebSocket, `messages` are what was said on it. A `warning` is told once it is recorded.
        """
        recorder = self._recorder
        submit = partial(
            recorder.pipeline.submit,
            Capture(exchange, messages),
            self._captured,
            self._cassettes_at_start,
            partial(self._recorded, status, warning),
        )
        if self._pending is None:
            submit()
        elif not recorder.order.finish(self._pending, submit):
            asyncio.get_running_loop().call_later(TURN_SECONDS, recorder.order.force, self._pending)

    def abandon(self) -> None:
        """Records nothing."""
        if self._pending is not None:
            self._recorder.order.abandon(self._pending)

    def served(self, status: int, outcome: str) -> None:
        """Tells that a request was served without being recorded; `status` went out to the client, 0 for none."""
        self._recorder.served(self._request, status, outcome, "", self._started)

    def _recorded(self, status: int, warning: str, outcome: str, file: str) -> None:
        if file and warning:
            self._recorder.warn(self._request, warning)
        self._recorder.served(self._request, status, outcome, file, self._started)
