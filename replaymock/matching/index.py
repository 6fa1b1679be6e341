"""The index: from a canonical request to its cassette. An exact key comes first, then a plain mock, then a template.

Replaced as a whole on reload; only a recorder adds to it. It holds no responses and no session positions.
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

    `after_writes` has, for each response, the write it comes after. A new version of a cassette gets a new entry.
    """

    file: str
    request: CassetteRequest
    canonical: CanonicalRequest
    is_plain: bool
    is_handwritten: bool
    after_writes: tuple[str, ...]

    @property
    def takes_any_body(self) -> bool:
        """Whether it is handwritten, its method may have a body, and the file says nothing about one."""
        return self.is_handwritten and self.request.body is None and self.canonical.method not in ("GET", "HEAD")


class Index:
    """Finds the entry for a request."""

    def __init__(self, entries: Iterable[IndexEntry] = ()) -> None:
        self.entries: dict[str, IndexEntry] = {}
        self._exact: dict[Key, IndexEntry] = {}
        self._plain: dict[str, IndexEntry] = {}
        self._redacted: dict[tuple[RedactedShape, Key], list[IndexEntry]] = {}
        self._shapes: dict[RedactedShape, None] = {}
        self._templates: list[IndexEntry] = []
        self._paths: dict[str, list[IndexEntry]] = {}
        for entry in entries:
            self._insert(entry)
        self._sort_templates()

    def __len__(self) -> int:
        return len(self.entries)

    def find(self, request: CanonicalRequest) -> IndexEntry | None:
        """The entry that answers a request. A HEAD may be answered by the entry of the GET."""
        entry = self._exact_entry(request) or self._plain_mock(request)
        entry = entry or self._redacted_entry(request) or self._template(request)
        if entry is None and request.method == "HEAD":
            return self.find(_as_get(request))
        return entry

    def at_path(self, path: str) -> list[IndexEntry]:
        """All entries whose path, or template, matches a path."""
        return [*self._paths.get(path, ()), *(entry for entry in self._templates if _path_fits(entry, path))]

    def paths(self) -> Iterable[str]:
        """The paths that have entries other than templates."""
        return self._paths.keys()

    def add(self, entry: IndexEntry) -> None:
        """Adds the entry of a file, or replaces it."""
        self.drop(entry.file)
        self._insert(entry)
        self._sort_templates()

    def drop(self, file: str) -> None:
        """Removes the entry of a file, if there is one."""
        entry = self.entries.get(file)
        if entry is not None:
            self._remove(entry)

    def _insert(self, entry: IndexEntry) -> None:
        self.entries[entry.file] = entry
        if entry.request.is_template:
            self._templates.append(entry)
            return
        self._paths.setdefault(entry.canonical.path, []).append(entry)
        if entry.is_plain:
            self._plain.setdefault(entry.canonical.path, entry)
        else:
            self._exact.setdefault(key_of(entry.canonical), entry)
            if has_placeholder(entry.canonical):
                shape = redacted_shape(entry.canonical)
                self._shapes[shape] = None
                self._redacted.setdefault((shape, shape.of(entry.canonical)), []).append(entry)

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
        shape = redacted_shape(entry.canonical)
        redacted = self._redacted.get((shape, shape.of(entry.canonical)), [])
        if entry in redacted:
            redacted.remove(entry)

    def _sort_templates(self) -> None:
        self._templates.sort(key=lambda entry: (*specificity(entry.request.path), entry.file))

    def _exact_entry(self, request: CanonicalRequest) -> IndexEntry | None:
        entry = self._exact.get(key_of(request))
        if entry is None and request.kind:
            bodyless = self._exact.get(key_of(replace(request, kind="", body=None)))
            return bodyless if bodyless and bodyless.takes_any_body else None
        return entry

    def _redacted_entry(self, request: CanonicalRequest) -> IndexEntry | None:
        groups = (self._redacted.get((shape, shape.of(request)), ()) for shape in self._shapes)
        candidates = chain.from_iterable(groups)
        return next((entry for entry in candidates if matches_redacted(entry.canonical, request)), None)

    def _plain_mock(self, request: CanonicalRequest) -> IndexEntry | None:
        return self._plain.get(request.path) if request.method == "GET" and request.kind != WEBSOCKET_BODY[0] else None

    def _template(self, request: CanonicalRequest) -> IndexEntry | None:
        return next((entry for entry in self._templates if _template_fits(entry, request)), None)


def entry_for(
    file: str,
    cassette: Cassette,
    matcher: Matcher,
    *,
    is_plain: bool = False,
    canonical: CanonicalRequest | None = None,
) -> IndexEntry:
    """Makes the entry of a cassette. Pass the `canonical` form of its request if it is known already."""
    if canonical is None:
        canonical = matcher.canonical(cassette.request.to_request(), cassette.request.known_body())
    return IndexEntry(file, cassette.request, canonical, is_plain, cassette.is_handwritten, cassette.after_writes)


def _as_get(request: CanonicalRequest) -> CanonicalRequest:
    return CanonicalRequest("GET", request.path, request.query, request.headers, request.kind, request.body)


def _path_fits(entry: IndexEntry, path: str) -> bool:
    return bool(compile_template(entry.request.path).match(path))


def _template_fits(entry: IndexEntry, request: CanonicalRequest) -> bool:
    """Whether a template matches. It compares query and body only if its file has them."""
    template, stored = entry.request, entry.canonical
    return (
        stored.method == request.method
        and (stored.kind == WEBSOCKET_BODY[0]) == (request.kind == WEBSOCKET_BODY[0])
        and _path_fits(entry, request.path)
        and (template.query is None or stored.query == request.query)
        and (template.body is None or key_of(stored)[4:] == key_of(request)[4:])
        and (not template.has_headers or stored.headers == request.headers)
    )
