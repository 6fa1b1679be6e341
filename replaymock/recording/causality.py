"""What a session has written while it was recorded, and which of its writes a changed response is put down to.

Requests are told in the order they arrived. Paths are those of canonical requests.
"""

from collections import Counter, deque
from collections.abc import Callable

from msgspec import Struct

from replaymock.matching.canonical import CanonicalRequest

_MOST_WRITES = 10_000


class Write(Struct, frozen=True):
    """A write by its name (`POST /items`), its path, how many of that name there were up to it, and when it ended."""

    name: str
    path: str
    number: int
    ended: float = 0.0

    def __str__(self) -> str:
        return f"{self.name} x{self.number}" if self.number > 1 else self.name


class WriteHistory:
    """One session of a recording."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._writes: deque[Write] = deque(maxlen=_MOST_WRITES)
        self._made = 0
        self._fetched: dict[str, int] = {}
        self._read: set[str] = set()

    def fetched(self, file: str, request: CanonicalRequest) -> str:
        """The write that a request which `file` holds may be put down to, empty where there is none.

        That is the last one, since `file` was fetched before, of those that are closest to the request's path.
        """
        if request.method == "GET":
            self._read.add(_segments(request.path)[0])
        # The last of equals: max gives the first it meets.
        candidates = reversed(self._unseen(file))
        return str(max(candidates, key=lambda write: self._closeness(write.path, request.path), default=""))

    def saw(self, file: str, ended: float, *, is_news: bool) -> None:
        """Learns when a fetch ended, and whether it brought anything new or wrote itself.

        Where it did not, a write that was under way all the while is still to show.
        """
        waiting = [] if is_news else [write.ended > ended for write in self._unseen(file)]
        self._fetched[file] = self._made - (len(waiting) - waiting.index(True) if any(waiting) else 0)

    def hide(self, hide: Callable[[str], str], in_path: Callable[[str], str]) -> None:
        """Brings what was written to the names and paths it has once more is known to be secret."""
        if not hide_names(self.counts, hide):
            return
        hidden = (Write(hide(write.name), in_path(write.path), write.number, write.ended) for write in self._writes)
        self._writes = deque(hidden, maxlen=_MOST_WRITES)

    def renamed(self, old: str, new: str) -> None:
        """Learns that what a file held is in another now."""
        if old in self._fetched:
            self._fetched[new] = max(self._fetched.pop(old), self._fetched.get(new, 0))

    def _unseen(self, file: str) -> list[Write]:
        """The writes since `file` was fetched."""
        new = self._made - self._fetched.get(file, self._made)
        return list(self._writes)[-new:] if new else []

    def wrote(self, name: str, path: str, ended: float = 0.0) -> None:
        """Takes note of a write, and of when its answer was whole."""
        self.counts[name] += 1
        self._made += 1
        self._writes.append(Write(name, path, self.counts[name], ended))

    def _closeness(self, written: str, read: str) -> int:
        """3 for the same path, its parent or a child; 2 for a sibling; 1 for a part of the backend that is read at all.

        What is right below the root is no family: everything is there, the beacon of an analytics script too.
        """
        one, other = _segments(written), _segments(read)
        if one == other or (one[:-1] or None) == other or (other[:-1] or None) == one:
            return 3
        if one[:-1] == other[:-1] != []:
            return 2
        return int(one[0] in self._read)


def hide_names(counts: Counter[str], hide: Callable[[str], str]) -> bool:
    """Brings the names of counted writes to what they are once more is known to be secret; whether any has changed."""
    changed = {name: hidden for name in counts if (hidden := hide(name)) != name}
    for name, hidden in changed.items():
        counts[hidden] += counts.pop(name)
    return bool(changed)


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment] or [""]
