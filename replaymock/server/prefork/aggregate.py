"""De-duplicates events that several workers report, and tracks queries that one worker broadcasts to the others.

No function here reads a clock: the time is a parameter.
"""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import msgspec

from replaymock.telemetry.events import Dropped, Emit, Event, MissOccurred, Reloaded, ServedRequest

RELOAD_SECONDS = 2.0
"""How long a reload waits for the workers that have not reported it yet."""

_MOST_REMEMBERED = 10_000


class EventAggregator:
    """Emits the events of all workers: what one reports for the n-th time only if no other has reported it n times."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._emitted: Counter[bytes] = Counter()
        self._reported: Counter[tuple[int, bytes]] = Counter()
        self._reloads: dict[int, Reloaded] = {}
        self._reload_ends = 0.0

    def add(self, worker: int, event: Event, now: float) -> None:
        """Adds an event of a worker. A reload is held back until `settle_reload` finds that all have reloaded."""
        if isinstance(event, Reloaded):
            self._reload_ends = self._reload_ends if self._reloads else now + RELOAD_SECONDS
            self._reloads[worker] = event
        elif isinstance(event, ServedRequest | Dropped) or self._is_new(worker, event):
            self._emit(event)

    def settle_reload(self, workers: AbstractSet[int], now: float) -> float | None:
        """Emits a held reload once all `workers` have reloaded, or after a time. The seconds left until then."""
        if not self._reloads:
            return None
        if not workers <= self._reloads.keys() and now < self._reload_ends:
            return self._reload_ends - now
        *_, latest = self._reloads.values()
        self._reloads = {}
        self._emit(latest)
        return None

    def _is_new(self, worker: int, event: Event) -> bool:
        if len(self._reported) >= _MOST_REMEMBERED:
            self._reported.clear()
            self._emitted.clear()
        # Two misses are the same even if other cassettes were nearest.
        compared = msgspec.structs.replace(event, nearest=[]) if isinstance(event, MissOccurred) else event
        key = msgspec.json.encode(compared)
        self._reported[worker, key] += 1
        if self._reported[worker, key] <= self._emitted[key]:
            return False
        self._emitted[key] = self._reported[worker, key]
        return True


@dataclass(frozen=True, slots=True)
class _OpenQuery:
    asker: int
    number: int
    missing: set[int]


class BroadcastQueries:
    """The open queries, each with the workers that have not answered yet."""

    def __init__(self) -> None:
        self._open: dict[int, _OpenQuery] = {}
        self._opened = 0

    def open(self, asker: int, number: int, others: set[int]) -> int:
        """Opens a query for a worker, to which it has the given `number`. Gives its number for the others."""
        self._opened += 1
        self._open[self._opened] = _OpenQuery(asker, number, others)
        return self._opened

    def answered(self, worker: int, query: int) -> None:
        """Records that a worker has answered a query."""
        if query in self._open:
            self._open[query].missing.discard(worker)

    def worker_left(self, worker: int) -> None:
        """Records that a worker is gone, and will answer no query."""
        for query in self._open.values():
            query.missing.discard(worker)

    def take_settled(self) -> list[tuple[int, int]]:
        """Removes and gives the queries that all have answered, each as its asker and the asker's number."""
        settled = [number for number, query in self._open.items() if not query.missing]
        return [(query.asker, query.number) for query in map(self._open.pop, settled)]
