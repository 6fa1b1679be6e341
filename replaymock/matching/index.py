"""The index: from a request's key to the cassette that answers it, by exact key, then plain mock, then template.

Swapped whole on reload; only a recorder adds to it. It holds no responses, and no positions: those are of sessions.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from msgspec import Struct

from replaymock.cassettes.model import WEBSOCKET_BODY, Cassette, CassetteRequest
from replaymock.cassettes.path_templates import compile_template, specificity
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.matcher import Key, Matcher, key_of
from replaymock.matching.redacted_match import RedactedShape, has_placeholder, matches_redacted, redacted_shape


class IndexEntry(Struct, frozen=True, eq=False):
    """A cassette in the index: its file, and its request as stored and in canonical form.

    `afters` is the write that each of its responses comes after. Another version of the cassette has another entry.
    """

    file: str
    request: CassetteRequest
    canonical: CanonicalRequest
    plain: bool
    by_hand: bool
    afters: tuple[str, ...]

    @property
    def takes_any_body(self) -> bool:
        """Whether it was written by hand for a request that may have a body, and does not speak of one."""
        return self.by_hand and self.request.body is None and self.canonical.method not in ("GET", "HEAD")


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


def entry_for(
    file: str, cassette: Cassette, matcher: Matcher, *, plain: bool = False, canonical: CanonicalRequest | None = None
) -> IndexEntry:
    """The entry of a cassette; `canonical` is its request under the matching rules in force, if that is known."""
    if canonical is None:
        canonical = matcher.canonical(cassette.request.to_request(), cassette.request.known_body())
    return IndexEntry(file, cassette.request, canonical, plain, cassette.by_hand, cassette.afters)


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
