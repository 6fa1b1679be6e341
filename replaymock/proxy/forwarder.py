"""The record road: a request goes upstream as it came, the answer to the caller as it comes, the pair to the store."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from replaymock.cassettes.path_templates import compile_template
from replaymock.errors import RequestRefused
from replaymock.http import challenges
from replaymock.http.conditional import OK, PartialResponse, answers_less, not_forwarded
from replaymock.http.conditional import ConditionalRequest as Ranged
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers, get, list_items
from replaymock.http.messages import Request, ResponseHead, StreamingResponse, should_offload
from replaymock.http.origin import prefixed_cookies
from replaymock.http.problem import fault, rejection
from replaymock.http.rendered import ResponseSink
from replaymock.http.uri import normal_path
from replaymock.proxy import own_origin
from replaymock.proxy.attempt import InFlightExchange
from replaymock.proxy.headers import HeaderForwarder
from replaymock.proxy.lingering import Detachable, Lingering
from replaymock.proxy.ranges import PARTIAL, Ranging
from replaymock.proxy.relay import BodyCapture, keeping, relay
from replaymock.proxy.routes import Upstream
from replaymock.proxy.slices import Cut, cut_from, relay_part
from replaymock.recording.cassette_builder import CassetteBuilder, file_for
from replaymock.recording.pipeline import ArrivalOrder, CassetteStore, RecordingPipeline
from replaymock.telemetry.journal import Report, ServedRequest

if TYPE_CHECKING:
    from replaymock.proxy.upstreams import Upstreams  # replay never loads httpx

TURN_SECONDS = 5.0
"""How long an exchange waits for requests that arrived before it and are still going on, until it is kept."""

AGAIN_SECONDS = 5.0
"""How long the same trouble is not told of again."""

_MOST_TROUBLES = 1000

Count = Callable[[ServedRequest], None]
"""Learns what was served."""

Exchanging = Callable[[InFlightExchange, AsyncIterator[bytes], Count], Awaitable[None]]
"""One way of asking upstream and passing the answer on."""


@dataclass(frozen=True, slots=True)
class ForwardOptions:
    """How requests are forwarded: this server's name in `Via`, headers added upstream, and which paths are recorded."""

    via: str
    added: Headers = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    diagnostics: bool = True
    lookup: bool = False


