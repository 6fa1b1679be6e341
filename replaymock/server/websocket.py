"""From HTTP to WebSocket: takes the connection of a request that opens one from Tornado, to go on with bytes."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol

from tornado import iostream
from tornado.http1connection import HTTP1Connection

from replaymock.http.challenges import UNAUTHORIZED
from replaymock.http.messages import Request
from replaymock.http.rendered import RenderedResponse
from replaymock.http.websocket_frames import READ_BYTES, ByteStream, WebSocketOpening
from replaymock.server.client_connection import ClientConnection

GOODBYE_SECONDS = 3.0
"""How long open WebSockets have to close when the server ends."""

Fail = Callable[[Request, BaseException], RenderedResponse]
"""Gives the response after an exception."""


class RecordedWebSockets(Protocol):
    """The WebSockets in the cassettes."""

    def open(self, request: Request) -> WebSocketOpening | RenderedResponse | None:
        """The WebSocket that a request opens, or a response instead; None if upstream is asked."""


class UpstreamWebSockets(Protocol):
    """The WebSockets of the backends."""

    async def open(self, request: Request, client: Hashable) -> WebSocketOpening | RenderedResponse:
        """The WebSocket that a request opens, or a response instead. `client` is the connection it came on."""


class WebSocketUpgrades:
    """Opens WebSockets, and knows the open ones. On replay there is no `upstream`."""

    def __init__(self, recorded: RecordedWebSockets, upstream: UpstreamWebSockets | None, fail: Fail) -> None:
        self._recorded = recorded
        self._upstream = upstream
        self._fail = fail
        self._open: set[asyncio.Task[None]] = set()

    async def take(self, connection: HTTP1Connection, request: Request, out: ClientConnection) -> bool:
        """Opens a WebSocket on a connection and takes it over. False if it was answered with a response instead."""
        try:
            opened = self._recorded.open(request)
            if opened is None and self._upstream is not None:
                opened = await self._upstream.open(request, out.client)
        except Exception as error:
            # Whatever went wrong, the client gets a response and the user one line.
            opened = self._fail(request, error)
        if opened is None:
            raise RuntimeError("a mode that forwards needs an upstream")
        if isinstance(opened, RenderedResponse):
            if opened.status == UNAUTHORIZED:
                out.answer(opened)  # a login may go on, on this very connection
                return False
            out.close_after()
            out.answer(opened)
            out.received()
            return False
        stream = _UpgradedStream(connection.detach())
        task = asyncio.ensure_future(self._converse(request, stream, opened.head, opened.converse))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return True

    async def drain(self) -> None:
        """Closes the open WebSockets, with the status for a server that goes away."""
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


class _UpgradedStream(ByteStream):
    """A client's connection after its upgrade."""

    def __init__(self, stream: iostream.IOStream) -> None:
        stream.set_nodelay(True)
        self._stream = stream

    async def read(self) -> bytes:
        """The bytes that have come; empty at the end, also if the connection broke."""
        try:
            return await self._stream.read_bytes(READ_BYTES, partial=True)
        except iostream.StreamClosedError:
            return b""

    async def write(self, data: bytes) -> None:
        """Sends, and waits until the connection has taken it."""
        try:
            await self._stream.write(data)
        except iostream.StreamClosedError:
            return

    def end(self) -> None:
        """Ends the sending side."""
        if not self._stream.closed():
            self._stream.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Closes the connection."""
        self._stream.close()
