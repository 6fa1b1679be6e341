"""What is done one after another, in a line; what takes long of it is done in a thread.

While one is under way, those behind it wait, and requests are answered: nothing that is shared changes in the thread.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

Steps = Generator[Callable[[], Any], Any, None]
"""What one in the line does: each piece of work it yields is done in the thread, and what came of it is sent back."""


class Line:
    """Who waits to be served, and whose turn it is."""

    def __init__(self) -> None:
        self._places: deque[Steps] = deque()
        self._under_way: Future[Any] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="line")

    def join(self, steps: Steps) -> None:
        """Has these steps done when all before them are; at once where nobody waits."""
        self._places.append(steps)
        if len(self._places) == 1:
            self._go_on()

    def settle(self) -> None:
        """Waits until everything is done."""
        while self._under_way:
            wait([self._under_way])
            self._done(self._under_way)

    def _go_on(self, done: Future[Any] | None = None) -> None:
        while self._places:
            try:
                work = _next_work(self._places[0], done)
            except BaseException:
                self._places.popleft()
                self._go_on()
                raise
            if work:
                self._begin(work)
                return
            self._places.popleft()
            done = None

    def _begin(self, work: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()
        self._under_way = self._thread.submit(work)
        self._under_way.add_done_callback(lambda done: loop.call_soon_threadsafe(self._done, done))

    def _done(self, done: Future[Any]) -> None:
        if done is self._under_way:  # or the end of the run did not wait to be told
            self._under_way = None
            self._go_on(done)


def _next_work(steps: Steps, done: Future[Any] | None) -> Callable[[], Any] | None:
    """What is to be done next in the thread; None where the steps are at their end."""
    error = done.exception() if done else None
    try:
        return steps.throw(error) if error else steps.send(done.result() if done else None)
    except StopIteration:
        return None
