"""Records what is forwarded. Each request gets a ticket on arrival, and the ticket takes its exchange."""

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
"""How long an exchange waits for earlier requests that are still going on, before it is recorded all the same."""

Served = Callable[[ServedRequest], None]
"""Called with each request that was served."""


class RecorderOptions(Struct, frozen=True):
    """Which paths are recorded, as globs; with `fills_gaps`, only what no cassette answers yet."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    fills_gaps: bool = False

    def wants(self, path: str) -> bool:
        """Whether requests to a path are recorded."""
        if not self.only and not self.skip:
            return True
        path = normal_path(path)
        if any(compile_template(glob).match(path) for glob in self.skip):
            return False
        return not self.only or any(compile_template(glob).match(path) for glob in self.only)


class ExchangeRecorder:
    """Gives out tickets, and records the exchanges that they finish."""

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
        """Whether requests to a path are recorded."""
        return self._options.wants(path)

    def begin(self, request: Request, *, is_conversation: bool = False) -> "RecordingTicket":
        """The ticket of a request that has just arrived; `is_conversation` if it opens a WebSocket."""
        # A WebSocket has no place in the order of arrival: others would wait for it as long as it is open.
        order, session = self.order, request.session
        pending = None if is_conversation else order.arrive(session, request.method, request.target)
        return RecordingTicket(self, request, pending, is_wanted=self._options.wants(request.path))

    def served(self, request: Request, status: int, outcome: str, file: str, started: float) -> None:
        """Reports a request that was served; `started` is when it arrived, by the recorder's clock."""
        shown = self.builder.shown(request)
        elapsed = (self.clock() - started) * 1000
        self._served(ServedRequest(request.method, shown, status, outcome, file, elapsed))

    def settle(self) -> None:
        """Records every exchange that is over, without waiting for requests that are still going on."""
        self.order.settle()
        self.pipeline.settle()


class RecordingTicket:
    """One exchange, from the arrival of its request: ended by `finish` or by `abandon`."""

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
        if challenges.is_challenge(status, headers):
            # A login that holds for a connection (NTLM, Negotiate) cannot be replayed: clients fail on half of it.
            return status in policy.statuses and not challenges.is_challenge_step(headers)
        return policy.wants(status)

    def cassette_for(self, request: Request | None) -> str | None:
        """The file of the cassette the response will be in; empty if it is not known yet, None if there will be none.

        Called when the response begins. By then the request is usually complete, and its canonical form is kept for
        recording. A large request is read only later, in a thread, so that its response need not wait.
        """
        recorder = self._recorder
        index = recorder.library.index
        file = ""
        try:
            if request is not None and not should_offload(request):
                self._captured = recorder.builder.read(request)
                file = file_for(self._captured.canonical, index)
        except Exception as error:
            # The client gets its response, whatever went wrong here.
            recorder.warn(self._request, f"not saved, {fault(error)}")
            return None
        if recorder.fills_gaps:
            self._cassettes_at_start = index.entries.keys() & {file} if file else frozenset(index.entries)
        return file

    def finish(
        self, exchange: Exchange, status: int, messages: tuple[Message, ...] | None = None, warning: str = ""
    ) -> None:
        """Records an exchange when it is its turn; `status` is what the client got.

        `messages` are those of a WebSocket. A `warning` is given to the user once the exchange is recorded.
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
        """Ends the ticket without recording anything."""
        if self._pending is not None:
            self._recorder.order.abandon(self._pending)

    def served(self, status: int, outcome: str) -> None:
        """Reports a request that was served but not recorded; `status` is what the client got, 0 for nothing."""
        self._recorder.served(self._request, status, outcome, "", self._started)

    def _recorded(self, status: int, warning: str, outcome: str, file: str) -> None:
        if file and warning:
            self._recorder.warn(self._request, warning)
        self._recorder.served(self._request, status, outcome, file, self._started)
