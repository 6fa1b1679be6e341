"""Decides which response a request gets, and gives it ready to be sent.

There are four ways in: `answer` for ordinary requests, `answer_at_once` and `constant_answer` for the fast path, and
`converse` for WebSockets. All of them call `decide`, which looks the request up and moves its session on; the renderer
then makes the bytes. None of it waits.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from random import Random

from msgspec import Struct

from replaymock.cassettes.model import SWITCHING, WEBSOCKET_BODY, KnownBody
from replaymock.errors import RequestRefused
from replaymock.http import challenges
from replaymock.http.challenges import UNAUTHORIZED
from replaymock.http.cors import CorsPolicy
from replaymock.http.messages import Request
from replaymock.http.problem import fault, problem, rejection
from replaymock.http.rendered import RenderedResponse
from replaymock.matching.index import Index, IndexEntry
from replaymock.matching.lookup import CanonicalAndShown, CassetteLookup, LookupResult
from replaymock.matching.matcher import Matcher
from replaymock.matching.near_misses import Miss, exhausted, explain, invalid
from replaymock.replay import sequence
from replaymock.replay.miss_response import advice, miss_response
from replaymock.replay.overrides import BehaviorResolver, ReplayOptions, ResponseBehavior
from replaymock.replay.renderer import ResponseRenderer
from replaymock.replay.response_cache import ResponseCache
from replaymock.replay.sequence import write_name
from replaymock.replay.sessions import Session, Sessions
from replaymock.telemetry.events import Emit, MissOccurred, ServedRequest, Warned
from replaymock.telemetry.journal import Journal


class Mode(Struct, frozen=True):
    """`lookup`: look into the cassettes first; `forward`: then ask upstream; `save`: record what upstream answered."""

    lookup: bool
    forward: bool
    save: bool


REPLAY = Mode(lookup=True, forward=False, save=False)

# `rewrite` differs from `all` only before the first request: the folder's recordings are removed.
RECORD_MODES = {
    "all": Mode(lookup=False, forward=True, save=True),
    "new": Mode(lookup=True, forward=True, save=True),
    "rewrite": Mode(lookup=False, forward=True, save=True),
}


_TRIES = 3


class Purpose(Enum):
    """What a decision is wanted for."""

    ANSWER = auto()
    """Any response, also one that takes time, such as a stream, or an injected fault."""
    AT_ONCE = auto()
    """Only a response that can be written at once, as it is."""
    CONSTANT = auto()
    """Only a response that all equal requests get until a cassette changes. No session is moved on."""
    CONVERSATION = auto()
    """The conversation of a WebSocket."""


# A member of an enumeration is slow to look up in Python 3.11, and these are compared for every request.
_ANSWER, _AT_ONCE, _CONSTANT, _CONVERSATION = Purpose


class Decision(Struct, frozen=True):
    """The response that a request gets: that of `entry` at `position`, played with a `behavior`.

    `request` has its times moved back to those of the recording. An injected fault that takes the place of the response
    is the `replacement`; the session has not moved on then.
    """

    request: Request
    lookup: LookupResult
    entry: IndexEntry
    renderer: ResponseRenderer
    behavior: ResponseBehavior
    session: Session
    position: int = 0
    replacement: RenderedResponse | None = None


class NoMatch(Struct, frozen=True):
    """A miss: there is no entry, or a strict sequence is used up."""

    lookup: LookupResult


Hit = tuple[RenderedResponse, ServedRequest]
"""A response, and its request as the journal has it."""


class ReplayEngine:
    """Answers requests from the cassettes, or explains why there is no response."""

    def __init__(
        self,
        mode: Mode,
        options: ReplayOptions,
        matcher: Matcher,
        lookup: CassetteLookup,
        responses: ResponseCache,
        cors: CorsPolicy,
        journal: Journal,
        sessions: Sessions,
        emit: Emit,
        emits_requests: bool,
        clock: Callable[[], float],
        random: Random,
    ) -> None:
        self.mode = mode
        self.options = options
        self.cors = cors
        self.lookup = lookup
        self.responses = responses
        self.journal = journal
        self.sessions = sessions
        self._matcher = matcher
        self._canonicalizing = asyncio.Lock()
        self._emit = emit
        self.emits_requests = emits_requests
        self._clock = clock
        self._resolver = BehaviorResolver(options, cors, random)

    @property
    def index(self) -> Index:
        """The index in force."""
        return self.lookup.index

    def answer(self, request: Request, canonical: CanonicalAndShown | None = None) -> RenderedResponse | None:
        """The response to an ordinary request. A miss gives its explanation, or None if upstream is asked next."""
        try:
            return self._answer(request, canonical)
        except Exception as error:
            if not self.mode.forward:
                raise
            # Whatever went wrong here, upstream can answer.
            self.warn(request, fault(error))
            return None

    def _answer(self, request: Request, canonical: CanonicalAndShown | None) -> RenderedResponse | None:
        started = self._clock()
        decision = self.decide(request, Purpose.ANSWER, canonical)
        if not isinstance(decision, Decision):
            return None if self.mode.forward or decision is None else self._miss(request, decision.lookup, started)
        response = self._respond(decision)
        if self.mode.forward and response.status == UNAUTHORIZED and challenges.is_login(request.headers):
            return None  # the request carries a login, and a recorded challenge does not answer that
        self._count(request.method, decision.lookup.shown, response.status, "hit", decision.entry.file, started)
        return response

    def answer_at_once(self, request: Request) -> Hit | None:
        """The response to this request, if it can be written at once; None, and nothing changed, if not.

        The session has moved on, but counting the request is left to whoever calls this.
        """
        if self.mode.forward:
            return None
        started = self._clock()
        decision = self.decide(request, Purpose.AT_ONCE)
        if not isinstance(decision, Decision):
            return None
        response = self._respond(decision)
        elapsed = (self._clock() - started) * 1000
        return response, _hit(decision, response, elapsed)

    def constant_answer(self, request: Request) -> Hit | None:
        """The response that all equal requests get until a cassette changes; None if there is no such response."""
        decision = None if self.mode.forward else self.decide(request, Purpose.CONSTANT)
        if not isinstance(decision, Decision):
            return None
        response = self._render(decision)
        return response, _hit(decision, response, 0.0)

    def converse(self, request: Request) -> Decision | RenderedResponse | None:
        """The decision for a request that opens a WebSocket. A miss as for `answer`."""
        started = self._clock()
        decision = self.decide(request, Purpose.CONVERSATION)
        if not isinstance(decision, Decision):
            return None if self.mode.forward or decision is None else self._miss(request, decision.lookup, started)
        self._count(request.method, decision.lookup.shown, SWITCHING, "hit", decision.entry.file, started)
        return decision

    async def canonicalize(self, request: Request) -> CanonicalAndShown | None:
        """A large request in canonical form, made in a thread, one at a time, while others are answered.

        None if that fails and upstream can be asked.
        """
        async with self._canonicalizing:
            try:
                return await asyncio.to_thread(self.lookup.canonicalize, request)
            except Exception as error:
                if not self.mode.forward:
                    raise
                self.warn(request, fault(error))
                return None

    def decide(
        self, request: Request, purpose: Purpose, canonical: CanonicalAndShown | None = None
    ) -> Decision | NoMatch | None:
        """Which response a request gets; its session is moved on to that. `canonical` is its canonical form, if known.

        None, and nothing changed, if there is no response for this purpose.
        """
        behavior = self._resolver.behavior(request)
        if purpose is _CONSTANT:
            return self._decide_constant(request, behavior)
        if purpose is _AT_ONCE and not behavior.is_plain:
            return None
        known_body = WEBSOCKET_BODY if purpose is _CONVERSATION else None
        lookup, renderers = self._find(request, known_body, canonical)
        if purpose is _AT_ONCE:
            if not _are_whole(renderers):
                return None
        elif not renderers:
            request, lookup, renderers = self._find_otherwise(request, lookup, known_body, canonical)
        entry = lookup.entry
        if entry is None:
            return NoMatch(lookup)
        session = self.sessions.get(request.session, self._clock())
        replacement = self._resolver.replacement(request, behavior) if purpose is _ANSWER else None
        if replacement:
            return Decision(request, lookup, entry, renderers[0], behavior, session, replacement=replacement)
        position = self._advance(request, entry, session)
        if position is None:
            return None if purpose is _AT_ONCE else NoMatch(lookup)
        return Decision(request, lookup, entry, renderers[position], behavior, session, position)

    def _decide_constant(self, request: Request, behavior: ResponseBehavior) -> Decision | None:
        """A decision that holds for all equal requests: no session, position, write or clock changes it."""
        if request.session or not behavior.is_plain:
            return None
        lookup, renderers = self._find(request)
        entry = lookup.entry
        if entry is None or not self.options.is_constant(len(entry.after_writes)):
            return None
        session = Session()
        position = self._advance(request, entry, session)
        if position is None or entry.canonical.method not in ("GET", "HEAD"):
            return None
        if renderers[position].is_time_dependent or self._resolver.conditional(request):
            return None
        return Decision(request, lookup, entry, renderers[position], behavior, session, position)

    def _find(
        self, request: Request, known_body: KnownBody | None = None, canonical: CanonicalAndShown | None = None
    ) -> tuple[LookupResult, list[ResponseRenderer]]:
        """The entry for a request, and its responses. A file that has changed is loaded again before."""
        for _ in range(_TRIES):
            lookup = self.lookup.find(request, known_body, canonical)
            if lookup.entry is None:
                return lookup, []
            renderers = self.responses.current(lookup.entry)
            if renderers:
                return self._unless_broken(lookup, renderers)
            self.lookup.look_again(lookup.entry)
        lookup = self.lookup.find(request, known_body, canonical)
        return LookupResult(lookup.canonical, None, lookup.shown), []

    def _find_otherwise(
        self, request: Request, lookup: LookupResult, known_body: KnownBody | None, canonical: CanonicalAndShown | None
    ) -> tuple[Request, LookupResult, list[ResponseRenderer]]:
        """A second lookup after a miss: with times moved back to those of the recording, and in files that are new."""
        shifter = None if known_body else self.options.time_shifter
        recorded = shifter.issued.to_recorded(request) if shifter else request
        renderers: list[ResponseRenderer] = []
        if recorded is not request:
            stored, renderers = self._find(recorded)
            lookup = LookupResult(stored.canonical, stored.entry, lookup.shown)
        if lookup.entry is None and self.lookup.find_new(lookup):
            lookup, renderers = self._find(recorded, known_body, canonical if recorded is request else None)
        return recorded, lookup, renderers

    def _unless_broken(
        self, lookup: LookupResult, renderers: list[ResponseRenderer]
    ) -> tuple[LookupResult, list[ResponseRenderer]]:
        """What was found; nothing, if a cassette that cannot be read would go before it."""
        if not self.lookup.broken or self.mode.forward or not self.lookup.broken_error_for(lookup):
            return lookup, renderers
        return LookupResult(lookup.canonical, None, lookup.shown), []

    def _advance(self, request: Request, entry: IndexEntry, session: Session) -> int | None:
        """The next position of a session in a cassette, which it is moved to; None if a strict sequence is used up."""
        at = session.positions.get(entry.file)
        if request.method == "HEAD" and entry.canonical.method == "GET":
            return min(at or 0, len(entry.after_writes) - 1)
        position = sequence.advance(self.options.sequence, at, entry.after_writes, session.writes)
        if position is not None:
            session.positions[entry.file] = position
        return position

    def _respond(self, decision: Decision) -> RenderedResponse:
        """The response of a decision. A write is counted in its session."""
        if decision.replacement:
            return decision.replacement
        response = self._render(decision)
        write = write_name(decision.entry.canonical, decision.entry.request.path, response.status)
        if write:
            decision.session.writes[write] += 1
        return response

    def _render(self, decision: Decision) -> RenderedResponse:
        return self._resolver.render(decision.request, decision.renderer, decision.behavior)

    def _miss(self, request: Request, lookup: LookupResult, started: float) -> RenderedResponse:
        """The response to a miss, which is counted and emitted."""
        echoed = self.cors.credentialed_origin(request.headers)
        broken = self.lookup.broken_error_for(lookup)
        if broken:
            self._count(request.method, lookup.shown, 500, "miss", "", started)
            self._emit_if_new(invalid(lookup.canonical, str(broken)))
            headers = self.cors.apply((("Cache-Status", "replaymock; detail=cassette_invalid"),), echoed)
            place = {"file": broken.file, "line": broken.line, "column": broken.column}
            return problem(500, "cassette_invalid", str(broken), headers, **place)
        miss = self._explain(lookup).with_location(self.options.home)
        response = miss_response(miss, self.options.miss_status, self.cors, echoed)
        self._count(request.method, lookup.shown, response.status, "miss", "", started)
        self._emit_if_new(miss)
        return response

    def _explain(self, lookup: LookupResult) -> Miss:
        if lookup.entry:
            return exhausted(lookup.canonical, lookup.entry)
        return explain(lookup.canonical, self.index, self.options.ignored, self.options.folder)

    def _emit_if_new(self, miss: Miss) -> None:
        if self.journal.missed(miss) == 1:
            self._emit(MissOccurred(**miss.to_json(), advice=advice(miss)))

    def refuse(self, request: Request, error: RequestRefused) -> RenderedResponse:
        """The response to a request that is refused."""
        self._count(request.method, self._shown(request), error.status, "refused", "", self._clock())
        return rejection(error, self.cors, self.cors.credentialed_origin(request.headers))

    def fail(self, request: Request, error: BaseException) -> RenderedResponse:
        """The response after an exception: the refusal if it is one, else a 500, and a warning to the user."""
        if isinstance(error, RequestRefused):
            return self.refuse(request, error)
        self.warn(request, fault(error))
        detail = "a fault in replaymock; its log names it"
        return rejection(
            RequestRefused(500, "internal_error", detail), self.cors, self.cors.credentialed_origin(request.headers)
        )

    def warn(self, request: Request, text: str) -> None:
        """Warns the user of a trouble with a request."""
        self._emit(Warned(f"{request.method} {self._shown(request)}: {text}"))

    def report_short_file(self, request: Request) -> None:
        """Reports that the file of a response's body turned out shorter than announced while it was sent."""
        lookup, _ = self._find(request)
        file = lookup.entry.file if lookup.entry else ""
        short = f"{file or lookup.shown}: the file of its body was shorter than promised when it was sent"
        self.warn(request, short)
        self.report_miss(request, invalid(lookup.canonical, short), 500, file)

    def report_miss(self, request: Request, miss: Miss, status: int, file: str) -> None:
        """Counts a miss, and emits it if it is new."""
        self._count(request.method, self._shown(request), status, "miss", file, self._clock())
        self._emit_if_new(miss)

    def count(self, served: ServedRequest) -> None:
        """Counts a request that was answered, by this engine or by upstream."""
        self.journal.served(served)
        if self.emits_requests:
            self._emit(served)

    def _count(self, method: str, shown: str, status: int, outcome: str, file: str, started: float) -> None:
        self.count(ServedRequest(method, shown, status, outcome, file, (self._clock() - started) * 1000))

    def _shown(self, request: Request) -> str:
        """The target as it may be shown in logs and pages."""
        return self._matcher.redactor.shown(request.target)


def _hit(decision: Decision, response: RenderedResponse, elapsed_ms: float) -> ServedRequest:
    method, shown = decision.request.method, decision.lookup.shown
    return ServedRequest(method, shown, response.status, "hit", decision.entry.file, elapsed_ms)


def _are_whole(renderers: list[ResponseRenderer]) -> bool:
    """Whether there are responses, and each is written at once: none is a stream, a conversation or a large file."""
    for renderer in renderers:  # a generator would cost every request
        if not renderer.is_whole:
            return False
    return bool(renderers)
