"""Who listens to a run while it goes on: events are passed on to where they are told anyway, and kept for listeners.

What a listener does not fetch in time is dropped and counted. Requests are not kept a second time: the journal has
them, so that nobody pays for a listener who is not there.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from replaymock.telemetry.journal import KEPT_REQUESTS, Journal, Report

MOST_LISTENERS = 32
MOST_KEPT = 1000
TOLD = frozenset(("miss", "recorded", "reloaded", "broken", "warning"))

Event = tuple[str, dict[str, Any]]
"""The name of an event and its members."""


class Listener:
    """One who listens from now on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._requests = journal.total
        self._events: deque[Event] = deque()
        self._dropped = 0

    def add(self, event: str, members: dict[str, Any]) -> None:
        """Keeps an event until it is fetched, unless too many are kept already."""
        if len(self._events) < MOST_KEPT:
            self._events.append((event, members))
        else:
            self._dropped += 1

    def news(self) -> Iterator[Event]:
        """What happened since this was last asked: requests first, at the end how much was dropped."""
        total, events, dropped = self._journal.total, self._events, self._dropped
        happened = total - self._requests
        self._requests, self._events, self._dropped = total, deque(), 0
        dropped += max(happened - KEPT_REQUESTS, 0)
        yield from (("request", request) for request in self._journal.requests(min(happened, KEPT_REQUESTS)))
        yield from ((event, _without_text(members)) for event, members in events)
        if dropped:
            yield "dropped", {"count": dropped}


class EventSubscribers:
    """Those who listen, and the `report` by which all others are told."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._open: list[Listener] = []

    def __len__(self) -> int:
        return len(self._open)

    def report(self, event: str, members: dict[str, Any]) -> None:
        """Tells of an event."""
        self._report(event, members)
        if event in TOLD:
            for listener in self._open:
                listener.add(event, members)

    @property
    def are_many(self) -> bool:
        """Whether there should be no more."""
        return len(self._open) >= MOST_LISTENERS

    @contextmanager
    def joined(self, journal: Journal) -> Iterator[Listener]:
        """One more listener, until it is left."""
        listener = Listener(journal)
        self._open.append(listener)
        try:
            yield listener
        finally:
            self._open.remove(listener)


def _without_text(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name != "text"}
