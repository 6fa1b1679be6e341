"""The cassettes the disk did not take: kept as far as there is room for them, to be written once it takes them."""

import math
from collections.abc import Iterator

from replaymock.cassettes.model import Cassette
from replaymock.cassettes.writer import dump

BUDGET = 64 * 1024 * 1024


class FailedWrites:
    """Cassettes by file, the one that was tried longest ago first; and the files whose cassettes are given up."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._room: float = budget
        self._kept: dict[str, tuple[Cassette, float]] = {}
        self._lost: set[str] = set()

    def __len__(self) -> int:
        """How many cassettes are not on the disk, kept or not."""
        return len(self._kept) + len(self._lost)

    def keep(self, file: str, cassette: Cassette, size: float) -> bool:
        """Keeps a cassette of so many bytes, unless there is no room for it; whether it did."""
        self.drop(file)
        if size > self._room:
            self._lost.add(file)
            return False
        self._room -= size
        self._kept[file] = (cassette, size)
        return True

    def drop(self, file: str) -> None:
        """Forgets what there was of a file: it is written, or another is on its way."""
        self._lost.discard(file)
        if file in self._kept:
            self._room += self._kept.pop(file)[1]

    def take(self, most: int | None = None) -> Iterator[tuple[str, Cassette]]:
        """The cassettes that are kept, as many as wanted; they are another's care from then on."""
        for file in list(self._kept)[:most]:
            cassette, _ = self._kept[file]
            self.drop(file)
            yield file, cassette


def size_of(file: str, cassette: Cassette) -> float:
    """How many bytes a cassette would be on the disk; no number is enough for one that cannot be written down."""
    try:
        return sum(map(len, dump(cassette, file).values()))
    except Exception:
        return math.inf
