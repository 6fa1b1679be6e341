"""The record road: a request goes upstream as it came, the answer to the caller as it comes, the pair to the store."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from replaymock.answer import Answer
from replaymock.cassette import Cassette
from replaymock.errors import RequestRefused
from replaymock.exchange import Exchange, Request, Response
from replaymock.headers import Headers, get, list_items
from replaymock.index import Entry, Index, Serving, entry_for, held_entry
from replaymock.journal import Report, Served
from replaymock.origin import prefixed_cookies
from replaymock.passing import Passage
from replaymock.problems import refusal
from replaymock.recording import Recording, Taken
from replaymock.relaying import Head, Kept, Out, keeping, relay
from replaymock.rewrites import Canonical
from replaymock.settings import Upstream
from replaymock.targets import normal_path, pattern
from replaymock.turns import Turns

if TYPE_CHECKING:
    from replaymock.upstream import Backends  # replay never loads httpx

TURN_SECONDS = 5.0
"""How long an exchange waits for requests that arrived before it and are still going on, until it is kept."""

Save = Callable[[str, Cassette], None]
"""Has a cassette written to the disk, soon and in order."""


@dataclass(frozen=True, slots=True)
class Forwarding:
    """How requests are forwarded: this server's name in `Via`, headers added upstream, and which paths are recorded."""

    via: str
    added: Headers = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    diagnostics: bool = True
    lookup: bool = False


