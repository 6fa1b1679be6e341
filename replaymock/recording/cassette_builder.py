"""From an exchange to a cassette: what is kept of it, and how it joins what is stored already."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Protocol

from replaymock.cassettes.model import WEBSOCKET_BODY, Cassette, CassetteRequest, KnownBody, RecordedResponse
from replaymock.http.headers import Headers, is_unstored
from replaymock.http.messages import Exchange, Request
from replaymock.http.origin import OriginRewriter
from replaymock.http.uri import normal_path
from replaymock.http.websocket_messages import CLOSE, Message
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import Index, IndexEntry
from replaymock.matching.matcher import Matcher, key_of
from replaymock.matching.naming import HASH_DIGITS, cassette_name
from replaymock.matching.redacted_match import matches_redacted
from replaymock.placeholders import ORIGIN
from replaymock.recording.causality import WriteHistory
from replaymock.recording.hindsight import LateRedactor
from replaymock.recording.merge import doubt_left, gathered, is_same_response, merge_response, says_all
from replaymock.recording.request_capture import CapturedRequest, RequestCapture
from replaymock.recording.response_capture import RecordingPolicy, ResponseCapture, is_redacted
from replaymock.recording.volatile_hints import VolatileHints
from replaymock.redaction.placeholders import PlaceholderAllocator
from replaymock.redaction.redactor import WITHHELD
from replaymock.replay.sequence import Writes, satisfied, write_name


@dataclass(frozen=True, slots=True)
class BuiltCassette:
    """What became of an exchange: the cassette as it now is, and whether that is news to the disk.

    Of a cassette that is not changed, responses may be left out: nobody need read them to know that. `canonical` is
    what its request comes down to, where that is known without bringing it to canonical form.
    """

    file: str
    cassette: Cassette
    changed: bool
    canonical: CanonicalRequest | None = None


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """What is made of an exchange before it is taken: what it asked, the response to store, and the placeholders then.

    `learned` is the request without secrets, and `request` what is stored of it, None where it was not asked for.
    """

    asked: CapturedRequest
    learned: Request
    recorded: RecordedResponse
    request: CassetteRequest | None
    numbering: PlaceholderAllocator


class StoredCassettes(Protocol):
    """What is stored by now, on the disk or on its way there."""

    @property
    def index(self) -> Index:
        """The index in force; a reload replaces it."""

    def cassette(self, entry: IndexEntry) -> Cassette:
        """All of a cassette, every body in memory."""


class CassetteBuilder:
    """One run of the recorder: its placeholders, its place in each cassette, and what sessions have written."""

    def __init__(self, policy: RecordingPolicy, matcher: Matcher, origins: OriginRewriter) -> None:
        self.numbering = PlaceholderAllocator()
        self.redacted: set[str] = set()
        """The files of this run in which something is hidden."""
        self.policy = policy
        self.matcher = matcher
        self.redactor = matcher.redactor
        self.origins = origins
        self._storing = ResponseCapture(policy, matcher.redactor, origins, self.numbering)
        self._cursors: dict[str, int] = {}
        self._doubts: dict[str, int] = {}
        self._histories: dict[str, WriteHistory] = {}
        self._previous: dict[str, Cassette] = {}
        self._repeats = UnchangedCache()
        self._asking = RequestCapture(matcher, self.numbering.known)
        self.proposals = VolatileHints()

    def remember(self, file: str, cassette: Cassette) -> None:
        """Takes note of a cassette that was removed, so that an equal one comes back byte for byte."""
        self._previous[file] = cassette

    def read(self, request: Request, kind: KnownBody | None = None) -> CapturedRequest:
        """A request brought to canonical form; `kind` is what it has instead of a body."""
        return self._asking.read(request, kind)

    def reading(self, request: Request) -> Callable[[], CapturedRequest]:
        """The same as work for a thread."""
        asking = RequestCapture(self.matcher, self.numbering.known.copy())
        return lambda: asking.read(request)

    def shown(self, request: Request) -> str:
        """The target of a request as it may be shown; nothing of it where it cannot be read."""
        try:
            return self._asking.read(Request(request.method, request.target)).shown
        except Exception:
            return WITHHELD

    def ahead(
        self, exchange: Exchange, cassettes: StoredCassettes, asked: CapturedRequest
    ) -> Callable[[], Prebuilt] | None:
        """What can be done for an exchange before it is taken, in a thread; None where it is one that came before."""
        file = file_for(asked.canonical, cassettes.index)
        known = cassettes.index.entries.get(file)
        if self._is_repeat(file, known, digest_of(exchange)):
            return None
        numbering = self.numbering.copy()
        asking, storing = RequestCapture(self.matcher, numbering.known), self._storing.under(numbering)

        def make() -> Prebuilt:
            made = _made(exchange, asked, asking, storing, numbering)
            if known:
                return made
            return replace(made, request=asking.stored(exchange.request, made.learned, made.asked.canonical, numbering))

        return make

    def take(
        self,
        exchange: Exchange,
        cassettes: StoredCassettes,
        asked: CapturedRequest | None = None,
        ahead: Prebuilt | None = None,
    ) -> BuiltCassette:
        """The cassette of an exchange, merged with what is stored of it; `asked` is its request, if that was read.

        The exchanges of a session are taken in the order their requests arrived.
        """
        asked = asked or self.read(exchange.request)
        canonical, index = asked.canonical, cassettes.index
        file = file_for(canonical, index)
        history = self._history(exchange.request.session)
        digest = digest_of(exchange)
        known, cursor = index.entries.get(file), self._cursors.get(file, -1)
        if known and self._is_repeat(file, known, digest):
            history.fetched(file, canonical)
            taken = BuiltCassette(file, Cassette(known.request, ()), changed=False)
        else:
            made = self._adopted(ahead) or _made(exchange, asked, self._asking, self._storing, self.numbering)
            if made.asked is not asked:
                # The answer told that something in the request is secret.
                canonical = made.asked.canonical
                file = file_for(canonical, index)
                known, cursor = index.entries.get(file), self._cursors.get(file, -1)
            made = replace(made, recorded=replace(made.recorded, after=history.fetched(file, canonical)))
            taken = self._joined(exchange, made, file, cassettes, history.counts)
            if not exchange.truncated:  # again, it may be the beginning of the next one
                self._repeats.remember(file, None if taken.changed else known, self._cursors[file], digest)
            if not (canonical.kind or canonical.headers):
                taken = replace(taken, canonical=canonical)
        name = write_name(canonical, taken.cassette.request.path, exchange.response.status)
        history.saw(file, exchange.ended, is_news=bool(name) or self._cursors[file] != cursor)
        if name:
            history.wrote(name, canonical.path, exchange.ended)
        return taken

    def heed(self, hindsight: LateRedactor) -> None:
        """Says nothing more in the names of writes of what became known to be secret."""
        hide = cache(hindsight.hide)
        in_path = cache(lambda path: normal_path(hide(path)))
        for history in self._histories.values():
            history.hide(hide, in_path)

    def without(self, entry: IndexEntry, hindsight: LateRedactor, cassettes: StoredCassettes) -> BuiltCassette | None:
        """The cassette of an entry without what became known to be secret; None if it holds nothing of that.

        It goes by another name where its request is another by then, and is merged with what is stored under that.
        """
        before = cassettes.cassette(entry)
        cassette = hindsight.cassette(before)
        if cassette == before:
            return None
        canonical = self.matcher.canonical(cassette.request.to_request(), cassette.request.known_body())
        if key_of(canonical) == key_of(entry.canonical):
            return BuiltCassette(entry.file, cassette, changed=True)
        file = file_for(canonical, cassettes.index)
        known = cassettes.index.entries.get(file)
        if known is None:
            return BuiltCassette(file, self._as_before(file, cassette), changed=True)
        stored = cassettes.cassette(known).responses
        if len(stored) != len(known.afters):
            raise ValueError(f"{file} is no longer what it was")
        volatile = self.matcher.volatile(cassette.request.to_request())
        responses = gathered(stored, cassette.responses, volatile)
        return BuiltCassette(file, Cassette(known.request, responses), changed=responses != stored)

    def renamed(self, old: str, new: str) -> None:
        """Learns that the cassette of one file goes by another name."""
        self._doubts.pop(old, None)
        cursor = self._cursors.pop(old, None)
        if cursor is not None:
            self._cursors.setdefault(new, cursor)
        self.redacted.discard(old)
        self.proposals.renamed(old)
        for history in self._histories.values():
            history.renamed(old, new)

    def _as_before(self, file: str, cassette: Cassette) -> Cassette:
        """A cassette with all that it says as the one that was removed said it."""
        previous = self._previous.get(file)
        if previous is None:
            return cassette
        known = dict(enumerate(previous.responses))
        pairs = ((known.get(at), one) for at, one in enumerate(cassette.responses))
        volatile = self.matcher.volatile(cassette.request.to_request())
        kept = (old if old and old.after == one.after and says_all(old, one, volatile) else one for old, one in pairs)
        return Cassette(previous.request, tuple(kept))

    def conversation_ahead(
        self, exchange: Exchange, messages: tuple[Message, ...], asked: CapturedRequest
    ) -> Callable[[], Prebuilt]:
        """What can be done for a WebSocket before it is taken, in a thread."""
        numbering = self.numbering.copy()
        asking, storing = RequestCapture(self.matcher, numbering.known), self._storing.under(numbering)
        return lambda: _said(exchange, messages, asked, asking, storing, numbering)

    def take_conversation(
        self,
        exchange: Exchange,
        messages: tuple[Message, ...],
        cassettes: StoredCassettes,
        ahead: Prebuilt | None = None,
    ) -> BuiltCassette:
        """The cassette of a WebSocket, merged with what is stored of it."""
        made = self._adopted(ahead)
        if made is None:
            asked = self.read(exchange.request, WEBSOCKET_BODY)
            made = _said(exchange, messages, asked, self._asking, self._storing, self.numbering)
        return self._joined(exchange, made, file_for(made.asked.canonical, cassettes.index), cassettes, {})

    def _is_repeat(self, file: str, known: IndexEntry | None, digest: bytes) -> bool:
        in_doubt = file in self._doubts
        return not in_doubt and self._repeats.is_one(file, known, self._cursors.get(file, -1), digest)

    def _adopted(self, ahead: Prebuilt | None) -> Prebuilt | None:
        """What was made ahead, with the placeholders it brings; None where something else was hidden meanwhile."""
        return ahead if ahead and self.numbering.adopt(ahead.numbering) else None

    def served(self, entry: IndexEntry) -> None:
        """Learns the entry that a changed cassette is served from, so that the same response again is known."""
        self._repeats.served(entry.file, entry)

    def _joined(
        self, exchange: Exchange, made: Prebuilt, file: str, cassettes: StoredCassettes, writes: Writes
    ) -> BuiltCassette:
        recorded, known = made.recorded, cassettes.index.entries.get(file)
        before = cassettes.cassette(known) if known else None
        stored = before.responses if before else ()
        volatile = self.matcher.volatile(exchange.request)
        before_it, doubt = self._cursors.get(file, -1), self._doubts.pop(file, 0)
        responses, cursor = merge_response(stored, before_it, recorded, writes, volatile, doubt)
        self._cursors[file] = cursor
        if left := doubt_left(stored, cursor, before_it + doubt + 1, recorded, writes, volatile):
            self._doubts[file] = left
        request = before.request if before else made.request
        request = request or self._asking.stored(exchange.request, made.learned, made.asked.canonical, self.numbering)
        if file not in self.redacted and is_redacted(Cassette(request, responses[cursor : cursor + 1])):
            self.redacted.add(file)
        if before and responses == stored:
            return BuiltCassette(file, before, changed=False)
        previous = self._previous.get(file)
        there = (previous or before or Cassette(request, ())).responses[cursor : cursor + 1]
        if previous and there and says_all(there[0], recorded, volatile) and satisfied(there[0].after, writes):
            responses = (*responses[:cursor], there[0], *responses[cursor + 1 :])
        elif there and not is_same_response(there[0], recorded, volatile):
            self.proposals.changed(file, there[0], recorded, volatile)
        return BuiltCassette(
            file, Cassette(request if before or not previous else previous.request, responses), changed=True
        )

    def _history(self, session: str) -> WriteHistory:
        """The history of a session, which forgets the oldest session when there are too many."""
        history = self._histories.pop(session, None) or WriteHistory()
        self._histories[session] = history
        if len(self._histories) > _MOST_SESSIONS:
            del self._histories[next(iter(self._histories))]
        return history


def _made(
    exchange: Exchange,
    asked: CapturedRequest,
    asking: RequestCapture,
    storing: ResponseCapture,
    numbering: PlaceholderAllocator,
) -> Prebuilt:
    """What comes of an exchange under these placeholders, to which what it tells is added."""
    learned = asking.learn(exchange.request, numbering)
    recorded = storing.response(exchange)
    return Prebuilt(asking.again(exchange.request, learned, asked), learned, recorded, None, numbering)


def _said(
    exchange: Exchange,
    messages: tuple[Message, ...],
    asked: CapturedRequest,
    asking: RequestCapture,
    storing: ResponseCapture,
    numbering: PlaceholderAllocator,
) -> Prebuilt:
    """What comes of a WebSocket under these placeholders, to which what it tells is added."""
    learned = asking.learn(exchange.request, numbering)
    literal = any(ORIGIN.encode() in message.data for message in messages)
    kept = tuple(storing.message(message, rewrite=not literal) for message in messages)
    ended = bool(messages) and messages[-1].kind == CLOSE
    recorded = replace(storing.response(exchange), messages=kept, rewrite=not literal, truncated=not ended)
    return Prebuilt(asking.again(exchange.request, learned, asked, WEBSOCKET_BODY), learned, recorded, None, numbering)


def file_for(request: CanonicalRequest, index: Index) -> str:
    """The cassette an exchange with this request belongs to: the one that answers it now, or a new one."""
    known = index.find(request)
    if known and _is_exact(known, request):
        return known.file
    name = cassette_name(request)
    return name if name not in index.entries else cassette_name(request, HASH_DIGITS * 2)


def _is_exact(entry: IndexEntry, request: CanonicalRequest) -> bool:
    """Whether an entry was found by the request's own key, and not by a template, a plain mock or HEAD for GET."""
    exact = not entry.plain and not entry.request.is_template
    return exact and (key_of(entry.canonical) == key_of(request) or matches_redacted(entry.canonical, request))


