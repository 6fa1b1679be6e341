"""The index: from a request's key to the cassette that answers it, by exact key, then plain mock, then template.

Swapped whole on reload; only a recorder adds to it. Positions are the session's, not the index's.
"""

import string
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from urllib.parse import quote

from msgspec import Struct

from replaymock.cassettes.filenames import plain_mock_name
from replaymock.cassettes.model import WEBSOCKET_BODY, Cassette, CassetteRequest, KnownBody, RecordedResponse
from replaymock.cassettes.path_templates import compile_template, specificity
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.matcher import Key, Matcher, key_of
from replaymock.matching.naming import cassette_name
from replaymock.matching.redacted_match import RedactedShape, has_placeholder, matches_redacted, redacted_shape
from replaymock.replay.renderer import ResponseRenderer
from replaymock.replay.response_cache import ResponseCache
from replaymock.replay.time_shift import TimeShifter


class RenderOptions(Struct, frozen=True):
    """How answers are dressed: the CORS policy, whether they say which cassette they are from, how times move."""

    cors: CorsPolicy
    diagnostics: bool = True
    shifting: TimeShifter | None = None


class IndexEntry(Struct, eq=False):
    """A cassette in the index: its file, and its request in canonical form.

    Its responses are on the `shelf`, or where they are not on the disk yet, `held` here.
    """

    file: str
    request: CassetteRequest
    canonical: CanonicalRequest
    plain: bool
    by_hand: bool
    afters: tuple[str, ...]
    serving: RenderOptions
    shelf: ResponseCache | None = None
    held: tuple[RecordedResponse, ...] = ()
    _prepared: list[ResponseRenderer] | None = None

    @property
    def takes_any_body(self) -> bool:
        """Whether it was written by hand for a request that may have a body, and does not speak of one."""
        return self.by_hand and self.request.body is None and self.canonical.method not in ("GET", "HEAD")

    @property
    def is_at_hand(self) -> bool:
        """Whether its responses can be had: not where its files are no longer what they were when loaded."""
        return self.shelf is None or bool(self.shelf.open(self.file, self._prepare))

    @property
    def cassette(self) -> Cassette:
        """All of it, every body in memory; without responses where they are not at hand."""
        return Cassette(self.request, self.shelf.whole(self.file) if self.shelf else self.held)

    def prepared(self, position: int) -> ResponseRenderer:
        """The response at a position, ready to be served; IndexError if it is not at hand."""
        if self.shelf:
            return self.shelf.get(self.file, self._prepare)[position]
        if self._prepared is None:
            self._prepared = self._prepare(self.held)
        return self._prepared[position]

    @property
    def is_whole(self) -> bool:
        """Whether each of its responses is written at once: none is a stream, a conversation or a large file."""
        return all(self.prepared(position).is_whole for position in range(len(self.afters)))

    def settle(self, shelf: ResponseCache) -> None:
        """Leaves the responses to the shelf, now that they are on the disk."""
        self.shelf, self.held, self._prepared = shelf, (), None

    def _prepare(self, responses: tuple[RecordedResponse, ...]) -> list[ResponseRenderer]:
        to_head = self.canonical.method == "HEAD"
        return [
            ResponseRenderer(
                recorded,
                self._extra(place, len(responses)),
                self.serving.cors,
                to_head=to_head,
                shifting=self.serving.shifting,
            )
            for place, recorded in enumerate(responses)
        ]

    def says(self, position: int) -> Headers:
        """What an answer says of the cassette it is from."""
        return self._extra(position, len(self.afters))

    def _extra(self, position: int, count: int) -> Headers:
        if not self.serving.diagnostics:
            return ()
        found: Headers = (("Cache-Status", "replaymock; hit"), ("Replaymock-Cassette", _header_safe(self.file)))
        return (*found, ("Replaymock-Sequence", f"{position + 1}/{count}")) if count > 1 else found


