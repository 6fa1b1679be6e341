"""Cassettes that cannot be read, and which requests they would answer.

That follows from their file name and from the part that can be read.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from replaymock.cassettes.filenames import is_cassette_name, is_sidecar_name, mock_path
from replaymock.cassettes.model import CassetteRequest
from replaymock.errors import CassetteError
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import Index, IndexEntry
from replaymock.matching.matcher import Matcher
from replaymock.matching.naming import cassette_name

_EXACT, _PLAIN, _TEMPLATE, _NONE = range(4)


class BrokenCassettes:
    """The cassettes of a folder that cannot be read, with the error of each file."""

    def __init__(self, errors: Mapping[str, CassetteError], matcher: Matcher) -> None:
        self.errors = errors
        self._matcher = matcher

    def error_for(self, entry: IndexEntry | None, request: CanonicalRequest) -> CassetteError | None:
        """The error of the broken cassette that would answer a request before `entry` does; None if there is none."""
        if not self.errors:
            return None
        rank = _rank(entry)
        if rank == _EXACT:
            return None
        as_get = replace(request, method="GET") if request.method == "HEAD" else request
        for name in (cassette_name(request), cassette_name(as_get)):
            if name in self.errors:
                return self.errors[name]
        match = self._index.find(request)
        return self.errors[match.file] if match and _rank(match) < rank else None

    @cached_property
    def _index(self) -> Index:
        return Index(entry for file, error in sorted(self.errors.items()) if (entry := self._entry(file, error)))

    def _entry(self, file: str, error: CassetteError) -> IndexEntry | None:
        name = file.rpartition("/")[2]
        plain = not is_cassette_name(name)
        request = CassetteRequest("GET", mock_path(file)) if plain else error.request
        if not isinstance(request, CassetteRequest) or is_sidecar_name(name):
            return None
        try:
            canonical = self._matcher.canonical(request.to_request(), request.known_body())
        except Exception:  # this may be what is wrong with the file
            return None
        return IndexEntry(file, request, canonical, plain, is_handwritten=True, after_writes=("",))


def _rank(entry: IndexEntry | None) -> int:
    if entry is None:
        return _NONE
    return _PLAIN if entry.is_plain else _TEMPLATE if entry.request.is_template else _EXACT
