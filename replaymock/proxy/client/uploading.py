"""A request on its way upstream, while its answer may already be coming."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from replaymock.http.headers import Headers, get, has
from replaymock.proxy.client.connection import UpstreamConnection

_SETTLES_SECONDS = 1.0


class RequestUpload:
    """Sends a head and the body after it, in a task of its own; what goes wrong is told to who reads the answer."""

    def __init__(self, wire: UpstreamConnection, head: bytes, body: AsyncIterator[bytes], headers: Headers) -> None:
        # What is left to be sent; None for chunks, whose end only the caller knows.
        self._left = None if has(headers, "transfer-encoding") else int(get(headers, "content-length"))
        self._wire = wire
        self._finished = False
        wire.uploading = True
        self._task = asyncio.ensure_future(self._run(head, body))
        self._task.add_done_callback(self._tell)

    @property
    def whole(self) -> bool:
        """Whether all of the body has been sent."""
        return self._finished or self._left == 0

    async def settle(self) -> None:
        """Lets a body whose last byte is sent come to its end."""
        if self.whole:
            await self.linger(_SETTLES_SECONDS)

    async def linger(self, seconds: float | None) -> None:
        """Waits until the body has been read to its end, no longer than some seconds where any are given."""
        if not self._task.done():
            await asyncio.wait({self._task}, timeout=seconds)

    def cancel(self) -> None:
        """Sends no more."""
        self._task.cancel()

    async def _run(self, head: bytes, body: AsyncIterator[bytes]) -> None:
        self._wire.hold(head)
        async for piece in body:
            if piece:
                self._wire.send(self._framed(piece))
                await self._wire.room()
            if self._left == 0:
                self._wire.sent()
        if self._left:
            raise httpx.LocalProtocolError("its body is shorter than its Content-Length")
        if self._left is None:
            self._wire.send(b"0\r\n\r\n")
        self._finished = True
        self._wire.sent()

    def _framed(self, piece: bytes) -> bytes:
        if self._left is None:
            return b"%x\r\n%b\r\n" % (len(piece), piece)
        self._left -= len(piece)
        if self._left < 0:
            raise httpx.LocalProtocolError("its body is longer than its Content-Length")
        return piece

    def _tell(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._wire.fail(error)


def has_body(headers: Headers) -> bool:
    """Whether a request is sent with a body (RFC 9112 section 6.3)."""
    return has(headers, "transfer-encoding") or get(headers, "content-length", "0") != "0"
