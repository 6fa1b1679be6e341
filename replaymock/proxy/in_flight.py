"""One exchange under way: the client's connection, and what was asked and answered on it so far."""

from dataclasses import replace
from enum import Enum, auto

from replaymock.http import event_stream
from replaymock.http.headers import media_type
from replaymock.http.messages import Exchange, Request, Response, ResponseHead, StreamingResponse
from replaymock.http.rendered import RenderedResponse, ResponseSink
from replaymock.proxy.relay import BodyCapture


class RecordingState(Enum):
    """What is to become of an exchange."""

    PASSED_ON = auto()
    """It is not recorded, as far as is known."""
    WANTED = auto()
    """It is recorded once it is over."""
    DECIDED = auto()
    """What is recorded of it is decided."""


class InFlightExchange:
    """One exchange, from its arrival. `status` is what went out on the connection, 0 as long as nothing did."""

    def __init__(self, request: Request, out: ResponseSink, limit: int, started: float) -> None:
        self.request = request
        self.sent = BodyCapture(limit)
        self.kept = BodyCapture(limit)
        self.live: StreamingResponse | None = None
        self.status = 0
        self.client = out.client
        self.write = out.write
        self.finish = out.finish
        self.abort = out.abort
        self._started = started
        self._state = RecordingState.PASSED_ON
        self._out = out
        self._limit = limit
        self._began = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether it is recorded once it is over."""
        return self._state is RecordingState.WANTED

    @property
    def is_decided(self) -> bool:
        """Whether it is decided what is recorded of it."""
        return self._state is RecordingState.DECIDED

    @property
    def is_stream(self) -> bool:
        """Whether it is answered by a stream of events that is to be recorded."""
        is_recorded = self._state is not RecordingState.PASSED_ON
        return is_recorded and self.live is not None and event_stream.is_stream(media_type(self.live.headers))

    @property
    def whole_request(self) -> Request | None:
        """The request with its body; None where not all of it was sent, or it is too large to be kept."""
        return self._with_body() if self.sent.ended and self.sent.whole else None

    @property
    def unfit(self) -> str:
        """Why it cannot be recorded; empty where it can."""
        if not self.sent.ended:
            return "upstream answered before it had the whole request"
        if not self.sent.whole:
            return "its request body is larger than --max-body"
        return "" if self.kept.whole or self.is_stream else "larger than --max-body"

    def want(self, *, is_wanted: bool) -> None:
        """Says whether it is recorded once it is over."""
        self._state = RecordingState.WANTED if is_wanted else RecordingState.PASSED_ON

    def decide(self) -> None:
        """Says that what is recorded of it is decided."""
        self._state = RecordingState.DECIDED

    def answered(self, live: StreamingResponse, now: float) -> None:
        """Takes note of the head of the response, which came `now` on the loop's clock."""
        self.live = live
        self._began = now
        if self.is_stream:
            self.kept = BodyCapture(self._limit, beginning=True)

    def complete(self, live: StreamingResponse, body: bytes) -> None:
        """Learns that what came last completes this response, which is to be recorded instead."""
        self.live = live
        self._state = RecordingState.WANTED
        self.kept = BodyCapture(self._limit)
        self.kept.add(body, self._began)

    def exchange(self, live: StreamingResponse, now: float, recorded_at: str, *, truncated: bool) -> Exchange:
        """The exchange as it stands `now`, on the clock of `started`."""
        arrivals = tuple((size, round((moment - self._began) * 1000)) for size, moment in self.kept.arrivals)
        return Exchange(
            request=self._with_body(),
            response=Response(live.status, live.reason, live.headers, self.kept.data),
            recorded_at=recorded_at,
            elapsed_ms=round((now - self._started) * 1000),
            arrivals=arrivals,
            truncated=truncated,
            ended=now,
            digest=live.digest,
        )

    def answer(self, answer: RenderedResponse) -> None:
        """Sends a whole answer."""
        self.status = answer.status
        self._out.answer(answer)

    def begin(self, head: ResponseHead, length: int | None) -> None:
        """Sends a head."""
        self.status = head.status
        self._out.begin(head, length)

    def send_whole(self, head: ResponseHead, length: int | None, body: bytes) -> None:
        """Sends a head and its body."""
        self.status = head.status
        self._out.send_whole(head, length, body)

    def _with_body(self) -> Request:
        if self.request.body == self.sent.data:
            return self.request
        return replace(self.request, body=self.sent.data)
