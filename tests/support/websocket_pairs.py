"""Two ends of a WebSocket in one process."""

import asyncio

from replaymock.http.websocket_frames import ByteStream, Closed, Event, Ping, WebSocketConnection

LIMIT = 1000


class Pipe(ByteStream):
    """One end of a connection in memory, which is read slowly if nobody reads."""

    def __init__(self) -> None:
        self.far: Pipe = self
        self.unread: asyncio.Queue[bytes] = asyncio.Queue(4)

    async def read(self) -> bytes:
        return await self.unread.get()

    async def write(self, data: bytes) -> None:
        await self.far.unread.put(data)

    def end(self) -> None:
        self.close()

    def close(self) -> None:
        for pipe in (self, self.far):
            if not pipe.unread.full():
                pipe.unread.put_nowait(b"")


def pair() -> tuple[WebSocketConnection, WebSocketConnection]:
    """A client and its server."""
    one, other = Pipe(), Pipe()
    one.far, other.far = other, one
    return WebSocketConnection(one, None, LIMIT, is_client=True), WebSocketConnection(
        other, None, LIMIT, is_client=False
    )


async def until_closed(side: WebSocketConnection) -> list[Event]:
    found = []
    async for event in side.events():
        found.append(event)
        if isinstance(event, Ping):
            await side.pong(event.payload)
        if isinstance(event, Closed):
            await side.close(event.code, event.reason)
    return found
