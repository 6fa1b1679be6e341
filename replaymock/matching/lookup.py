"""Finds the cassette that answers a request, in the index that is current."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from replaymock.cassettes.filenames import plain_mock_name
from replaymock.cassettes.model import KnownBody
from replaymock.errors import CassetteError
from replaymock.http.messages import Request
from replaymock.matching.broken_cassettes import BrokenCassettes
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import Index, IndexEntry
from replaymock.matching.matcher import Matcher
from replaymock.matching.naming import cassette_name
from replaymock.matching.request_memo import RequestMemo

_MOST_BODY = 16 * 1024

CanonicalAndShown = tuple[CanonicalRequest, str]
"""A canonical request, and its target in a form that may be shown to people."""


class LookupResult(Struct, frozen=True):
    """A canonical request, its entry if there is one, and its target in a form that may be shown to people."""

    canonical: CanonicalRequest
    entry: IndexEntry | None
    shown: str


class CassetteSource(Protocol):
    """Provides the current cassettes."""

    @property
    def index(self) -> Index:
        """The current index; a reload replaces it."""

    @property
    def broken(self) -> Mapping[str, CassetteError]:
        """The errors of the cassettes that cannot be read, by file name."""

    def look_for(self, files: Iterable[str]) -> bool:
        """Reloads if one of these files is new, or broken in another way than before. Returns whether it did."""

    def look_again(self, file: str) -> None:
        """Reloads because the files of this cassette have changed."""


class CassetteLookup:
    """Finds the entries for requests. Call `forget` whenever the index changes."""

    def __init__(self, source: CassetteSource, matcher: Matcher) -> None:
        self._source = source
        self._matcher = matcher
        self._memo: RequestMemo[LookupResult] = RequestMemo(_MOST_BODY, uses_headers=matcher.uses_headers)
        self._broken = BrokenCassettes(source.broken, matcher)

    @property
    def index(self) -> Index:
        """The current index."""
        return self._source.index

    @property
    def broken(self) -> Mapping[str, CassetteError]:
        """The errors of the cassettes that cannot be read, by file name."""
        return self._source.broken

    def canonicalize(self, request: Request) -> CanonicalAndShown:
        """Brings a request to canonical form. Slow for large requests; may run in a thread."""
        return self._matcher.canonicalize(request)

    def find(
        self, request: Request, known_body: KnownBody | None = None, canonicalized: CanonicalAndShown | None = None
    ) -> LookupResult:
        """Finds the entry for a request. Small requests are remembered, unless headers take part in matching.

        `known_body` replaces the body. `canonicalized` is the canonical form, if the request has been brought to it
        before.
        """
        if canonicalized:
            return self._result(*canonicalized)
        key = None if known_body else self._memo.key(request)
        if key is None:
            return self._result(*self._matcher.canonicalize(request, known_body))
        result = self._memo.get(key)
        if result is None:
            result = self._result(*self._matcher.canonicalize(request, None))
            if result.entry:
                self._memo.put(key, result)
        return result

    def find_new(self, result: LookupResult) -> bool:
        """Reloads if a file that may answer this request is new. Returns whether it did."""
        return self._source.look_for(files_for(result.canonical))

    def look_again(self, entry: IndexEntry) -> None:
        """Reloads a cassette whose files have changed."""
        self._source.look_again(entry.file)

    def broken_error_for(self, result: LookupResult) -> CassetteError | None:
        """The error of the broken cassette that would answer before the entry in `result`; None if there is none."""
        return self._broken.error_for(result.entry, result.canonical)

    def forget(self) -> None:
        """Forgets remembered results, because the index has changed."""
        self._memo.clear()
        if self._broken.errors is not self._source.broken:
            self._broken = BrokenCassettes(self._source.broken, self._matcher)

    def _result(self, canonical: CanonicalRequest, shown: str) -> LookupResult:
        return LookupResult(canonical, self._source.index.find(canonical), shown)


def files_for(request: CanonicalRequest) -> list[str]:
    """The names of the files that may answer a request."""
    return [name for name in (cassette_name(request), plain_mock_name(request.path)) if name]
