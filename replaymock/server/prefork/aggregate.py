"""What several workers say, told once, and what one of them asks all others; time is passed in."""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import msgspec

from replaymock.telemetry.events import Dropped, Emit, Event, MissOccurred, Reloaded, ServedRequest

RELOAD_SECONDS = 2.0
_MOST_KNOWN = 10_000


class EventAggregator:
    """Reports events of workers. What one says for the n-th time is told unless another has said it n times before."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._told: Counter[bytes] = Counter()
        self._said: Counter[tuple[int, bytes]] = Counter()
        self._reloaded: dict[int, Reloaded] = {}
        self._until = 0.0

    def say(self, worker: int, event: Event, now: float) -> None:
        """Takes an event of a worker. A reload waits for the others, until `reloaded` says that they are done."""
        if isinstance(event, Reloaded):
            self._until = self._until if self._reloaded else now + RELOAD_SECONDS
            self._reloaded[worker] = event
        elif isinstance(event, ServedRequest | Dropped) or self._is_news(worker, event):
            self._emit(event)

    def reloaded(self, workers: AbstractSet[int], now: float) -> float | None:
        """Tells of a reload once all `workers` have done it, or its time is up; otherwise the seconds left to wait."""
        if not self._reloaded:
            return None
        if not workers <= self._reloaded.keys() and now < self._until:
            return self._until - now
        *_, latest = self._reloaded.values()
        self._reloaded = {}
        self._emit(latest)
        return None

    def _is_news(self, worker: int, event: Event) -> bool:
        if len(self._said) >= _MOST_KNOWN:
            self._said.clear()
            self._told.clear()
        # A miss is the same whatever was near it by then.
        told = msgspec.structs.replace(event, nearest=[]) if isinstance(event, MissOccurred) else event
        what = msgspec.json.encode(told)
        self._said[worker, what] += 1
        if self._said[worker, what] <= self._told[what]:
            return False
        self._told[what] = self._said[worker, what]
        return True


@dataclass(frozen=True, slots=True)
class _Open:
    asker: int
    number: int
    waiting: set[int]


class BroadcastQueries:
    """The questions on their way, each with the workers whose answers are missing."""

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}
        self._opened = 0

    def opened(self, asker: int, number: int, others: set[int]) -> int:
        """The number under which others are asked what `asker` asks by a number of its own."""
        self._opened += 1
        self._open[self._opened] = _Open(asker, number, others)
        return self._opened

    def answered(self, worker: int, question: int) -> None:
        """Takes note that a worker has said what it had to say."""
        if question in self._open:
            self._open[question].waiting.discard(worker)

    def left(self, worker: int) -> None:
        """Takes note that a worker has nothing more to say to any question."""
        for question in self._open.values():
            question.waiting.discard(worker)

    def settled(self) -> list[tuple[int, int]]:
        """The questions nobody is missing for any more, by asker and its number; they are forgotten here."""
        settled = [name for name, question in self._open.items() if not question.waiting]
        return [(question.asker, question.number) for question in map(self._open.pop, settled)]
