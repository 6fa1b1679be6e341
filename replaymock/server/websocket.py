"""From HTTP to WebSocket: the connection of a request that opens one is taken from Tornado and spoken on as bytes."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from tornado import iostream
from tornado.http1connection import HTTP1Connection

from replaymock.http.challenges import UNAUTHORIZED
from replaymock.http.messages import Request
from replaymock.http.rendered import RenderedResponse
from replaymock.http.websocket_frames import READ_BYTES, ByteStream
from replaymock.replay.websocket import WebSocketReplay
from replaymock.server.client_connection import ClientConnection

GOODBYE_SECONDS = 3.0
"""How long open WebSockets have to close when the server ends."""

Fail = Callable[[Request, BaseException], RenderedResponse]
"""The answer after a fault of this program."""


class WebSocketUpgrades:
    """The WebSockets that are open."""

    def __init__(self, sockets: WebSocketReplay, fail: Fail) -> None:
        self._sockets = sockets
        self._fail = fail
        self._open: set[asyncio.Task[None]] = set()

    async def take(self, connection: HTTP1Connection, request: Request, version: str, out: ClientConnection) -> bool:
        """Opens a WebSocket on a connection and takes it over; False where it was answered instead."""
        try:
            opened = await self._sockets.open(request, version, out.client)
        except Exception as error:
            # The caller gets an answer and the user one line, whatever went wrong.
            opened = self._fail(request, error)
        if isinstance(opened, RenderedResponse):
            if opened.status == UNAUTHORIZED:
                out.answer(opened)  # a login may hold for this connection, and be gone on with
                return False
            out.close_after()
            out.answer(opened)
            out.received()
            return False
        stream = _Connection(connection.detach())
        task = asyncio.ensure_future(self._converse(request, stream, opened.head, opened.converse))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return True

    async def drain(self) -> None:
        """Closes what is open, telling that this server is going away."""
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open, timeout=GOODBYE_SECONDS)

    async def _converse(
        self, request: Request, stream: ByteStream, head: bytes, converse: Callable[[ByteStream], Awaitable[None]]
    ) -> None:
        try:
            await stream.write(head)
            await converse(stream)
        except Exception as error:
            self._fail(request, error)
        finally:
            stream.close()


class _Connection(ByteStream):
    """The caller's connection."""

    def __init__(self, stream: iostream.IOStream) -> None:
        stream.set_nodelay(True)
        self._stream = stream

    async def read(self) -> bytes:
        """What has come; empty at the end, however it came about."""
        try:
            return await self._stream.read_bytes(READ_BYTES, partial=True)
        except iostream.StreamClosedError:
            return b""

    async def write(self, data: bytes) -> None:
        """Sends, and waits until there is room for more."""
        try:
            await self._stream.write(data)
        except iostream.StreamClosedError:
            return

    def end(self) -> None:
        """Sends no more."""
        if not self._stream.closed():
            self._stream.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Closes both ways."""
        self._stream.close()
