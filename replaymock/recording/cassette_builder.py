"""From a capture to a cassette: what is kept of it, and how that is merged with what is stored."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from replaymock.cassettes.model import Cassette, CassetteRequest, KnownBody, RecordedResponse
from replaymock.http.headers import Headers, is_unstored
from replaymock.http.messages import Exchange, Request
from replaymock.http.origin import OriginRewriter
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import Index, IndexEntry
from replaymock.matching.matcher import Matcher, key_of
from replaymock.matching.naming import HASH_DIGITS, cassette_name
from replaymock.matching.redacted_match import matches_redacted
from replaymock.recording.capture import Capture
from replaymock.recording.merge import doubt_left, is_same_response, merge_response, says_all
from replaymock.recording.request_capture import CapturedRequest, RequestCapture
from replaymock.recording.response_capture import RecordingPolicy, ResponseCapture, is_redacted
from replaymock.recording.run import RecordingRun
from replaymock.redaction.placeholders import PlaceholderAllocator
from replaymock.redaction.redactor import WITHHELD
from replaymock.replay.sequence import Writes, satisfied, write_name


@dataclass(frozen=True, slots=True)
class BuiltCassette:
    """What became of a capture: the cassette as it now is, and whether that is news to the disk.

    Of a cassette that is not changed, responses may be left out: nobody need read them to know that. `canonical` is
    its request in canonical form, where that is known.
    """

    file: str
    cassette: Cassette
    changed: bool
    canonical: CanonicalRequest | None = None


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """What is made of a capture before it is its turn: its request, the response to store, and the placeholders then.

    `learned` is the request without secrets, and `request` what is stored of it, None where it was not asked for.
    """

    captured: CapturedRequest
    learned: Request
    recorded: RecordedResponse
    request: CassetteRequest | None
    placeholders: PlaceholderAllocator


class StoredCassettes(Protocol):
    """What is stored by now, on the disk or on its way there."""

    @property
    def index(self) -> Index:
        """The index in force; a reload replaces it."""

    def cassette(self, entry: IndexEntry) -> Cassette:
        """All of a cassette, every body in memory."""


class CassetteBuilder:
    """Builds the cassettes of one run."""

    def __init__(
        self, policy: RecordingPolicy, matcher: Matcher, origins: OriginRewriter, run: RecordingRun | None = None
    ) -> None:
        self.run = run or RecordingRun()
        self.policy = policy
        self._matcher = matcher
        self._requests = RequestCapture(matcher, self.run.placeholders.known)
        self._responses = ResponseCapture(policy, matcher.redactor, origins, self.run.placeholders)
        self._unchanged = UnchangedCache()

    def read(self, request: Request, known: KnownBody | None = None) -> CapturedRequest:
        """A request in canonical form; `known` is what it has instead of a body."""
        return self._requests.read(request, known)

    def reading(self, request: Request) -> Callable[[], CapturedRequest]:
        """The same as work for a thread."""
        requests = RequestCapture(self._matcher, self.run.placeholders.known.copy())
        return lambda: requests.read(request)

    def shown(self, request: Request) -> str:
        """The target of a request as it may be shown; nothing of it where it cannot be read."""
        try:
            return self._requests.read(Request(request.method, request.target)).shown
        except Exception:
            return WITHHELD

    def prebuilding(
        self, capture: Capture, cassettes: StoredCassettes, captured: CapturedRequest
    ) -> Callable[[], Prebuilt] | None:
        """What can be done for a capture before it is its turn, for a thread; None where it is one that came before."""
        exchange = capture.exchange
        file = file_for(captured.canonical, cassettes.index)
        entry = cassettes.index.entries.get(file)
        if not capture.is_conversation and self._is_unchanged(file, entry, digest_of(exchange)):
            return None
        placeholders = self.run.placeholders.copy()
        requests, responses = RequestCapture(self._matcher, placeholders.known), self._responses.under(placeholders)

        def prebuild() -> Prebuilt:
            prebuilt = _prebuilt(capture, captured, requests, responses, placeholders)
            if entry:
                return prebuilt
            canonical = prebuilt.captured.canonical
            return replace(
                prebuilt, request=requests.stored(exchange.request, prebuilt.learned, canonical, placeholders)
            )

        return prebuild

    def build(
        self,
        capture: Capture,
        cassettes: StoredCassettes,
        captured: CapturedRequest | None = None,
        prebuilt: Prebuilt | None = None,
    ) -> BuiltCassette:
        """The cassette of a capture, merged with what is stored of it; `captured` is its request, if that was read.

        The exchanges of a session are built in the order their requests arrived.
        """
        captured = captured or self.read(capture.exchange.request, capture.known_body)
        if capture.is_conversation:
            made = self._adopted(prebuilt) or self._prebuilt(capture, captured)
            return self._merged(capture, made, file_for(made.captured.canonical, cassettes.index), cassettes, {})
        return self._built(capture, cassettes, captured, prebuilt)

    def _built(
        self, capture: Capture, cassettes: StoredCassettes, captured: CapturedRequest, prebuilt: Prebuilt | None
    ) -> BuiltCassette:
        """The cassette of an exchange, with the write that it is put down to."""
        exchange, run, index = capture.exchange, self.run, cassettes.index
        canonical = captured.canonical
        file = file_for(canonical, index)
        history = run.history(exchange.request.session)
        digest = digest_of(exchange)
        entry, position = index.entries.get(file), run.position(file)
        if entry and self._is_unchanged(file, entry, digest):
            history.fetched(file, canonical)
            built = BuiltCassette(file, Cassette(entry.request, ()), changed=False)
        else:
            made = self._adopted(prebuilt) or self._prebuilt(capture, captured)
            if made.captured is not captured:
                # The response told that something in the request is secret.
                canonical = made.captured.canonical
                file = file_for(canonical, index)
                entry, position = index.entries.get(file), run.position(file)
            made = replace(made, recorded=replace(made.recorded, after=history.fetched(file, canonical)))
            built = self._merged(capture, made, file, cassettes, history.counts)
            if not exchange.truncated:  # again, it may be the beginning of the next one
                self._unchanged.remember(file, None if built.changed else entry, run.position(file), digest)
            if not (canonical.kind or canonical.headers):
                built = replace(built, canonical=canonical)
        name = write_name(canonical, built.cassette.request.path, exchange.response.status)
        history.saw(file, exchange.ended, is_news=bool(name) or run.position(file) != position)
        if name:
            history.wrote(name, canonical.path, exchange.ended)
        return built

    def served(self, entry: IndexEntry) -> None:
        """Learns the entry that a changed cassette is served from, so that the same response again is known."""
        self._unchanged.served(entry.file, entry)

    def _is_unchanged(self, file: str, entry: IndexEntry | None, digest: bytes) -> bool:
        if file in self.run.doubts:
            return False
        return self._unchanged.is_unchanged(file, entry, self.run.position(file), digest)

    def _adopted(self, prebuilt: Prebuilt | None) -> Prebuilt | None:
        """What was made before, with the placeholders it brings; None where something else was hidden meanwhile."""
        return prebuilt if prebuilt and self.run.placeholders.adopt(prebuilt.placeholders) else None

    def _prebuilt(self, capture: Capture, captured: CapturedRequest) -> Prebuilt:
        return _prebuilt(capture, captured, self._requests, self._responses, self.run.placeholders)

    def _merged(
        self, capture: Capture, made: Prebuilt, file: str, cassettes: StoredCassettes, writes: Writes
    ) -> BuiltCassette:
        """The cassette of a file with one more response, or with another in the place of one."""
        run, recorded, live = self.run, made.recorded, capture.exchange.request
        entry = cassettes.index.entries.get(file)
        before = cassettes.cassette(entry) if entry else None
        stored = before.responses if before else ()
        volatile = self._matcher.volatile(live)
        last, doubt = run.position(file), run.doubts.pop(file, 0)
        responses, position = merge_response(stored, last, recorded, writes, volatile, doubt)
        run.positions[file] = position
        if left := doubt_left(stored, position, last + doubt + 1, recorded, writes, volatile):
            run.doubts[file] = left
        request = before.request if before else made.request
        request = request or self._requests.stored(live, made.learned, made.captured.canonical, run.placeholders)
        if file not in run.redacted and is_redacted(Cassette(request, responses[position : position + 1])):
            run.redacted.add(file)
        if before and responses == stored:
            return BuiltCassette(file, before, changed=False)
        removed = run.removed(file)
        replaced = (removed or before or Cassette(request, ())).responses[position : position + 1]
        if removed and replaced and says_all(replaced[0], recorded, volatile) and satisfied(replaced[0].after, writes):
            responses = (*responses[:position], replaced[0], *responses[position + 1 :])
        elif replaced and not is_same_response(replaced[0], recorded, volatile):
            run.hints.changed(file, replaced[0], recorded, volatile)
        request = request if before or not removed else removed.request
        return BuiltCassette(file, Cassette(request, responses), changed=True)


def _prebuilt(
    capture: Capture,
    captured: CapturedRequest,
    requests: RequestCapture,
    responses: ResponseCapture,
    placeholders: PlaceholderAllocator,
) -> Prebuilt:
    """What comes of a capture under these placeholders, to which what it tells is added."""
    request = capture.exchange.request
    learned = requests.learn(request, placeholders)
    recorded = responses.recorded(capture)
    captured = requests.again(request, learned, captured, capture.known_body)
    return Prebuilt(captured, learned, recorded, None, placeholders)


def file_for(request: CanonicalRequest, index: Index) -> str:
    """The cassette an exchange with this request belongs to: the one that answers it now, or a new one."""
    entry = index.find(request)
    if entry and _is_exact(entry, request):
        return entry.file
    name = cassette_name(request)
    return name if name not in index.entries else cassette_name(request, HASH_DIGITS * 2)


def _is_exact(entry: IndexEntry, request: CanonicalRequest) -> bool:
    """Whether an entry was found by the request's own key, and not by a template, a plain mock or HEAD for GET."""
    exact = not entry.plain and not entry.request.is_template
    return exact and (key_of(entry.canonical) == key_of(request) or matches_redacted(entry.canonical, request))


@dataclass(frozen=True, slots=True)
class _Last:
    """The entry of a cassette as it was left, None until it is known; the position reached in it; what had come."""

    entry: object | None
    position: int
    digest: bytes


class UnchangedCache:
    """The last response of each cassette in this run."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}

    def is_unchanged(self, file: str, entry: object, position: int, digest: bytes) -> bool:
        """Whether recording this response would change nothing: same digest, entry and position as the last time.

        What is loaded or saved anew has another entry.
        """
        last = self._last.get(file)
        return last is not None and last.entry is entry and last.position == position and last.digest == digest

    def remember(self, file: str, entry: object | None, position: int, digest: bytes) -> None:
        """Takes note that the response with this digest left a cassette at a position."""
        self._last[file] = _Last(entry, position, digest)

    def served(self, file: str, entry: object) -> None:
        """Learns the entry of a cassette that was changed."""
        last = self._last.get(file)
        if last and last.entry is None:
            self._last[file] = _Last(entry, last.position, last.digest)


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