_MOST_SESSIONS = 1000


@dataclass(slots=True)
class _Last:
    """The entry of a cassette as it was left, None until it is known; the position reached in it; what had come."""

    entry: object | None
    cursor: int
    digest: bytes


class UnchangedCache:
    """The last response of each cassette in this run."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}

    def is_one(self, file: str, entry: object, cursor: int, digest: bytes) -> bool:
        """Whether taking a response into a cassette, from a position, would leave both as they are.

        So it is when the same response has brought this very entry to this position: `joining.join` stays there, also
        with an error that it lets go. What is loaded or saved anew has another entry.
        """
        last = self._last.get(file)
        return last is not None and last.entry is entry and last.cursor == cursor and last.digest == digest

    def remember(self, file: str, entry: object | None, cursor: int, digest: bytes) -> None:
        """Takes note that the response with this digest left a cassette at a position."""
        self._last[file] = _Last(entry, cursor, digest)

    def served(self, file: str, entry: object) -> None:
        """Learns the entry of a cassette that was changed."""
        last = self._last.get(file)
        if last and last.entry is None:
            last.entry = entry


def digest_of(exchange: Exchange) -> bytes:
    """A SHA-256 of all in a live response that has a say in what is stored of it; its pace has none."""
    response = exchange.response
    said = repr((response.status, response.reason, exchange.truncated, _saying(response.headers)))
    found = hashlib.sha256(said.encode("utf-8", "surrogatepass"))
    found.update(exchange.digest or hashlib.sha256(response.body).digest())
    return found.digest()


def _saying(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if not _says_nothing(pair[0]))


@lru_cache(maxsize=1024)
def _says_nothing(name: str) -> bool:
    """Whether a header as sent is never stored, nor decides what else is."""
    return is_unstored(name.lower()) and name.lower() not in _DECIDING


# `Connection` names headers that are not stored; a recorded answer to HEAD keeps its `Content-Length`.
_DECIDING = frozenset(("connection", "content-length"))
