"""What happened so far: the last requests, the misses with their counts, and the totals of the summary."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from replaymock.misses import Miss

KEPT_REQUESTS = 1000
KEPT_MISSES = 1000


Report = Callable[[str, dict[str, Any]], None]
"""Tells the user of an event: its name and its members."""


class Served(Struct, frozen=True):
    """One request that was answered. `target` is redacted; `elapsed_ms` runs to the end of the answer."""

    method: str
    target: str
    status: int
    outcome: str
    file: str
    elapsed_ms: float

    def to_json(self) -> dict[str, Any]:
        """The request as the members of an event."""
        return {
            "method": self.method,
            "target": self.target,
            "status": self.status,
            "outcome": self.outcome,
            "file": self.file or None,
            "elapsed_ms": round(self.elapsed_ms, 3),
        }


class Journal(Struct):
    """The memory of one run."""

    counts: Counter[str] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)
    _requests: deque[Served] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))
    _misses: dict[str, tuple[Miss, int]] = field(default_factory=dict)

    def served(self, served: Served) -> None:
        """Remembers a request that was answered."""
        self.counts[served.outcome] += 1
        if served.file:
            self.used.add(served.file)
        self._requests.append(served)

    def again(self, served: Served) -> None:
        """Remembers a request that was answered just as one before it."""
        self.counts[served.outcome] += 1
        self._requests.append(served)

    def missed(self, miss: Miss) -> int:
        """Remembers a miss; how often it has happened by now."""
        name = repr((miss.request.method, miss.request.path, miss.request.query, miss.reason, miss.hint))
        _, count = self._misses.pop(name, (miss, 0))
        self._misses[name] = (miss, count + 1)
        if len(self._misses) > KEPT_MISSES:
            del self._misses[next(iter(self._misses))]
        return count + 1

    def requests(self) -> list[dict[str, Any]]:
        """The last requests, the oldest first."""
        return [served.to_json() for served in self._requests]

    def misses(self) -> list[dict[str, Any]]:
        """The distinct misses, the latest last."""
        return [{"count": count, **miss.to_json()} for miss, count in self._misses.values()]
