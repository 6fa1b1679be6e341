"""Cassettes that are held in memory in the place of a library."""

from collections.abc import Callable, Iterable

from replaymock.cassettes.model import Cassette, RecordedResponse
from replaymock.errors import CassetteError
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import Index, IndexEntry, entry_for
from replaymock.matching.matcher import Matcher
from replaymock.recording.cassette_builder import BuiltCassette


class HeldCassettes:
    """Cassettes by file, and their index; what is put is there at once."""

    def __init__(self, *built: BuiltCassette, matcher: Matcher | None = None) -> None:
        self.index = Index()
        self.broken: dict[str, CassetteError] = {}
        self._matcher = matcher or Matcher()
        self._subscribers: list[Callable[[Iterable[str]], object]] = []
        self.saved: list[tuple[str, Cassette]] = []
        self._held: dict[str, Cassette] = {}
        for one in built:
            self.put(one.file, one.cassette)

    def put(
        self, file: str, cassette: Cassette, canonical: CanonicalRequest | None = None, *, is_plain: bool = False
    ) -> IndexEntry:
        """Adds a cassette, or takes it in the place of another."""
        self._held[file] = cassette
        self.saved.append((file, cassette))
        entry = entry_for(file, cassette, self._matcher, is_plain=is_plain, canonical=canonical)
        self.index.add(entry)
        self._tell(file)
        return entry

    def remove(self, file: str) -> None:
        """Takes a cassette out."""
        self.index.drop(file)
        self._tell(file)

    def subscribe(self, changed: Callable[[Iterable[str]], object]) -> None:
        """Tells of every change from now on."""
        self._subscribers.append(changed)

    def _tell(self, file: str) -> None:
        for changed in self._subscribers:
            changed([file])

    def reload(self) -> None:
        """Makes another index, with other entries."""
        self.index = Index(
            entry_for(file, cassette, self._matcher, is_plain=self.index.entries[file].is_plain)
            for file, cassette in self._held.items()
        )

    def cassette(self, entry: IndexEntry) -> Cassette:
        """All of a cassette."""
        return self._held[entry.file]

    def responses(self, file: str, _held: int) -> tuple[RecordedResponse, ...]:
        """The responses of a cassette."""
        return self._held[file].responses

    def look_for(self, _files: Iterable[str]) -> bool:
        """Nothing is ever new."""
        return False

    def look_again(self, file: str) -> None:
        """Nothing ever changes."""
