"""The writes of a session that is recorded, and which of them explains that a response changed.

Requests are reported in the order they arrived. Paths are those of canonical requests.
"""

from collections import Counter, deque
from collections.abc import Callable

from msgspec import Struct

from replaymock.matching.canonical import CanonicalRequest

_MOST_WRITES = 10_000


class Write(Struct, frozen=True):
    """A write: its name (`POST /items`), its path, its `number` among those of that name, and when it ended."""

    name: str
    path: str
    number: int
    ended: float = 0.0

    def __str__(self) -> str:
        return f"{self.name} x{self.number}" if self.number > 1 else self.name


class WriteHistory:
    """The writes of one session of a recording."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._writes: deque[Write] = deque(maxlen=_MOST_WRITES)
        self._write_count = 0
        self._writes_at_fetch: dict[str, int] = {}
        self._read_segments: set[str] = set()

    def attribute(self, file: str, request: CanonicalRequest) -> str:
        """The name of the write that may have changed the response to a request; empty if there is none.

        `file` is the cassette of the request. Only writes since its last fetch count. The one closest to the request's
        path is named, the latest if several are equally close.
        """
        if request.method == "GET":
            self._read_segments.add(_segments(request.path)[0])
        # `max` gives the first of equals, so the latest comes first.
        candidates = reversed(self._unseen(file))
        return str(max(candidates, key=lambda write: self._closeness(write.path, request.path), default=""))

    def fetch_completed(self, file: str, ended: float, *, is_news: bool) -> None:
        """Records when a fetch ended; `is_news` if its response was new, or if it was a write itself.

        If it was not, a write that was still in flight by then remains a candidate for the next change.
        """
        waiting = [] if is_news else [write.ended > ended for write in self._unseen(file)]
        self._writes_at_fetch[file] = self._write_count - (len(waiting) - waiting.index(True) if any(waiting) else 0)

    def hide(self, hide: Callable[[str], str], in_path: Callable[[str], str]) -> None:
        """Renames the writes after more became known to be secret; `in_path` does so for paths."""
        if not hide_names(self.counts, hide):
            return
        hidden = (Write(hide(write.name), in_path(write.path), write.number, write.ended) for write in self._writes)
        self._writes = deque(hidden, maxlen=_MOST_WRITES)

    def renamed(self, old: str, new: str) -> None:
        """Records that a cassette was renamed."""
        if old in self._writes_at_fetch:
            self._writes_at_fetch[new] = max(self._writes_at_fetch.pop(old), self._writes_at_fetch.get(new, 0))

    def _unseen(self, file: str) -> list[Write]:
        """The writes since the last fetch of `file`."""
        new = self._write_count - self._writes_at_fetch.get(file, self._write_count)
        return list(self._writes)[-new:] if new else []

    def record_write(self, name: str, path: str, ended: float = 0.0) -> None:
        """Records a write, and when its response was complete."""
        self.counts[name] += 1
        self._write_count += 1
        self._writes.append(Write(name, path, self.counts[name], ended))

    def _closeness(self, written: str, read: str) -> int:
        """3 for the same path, its parent or a child; 2 for a sibling; 1 if any GET shares the first segment; else 0.

        Paths right below the root are no siblings: an analytics beacon is there, too.
        """
        write, fetch = _segments(written), _segments(read)
        if write == fetch or (write[:-1] or None) == fetch or (fetch[:-1] or None) == write:
            return 3
        if write[:-1] == fetch[:-1] != []:
            return 2
        return int(write[0] in self._read_segments)


def hide_names(counts: Counter[str], hide: Callable[[str], str]) -> bool:
    """Renames counted writes after more became known to be secret; whether any name changed."""
    changed = {name: hidden for name in counts if (hidden := hide(name)) != name}
    for name, hidden in changed.items():
        counts[hidden] += counts.pop(name)
    return bool(changed)


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment] or [""]
