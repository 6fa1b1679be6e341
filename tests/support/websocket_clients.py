"""Clients that open a WebSocket."""

from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.sockets import talk

Client = Callable[[ClientConnection], Awaitable[Any]]


def as_client(url: str, client: Client, path: str = "/ws", **options: Any) -> Any:
    async def conversation() -> Any:
        async with connect(url.replace("http:", "ws:", 1) + path, max_size=None, **options) as connection:
            return await client(connection)

    return talk(conversation())
