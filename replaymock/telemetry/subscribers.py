"""Subscribers that come and go during a run, such as open pages: each reads the events since it last asked.

Events that a subscriber does not fetch in time are dropped and counted. Requests are not stored a second time, as the
journal has them: while nobody subscribes, they cost nothing here.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from replaymock.telemetry.events import (
    Broken,
    Dropped,
    Emit,
    Event,
    MissOccurred,
    Recorded,
    Reloaded,
    Warned,
)
from replaymock.telemetry.journal import KEPT_REQUESTS, Journal

MOST_SUBSCRIBERS = 32
MOST_EVENTS = 1000
"""How many events wait for one subscriber."""

_PASSED_ON = (MissOccurred, Recorded, Reloaded, Broken, Warned)


class Subscriber:
    """One reader of the events from now on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._requests = journal.total
        self._events: deque[Event] = deque()
        self._dropped = 0

    def add(self, event: Event) -> None:
        """Keeps an event until it is fetched, unless too many wait already."""
        if len(self._events) < MOST_EVENTS:
            self._events.append(event)
        else:
            self._dropped += 1

    def take_new(self) -> Iterator[Event]:
        """The events since the last call: requests first, at the end how many were dropped."""
        total, events, dropped = self._journal.total, self._events, self._dropped
        requests = total - self._requests
        self._requests, self._events, self._dropped = total, deque(), 0
        dropped += max(requests - KEPT_REQUESTS, 0)
        yield from self._journal.latest(min(requests, KEPT_REQUESTS))
        yield from events
        if dropped:
            yield Dropped(dropped)


class EventSubscribers:
    """Passes each event on to `emit`, and those that are no requests to all subscribers."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._subscribers: list[Subscriber] = []

    def __len__(self) -> int:
        return len(self._subscribers)

    def emit(self, event: Event) -> None:
        """Passes an event on."""
        self._emit(event)
        if self._subscribers and isinstance(event, _PASSED_ON):
            for subscriber in self._subscribers:
                subscriber.add(event)

    @property
    def is_full(self) -> bool:
        """Whether there are as many subscribers as are allowed."""
        return len(self._subscribers) >= MOST_SUBSCRIBERS

    @contextmanager
    def subscribe(self, journal: Journal) -> Iterator[Subscriber]:
        """One more subscriber, until the context is left. Its requests come from the journal."""
        subscriber = Subscriber(journal)
        self._subscribers.append(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.remove(subscriber)
