"""What happened so far: the last requests, the misses with their counts, and the totals of the summary."""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from msgspec import Struct, field, structs

from replaymock.matching.near_misses import Miss

KEPT_REQUESTS = 1000
KEPT_MISSES = 1000


Report = Callable[[str, dict[str, Any]], None]
"""Tells the user of an event: its name and its members."""


class ServedRequest(Struct, frozen=True):
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


class JournalDelta(Struct, frozen=True):
    """What a journal holds beyond an earlier state of it: more of each outcome, cassettes, and more of each miss."""

    counts: dict[str, int] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)
    misses: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)


class Journal(Struct):
    """The memory of one run, or of one of its workers."""

    counts: Counter[str] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)
    _requests: deque[ServedRequest] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))
    _misses: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)

    def served(self, served: ServedRequest) -> None:
        """Remembers a request that was answered."""
        self.counts[served.outcome] += 1
        if served.file:
            self.used.add(served.file)
        self._requests.append(served)

    def again(self, served: ServedRequest) -> None:
        """Remembers a request that was answered just as one before it."""
        self.counts[served.outcome] += 1
        self._requests.append(served)

    def unkept(self, file: str) -> None:
        """Takes note that the last response that was recorded in a file could not be kept."""
        recorded = (at for at, one in enumerate(self._requests) if (one.file, one.outcome) == (file, "recorded"))
        at = max(recorded, default=None)
        if at is not None:
            self._requests[at] = structs.replace(self._requests[at], outcome="forwarded", file="")
        if self.counts["recorded"]:
            self.counts["recorded"] -= 1
            self.counts["forwarded"] += 1

    def hide(self, hide: Callable[[str], str], renamed: Mapping[str, str]) -> None:
        """Tells no more what became known to be secret, nor the old names of cassettes whose name told it."""
        self.used.update(renamed[file] for file in self.used & renamed.keys())
        for at, served in enumerate(self._requests):
            target, file = hide(served.target), renamed.get(served.file, served.file)
            if (target, file) != (served.target, served.file):
                self._requests[at] = structs.replace(served, target=target, file=file)

    def missed(self, miss: Miss) -> int:
        """Remembers a miss; how often it has happened by now."""
        name = repr((miss.request.method, miss.request.path, miss.request.query, miss.reason, miss.hint))
        known = self._misses.get(name)
        return self._add_miss(name, known[0] if known else miss.to_json(), 1)

    def beyond(self, earlier: "Journal") -> JournalDelta:
        """What this journal holds that an earlier state of it does not; the list of last requests is not news."""
        counts = dict(self.counts - earlier.counts)
        more = {
            name: (miss, count - earlier.times_missed(name))
            for name, (miss, count) in (self._misses.items() if counts.get("miss") else ())
            if count > earlier.times_missed(name)
        }
        used = sorted(self.used - earlier.used) if len(self.used) > len(earlier.used) else []
        return JournalDelta(counts, used, more)

    def add(self, news: JournalDelta) -> None:
        """Takes in what another journal holds."""
        self.counts.update(news.counts)
        self.used.update(news.used)
        for name, (miss, count) in news.misses.items():
            self._add_miss(name, miss, count)

    def times_missed(self, name: str) -> int:
        """How often a miss has happened, by the name it has here."""
        return self._misses[name][1] if name in self._misses else 0

    def unused(self, files: Iterable[str]) -> set[str]:
        """Those of the files of cassettes that no request was answered from."""
        return set(files) - self.used

    @property
    def total(self) -> int:
        """How many requests were answered."""
        return sum(self.counts.values())

    def requests(self, most: int = KEPT_REQUESTS) -> list[dict[str, Any]]:
        """The last requests, the oldest first."""
        return [served.to_json() for served in islice(self._requests, max(len(self._requests) - most, 0), None)]

    def misses(self) -> list[dict[str, Any]]:
        """The distinct misses, the latest last."""
        return [{"count": count, **miss} for miss, count in self._misses.values()]

    def _add_miss(self, name: str, miss: dict[str, Any], count: int) -> int:
        _, before = self._misses.pop(name, (miss, 0))
        self._misses[name] = (miss, before + count)
        if len(self._misses) > KEPT_MISSES:
            del self._misses[next(iter(self._misses))]
        return before + count


class BroadcastQuestion(Struct, frozen=True):
    """What one of several workers asks all others: what they noted, and to rewind a session (None: all) if `reset`."""

    reset: bool
    session: str | None


AskAll = Callable[[BroadcastQuestion], Awaitable[Journal]]
"""Asks the other workers; the journal of them all, this one included."""
