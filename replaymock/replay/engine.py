"""The conductor: the one place that asks index and upstream, in the order its mode says.

`replay` is synchronous: from a request to an answer that is ready, without a task.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct

from replaymock.cassettes.model import SWITCHING, WEBSOCKET_BODY, KnownBody
from replaymock.errors import CassetteError, RequestRefused
from replaymock.http import challenges
from replaymock.http.challenges import UNAUTHORIZED
from replaymock.http.cors import CorsPolicy
from replaymock.http.messages import Request
from replaymock.http.problem import fault, problem, rejection
from replaymock.http.rendered import RenderedResponse, frame
from replaymock.matching.faulty import Faulty
from replaymock.matching.index import CassetteLookup, Index, IndexEntry, LookupResult, Read, files_for
from replaymock.matching.matcher import Matcher
from replaymock.matching.near_misses import Miss, exhausted, explain, invalid
from replaymock.replay import sequence
from replaymock.replay.faults import Latency
from replaymock.replay.miss_response import advice, miss_response
from replaymock.replay.overrides import BehaviorResolver, ReplayOptions, ResponseBehavior
from replaymock.replay.sequence import write_name
from replaymock.replay.sessions import Session, Sessions, assign
from replaymock.telemetry.journal import AskAll, Journal, Report, ServedRequest
from replaymock.telemetry.subscribers import EventSubscribers

if TYPE_CHECKING:  # replay loads nothing that only recording needs
    from replaymock.http.rendered import ResponseSink
    from replaymock.proxy.forwarder import RecordingForwarder


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


Hit = tuple[RenderedResponse, ServedRequest]
"""An answer, and how it stands in the journal."""


class ReplayEngine:
    """Answers requests from the index, from upstream, or with the reason why not."""

    def __init__(
        self,
        mode: Mode,
        playing: ReplayOptions,
        matcher: Matcher,
        cors: CorsPolicy,
        recorder: "RecordingForwarder | None",
        report: Report,
        clock: Callable[[], float],
        random: Random,
    ) -> None:
        self.mode = mode
        self.cors = cors
        self.journal = Journal()
        self.sessions = Sessions()
        self.broken: dict[str, CassetteError] = {}
        self.recorder = recorder
        self.ask_all: AskAll | None = None
        self.look_for: Callable[[list[str]], bool] = lambda _files: False
        self.look_again: Callable[[str], None] = lambda _file: None
        self.tells_requests = True
        self.listeners = EventSubscribers(report)
        self.playing = playing
        self._matcher = matcher
        self._finder = CassetteLookup(matcher)
        self._faulty = Faulty({}, matcher)
        self._reading = asyncio.Lock()
        self._report = report
        self._clock = clock
        self._player = BehaviorResolver(playing, cors, random)

    def use(self, index: Index, broken: dict[str, CassetteError]) -> None:
        """Serves from another index from now on."""
        self.broken = broken
        self._faulty = Faulty(broken, self._matcher)
        self._finder.use(index)

    @property
    def index(self) -> Index:
        """The index in force."""
        return self._finder.index

    def preflight(self, request: Request) -> RenderedResponse | None:
        """The answer to a CORS preflight, which is never forwarded and never recorded."""
        if not self.cors.is_preflight(request):
            return None
        return frame(204, "No Content", self.cors.preflight(request))

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
        self._report("warning", {"message": f"{request.method} {self._shown(request)}: {text}"})

    async def forward(self, request: Request, body: AsyncIterator[bytes], out: "ResponseSink") -> None:
        """Has upstream answer a request whose body may still be coming."""
        if self.recorder is None:
            raise RuntimeError("a mode that forwards needs a recorder")
        await self.recorder.forward(request, body, out, lambda: self.index, self._forwarded)

    def left(self, client: Hashable) -> None:
        """Learns that a client's connection is closed."""
        if self.recorder is not None:
            self.recorder.backends.left(client)

    async def read(self, request: Request) -> Read | None:
        """What a large request comes down to, read in a thread so that others are answered; one at a time.

        None where that fails and upstream can be asked.
        """
        async with self._reading:
            try:
                return await asyncio.to_thread(self._finder.read, request)
            except Exception as error:
                if not self.mode.forward:
                    raise
                self.warn(request, fault(error))
                return None

    def replay(self, request: Request, read: Read | None = None) -> RenderedResponse | None:
        """The answer the cassettes give; for a miss, its explanation, or None where upstream is asked next."""
        try:
            return self._replay(request, read)
        except Exception as error:
            if not self.mode.forward:
                raise
            # Whatever went wrong, upstream has an answer.
            self.warn(request, fault(error))
            return None

    def _replay(self, request: Request, read: Read | None) -> RenderedResponse | None:
        started = self._clock()
        found = self._find(request, read=read)
        if found.entry is None:
            request, found = self._as_recorded(request, found)
        if found.entry is None and self.look_for(files_for(found.canonical)):
            found = self._find(request, read=read)
        manner = self._player.manner(request)
        spoiled = self._player.instead(request, manner) if found.entry else None
        if found.entry and spoiled:
            self._served(request.method, found.shown, spoiled.status, "hit", found.entry.file, started)
            return spoiled
        answer = self._played(request, found.entry, manner, started) if found.entry else None
        if found.entry is None or answer is None:
            return None if self.mode.forward else self._miss(request, found, started)
        if self.mode.forward and answer.status == UNAUTHORIZED and challenges.is_spoken(request.headers):
            return None  # what was asked for by that is no answer to the login
        self._served(request.method, found.shown, answer.status, "hit", found.entry.file, started)
        return answer

    def direct(self, request: Request) -> Hit | None:
        """The hit this request gets, which then has happened; None, and nothing done, where it is not written at once.

        What becomes of it in the journal is left to the caller.
        """
        started = self._clock()
        manner = self._player.manner(request)
        found = self._find(request) if manner.is_plain and not self.mode.forward else None
        entry = found.entry if found else None
        if found is None or entry is None or not entry.is_whole:
            return None
        answer = self._played(request, entry, manner, started)
        if answer is None:
            return None
        elapsed = (self._clock() - started) * 1000
        return answer, ServedRequest(request.method, found.shown, answer.status, "hit", entry.file, elapsed)

    def converse(self, request: Request) -> tuple[IndexEntry, int] | RenderedResponse | None:
        """The cassette of a WebSocket and the position in it; a miss, explained, or None where upstream is asked."""
        started = self._clock()
        found = self._find(request, WEBSOCKET_BODY)
        if found.entry is None and self.look_for(files_for(found.canonical)):
            found = self._find(request, WEBSOCKET_BODY)
        session = self.sessions.get(request.session, started)
        position = self._advance(request, found.entry, session) if found.entry else None
        if found.entry is None or position is None:
            return None if self.mode.forward else self._miss(request, found, started)
        self._served(request.method, found.shown, SWITCHING, "hit", found.entry.file, started)
        return found.entry, position

    def latency(self, request: Request) -> Latency:
        """How long what a request gets is held back."""
        return self._player.manner(request).latency

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

    def assign(self, request: Request) -> Request:
        """The request with its session. RequestRefused when what names that is no name."""
        return assign(request, self.playing.session_header)

    def constant(self, request: Request) -> Hit | None:
        """The hit every equal request gets for as long as this index is used, and how it stands in the journal.

        None where a position, a session, a write, time or upstream may have a say.
        """
        if self.mode.forward or request.session:
            return None
        manner = self._player.manner(request)
        if not manner.is_plain:
            return None
        found = self._find(request)
        if found.entry is None or not self.playing.stays(len(found.entry.afters)):
            return None
        position = self._advance(request, found.entry, Session())
        if position is None or found.entry.canonical.method not in ("GET", "HEAD"):
            return None
        if found.entry.prepared(position).moves or self._player.asked(request):
            return None
        answer = self._player.answer(request, found.entry, position, manner)
        return answer, ServedRequest(request.method, found.shown, answer.status, "hit", found.entry.file, 0.0)

    def _forwarded(self, served: ServedRequest) -> None:
        self._finder.forget()
        self.count(served)

    def count(self, served: ServedRequest) -> None:
        """Takes note of a request that was answered, here or elsewhere."""
        self.journal.served(served)
        if self.tells_requests:
            self._report("request", served.to_json())

    def _find(self, request: Request, known: KnownBody | None = None, read: Read | None = None) -> LookupResult:
        """The entry for a request, its responses at hand: a file that changed since it was loaded is loaded again."""
        found = self._finder.find(request, known, read)
        for _ in range(_TRIES):
            if found.entry is None or found.entry.is_at_hand:
                return self._unless_faulty(found)
            self.look_again(found.entry.file)
            found = self._finder.find(request, known, read)
        return LookupResult(found.canonical, None, found.shown)

    def _unless_faulty(self, found: LookupResult) -> LookupResult:
        """The entry that was found, unless only because the one that goes before it cannot be read."""
        if not (self._faulty and found.entry) or self.mode.forward:
            return found
        is_faulty = self._faulty.instead_of(found.entry, found.canonical)
        return LookupResult(found.canonical, None, found.shown) if is_faulty else found

    def _as_recorded(self, request: Request, found: LookupResult) -> tuple[Request, LookupResult]:
        """The request with the times it was given by this run as they were recorded, and what it comes down to."""
        shifting = self.playing.shifting
        meant = shifting.swaps.undo(request) if shifting else request
        if meant is request:
            return request, found
        stored = self._find(meant)
        return meant, LookupResult(stored.canonical, stored.entry, found.shown)

    def _played(
        self, request: Request, entry: IndexEntry, manner: ResponseBehavior, now: float
    ) -> RenderedResponse | None:
        """The answer of an entry at the position it comes to; None where a strict sequence is exhausted."""
        session = self.sessions.get(request.session, now)
        position = self._advance(request, entry, session)
        if position is None:
            return None
        answer = self._player.answer(request, entry, position, manner)
        self._count_write(entry, answer, session)
        return answer

    def _advance(self, request: Request, entry: IndexEntry, session: Session) -> int | None:
        at = session.positions.get(entry.file)
        if request.method == "HEAD" and entry.canonical.method == "GET":
            return min(at or 0, len(entry.afters) - 1)
        position = sequence.advance(self.playing.sequence, at, entry.afters, session.writes)
        if position is not None:
            session.positions[entry.file] = position
        return position

    def _count_write(self, entry: IndexEntry, answer: RenderedResponse, session: Session) -> None:
        name = write_name(entry.canonical, entry.request.path, answer.status)
        if name:
            session.writes[name] += 1

    def _miss(self, request: Request, found: LookupResult, started: float) -> RenderedResponse:
        echoed = self.cors.echoed(request.headers)
        broken = self._faulty.instead_of(found.entry, found.canonical)
        if broken:
            self._served(request.method, found.shown, 500, "miss", "", started)
            self._tell(invalid(found.canonical, str(broken)))
            headers = self.cors.apply((("Cache-Status", "replaymock; detail=cassette_invalid"),), echoed)
            place = {"file": broken.file, "line": broken.line, "column": broken.column}
            return problem(500, "cassette_invalid", str(broken), headers, **place)
        miss = self._explain(found).written_in(self.playing.home)
        answer = miss_response(miss, self.playing.miss_status, self.cors, echoed)
        self._served(request.method, found.shown, answer.status, "miss", "", started)
        self._tell(miss)
        return answer

    def _tell(self, miss: Miss) -> None:
        if self.journal.missed(miss) == 1:
            self._report("miss", {**miss.to_json(), "advice": advice(miss)})

    def _explain(self, found: LookupResult) -> Miss:
        if found.entry:
            return exhausted(found.canonical, found.entry)
        return explain(found.canonical, self.index, self.playing.ignored, self.playing.folder)

    def _shown(self, request: Request) -> str:
        """The target as it may stand in logs and pages."""
        return self._matcher.redactor.shown(request.target)

    def _served(self, method: str, shown: str, status: int, outcome: str, file: str, started: float) -> None:
        self.count(ServedRequest(method, shown, status, outcome, file, (self._clock() - started) * 1000))
