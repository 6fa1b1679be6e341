"""What a request gets: `decide` is the one function that ordinary requests, the fast path and WebSockets ask.

It is synchronous: from a request to a response that is ready, without a task.
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
from replaymock.replay.faults import Latency
from replaymock.replay.miss_response import advice, miss_response
from replaymock.replay.overrides import BehaviorResolver, ReplayOptions, ResponseBehavior
from replaymock.replay.renderer import ResponseRenderer
from replaymock.replay.response_cache import ResponseCache
from replaymock.replay.sequence import write_name
from replaymock.replay.sessions import Session, Sessions
from replaymock.telemetry.events import Emit, MissOccurred, ServedRequest, Warned
from replaymock.telemetry.journal import Journal


class Mode(Struct, frozen=True):
    """`lookup`: look into the cassettes first; `forward`: ask upstream; `save`: write what upstream said."""

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
    """An answer, whatever it is and however long it takes."""
    AT_ONCE = auto()
    """Only an answer that is written at once."""
    CONSTANT = auto()
    """Only an answer that every equal request gets for as long as no cassette changes; no position moves."""
    CONVERSATION = auto()
    """What is said on a WebSocket."""


class Decision(Struct, frozen=True):
    """The response that a request gets: one of its cassette, and how it is played.

    `request` has the times as they were recorded. Where a fault takes the place of the response, that is `replacement`,
    and no position has moved.
    """

    request: Request
    lookup: LookupResult
    entry: IndexEntry
    behavior: ResponseBehavior
    session: Session
    position: int = 0
    replacement: RenderedResponse | None = None


class NoMatch(Struct, frozen=True):
    """No response: there is no entry, or all its responses are used up."""

    lookup: LookupResult


Hit = tuple[RenderedResponse, ServedRequest]
"""An answer, and how it stands in the journal."""


class ReplayEngine:
    """Answers requests from the cassettes, or with the reason why not."""

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
        tells_requests: bool,
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
        self._reading = asyncio.Lock()
        self._emit = emit
        self.tells_requests = tells_requests
        self._clock = clock
        self._resolver = BehaviorResolver(options, cors, random)

    @property
    def index(self) -> Index:
        """The index in force."""
        return self.lookup.index

    def refuse(self, request: Request, error: RequestRefused) -> RenderedResponse:
        """The answer to a request that is not served at all."""
        self._served(request.method, self._shown(request), error.status, "refused", "", self._clock())
        return rejection(error, self.cors, self.cors.echoed(request.headers))

    def fail(self, request: Request, error: BaseException) -> RenderedResponse:
        """The answer after a fault of this program, which the user is told of in one line; or after a late refusal."""
        if isinstance(error, RequestRefused):
            return self.refuse(request, error)
        self.warn(request, fault(error))
        detail = "a fault in replaymock; its log names it"
        return rejection(RequestRefused(500, "internal_error", detail), self.cors, self.cors.echoed(request.headers))

    def warn(self, request: Request, text: str) -> None:
        """Tells the user of a trouble with a request."""
        self._emit(Warned(f"{request.method} {self._shown(request)}: {text}"))

    async def read(self, request: Request) -> CanonicalAndShown | None:
        """What a large request comes down to, read in a thread so that others are answered; one at a time.

        None where that fails and upstream can be asked.
        """
        async with self._reading:
            try:
                return await asyncio.to_thread(self.lookup.read, request)
            except Exception as error:
                if not self.mode.forward:
                    raise
                self.warn(request, fault(error))
                return None

    def decide(
        self, request: Request, purpose: Purpose, read: CanonicalAndShown | None = None
    ) -> Decision | NoMatch | None:
        """What a request gets, the position of its session moved there; `read` is its canonical form, if known.

        None, and nothing done, where there is nothing for this purpose.
        """
        behavior = self._resolver.behavior(request)
        if purpose is Purpose.CONSTANT:
            return self._decide_constant(request, behavior)
        if purpose is Purpose.AT_ONCE and not behavior.is_plain:
            return None
        known = WEBSOCKET_BODY if purpose is Purpose.CONVERSATION else None
        lookup = self._find(request, known, read)
        if purpose is Purpose.AT_ONCE:
            if lookup.entry is None or not self.responses.is_whole(lookup.entry):
                return None
        elif lookup.entry is None:
            request, lookup = self._find_otherwise(request, lookup, known, read)
        entry = lookup.entry
        if entry is None:
            return NoMatch(lookup)
        session = self.sessions.get(request.session, self._clock())
        replacement = self._resolver.instead(request, behavior) if purpose is Purpose.ANSWER else None
        if replacement:
            return Decision(request, lookup, entry, behavior, session, replacement=replacement)
        position = self._advance(request, entry, session)
        if position is None:
            return None if purpose is Purpose.AT_ONCE else NoMatch(lookup)
        return Decision(request, lookup, entry, behavior, session, position)

    def _decide_constant(self, request: Request, behavior: ResponseBehavior) -> Decision | None:
        """A decision that holds for every equal request: no position, session, write or time has a say in it."""
        if request.session or not behavior.is_plain:
            return None
        lookup = self._find(request)
        entry = lookup.entry
        if entry is None or not self.options.is_constant(len(entry.afters)):
            return None
        session = Session()
        position = self._advance(request, entry, session)
        if position is None or entry.canonical.method not in ("GET", "HEAD"):
            return None
        if self.renderer(entry, position).is_time_dependent or self._resolver.conditional(request):
            return None
        return Decision(request, lookup, entry, behavior, session, position)

    def _find_otherwise(
        self, request: Request, lookup: LookupResult, known: KnownBody | None, read: CanonicalAndShown | None
    ) -> tuple[Request, LookupResult]:
        """The entry of a request that has none: with the times it was given as they were recorded, or in a new file."""
        shifter = None if known else self.options.shifting
        recorded = shifter.swaps.undo(request) if shifter else request
        if recorded is not request:
            stored = self._find(recorded)
            lookup = LookupResult(stored.canonical, stored.entry, lookup.shown)
        if lookup.entry is None and self.lookup.find_new(lookup):
            lookup = self._find(recorded, known, read if recorded is request else None)
        return recorded, lookup

    def renderer(self, entry: IndexEntry, position: int) -> ResponseRenderer:
        """The response of an entry at a position, ready to be rendered; IndexError if it is not at hand."""
        return self.responses.get(entry)[position]

    def replay(self, request: Request, read: CanonicalAndShown | None = None) -> RenderedResponse | None:
        """The answer the cassettes give; for a miss, its explanation, or None where upstream is asked next."""
        try:
            return self._replay(request, read)
        except Exception as error:
            if not self.mode.forward:
                raise
            # Whatever went wrong, upstream has an answer.
            self.warn(request, fault(error))
            return None

    def _replay(self, request: Request, read: CanonicalAndShown | None) -> RenderedResponse | None:
        started = self._clock()
        decision = self.decide(request, Purpose.ANSWER, read)
        if not isinstance(decision, Decision):
            return None if self.mode.forward or decision is None else self._miss(request, decision.lookup, started)
        answer = self._answer(decision)
        if self.mode.forward and answer.status == UNAUTHORIZED and challenges.is_spoken(request.headers):
            return None  # what was asked for by that is no answer to the login
        self._served(request.method, decision.lookup.shown, answer.status, "hit", decision.entry.file, started)
        return answer

    def direct(self, request: Request) -> Hit | None:
        """The hit this request gets, which then has happened; None, and nothing done, where it is not written at once.

        What becomes of it in the journal is left to the client.
        """
        if self.mode.forward:
            return None
        started = self._clock()
        decision = self.decide(request, Purpose.AT_ONCE)
        if not isinstance(decision, Decision):
            return None
        answer = self._answer(decision)
        elapsed = (self._clock() - started) * 1000
        return answer, _hit(decision, answer, elapsed)

    def constant(self, request: Request) -> Hit | None:
        """The hit every equal request gets for as long as no cassette changes, and how it stands in the journal."""
        decision = None if self.mode.forward else self.decide(request, Purpose.CONSTANT)
        if not isinstance(decision, Decision):
            return None
        answer = self._render(decision)
        return answer, _hit(decision, answer, 0.0)

    def converse(self, request: Request) -> Decision | RenderedResponse | None:
        """The cassette of a WebSocket and the position in it; a miss, explained, or None where upstream is asked."""
        started = self._clock()
        decision = self.decide(request, Purpose.CONVERSATION)
        if not isinstance(decision, Decision):
            return None if self.mode.forward or decision is None else self._miss(request, decision.lookup, started)
        self._served(request.method, decision.lookup.shown, SWITCHING, "hit", decision.entry.file, started)
        return decision

    def latency(self, request: Request) -> Latency:
        """How long what a request gets is held back."""
        return self._resolver.behavior(request).latency

    def fell_short(self, request: Request) -> None:
        """Takes note that the file a body is in was shorter than promised when it was sent."""
        found = self._find(request)
        file = found.entry.file if found.entry else ""
        short = f"{file or found.shown}: the file of its body was shorter than promised when it was sent"
        self.warn(request, short)
        self.missed(request, invalid(found.canonical, short), 500, file)

    def missed(self, request: Request, miss: Miss, status: int, file: str) -> None:
        """Takes note of a miss, and tells of it when it is new."""
        self._served(request.method, self._shown(request), status, "miss", file, self._clock())
        self._tell(miss)

    def count(self, served: ServedRequest) -> None:
        """Takes note of a request that was answered, here or elsewhere."""
        self.journal.served(served)
        if self.tells_requests:
            self._emit(served)

    def _find(
        self, request: Request, known: KnownBody | None = None, read: CanonicalAndShown | None = None
    ) -> LookupResult:
        """The entry for a request, its responses at hand: a file that changed since it was loaded is loaded again."""
        lookup = self.lookup.find(request, known, read)
        for _ in range(_TRIES):
            if lookup.entry is None or self.responses.is_at_hand(lookup.entry):
                return self._unless_broken(lookup)
            self.lookup.look_again(lookup.entry)
            lookup = self.lookup.find(request, known, read)
        return LookupResult(lookup.canonical, None, lookup.shown)

    def _unless_broken(self, lookup: LookupResult) -> LookupResult:
        """The entry that was found, unless only because the one that goes before it cannot be read."""
        if not (self.lookup.broken and lookup.entry) or self.mode.forward:
            return lookup
        broken = self.lookup.broken_instead_of(lookup)
        return LookupResult(lookup.canonical, None, lookup.shown) if broken else lookup

    def _answer(self, decision: Decision) -> RenderedResponse:
        """The answer of a decision; a write is counted for its session."""
        if decision.replacement:
            return decision.replacement
        answer = self._render(decision)
        write = write_name(decision.entry.canonical, decision.entry.request.path, answer.status)
        if write:
            decision.session.writes[write] += 1
        return answer

    def _render(self, decision: Decision) -> RenderedResponse:
        renderer = self.renderer(decision.entry, decision.position)
        return self._resolver.render(decision.request, renderer, decision.behavior)

    def _advance(self, request: Request, entry: IndexEntry, session: Session) -> int | None:
        at = session.positions.get(entry.file)
        if request.method == "HEAD" and entry.canonical.method == "GET":
            return min(at or 0, len(entry.afters) - 1)
        position = sequence.advance(self.options.sequence, at, entry.afters, session.writes)
        if position is not None:
            session.positions[entry.file] = position
        return position

    def _miss(self, request: Request, found: LookupResult, started: float) -> RenderedResponse:
        echoed = self.cors.echoed(request.headers)
        broken = self.lookup.broken_instead_of(found)
        if broken:
            self._served(request.method, found.shown, 500, "miss", "", started)
            self._tell(invalid(found.canonical, str(broken)))
            headers = self.cors.apply((("Cache-Status", "replaymock; detail=cassette_invalid"),), echoed)
            place = {"file": broken.file, "line": broken.line, "column": broken.column}
            return problem(500, "cassette_invalid", str(broken), headers, **place)
        miss = self._explain(found).written_in(self.options.home)
        answer = miss_response(miss, self.options.miss_status, self.cors, echoed)
        self._served(request.method, found.shown, answer.status, "miss", "", started)
        self._tell(miss)
        return answer

    def _tell(self, miss: Miss) -> None:
        if self.journal.missed(miss) == 1:
            self._emit(MissOccurred(**miss.to_json(), advice=advice(miss)))

    def _explain(self, found: LookupResult) -> Miss:
        if found.entry:
            return exhausted(found.canonical, found.entry)
        return explain(found.canonical, self.index, self.options.ignored, self.options.folder)

    def _shown(self, request: Request) -> str:
        """The target as it may stand in logs and pages."""
        return self._matcher.redactor.shown(request.target)

    def _served(self, method: str, shown: str, status: int, outcome: str, file: str, started: float) -> None:
        self.count(ServedRequest(method, shown, status, outcome, file, (self._clock() - started) * 1000))


def _hit(decision: Decision, answer: RenderedResponse, elapsed_ms: float) -> ServedRequest:
    method, shown = decision.request.method, decision.lookup.shown
    return ServedRequest(method, shown, answer.status, "hit", decision.entry.file, elapsed_ms)
