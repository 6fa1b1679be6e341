"""Exchanges that may go on without their clients: one that has the part it asked for, or is gone, holds up nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from replaymock.draining import wait_while
from replaymock.http.messages import ResponseHead
from replaymock.http.rendered import RenderedResponse, ResponseSink

LINGER_SECONDS = 120.0
"""How long a whole is waited for once its client has what it wanted."""


class Detachable:
    """A client's connection that its exchange may outlive: nothing more is sent on it once it is over."""

    def __init__(self, out: ResponseSink) -> None:
        self.client = out.client
        self._out = out
        self._patience: asyncio.Timeout | None = None
        self.seconds = LINGER_SECONDS
        self.over = False

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Bounds what is done in it by `seconds` from when the client's part is over. TimeoutError."""
        async with asyncio.timeout(None) as patience:
            self._patience = patience
            try:
                yield
            finally:
                self._patience = None

    def leave(self) -> None:
        """Learns that the client has gone."""
        self._end()

    def need(self) -> None:
        """Has the exchange end with the client from now on, or at once where it has gone."""
        self.seconds = 0.0
        if self.over:
            self._hurry()

    def answer(self, answer: RenderedResponse) -> None:
        """Sends a whole answer."""
        if not self.over:
            self._out.answer(answer)

    def begin(self, head: ResponseHead, length: int | None) -> None:
        """Sends a head."""
        if not self.over:
            self._out.begin(head, length)

    def send_whole(self, head: ResponseHead, length: int | None, body: bytes) -> None:
        """Sends a head and its body."""
        if not self.over:
            self._out.send_whole(head, length, body)

    async def write(self, data: bytes) -> None:
        """Sends a piece of the body and waits until there is space for more."""
        if self.over:
            return
        try:
            await self._out.write(data)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._end()  # it is the client who has gone

    def finish(self) -> None:
        """Ends the body."""
        if not self.over:
            self._out.finish()
            self._end()

    def abort(self) -> None:
        """Cuts the body short."""
        if not self.over:
            self._out.abort()
            self._end()

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self._hurry()

    def _hurry(self) -> None:
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time() + self.seconds)


class Lingering:
    """The exchanges that may outlive their clients."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, out: ResponseSink, exchange: Callable[[Detachable], Awaitable[None]]) -> None:
        """Performs an exchange, and goes on with it where the client leaves meanwhile."""
        client = Detachable(out)
        task = asyncio.ensure_future(_performed(exchange, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            client.leave()
            raise

    async def drain(self, seconds: float, hurry: asyncio.Event | None = None) -> None:
        """Waits for what goes on, no longer than `seconds` or until `hurry`; gives up what is left."""
        await wait_while(lambda: bool(self._tasks), seconds, hurry)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _performed(exchange: Callable[[Detachable], Awaitable[None]], client: Detachable) -> None:
    await exchange(client)
