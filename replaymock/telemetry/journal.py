"""What happened in a run so far: the last requests, the misses and how often each occurred, and the totals."""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from msgspec import Struct, field, structs

from replaymock.matching.near_misses import Miss
from replaymock.telemetry.events import ServedRequest

KEPT_REQUESTS = 1000
KEPT_MISSES = 1000


class JournalDelta(Struct, frozen=True):
    """What a journal gained since an earlier state: requests by outcome, used cassettes, misses with their counts."""

    counts: dict[str, int] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)
    misses: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)


class Journal(Struct):
    """The memory of one run, or of one of its workers.

    It is called directly for each request: on the fast path, an event would cost more than the counting.
    """

    counts: Counter[str] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)
    _requests: deque[ServedRequest] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))
    _misses: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)

    def served(self, served: ServedRequest) -> None:
        """Counts a request that was answered, and its cassette as used."""
        self.counts[served.outcome] += 1
        if served.file:
            self.used.add(served.file)
        self._requests.append(served)

    def served_again(self, served: ServedRequest) -> None:
        """Counts a request that was answered from the same cassette as one before it."""
        self.counts[served.outcome] += 1
        self._requests.append(served)

    def unsaved(self, file: str) -> None:
        """Counts the last response recorded in a file as forwarded, because it could not be saved."""
        recorded = (at for at, each in enumerate(self._requests) if (each.file, each.outcome) == (file, "recorded"))
        at = max(recorded, default=None)
        if at is not None:
            self._requests[at] = structs.replace(self._requests[at], outcome="forwarded", file="")
        if self.counts["recorded"]:
            self.counts["recorded"] -= 1
            self.counts["forwarded"] += 1

    def hide(self, hide: Callable[[str], str], renamed: Mapping[str, str]) -> None:
        """Redacts the stored targets by `hide`, and replaces the names of cassettes that were renamed for a secret."""
        self.used.update(renamed[file] for file in self.used & renamed.keys())
        for at, served in enumerate(self._requests):
            target, file = hide(served.target), renamed.get(served.file, served.file)
            if (target, file) != (served.target, served.file):
                self._requests[at] = structs.replace(served, target=target, file=file)

    def missed(self, miss: Miss) -> int:
        """Counts a miss; gives how often it has occurred by now."""
        name = repr((miss.request.method, miss.request.path, miss.request.query, miss.reason, miss.hint))
        entry = self._misses.get(name)
        return self._add_miss(name, entry[0] if entry else miss.to_json(), 1)

    def delta_since(self, earlier: "Journal") -> JournalDelta:
        """What this journal gained since an earlier state of it; the list of last requests is left out."""
        counts = dict(self.counts - earlier.counts)
        misses = {
            name: (miss, count - earlier.times_missed(name))
            for name, (miss, count) in (self._misses.items() if counts.get("miss") else ())
            if count > earlier.times_missed(name)
        }
        used = sorted(self.used - earlier.used) if len(self.used) > len(earlier.used) else []
        return JournalDelta(counts, used, misses)

    def add(self, delta: JournalDelta) -> None:
        """Adds what another journal gained."""
        self.counts.update(delta.counts)
        self.used.update(delta.used)
        for name, (miss, count) in delta.misses.items():
            self._add_miss(name, miss, count)

    def times_missed(self, name: str) -> int:
        """How often a miss has occurred, by its name in this journal."""
        return self._misses[name][1] if name in self._misses else 0

    def unused(self, files: Iterable[str]) -> set[str]:
        """The cassettes among these files from which no request was answered."""
        return set(files) - self.used

    @property
    def total(self) -> int:
        """How many requests were answered."""
        return sum(self.counts.values())

    def latest(self, most: int = KEPT_REQUESTS) -> list[ServedRequest]:
        """The last requests, the oldest first."""
        return list(islice(self._requests, max(len(self._requests) - most, 0), None))

    def requests(self) -> list[dict[str, Any]]:
        """The last requests as JSON, the oldest first."""
        return [served.to_json() for served in self.latest()]

    def misses(self) -> list[dict[str, Any]]:
        """The distinct misses as JSON, the latest last."""
        return [{"count": count, **miss} for miss, count in self._misses.values()]

    def _add_miss(self, name: str, miss: dict[str, Any], count: int) -> int:
        _, before = self._misses.pop(name, (miss, 0))
        self._misses[name] = (miss, before + count)
        if len(self._misses) > KEPT_MISSES:
            del self._misses[next(iter(self._misses))]
        return before + count


class BroadcastQuestion(Struct, frozen=True):
    """Asks all workers for their journals; with `reset` it also rewinds a session, or all of them if it is None."""

    reset: bool
    session: str | None


AskAll = Callable[[BroadcastQuestion], Awaitable[Journal]]
"""Asks the other workers; gives one journal for all of them, this one included."""