class Index:
    """Finds the entry for a request."""

    def __init__(self, entries: Iterable[IndexEntry] = ()) -> None:
        self.entries: dict[str, IndexEntry] = {}
        self._exact: dict[Key, IndexEntry] = {}
        self._plain: dict[str, IndexEntry] = {}
        self._masked: dict[tuple[RedactedShape, Key], list[IndexEntry]] = {}
        self._views: dict[RedactedShape, None] = {}
        self._templates: list[IndexEntry] = []
        self._paths: dict[str, list[IndexEntry]] = {}
        for entry in entries:
            self._insert(entry)
        self._sort_templates()

    def __len__(self) -> int:
        return len(self.entries)

    def find(self, request: CanonicalRequest) -> IndexEntry | None:
        """The entry that answers a request; for HEAD also the one for GET."""
        entry = self._exact_entry(request) or self._plain_mock(request)
        entry = entry or self._masked_entry(request) or self._template(request)
        if entry is None and request.method == "HEAD":
            return self.find(_as_get(request))
        return entry

    def at_path(self, path: str) -> list[IndexEntry]:
        """Every entry whose path, or template, is that of a request."""
        return [*self._paths.get(path, ()), *(entry for entry in self._templates if _path_fits(entry, path))]

    def paths(self) -> Iterable[str]:
        """The paths there are exact entries for."""
        return self._paths.keys()

    def add(self, entry: IndexEntry) -> None:
        """Adds or replaces the entry of one file."""
        self.drop(entry.file)
        self._insert(entry)
        self._sort_templates()

    def drop(self, file: str) -> None:
        """Takes out the entry of one file, if there is one."""
        known = self.entries.get(file)
        if known is not None:
            self._remove(known)

    def _insert(self, entry: IndexEntry) -> None:
        self.entries[entry.file] = entry
        if entry.request.is_template:
            self._templates.append(entry)
            return
        self._paths.setdefault(entry.canonical.path, []).append(entry)
        if entry.plain:
            self._plain.setdefault(entry.canonical.path, entry)
        else:
            self._exact.setdefault(key_of(entry.canonical), entry)
            if has_placeholder(entry.canonical):
                view = redacted_shape(entry.canonical)
                self._views[view] = None
                self._masked.setdefault((view, view.of(entry.canonical)), []).append(entry)

    def _remove(self, entry: IndexEntry) -> None:
        del self.entries[entry.file]
        if entry in self._templates:
            self._templates.remove(entry)
            return
        self._paths[entry.canonical.path].remove(entry)
        if self._plain.get(entry.canonical.path) is entry:
            del self._plain[entry.canonical.path]
        if self._exact.get(key_of(entry.canonical)) is entry:
            del self._exact[key_of(entry.canonical)]
        view = redacted_shape(entry.canonical)
        masked = self._masked.get((view, view.of(entry.canonical)), [])
        if entry in masked:
            masked.remove(entry)

    def _sort_templates(self) -> None:
        self._templates.sort(key=lambda entry: (*specificity(entry.request.path), entry.file))

    def _exact_entry(self, request: CanonicalRequest) -> IndexEntry | None:
        entry = self._exact.get(key_of(request))
        if entry is None and request.kind:
            bodyless = self._exact.get(key_of(replace(request, kind="", body=None)))
            return bodyless if bodyless and bodyless.takes_any_body else None
        return entry

    def _masked_entry(self, request: CanonicalRequest) -> IndexEntry | None:
        found = (self._masked.get((view, view.of(request)), ()) for view in self._views)
        masked = chain.from_iterable(found)
        return next((entry for entry in masked if matches_redacted(entry.canonical, request)), None)

    def _plain_mock(self, request: CanonicalRequest) -> IndexEntry | None:
        return self._plain.get(request.path) if request.method == "GET" and request.kind != WEBSOCKET_BODY[0] else None

    def _template(self, request: CanonicalRequest) -> IndexEntry | None:
        return next((entry for entry in self._templates if _template_fits(entry, request)), None)


def entry_for(file: str, cassette: Cassette, *, plain: bool, matcher: Matcher, serving: RenderOptions) -> IndexEntry:
    """The entry of a cassette under the matching rules in force."""
    canonical = matcher.canonical(cassette.request.to_request(), cassette.request.known_body())
    return held_entry(file, cassette, canonical, serving, plain=plain)


