"""The cassettes that cannot be read: which requests they would have answered, as far as that can be told.

That is told by what can be read of their request, and by their name.
"""

from dataclasses import replace
from functools import cached_property

from replaymock.cassettes.filenames import is_cassette_name, is_sidecar_name, mock_path
from replaymock.cassettes.model import CassetteRequest
from replaymock.errors import CassetteError
from replaymock.http.cors import CorsPolicy
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import Index, IndexEntry, RenderOptions
from replaymock.matching.matcher import Matcher
from replaymock.matching.naming import cassette_name

_EXACT, _PLAIN, _TEMPLATE, _NONE = range(4)


class Faulty:
    """The faults of a folder, by file."""

    def __init__(self, faults: dict[str, CassetteError], matcher: Matcher) -> None:
        self._faults = faults
        self._matcher = matcher

    def __bool__(self) -> bool:
        return bool(self._faults)

    def instead_of(self, entry: IndexEntry | None, request: CanonicalRequest) -> CassetteError | None:
        """The fault of the file that would answer a request, were it well, before this entry does."""
        rank = _rank(entry)
        if rank == _EXACT or not self._faults:
            return None
        asked = replace(request, method="GET") if request.method == "HEAD" else request
        for name in (cassette_name(request), cassette_name(asked)):
            if name in self._faults:
                return self._faults[name]
        meant = self._index.find(request)
        return self._faults[meant.file] if meant and _rank(meant) < rank else None

    @cached_property
    def _index(self) -> Index:
        return Index(entry for file, error in sorted(self._faults.items()) if (entry := self._entry(file, error)))

    def _entry(self, file: str, error: CassetteError) -> IndexEntry | None:
        name = file.rpartition("/")[2]
        plain = not is_cassette_name(name)
        request = CassetteRequest("GET", mock_path(file)) if plain else error.request
        if not isinstance(request, CassetteRequest) or is_sidecar_name(name):
            return None
        try:
            canonical = self._matcher.canonical(request.to_request(), request.known_body())
        except Exception:  # that may be what is wrong with it
            return None
        return IndexEntry(
            file, request, canonical, plain, by_hand=True, afters=("",), serving=RenderOptions(CorsPolicy())
        )


def _rank(entry: IndexEntry | None) -> int:
    if entry is None:
        return _NONE
    return _PLAIN if entry.plain else _TEMPLATE if entry.request.is_template else _EXACT
