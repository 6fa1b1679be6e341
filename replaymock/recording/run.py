"""What one run of the recorder knows: its placeholders, its place in each cassette, and what sessions have written."""

from collections.abc import Callable

from replaymock.cassettes.model import Cassette
from replaymock.recording.causality import WriteHistory
from replaymock.recording.volatile_hints import VolatileHints
from replaymock.redaction.placeholders import PlaceholderAllocator

_MOST_SESSIONS = 1000


class RecordingRun:
    """The memory of a run, shared by what builds cassettes and what redacts them late.

    `redacted` are the files of this run in which something is hidden, `positions` the position reached in each file,
    and `doubts` how many responses at the end of each may still be the beginning of another.
    """

    def __init__(self) -> None:
        self.placeholders = PlaceholderAllocator()
        self.redacted: set[str] = set()
        self.hints = VolatileHints()
        self.positions: dict[str, int] = {}
        self.doubts: dict[str, int] = {}
        self._histories: dict[str, WriteHistory] = {}
        self._removed: dict[str, Cassette] = {}

    def remember(self, file: str, cassette: Cassette) -> None:
        """Takes note of a cassette that was removed, so that an equal one comes back byte for byte."""
        self._removed[file] = cassette

    def removed(self, file: str) -> Cassette | None:
        """The cassette of a file that was removed before this run began."""
        return self._removed.get(file)

    def position(self, file: str) -> int:
        """The position this run has reached in a cassette; -1 before its first response."""
        return self.positions.get(file, -1)

    def history(self, session: str) -> WriteHistory:
        """The history of a session; the oldest session is forgotten when there are too many."""
        history = self._histories.pop(session, None) or WriteHistory()
        self._histories[session] = history
        if len(self._histories) > _MOST_SESSIONS:
            del self._histories[next(iter(self._histories))]
        return history

    def hide_writes(self, hide: Callable[[str], str], in_path: Callable[[str], str]) -> None:
        """Brings what sessions have written to the names and paths it has once more is known to be secret."""
        for history in self._histories.values():
            history.hide(hide, in_path)

    def renamed(self, old: str, new: str) -> None:
        """Learns that the cassette of one file goes by another name."""
        self.doubts.pop(old, None)
        position = self.positions.pop(old, None)
        if position is not None:
            self.positions.setdefault(new, position)
        self.redacted.discard(old)
        self.hints.renamed(old)
        for history in self._histories.values():
            history.renamed(old, new)
