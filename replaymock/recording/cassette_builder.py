"""From a capture to a cassette: what is stored of it, merged with what the cassette holds already."""

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
from replaymock.recording.merge import doubt_left, is_full_match, is_same_response, merge_response
from replaymock.recording.request_capture import CapturedRequest, RequestCapture
from replaymock.recording.response_capture import RecordingPolicy, ResponseCapture, is_redacted
from replaymock.recording.run import RecordingRun
from replaymock.redaction.placeholders import PlaceholderAllocator
from replaymock.redaction.redactor import WITHHELD
from replaymock.replay.sequence import Writes, is_satisfied, write_name


@dataclass(frozen=True, slots=True)
class BuiltCassette:
    """The cassette that came of a capture, and whether it changed, so that it has to be written.

    An unchanged cassette may be without its responses, because they need not be read to know that. `canonical` is its
    request in canonical form, if that is known.
    """

    file: str
    cassette: Cassette
    is_changed: bool
    canonical: CanonicalRequest | None = None


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """What a thread makes of a large capture before its turn: the response to store, and the placeholders used.

    `captured` is the request in canonical form, `learned` the request without secrets, and `request` what is stored of
    it; None if the cassette exists already.
    """

    captured: CapturedRequest
    learned: Request
    recorded: RecordedResponse
    request: CassetteRequest | None
    placeholders: PlaceholderAllocator


class StoredCassettes(Protocol):
    """The cassettes on disk, or waiting to be written."""

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
        self._requests = RequestCapture(matcher, self.run.placeholders.secrets)
        self._responses = ResponseCapture(policy, matcher.redactor, origins, self.run.placeholders)
        self._unchanged = UnchangedCache()

    def read(self, request: Request, known_body: KnownBody | None = None) -> CapturedRequest:
        """A request in canonical form; `known_body` is what stands for its body, if it has none of its own."""
        return self._requests.read(request, known_body)

    def reader(self, request: Request) -> Callable[[], CapturedRequest]:
        """A function that reads a request as `read` does, for a thread: it works on a copy of the known secrets."""
        requests = RequestCapture(self._matcher, self.run.placeholders.secrets.copy())
        return lambda: requests.read(request)

    def shown(self, request: Request) -> str:
        """The target of a request as it may be shown; all of it withheld if it cannot be read."""
        try:
            return self._requests.read(Request(request.method, request.target)).shown
        except Exception:
            return WITHHELD

    def prebuilder(
        self, capture: Capture, cassettes: StoredCassettes, captured: CapturedRequest
    ) -> Callable[[], Prebuilt] | None:
        """A function that prepares a capture before its turn, for a thread; None for a mere repetition."""
        exchange = capture.exchange
        file = file_for(captured.canonical, cassettes.index)
        entry = cassettes.index.entries.get(file)
        if not capture.is_conversation and self._is_unchanged(file, entry, digest_of(exchange)):
            return None
        placeholders = self.run.placeholders.copy()
        requests, responses = (
            RequestCapture(self._matcher, placeholders.secrets),
            self._responses.with_placeholders(placeholders),
        )

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
        """The cassette of a capture, merged with the stored one.

        The exchanges of a session must be built in the order their requests arrived. `captured` is the request in
        canonical form and `prebuilt` what the function of `prebuilder` gave, if there are such.
        """
        captured = captured or self.read(capture.exchange.request, capture.known_body)
        if capture.is_conversation:
            prebuilt = self._adopted(prebuilt) or self._prebuilt(capture, captured)
            return self._merged(
                capture, prebuilt, file_for(prebuilt.captured.canonical, cassettes.index), cassettes, {}
            )
        return self._built(capture, cassettes, captured, prebuilt)

    def _built(
        self, capture: Capture, cassettes: StoredCassettes, captured: CapturedRequest, prebuilt: Prebuilt | None
    ) -> BuiltCassette:
        """The cassette of an exchange, its response put down to the write that may have changed it."""
        exchange, run, index = capture.exchange, self.run, cassettes.index
        canonical = captured.canonical
        file = file_for(canonical, index)
        history = run.history(exchange.request.session)
        digest = digest_of(exchange)
        entry, position = index.entries.get(file), run.position(file)
        if entry and self._is_unchanged(file, entry, digest):
            history.attribute(file, canonical)
            built = BuiltCassette(file, Cassette(entry.request, ()), is_changed=False)
        else:
            prebuilt = self._adopted(prebuilt) or self._prebuilt(capture, captured)
            if prebuilt.captured is not captured:
                # The response showed that something in the request is secret.
                canonical = prebuilt.captured.canonical
                file = file_for(canonical, index)
                entry, position = index.entries.get(file), run.position(file)
            after = history.attribute(file, canonical)
            prebuilt = replace(prebuilt, recorded=replace(prebuilt.recorded, after=after))
            built = self._merged(capture, prebuilt, file, cassettes, history.counts)
            if not exchange.truncated:  # the next one may begin like it, and go on
                self._unchanged.remember(file, None if built.is_changed else entry, run.position(file), digest)
            if not (canonical.kind or canonical.headers):
                built = replace(built, canonical=canonical)
        name = write_name(canonical, built.cassette.request.path, exchange.response.status)
        history.fetch_completed(file, exchange.ended, is_news=bool(name) or run.position(file) != position)
        if name:
            history.record_write(name, canonical.path, exchange.ended)
        return built

    def served(self, entry: IndexEntry) -> None:
        """Records the index entry of a changed cassette, so that a repetition of its last response is recognised."""
        self._unchanged.served(entry.file, entry)

    def _is_unchanged(self, file: str, entry: IndexEntry | None, digest: bytes) -> bool:
        if file in self.run.doubts:
            return False
        return self._unchanged.is_unchanged(file, entry, self.run.position(file), digest)

    def _adopted(self, prebuilt: Prebuilt | None) -> Prebuilt | None:
        """`prebuilt`, its placeholders taken over; None if they clash with those given out in the meantime."""
        return prebuilt if prebuilt and self.run.placeholders.try_merge(prebuilt.placeholders) else None

    def _prebuilt(self, capture: Capture, captured: CapturedRequest) -> Prebuilt:
        return _prebuilt(capture, captured, self._requests, self._responses, self.run.placeholders)

    def _merged(
        self, capture: Capture, prebuilt: Prebuilt, file: str, cassettes: StoredCassettes, writes: Writes
    ) -> BuiltCassette:
        """The cassette of a file, the response merged into those it holds."""
        run, recorded, live = self.run, prebuilt.recorded, capture.exchange.request
        entry = cassettes.index.entries.get(file)
        before = cassettes.cassette(entry) if entry else None
        stored = before.responses if before else ()
        volatile = self._matcher.volatile(live)
        last, doubt = run.position(file), run.doubts.pop(file, 0)
        responses, position = merge_response(stored, last, recorded, writes, volatile, doubt)
        run.positions[file] = position
        if left := doubt_left(stored, position, last + doubt + 1, recorded, writes, volatile):
            run.doubts[file] = left
        request = before.request if before else prebuilt.request
        request = request or self._requests.stored(
            live, prebuilt.learned, prebuilt.captured.canonical, run.placeholders
        )
        if file not in run.redacted and is_redacted(Cassette(request, responses[position : position + 1])):
            run.redacted.add(file)
        if before and responses == stored:
            return BuiltCassette(file, before, is_changed=False)
        removed = run.removed(file)
        replaced = (removed or before or Cassette(request, ())).responses[position : position + 1]
        if (
            removed
            and replaced
            and is_full_match(replaced[0], recorded, volatile)
            and is_satisfied(replaced[0].after, writes)
        ):
            responses = (*responses[:position], replaced[0], *responses[position + 1 :])
        elif replaced and not is_same_response(replaced[0], recorded, volatile):
            run.hints.changed(file, replaced[0], recorded, volatile)
        request = request if before or not removed else removed.request
        return BuiltCassette(file, Cassette(request, responses), is_changed=True)