def held_entry(
    file: str, cassette: Cassette, canonical: CanonicalRequest, serving: RenderOptions, *, plain: bool = False
) -> IndexEntry:
    """The entry of a cassette that is not on the disk, or not yet."""
    afters, by_hand = cassette.afters, cassette.by_hand
    return IndexEntry(file, cassette.request, canonical, plain, by_hand, afters, serving, held=cassette.responses)


def _header_safe(file: str) -> str:
    """A file name as a header can hold it: percent-encoded where it is not visible ASCII."""
    return quote(file, safe=_SAFE, errors="surrogatepass")


def _as_get(request: CanonicalRequest) -> CanonicalRequest:
    return CanonicalRequest("GET", request.path, request.query, request.headers, request.kind, request.body)


def _path_fits(entry: IndexEntry, path: str) -> bool:
    return bool(compile_template(entry.request.path).match(path))


def _template_fits(entry: IndexEntry, request: CanonicalRequest) -> bool:
    """A template speaks of query and body only where its file does."""
    template, stored = entry.request, entry.canonical
    return (
        stored.method == request.method
        and (stored.kind == WEBSOCKET_BODY[0]) == (request.kind == WEBSOCKET_BODY[0])
        and _path_fits(entry, request.path)
        and (template.query is None or stored.query == request.query)
        and (template.body is None or key_of(stored)[4:] == key_of(request)[4:])
        and (not template.names_headers or stored.headers == request.headers)
    )


_SAFE = string.punctuation.replace("%", " ")

_MOST_REMEMBERED = 10_000

_MOST_BODY = 16 * 1024

_MOST_BYTES = 16 * 1024 * 1024

_OF_BODY = frozenset(("content-type", "content-encoding"))

_Name = tuple[str, str, Headers, bytes]
"""All of a request that its entry depends on: method, target, the types of its body, body."""

Read = tuple[CanonicalRequest, str]
"""A request in canonical form, and its target as it may be shown."""


class LookupResult(Struct, frozen=True):
    """What a request comes down to: its entry if there is one, and its target as it may be shown."""

    canonical: CanonicalRequest
    entry: IndexEntry | None
    shown: str


class CassetteLookup:
    """Finds the entries of requests in the index that it was given last."""

    def __init__(self, matcher: Matcher) -> None:
        self.index = Index()
        self._matcher = matcher
        self._remembered: dict[_Name, LookupResult] = {}
        self._bytes = 0

    def use(self, index: Index) -> None:
        """Finds in another index from now on."""
        self.index = index
        self.forget()

    def read(self, request: Request) -> Read:
        """What a request comes down to. Takes long where it is large, and may be done in a thread."""
        return self._matcher.read(request)

    def find(self, request: Request, known: KnownBody | None = None, read: Read | None = None) -> LookupResult:
        """The entry for a request; remembered where it is small and its headers take no part in matching.

        `known` is what it has instead of a body, `read` what it comes down to, if that was read.
        """
        if read:
            return self._found(*read)
        if known or self._matcher.uses_headers or len(request.body) > _MOST_BODY:
            return self._look_up(request, known)
        # A body means what its type says.
        types = tuple(pair for pair in request.headers if pair[0].lower() in _OF_BODY) if request.body else ()
        name = (request.method, request.target, types, request.body)
        found = self._remembered.get(name)
        if found is None:
            found = self._look_up(request, None)
            if found.entry:
                self._remember(name, found)
        return found

    def forget(self) -> None:
        """Forgets what was found: something was added to the index."""
        self._remembered.clear()
        self._bytes = 0

    def _look_up(self, request: Request, known: KnownBody | None) -> LookupResult:
        return self._found(*self._matcher.read(request, known))

    def _found(self, canonical: CanonicalRequest, shown: str) -> LookupResult:
        return LookupResult(canonical, self.index.find(canonical), shown)

    def _remember(self, name: _Name, found: LookupResult) -> None:
        self._bytes += len(name[1]) + len(name[3])
        if len(self._remembered) >= _MOST_REMEMBERED or self._bytes > _MOST_BYTES:
            self.forget()
        self._remembered[name] = found


def files_for(request: CanonicalRequest) -> list[str]:
    """The files a request would be answered from, by their names."""
    return [name for name in (cassette_name(request), plain_mock_name(request.path)) if name]