class RecordingForwarder:
    """Forwards requests and keeps what comes back."""

    def __init__(
        self,
        forwarding: ForwardOptions,
        recording: CassetteBuilder,
        backends: "Upstreams",
        cors: CorsPolicy,
        library: CassetteStore,
        report: Report,
        clock: Callable[[], float],
    ) -> None:
        self.recording = recording
        self.forwarding = forwarding
        self.backends = backends
        self.cors = cors
        self.library = library
        self._report = report
        self.clock = clock
        status = f"replaymock; fwd={'uri-miss' if forwarding.lookup else 'request'}" if forwarding.diagnostics else ""
        origins = recording.origins if recording.policy.rewrite else None
        self.passage = HeaderForwarder(forwarding.via, forwarding.added, status, origins, cors)
        self._noted: set[str] = set()
        self._troubles: dict[str, tuple[float, int]] = {}
        self._turns = ArrivalOrder()
        self.taking = RecordingPipeline(recording, library, self.warn)
        self._ranging = Ranging(self.passage, backends, recording.policy.max_body)
        self._lingering = Lingering()

    def listens(self, host: str, port: int) -> None:
        """Learns which origins are its own, as clients may name them."""
        self.passage.own = own_origin.own(host, port)

    def route(self, request: Request) -> Upstream:
        """The upstream of a request. RequestRefused when it came from this server or no upstream is named for it."""
        if self.forwarding.via.lower() in list_items(get(request.headers, "via")):
            detail = "this request has been here before: --upstream leads back to this server; name the real backend"
            raise RequestRefused(508, "loop_detected", detail)
        upstream = self.backends.route(request.path)
        if upstream is None:
            detail = f"no --upstream is given for {request.path}; add one without a prefix"
            raise RequestRefused(502, "no_upstream", detail)
        return upstream

    async def forward(
        self,
        request: Request,
        body: AsyncIterator[bytes],
        out: ResponseSink,
        count: Count,
    ) -> None:
        """Asks upstream, passes the answer on, and keeps the exchange; `count` learns what was served.

        An exchange is kept when it is its turn, which may be after this returns; one that a client wants a part of may
        outlive the client, too.
        """
        asked = self._ranging.asked(request)
        if asked is None or not self.is_wanted(request.path):
            await self._perform(request, body, out, count, self._exchange)
            return

        async def perform(client: Detachable) -> None:
            exchange = partial(self._exchange_of_part, client, asked)
            await self._perform(request, body, client, count, exchange)

        await self._lingering.run(out, perform)

    async def _perform(
        self,
        request: Request,
        body: AsyncIterator[bytes],
        out: ResponseSink,
        count: Count,
        exchange: Exchanging,
    ) -> None:
        limit = self.recording.policy.max_body
        turn = self._turns.arrive(request.session, request.method, request.target)
        attempt = InFlightExchange(request, out, turn, limit, self.clock())
        outcome = "forwarded"
        try:
            await exchange(attempt, body, count)
        except RequestRefused as error:
            outcome = "error"
            self._fail(error, attempt)
        except asyncio.CancelledError:
            if attempt.is_stream:
                self._close(attempt, count, truncated=True)  # the caller has left
            raise
        finally:
            if not attempt.closed:
                self._turns.leave(turn)
        if not attempt.closed:
            self._count(attempt, count, outcome, "")

    async def drain(self, seconds: float, hurry: asyncio.Event | None = None) -> None:
        """Waits for exchanges that have outlived their clients, no longer than `seconds` or until `hurry`."""
        await self._lingering.drain(seconds, hurry)

    def settle(self) -> None:
        """Keeps every exchange that is over, whatever it waits for."""
        self._turns.settle()
        self.taking.settle()

    async def _exchange(self, attempt: InFlightExchange, body: AsyncIterator[bytes], count: Count) -> None:
        request = attempt.request
        upstream = self.route(request)
        wanted = self.is_wanted(request.path)
        headers = self.passage.outgoing(request, upstream, not_forwarded(request.method) if wanted else frozenset())
        outgoing = Request(request.method, request.target, headers)
        async with self.backends.send(upstream, outgoing, keeping(body, attempt.sent), attempt.client) as live:
            attempt.stored = wanted and self._is_whole(request, live)
            await self._pass_on(attempt, live, count)
        attempt.finish()
        if wanted and live.status == PARTIAL and not attempt.stored:
            self._join(attempt, live)
        if attempt.stored:
            self._close(attempt, count, truncated=attempt.is_stream and not attempt.kept.whole)

    async def _pass_on(self, attempt: InFlightExchange, live: StreamingResponse, count: Count) -> None:
        """Passes a live answer on as it comes."""
        request = attempt.request
        head = self._head(attempt, live, live)
        # Of a part nothing is replaced: it would be of another length then than it says.
        replaced = request.method != "HEAD" and live.status != PARTIAL
        rewriting = self.passage.rewriting(request, self.recording.policy.max_body) if replaced else None
        with self._limited(attempt, count):
            await relay(live, head, attempt, attempt.kept, rewriting)

    def _head(self, attempt: InFlightExchange, live: StreamingResponse, shown: StreamingResponse) -> ResponseHead:
        """The head for the client, which is that of what is `shown` of a live answer."""
        entries = self.library.index.entries
        self._note_cookies(live.headers)
        attempt.answered(live, asyncio.get_running_loop().time())
        file = self._file(attempt)
        if self.forwarding.lookup and attempt.stored:
            attempt.there = entries.keys() & {file} if file else frozenset(entries)
        return self.passage.head(shown, attempt.request, file, stored=attempt.stored and attempt.has_whole_request)

    async def _exchange_of_part(
        self,
        client: Detachable,
        asked: Ranged,
        attempt: InFlightExchange,
        body: AsyncIterator[bytes],
        count: Count,
    ) -> None:
        """Asks for the whole of what a client wants a part of."""
        try:
            async with client.waiting():
                if not await self._cut(client, asked, attempt, body, count):
                    client.need()
                    await self._exchange(attempt, body, count)
        except TimeoutError:
            if not client.seconds:
                raise asyncio.CancelledError from None
            self.warn(attempt.request, f"not saved, it goes on {client.seconds:g} s after its client has its part")

    async def _cut(
        self,
        client: Detachable,
        asked: Ranged,
        attempt: InFlightExchange,
        body: AsyncIterator[bytes],
        count: Count,
    ) -> bool:
        """Answers a range from the whole, and keeps that; False where the range has to go upstream itself."""
        request, limit = attempt.request, self.recording.policy.max_body
        rewriting = self.passage.rewriting(request, limit)
        upstream = self.route(request)
        async with self._ranging.whole(upstream, request, keeping(body, attempt.sent), attempt.client) as live:
            cut = await cut_from(live, asked, rewriting, limit)
            if cut is None:
                self._ranging.give_up(request, live)
                return False
            attempt.stored = self._is_whole(request, cut.live)
            if cut.part is None:
                client.need()
                await self._pass_on(attempt, cut.live, count)
            else:
                await self._pass_part(attempt, cut, cut.part)
        attempt.finish()
        if attempt.stored:
            self._close(attempt, count, truncated=attempt.is_stream and not attempt.kept.whole)
            self._ranging.kept(request, cut.live, attempt.kept.data)
        return True

    async def _pass_part(self, attempt: InFlightExchange, cut: Cut, part: PartialResponse) -> None:
        """Passes a part of a live answer on; all of it is kept where it is not on its way already."""
        request, live = attempt.request, cut.live
        kept: BodyCapture | None = attempt.kept
        if attempt.stored and self._ranging.is_coming(request, cut):
            attempt.stored, kept = False, None
        shown = StreamingResponse(part.status, part.reason, part.headers, live.chunks)
        try:
            await relay_part(cut, part, self._head(attempt, live, shown), attempt, kept)
        finally:
            if kept:
                self._ranging.came(request)

    def _join(self, attempt: InFlightExchange, live: StreamingResponse) -> None:
        """Has the whole kept of which a part was the last to come."""
        found = self._ranging.joined(attempt.request, live, attempt.kept.data)
        if found:
            headers, body = found
            attempt.makes_whole(StreamingResponse(OK, "OK", headers, live.chunks, body), body)

    def _is_whole(self, request: Request, live: StreamingResponse) -> bool:
        """Whether an answer is recorded for a request: not one to its conditions or its range only."""
        status = live.status
        if not self._is_stored(live):
            return False
        less = answers_less(request.method, request.headers, status)
        if less and status == PARTIAL:
            self.warn(request, f"not saved, it is a part only, {self._ranging.why_not_whole(request, live.headers)}")
        elif less:
            self.warn(request, f"not saved, {status} answers {less}, and says nothing of the whole")
        return not less

    def _is_stored(self, live: StreamingResponse) -> bool:
        policy = self.recording.policy
        if challenges.is_offered(live.status, live.headers):
            # It is of a login that holds for a connection. On replay there is none, and clients fail on half of one.
            return live.status in policy.statuses and not challenges.is_step(live.headers)
        return policy.wants(live.status)

    def _file(self, attempt: InFlightExchange) -> str:
        """The cassette that an answer is kept in and names; empty where that is not known before the answer goes out.

        As a rule the request is whole when it is answered, and what is made of it here is good to the end. One that is
        answered before may still become another; a large one is read once it is taken, as no answer waits for that.
        """
        if not (attempt.stored and attempt.has_whole_request):
            return ""
        request = attempt.with_body()
        if should_offload(request):
            return ""
        try:
            attempt.asked = self.recording.read(request)
            return file_for(attempt.asked.canonical, self.library.index)
        except Exception as error:
            # It is answered all the same, whatever went wrong.
            attempt.stored = False
            self.warn(request, f"not saved, {fault(error)}")
            return ""

    @contextmanager
    def _limited(self, attempt: InFlightExchange, count: Count) -> Iterator[None]:
        """Keeps what there is of a stream once it has gone on for too long; the caller still gets the rest."""

        def cut() -> None:
            self._close(attempt, count, truncated=True)
            if attempt.closed:
                self.warn(
                    attempt.request, f"goes on after {seconds:g} s; kept so far, as truncated (--max-stream-time)"
                )

        seconds = self.recording.policy.max_stream_time
        timer = asyncio.get_running_loop().call_later(seconds, cut) if attempt.is_stream else None
        try:
            yield
        finally:
            if timer:
                timer.cancel()

    def _close(self, attempt: InFlightExchange, count: Count, *, truncated: bool) -> None:
        """Decides what is kept of an exchange, once; it is kept when it is its turn."""
        live = attempt.live
        if attempt.closed or live is None or (truncated and not attempt.kept.data):
            return
        if why := attempt.unfit:
            attempt.stored = False
            self.warn(attempt.request, f"not saved, {why}")
            return
        if attempt.is_stream and not attempt.kept.whole:
            self.warn(attempt.request, "goes on beyond --max-body; kept so far, as truncated")
        attempt.closed = True
        exchange = attempt.exchange(live, self.clock(), now(), truncated=truncated)
        counting = partial(self._count, attempt, count)
        taking = partial(self.taking.join, exchange, attempt.asked, attempt.there, counting)
        if not self._turns.end(attempt.turn, taking):
            asyncio.get_running_loop().call_later(TURN_SECONDS, self._turns.hurry, attempt.turn)

    def _count(self, attempt: InFlightExchange, count: Count, outcome: str, file: str) -> None:
        shown = self.recording.shown(attempt.request)
        elapsed = (self.clock() - attempt.started) * 1000
        count(ServedRequest(attempt.request.method, shown, attempt.status, outcome, file, elapsed))

    def is_wanted(self, path: str) -> bool:
        """Whether what is at a path is recorded."""
        only, skip = self.forwarding.only, self.forwarding.skip
        if not only and not skip:
            return True
        path = normal_path(path)
        if any(compile_template(glob).match(path) for glob in skip):
            return False
        return not only or any(compile_template(glob).match(path) for glob in only)

    def _fail(self, error: RequestRefused, attempt: InFlightExchange) -> None:
        self.warn(attempt.request, error.detail)
        if attempt.status:
            attempt.abort()
        else:
            echoed = self.cors.echoed(attempt.request.headers)
            attempt.answer(rejection(error, self.cors, echoed))

    def warn(self, request: Request, text: str) -> None:
        """Tells the user of a trouble with a request; of one that goes on only now and then, with how often it was."""
        moment = self.clock()
        told, times = self._troubles.pop(text, (None, 0))
        if told is not None and moment - told < AGAIN_SECONDS:
            self._troubles[text] = (told, times + 1)
            return
        if len(self._troubles) >= _MOST_TROUBLES:
            self._troubles.clear()
        self._troubles[text] = (moment, 0)
        more = f" ({times} more times since it was last told)" if times else ""
        shown = self.recording.redactor.shown(request.path)
        self._report("warning", {"message": f"{request.method} {shown}: {text}{more}"})

    def _note_cookies(self, headers: Headers) -> None:
        for name in prefixed_cookies(headers):
            if name not in self._noted:
                self._noted.add(name)
                message = f"cookie {name}: a browser refuses this prefix over plain http, here and on replay"
                self._report("warning", {"message": message})


def now() -> str:
    """The time of recording, as cassettes have it."""
    return _spelled(int(time.time()))


@lru_cache(maxsize=1)
def _spelled(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
