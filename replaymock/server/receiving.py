"""A request body between the caller who sends it and upstream who reads it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

QUEUED_PIECES = 8


class RequestBodyQueue:
    """A request body on its way from the client to upstream, a few pieces at a time, behind those that are there."""

    def __init__(self, there: Iterable[bytes] = ()) -> None:
        self._there = deque(there)
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED_PIECES)
        self._closed = False

    async def put(self, piece: bytes) -> None:
        """Takes a piece, once there is room for it."""
        if not self._closed:
            await self._queue.put(piece)

    def end(self) -> None:
        """Learns that the body is whole."""
        if not self._closed:
            self._ending = asyncio.ensure_future(self._queue.put(None))

    def close(self) -> None:
        """Takes no more; whoever waits for room goes on."""
        self._closed = True
        while not self._queue.empty():
            self._queue.get_nowait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces as they come, to the end."""
        while self._there:
            yield self._there.popleft()
        while not self._closed:
            piece = await self._queue.get()
            if piece is None:
                return
            yield piece


async def whole(body: bytes) -> AsyncIterator[bytes]:
    """A body that is there already, as one piece."""
    if body:
        yield body
