"""One exchange under way: the caller's connection, and what was asked and answered on it so far."""

from collections.abc import Container
from dataclasses import replace

from replaymock.http import event_stream
from replaymock.http.headers import media_type
from replaymock.http.messages import Exchange, Request, Response, ResponseHead, StreamingResponse
from replaymock.http.rendered import RenderedResponse, ResponseSink
from replaymock.proxy.relay import BodyCapture
from replaymock.recording.pipeline import PendingExchange
from replaymock.recording.request_capture import CapturedRequest


class InFlightExchange:
    """One exchange, from its arrival.

    `status` is what went out on the connection, 0 as long as nothing did; `asked` the request once it is whole and was
    read. It is `stored` if it is to be kept, and `closed` once it is decided what is kept of it. Where it is to fill a
    gap, `there` are the files there were, as the same request, asked at the same time, may have filled it before.
    """

    def __init__(self, request: Request, out: ResponseSink, turn: PendingExchange, limit: int, started: float) -> None:
        self.request = request
        self.turn = turn
        self.started = started
        self.sent = BodyCapture(limit)
        self.kept = BodyCapture(limit)
        self.live: StreamingResponse | None = None
        self.asked: CapturedRequest | None = None
        self.there: Container[str] | None = None
        self.status = 0
        self.stored = False
        self.closed = False
        self.client = out.client
        self.write = out.write
        self.finish = out.finish
        self.abort = out.abort
        self._out = out
        self._limit = limit
        self._began = 0.0

    @property
    def is_stream(self) -> bool:
        """Whether it is answered by a stream of events that is to be kept."""
        return self.stored and self.live is not None and event_stream.is_stream(media_type(self.live.headers))

    @property
    def has_whole_request(self) -> bool:
        """Whether all of the request was sent, and is at hand."""
        return self.sent.ended and self.sent.whole

    @property
    def unfit(self) -> str:
        """Why it cannot be kept; empty where it can."""
        if not self.sent.ended:
            return "upstream answered before it had the whole request"
        if not self.sent.whole:
            return "its request body is larger than --max-body"
        return "" if self.kept.whole or self.is_stream else "larger than --max-body"

    def answered(self, live: StreamingResponse, now: float) -> None:
        """Takes note of the head of the response, which came `now` on the loop's clock."""
        self.live = live
        self._began = now
        if self.is_stream:
            self.kept = BodyCapture(self._limit, beginning=True)

    def makes_whole(self, live: StreamingResponse, body: bytes) -> None:
        """Learns that what came last completes this response, which is to be kept instead."""
        self.live = live
        self.stored = True
        self.kept = BodyCapture(self._limit)
        self.kept.add(body, self._began)

    def with_body(self) -> Request:
        """The request with what was sent of its body so far."""
        if self.request.body == self.sent.data:
            return self.request
        return replace(self.request, body=self.sent.data)

    def exchange(self, live: StreamingResponse, now: float, recorded_at: str, *, truncated: bool) -> Exchange:
        """The exchange as it stands `now`, on the clock of `started`."""
        arrivals = tuple((size, round((moment - self._began) * 1000)) for size, moment in self.kept.arrivals)
        return Exchange(
            request=self.with_body(),
            response=Response(live.status, live.reason, live.headers, self.kept.data),
            recorded_at=recorded_at,
            elapsed_ms=round((now - self.started) * 1000),
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

    def whole(self, head: ResponseHead, length: int | None, body: bytes) -> None:
        """Sends a head and its body."""
        self.status = head.status
        self._out.whole(head, length, body)
