"""What one run of the recorder remembers: placeholders, its position in each cassette, the writes of sessions."""

from collections.abc import Callable

from replaymock.cassettes.model import Cassette
from replaymock.recording.causality import WriteHistory
from replaymock.recording.volatile_hints import VolatileHints
from replaymock.redaction.placeholders import PlaceholderAllocator

_MOST_SESSIONS = 1000


class RecordingRun:
    """The state of a run, shared by the cassette builder and late redaction.

    `redacted` are the files of this run in which something is hidden. `positions` is the position reached in each file.
    `doubts` is by how many responses the run may be further on in a file than its position says.
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
        """Remembers a cassette that was removed, so that an equal one comes back byte for byte."""
        self._removed[file] = cassette

    def removed(self, file: str) -> Cassette | None:
        """The cassette that a file held before it was removed at the start of this run."""
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
        """Renames the writes of all sessions after more became known to be secret; `in_path` does so for paths."""
        for history in self._histories.values():
            history.hide(hide, in_path)

    def renamed(self, old: str, new: str) -> None:
        """Records that a cassette was renamed."""
        self.doubts.pop(old, None)
        position = self.positions.pop(old, None)
        if position is not None:
            self.positions.setdefault(new, position)
        self.redacted.discard(old)
        self.hints.renamed(old)
        for history in self._histories.values():
            history.renamed(old, new)
