"""Which cassette a request comes down to, remembered for requests that come again."""

from msgspec import Struct

from replaymock.cassettes.filenames import mock_file
from replaymock.cassettes.model import KnownBody
from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.matching.canonical import Canonical
from replaymock.matching.index import Entry, Index
from replaymock.matching.matcher import Matcher
from replaymock.matching.naming import cassette_name

_MOST_REMEMBERED = 10_000
_MOST_BODY = 16 * 1024
_MOST_BYTES = 16 * 1024 * 1024
_OF_BODY = frozenset(("content-type", "content-encoding"))

_Name = tuple[str, str, Headers, bytes]
"""All of a request that its entry depends on: method, target, the types of its body, body."""


Read = tuple[Canonical, str]
"""A request in canonical form, and its target as it may be shown."""


class Found(Struct, frozen=True):
    """What a request comes down to: its entry if there is one, and its target as it may be shown."""

    canonical: Canonical
    entry: Entry | None
    shown: str


class Finder:
    """Finds the entries of requests in the index that it was given last."""

    def __init__(self, matcher: Matcher) -> None:
        self.index = Index()
        self._matcher = matcher
        self._remembered: dict[_Name, Found] = {}
        self._bytes = 0

    def use(self, index: Index) -> None:
        """Finds in another index from now on."""
        self.index = index
        self.forget()

    def read(self, request: Request) -> Read:
        """What a request comes down to. Takes long where it is large, and may be done in a thread."""
        return self._matcher.read(request)

    def find(self, request: Request, known: KnownBody | None = None, read: Read | None = None) -> Found:
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

    def _look_up(self, request: Request, known: KnownBody | None) -> Found:
        return self._found(*self._matcher.read(request, known))

    def _found(self, canonical: Canonical, shown: str) -> Found:
        return Found(canonical, self.index.find(canonical), shown)

    def _remember(self, name: _Name, found: Found) -> None:
        self._bytes += len(name[1]) + len(name[3])
        if len(self._remembered) >= _MOST_REMEMBERED or self._bytes > _MOST_BYTES:
            self.forget()
        self._remembered[name] = found


def files_for(request: Canonical) -> list[str]:
    """The files a request would be answered from, by their names."""
    return [name for name in (cassette_name(request), mock_file(request.path)) if name]
