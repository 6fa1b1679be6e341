"""From a request to the cassette that answers it, in whatever index is in force."""

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
"""A request in canonical form, and its target as it may be shown."""


class LookupResult(Struct, frozen=True):
    """A request in canonical form, its entry if there is one, and its target as it may be shown."""

    canonical: CanonicalRequest
    entry: IndexEntry | None
    shown: str


class CassetteSource(Protocol):
    """Where the cassettes in force come from."""

    @property
    def index(self) -> Index:
        """The index in force; a reload replaces it."""

    @property
    def broken(self) -> Mapping[str, CassetteError]:
        """The cassettes that cannot be read, by file name."""

    def look_for(self, files: Iterable[str]) -> bool:
        """Loads again if one of these files is new, or no longer broken as it was; whether it did."""

    def look_again(self, file: str) -> None:
        """Loads again because the files of a cassette are no longer what they were."""


class CassetteLookup:
    """Finds the entries of requests; `forget` must be called whenever the index changes."""

    def __init__(self, source: CassetteSource, matcher: Matcher) -> None:
        self._source = source
        self._matcher = matcher
        self._memo: RequestMemo[LookupResult] = RequestMemo(_MOST_BODY, uses_headers=matcher.uses_headers)
        self._broken = BrokenCassettes(source.broken, matcher)

    @property
    def index(self) -> Index:
        """The index in force."""
        return self._source.index

    @property
    def broken(self) -> Mapping[str, CassetteError]:
        """The cassettes that cannot be read, by file name."""
        return self._source.broken

    def read(self, request: Request) -> CanonicalAndShown:
        """A request in canonical form. Takes long where it is large, and may be done in a thread."""
        return self._matcher.read(request)

    def find(
        self, request: Request, known: KnownBody | None = None, read: CanonicalAndShown | None = None
    ) -> LookupResult:
        """The entry for a request; remembered where it is small and its headers take no part in matching.

        `known` is what it has instead of a body, `read` its canonical form, if that is known.
        """
        if read:
            return self._result(*read)
        name = None if known else self._memo.name(request)
        if name is None:
            return self._result(*self._matcher.read(request, known))
        result = self._memo.get(name)
        if result is None:
            result = self._result(*self._matcher.read(request, None))
            if result.entry:
                self._memo.put(name, result)
        return result

    def find_new(self, result: LookupResult) -> bool:
        """Whether cassettes were loaded again because a file that may answer this request is new."""
        return self._source.look_for(files_for(result.canonical))

    def look_again(self, entry: IndexEntry) -> None:
        """Has a cassette loaded again whose files are no longer what they were."""
        self._source.look_again(entry.file)

    def broken_instead_of(self, result: LookupResult) -> CassetteError | None:
        """What is wrong with the cassette that would answer a request, could it be read, before this entry does."""
        return self._broken.instead_of(result.entry, result.canonical)

    def forget(self) -> None:
        """Forgets what was found, as the index has changed."""
        self._memo.clear()
        if self._broken.errors is not self._source.broken:
            self._broken = BrokenCassettes(self._source.broken, self._matcher)

    def _result(self, canonical: CanonicalRequest, shown: str) -> LookupResult:
        return LookupResult(canonical, self._source.index.find(canonical), shown)


def files_for(request: CanonicalRequest) -> list[str]:
    """The files a request would be answered from, by their names."""
    return [name for name in (cassette_name(request), plain_mock_name(request.path)) if name]