def _prebuilt(
    capture: Capture,
    captured: CapturedRequest,
    requests: RequestCapture,
    responses: ResponseCapture,
    placeholders: PlaceholderAllocator,
) -> Prebuilt:
    """What is made of a capture with these placeholders; the secrets it holds are added to them."""
    request = capture.exchange.request
    learned = requests.learn(request, placeholders)
    recorded = responses.recorded(capture)
    captured = requests.recanonicalize(request, learned, captured, capture.known_body)
    return Prebuilt(captured, learned, recorded, None, placeholders)


def file_for(request: CanonicalRequest, index: Index) -> str:
    """The cassette an exchange with this request belongs to: the one that answers it now, or a new one."""
    entry = index.find(request)
    if entry and _is_exact(entry, request):
        return entry.file
    name = cassette_name(request)
    return name if name not in index.entries else cassette_name(request, HASH_DIGITS * 2)


def _is_exact(entry: IndexEntry, request: CanonicalRequest) -> bool:
    """Whether an entry has the request's own key: it is no template, no plain mock, and no GET that answers a HEAD."""
    exact = not entry.is_plain and not entry.request.is_template
    return exact and (key_of(entry.canonical) == key_of(request) or matches_redacted(entry.canonical, request))


@dataclass(frozen=True, slots=True)
class _Last:
    """The last response of a cassette: the entry it left, None until it is known, its position and its digest."""

    entry: object | None
    position: int
    digest: bytes


class UnchangedCache:
    """The last response of each cassette in this run."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}

    def is_unchanged(self, file: str, entry: object, position: int, digest: bytes) -> bool:
        """Whether recording this response would change nothing: same digest, entry and position as last time.

        A cassette that was loaded or saved again has another entry.
        """
        last = self._last.get(file)
        return last is not None and last.entry is entry and last.position == position and last.digest == digest

    def remember(self, file: str, entry: object | None, position: int, digest: bytes) -> None:
        """Records that the response with this digest left a cassette at a position."""
        self._last[file] = _Last(entry, position, digest)

    def served(self, file: str, entry: object) -> None:
        """Records the entry of a cassette that was changed."""
        last = self._last.get(file)
        if last and last.entry is None:
            self._last[file] = _Last(entry, last.position, last.digest)


def digest_of(exchange: Exchange) -> bytes:
    """SHA-256 of all in a live response that decides what is stored of it; its pace does not."""
    response = exchange.response
    head = repr((response.status, response.reason, exchange.truncated, _relevant(response.headers)))
    digest = hashlib.sha256(head.encode("utf-8", "surrogatepass"))
    digest.update(exchange.digest or hashlib.sha256(response.body).digest())
    return digest.digest()


def _relevant(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if not _is_irrelevant(pair[0]))


@lru_cache(maxsize=1024)
def _is_irrelevant(name: str) -> bool:
    """Whether a header, in any case, is never stored and does not decide what else is stored."""
    return is_unstored(name.lower()) and name.lower() not in _DECIDING


# `Connection` names headers that are not stored; a recorded response to HEAD keeps its `Content-Length`.
_DECIDING = frozenset(("connection", "content-length"))
