"""Exchanges are taken one after another, in a line; what is large is made ready in a thread first.

While one is made ready, those behind it wait, and requests are answered: nothing that is shared changes in the thread.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

Ready = TypeVar("Ready")


@dataclass(frozen=True, slots=True)
class _Place(Generic[Ready]):
    ahead: Callable[[], Callable[[], Ready] | None]
    take: Callable[[Future[Ready] | None], None]


class Line(Generic[Ready]):
    """Who waits to be taken."""

    def __init__(self) -> None:
        self._places: deque[_Place[Ready]] = deque()
        self._under_way: Future[Ready] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="line")

    def join(
        self, ahead: Callable[[], Callable[[], Ready] | None], take: Callable[[Future[Ready] | None], None]
    ) -> None:
        """Has `take` called when all before it are taken: with what became of the work that `ahead` had to give.

        `ahead` is asked when it is next in line; it gives None where there is nothing to do first.
        """
        self._places.append(_Place(ahead, take))
        if len(self._places) == 1:
            self._go_on()

    def settle(self) -> None:
        """Waits until everything is taken."""
        while self._under_way:
            wait([self._under_way])
            self._taken(self._under_way)

    def _go_on(self) -> None:
        while self._places:
            place = self._places[0]
            work = place.ahead()
            if work:
                self._begin(work)
                return
            self._places.popleft()
            place.take(None)

    def _begin(self, work: Callable[[], Ready]) -> None:
        loop = asyncio.get_running_loop()
        self._under_way = self._thread.submit(work)
        self._under_way.add_done_callback(lambda done: loop.call_soon_threadsafe(self._taken, done))

    def _taken(self, done: Future[Ready]) -> None:
        if done is not self._under_way:
            return  # the end of the run did not wait to be told
        self._under_way = None
        place = self._places.popleft()
        try:
            place.take(done)
        finally:
            self._go_on()
