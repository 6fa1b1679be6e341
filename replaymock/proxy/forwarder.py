"""Forwards requests: upstream as they came, the answer to the client as it comes, and the pair to whoever records."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache, partial

from msgspec import Struct

from replaymock.errors import RequestRefused
from replaymock.http.conditional import OK, ConditionalRequest, PartialResponse, narrowing_headers, withheld_conditions
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers, get, list_items
from replaymock.http.messages import Request, ResponseHead, StreamingResponse
from replaymock.http.origin import OriginRewriter, prefixed_cookies
from replaymock.http.problem import rejection
from replaymock.http.rendered import ResponseSink
from replaymock.proxy.detached import Detachable, Lingering
from replaymock.proxy.headers import HeaderForwarder
from replaymock.proxy.in_flight import InFlightExchange
from replaymock.proxy.range_slices import Cut, cut_from, relay_part
from replaymock.proxy.ranges import PARTIAL, Ranging
from replaymock.proxy.relay import BodyCapture, keeping, relay
from replaymock.proxy.routes import Upstream
from replaymock.proxy.ticket import Recorder, Ticket
from replaymock.proxy.upstreams import Upstreams
from replaymock.telemetry.events import Emit, Warned
from replaymock.telemetry.request_warnings import RequestWarnings

Exchanging = Callable[[InFlightExchange, Ticket, AsyncIterator[bytes]], Awaitable[None]]
"""One way of asking upstream and passing the answer on."""


class ForwardOptions(Struct, frozen=True):
    """How requests are forwarded.

    `via` is this server's name in `Via`, `added` are headers added upstream. `max_body` bounds in bytes what is kept of
    a body, `max_stream_time` in seconds what is kept of a stream. `cache_status` says in answers what they are; empty
    where they do not say it.
    """

    via: str
    added: Headers = ()
    max_body: int = 64 * 1024 * 1024
    max_stream_time: float = 300.0
    cache_status: str = ""


class Forwarder:
    """Asks upstream. With `origins` None nothing is rewritten, either way."""

    def __init__(
        self,
        options: ForwardOptions,
        upstreams: Upstreams,
        recorder: Recorder,
        cors: CorsPolicy,
        origins: OriginRewriter | None,
        warn: RequestWarnings,
        emit: Emit,
        clock: Callable[[], float],
    ) -> None:
        self.options = options
        self.upstreams = upstreams
        self.recorder = recorder
        self.cors = cors
        self.warn = warn
        self.clock = clock
        self.headers = HeaderForwarder(options.via, options.added, options.cache_status, origins, cors)
        self._emit = emit
        self._cookies_told: set[str] = set()
        self._ranging = Ranging(self.headers, upstreams, options.max_body)
        self._lingering = Lingering()

    def listens_on(self, host: str, port: int) -> None:
        """Learns which origins are its own, as clients may name them."""
        self.headers.listens_on(host, port)

    def route(self, request: Request) -> Upstream:
        """The upstream of a request. RequestRefused when it came from this server or no upstream is named for it."""
        if self.options.via.lower() in list_items(get(request.headers, "via")):
            detail = "this request has been here before: --upstream leads back to this server; name the real backend"
            raise RequestRefused(508, "loop_detected", detail)
        upstream = self.upstreams.route(request.path)
        if upstream is None:
            detail = f"no --upstream is given for {request.path}; add one without a prefix"
            raise RequestRefused(502, "no_upstream", detail)
        return upstream

    async def forward(self, request: Request, body: AsyncIterator[bytes], out: ResponseSink) -> None:
        """Asks upstream, passes the answer on, and has the exchange recorded.

        That is when it is its turn, which may be after this returns. An exchange that a client wants a part of may
        outlive the client, too.
        """
        part = self._ranging.asked(request)
        if part is None or not self.recorder.wants(request.path):
            await self._perform(request, body, out, self._exchange)
            return

        async def perform(client: Detachable) -> None:
            await self._perform(request, body, client, partial(self._exchange_of_part, client, part))

        await self._lingering.run(out, perform)

    def left(self, client: object) -> None:
        """Learns that a client's connection is closed."""
        self.upstreams.left(client)

    async def drain(self, seconds: float, hurry: asyncio.Event | None = None) -> None:
        """Waits for exchanges that have outlived their clients, no longer than `seconds` or until `hurry`."""
        await self._lingering.drain(seconds, hurry)

    async def _perform(
        self, request: Request, body: AsyncIterator[bytes], out: ResponseSink, exchange: Exchanging
    ) -> None:
        ticket = self.recorder.begin(request)
        flight = InFlightExchange(request, out, self.options.max_body, self.clock())
        outcome = "forwarded"
        try:
            await exchange(flight, ticket, body)
        except RequestRefused as error:
            outcome = "error"
            self._fail(error, flight)
        except asyncio.CancelledError:
            if flight.is_stream:
                self._record(flight, ticket, truncated=True)  # the client has left
            raise
        finally:
            if not flight.is_decided:
                ticket.abandon()
        if not flight.is_decided:
            ticket.served(flight.status, outcome)

    async def _exchange(self, flight: InFlightExchange, ticket: Ticket, body: AsyncIterator[bytes]) -> None:
        """Asks for what the client asks for."""
        request = flight.request
        upstream = self.route(request)
        left_out = withheld_conditions(request.method) if ticket.is_wanted else _NOTHING
        outgoing = Request(request.method, request.target, self.headers.outgoing(request, upstream, left_out))
        async with self.upstreams.send(upstream, outgoing, keeping(body, flight.sent), flight.client) as live:
            flight.want(is_wanted=self._is_whole(request, live, ticket))
            await self._pass_on(flight, ticket, live)
        flight.finish()
        if ticket.is_wanted and live.status == PARTIAL and not flight.is_wanted:
            self._join(flight, live)
        if flight.is_wanted:
            self._record(flight, ticket, truncated=flight.is_stream and not flight.kept.whole)

    async def _pass_on(self, flight: InFlightExchange, ticket: Ticket, live: StreamingResponse) -> None:
        """Passes a live answer on as it comes."""
        request = flight.request
        head = self._head(flight, ticket, live, live)
        # Of a part nothing is replaced: it would be of another length then than it says.
        is_rewritten = request.method != "HEAD" and live.status != PARTIAL
        rewrite = self.headers.rewriting(request, self.options.max_body) if is_rewritten else None
        with self._limited(flight, ticket):
            await relay(live, head, flight, flight.kept, rewrite)

    def _head(
        self, flight: InFlightExchange, ticket: Ticket, live: StreamingResponse, shown: StreamingResponse
    ) -> ResponseHead:
        """The head for the client, which is that of what is `shown` of a live answer."""
        self._tell_of_cookies(live.headers)
        flight.answered(live, asyncio.get_running_loop().time())
        whole_request = flight.whole_request
        file = ticket.cassette_for(whole_request) if flight.is_wanted else ""
        if file is None:
            flight.want(is_wanted=False)
        is_recorded = flight.is_wanted and whole_request is not None
        return self.headers.head(shown, flight.request, file or "", stored=is_recorded)

    async def _exchange_of_part(
        self,
        client: Detachable,
        part: ConditionalRequest,
        flight: InFlightExchange,
        ticket: Ticket,
        body: AsyncIterator[bytes],
    ) -> None:
        """Asks for the whole of what a client wants a part of."""
        try:
            async with client.waiting():
                if not await self._cut(client, part, flight, ticket, body):
                    client.need()
                    await self._exchange(flight, ticket, body)
        except TimeoutError:
            if not client.seconds:
                raise asyncio.CancelledError from None
            self.warn(flight.request, f"not saved, it goes on {client.seconds:g} s after its client has its part")

    async def _cut(
        self,
        client: Detachable,
        part: ConditionalRequest,
        flight: InFlightExchange,
        ticket: Ticket,
        body: AsyncIterator[bytes],
    ) -> bool:
        """Answers a range from the whole, and keeps that; False where the range has to go upstream itself."""
        request, limit = flight.request, self.options.max_body
        rewrite = self.headers.rewriting(request, limit)
        upstream = self.route(request)
        async with self._ranging.whole(upstream, request, keeping(body, flight.sent), flight.client) as live:
            cut = await cut_from(live, part, rewrite, limit)
            if cut is None:
                self._ranging.give_up(request, live)
                return False
            flight.want(is_wanted=self._is_whole(request, cut.live, ticket))
            if cut.part is None:
                client.need()
                await self._pass_on(flight, ticket, cut.live)
            else:
                await self._pass_part(flight, ticket, cut, cut.part)
        flight.finish()
        if flight.is_wanted:
            self._record(flight, ticket, truncated=flight.is_stream and not flight.kept.whole)
        if flight.is_decided:
            self._ranging.kept(request, cut.live, flight.kept.data)
        return True

    async def _pass_part(self, flight: InFlightExchange, ticket: Ticket, cut: Cut, part: PartialResponse) -> None:
        """Passes a part of a live answer on; all of it is kept where it is not on its way already."""
        request, live = flight.request, cut.live
        kept: BodyCapture | None = flight.kept
        if flight.is_wanted and self._ranging.is_coming(request, cut):
            flight.want(is_wanted=False)
            kept = None
        shown = StreamingResponse(part.status, part.reason, part.headers, live.chunks)
        try:
            await relay_part(cut, part, self._head(flight, ticket, live, shown), flight, kept)
        finally:
            if kept:
                self._ranging.came(request)

    def _join(self, flight: InFlightExchange, live: StreamingResponse) -> None:
        """Has the whole recorded of which a part was the last to come."""
        whole = self._ranging.joined(flight.request, live, flight.kept.data)
        if whole:
            headers, body = whole
            flight.complete(StreamingResponse(OK, "OK", headers, live.chunks, body), body)

    def _is_whole(self, request: Request, live: StreamingResponse, ticket: Ticket) -> bool:
        """Whether an answer is recorded for a request: not one to its conditions or its range only."""
        if not ticket.wants(live.status, live.headers):
            return False
        less = narrowing_headers(request.method, request.headers, live.status)
        if less and live.status == PARTIAL:
            self.warn(request, f"not saved, it is a part only, {self._ranging.why_not_whole(request, live.headers)}")
        elif less:
            self.warn(request, f"not saved, {live.status} answers {less}, and says nothing of the whole")
        return not less

    @contextmanager
    def _limited(self, flight: InFlightExchange, ticket: Ticket) -> Iterator[None]:
        """Records what there is of a stream once it has gone on for too long; the client still gets the rest."""

        def cut() -> None:
            self._record(flight, ticket, truncated=True)
            if flight.is_decided:
                kept_so_far = f"goes on after {seconds:g} s; kept so far, as truncated (--max-stream-time)"
                self.warn(flight.request, kept_so_far)

        seconds = self.options.max_stream_time
        timer = asyncio.get_running_loop().call_later(seconds, cut) if flight.is_stream else None
        try:
            yield
        finally:
            if timer:
                timer.cancel()

    def _record(self, flight: InFlightExchange, ticket: Ticket, *, truncated: bool) -> None:
        """Decides what is recorded of an exchange, once."""
        live = flight.live
        if flight.is_decided or live is None or (truncated and not flight.kept.data):
            return
        if why := flight.unfit:
            flight.want(is_wanted=False)
            self.warn(flight.request, f"not saved, {why}")
            return
        if flight.is_stream and not flight.kept.whole:
            self.warn(flight.request, "goes on beyond --max-body; kept so far, as truncated")
        flight.decide()
        ticket.finish(flight.exchange(live, self.clock(), recording_time(), truncated=truncated), flight.status)

    def _fail(self, error: RequestRefused, flight: InFlightExchange) -> None:
        self.warn(flight.request, error.detail)
        if flight.status:
            flight.abort()
        else:
            flight.answer(rejection(error, self.cors, self.cors.credentialed_origin(flight.request.headers)))

    def _tell_of_cookies(self, headers: Headers) -> None:
        for name in prefixed_cookies(headers):
            if name not in self._cookies_told:
                self._cookies_told.add(name)
                message = f"cookie {name}: a browser refuses this prefix over plain http, here and on replay"
                self._emit(Warned(message))


_NOTHING: frozenset[str] = frozenset()


def recording_time() -> str:
    """The time of recording, as cassettes have it."""
    return _formatted(int(time.time()))


@lru_cache(maxsize=1)
def _formatted(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