class _Attempt:
    """The caller's connection, the status that went out on it (0 as long as nothing did), and the target as shown."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self.status = 0
        self.shown = ""
        self.write = out.write
        self.finish = out.finish
        self.abort = out.abort

    def answer(self, answer: Answer) -> None:
        self.status = answer.status
        self._out.answer(answer)

    def begin(self, head: Head, length: int | None) -> None:
        self.status = head.status
        self._out.begin(head, length)

    def whole(self, head: Head, length: int | None, body: bytes) -> None:
        self.status = head.status
        self._out.whole(head, length, body)


class Recorder:
    """Forwards requests and keeps what comes back."""

    def __init__(
        self,
        forwarding: Forwarding,
        recording: Recording,
        backends: "Backends",
        serving: Serving,
        save: Save,
        report: Report,
        clock: Callable[[], float],
    ) -> None:
        self.recording = recording
        self._forwarding = forwarding
        self._backends = backends
        self._serving = serving
        self._save = save
        self._report = report
        self._clock = clock
        status = f"replaymock; fwd={'uri-miss' if forwarding.lookup else 'request'}" if forwarding.diagnostics else ""
        origins = recording.origins if recording.policy.rewrite else None
        self._passage = Passage(forwarding.via, forwarding.added, status, origins, serving.cors)
        self._noted: set[str] = set()
        self._turns = Turns()

    def route(self, request: Request) -> Upstream:
        """The upstream of a request. RequestRefused when it came from this server or no upstream is named for it."""
        if self._forwarding.via.lower() in list_items(get(request.headers, "via")):
            detail = "this request has been here before: --upstream leads back to this server; name the real backend"
            raise RequestRefused(508, "loop_detected", detail)
        if "websocket" in list_items(get(request.headers, "upgrade")):
            detail = "WebSockets are not recorded yet; connect to the backend itself"
            raise RequestRefused(501, "websocket_unsupported", detail)
        upstream = self._backends.route(request.path)
        if upstream is None:
            detail = f"no --upstream is given for {request.path}; add one without a prefix"
            raise RequestRefused(502, "no_upstream", detail)
        return upstream

    async def forward(
        self,
        request: Request,
        body: AsyncIterator[bytes],
        out: Out,
        index: Callable[[], Index],
        count: Callable[[Served], None],
    ) -> None:
        """Asks upstream, passes the answer on, and keeps the exchange; `count` learns what was served.

        `index` gives the index in force, which a reload may swap while upstream is asked. An exchange is kept when it
        is its turn, which may be after this returns.
        """
        started = self._clock()
        sent = Kept(self.recording.policy.max_body)
        attempt = _Attempt(out)
        turn = self._turns.arrive(request.session, request.method, request.target)

        def served(outcome: str, file: str) -> None:
            shown = attempt.shown or self.recording.redactor.shown(request.target)
            elapsed = (self._clock() - started) * 1000
            count(Served(request.method, shown, attempt.status, outcome, file, elapsed))

        over, outcome = None, "forwarded"
        try:
            over = await self._exchange(request, keeping(body, sent), sent, attempt, index, started)
        except RequestRefused as error:
            outcome = "error"
            self._fail(error, request, attempt)
        finally:
            if over is None:
                self._turns.leave(turn)
        if over is None:
            served(outcome, "")
        elif not self._turns.end(turn, lambda: served(*self._keep(*over, index()))):
            asyncio.get_running_loop().call_later(TURN_SECONDS, self._turns.hurry, turn)

    def settle(self) -> None:
        """Keeps every exchange that is over, whatever it waits for."""
        self._turns.settle()

    async def _exchange(
        self,
        request: Request,
        body: AsyncIterator[bytes],
        sent: Kept,
        attempt: "_Attempt",
        index: Callable[[], Index],
        started: float,
    ) -> tuple[Exchange, Canonical] | None:
        """What there is to keep of an exchange once it is over, and the canonical form of its request."""
        upstream = self.route(request)
        wanted = self._is_wanted(request.path)
        headers = self._passage.outgoing(request, upstream.origin, whole=wanted)
        outgoing = Request(request.method, request.target, headers)
        kept = Kept(self.recording.policy.max_body)
        async with self._backends.send(upstream, outgoing, body) as live:
            self._note_cookies(live.headers)
            stored = wanted and self.recording.policy.wants(live.status)
            rewriting = self._passage.rewriting(request, self.recording.policy.max_body)
            # As a rule the request is whole when it is answered, and what is made of it here is good to the end.
            asked = _with_body(request, sent)
            canonical, attempt.shown = self.recording.read(asked)
            file = self.recording.file_for(canonical, index()) if stored else ""
            is_new = file not in index().entries
            head = self._passage.head(live, request, file)
            await relay(live, head, attempt, kept, rewriting if request.method != "HEAD" else None)
        attempt.finish()
        if not stored:
            return None
        if not (kept.whole and sent.whole and sent.ended):
            self._warn(request, "not saved, larger than --max-body")
            return None
        if self._forwarding.lookup and is_new and file in index().entries:
            return None  # the same request, asked at the same time, has filled the gap
        response = Response(live.status, live.reason, live.headers, kept.data)
        elapsed = round((self._clock() - started) * 1000)
        if len(asked.body) < sent.size:
            asked = _with_body(request, sent)
            canonical, _ = self.recording.read(asked)
        return Exchange(asked, response, _now(), elapsed), canonical

    def _keep(self, exchange: Exchange, canonical: Canonical, index: Index) -> tuple[str, str]:
        """Keeps an exchange; what became of it, and in which file."""
        taken = self.recording.take(exchange, index, canonical)
        if not taken.changed:
            return "unchanged", taken.file
        index.add(self._entry(taken, canonical, index))
        self._save(taken.file, taken.cassette)
        return "recorded", taken.file

    def _entry(self, taken: Taken, canonical: Canonical, index: Index) -> Entry:
        """The entry of a cassette; what it says of its request is brought to canonical form where it is not known."""
        known = index.entries.get(taken.file)
        if known and known.request is taken.cassette.request:
            return held_entry(taken.file, taken.cassette, known.canonical, self._serving)
        if not (canonical.kind or canonical.headers):
            return held_entry(taken.file, taken.cassette, canonical, self._serving)
        matcher = self.recording.matcher
        return entry_for(taken.file, taken.cassette, plain=False, matcher=matcher, serving=self._serving)

    def _is_wanted(self, path: str) -> bool:
        only, skip = self._forwarding.only, self._forwarding.skip
        if not only and not skip:
            return True
        path = normal_path(path)
        if any(pattern(glob).match(path) for glob in skip):
            return False
        return not only or any(pattern(glob).match(path) for glob in only)

    def _fail(self, error: RequestRefused, request: Request, attempt: "_Attempt") -> None:
        self._warn(request, error.detail)
        if attempt.status:
            attempt.abort()
        else:
            attempt.answer(refusal(error, self._serving.cors, self._serving.cors.echoed(request.headers)))

    def _warn(self, request: Request, text: str) -> None:
        self._report("warning", {"message": f"{request.method} {self.recording.redactor.shown(request.path)}: {text}"})

    def _note_cookies(self, headers: Headers) -> None:
        for name in prefixed_cookies(headers):
            if name not in self._noted:
                self._noted.add(name)
                message = f"cookie {name}: a browser refuses this prefix over plain http, here and on replay"
                self._report("warning", {"message": message})


def _with_body(request: Request, sent: Kept) -> Request:
    return request if request.body == sent.data else replace(request, body=sent.data)


def _now() -> str:
    return _spelled(int(time.time()))


@lru_cache(maxsize=1)
def _spelled(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
