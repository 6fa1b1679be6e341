"""Connections kept alive between exchanges, and one exchange over one of them.

It takes the place of httpx's own pool, whose cost per request grows with the number of connections, and raises the
same errors.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Hashable

import httpx

from replaymock.http import challenges
from replaymock.http.headers import TOKEN, Headers, get, has_body, is_chunked
from replaymock.http.messages import Request, ResponseHead
from replaymock.proxy.client.connection import Timeouts, UpstreamConnection
from replaymock.proxy.client.dialer import Dialer
from replaymock.proxy.client.kept_connections import KeptConnections

# An upload that upstream has answered already is still read to its end for a moment, so that it can be recorded.
LINGER_SECONDS = 2.0
_SETTLES_SECONDS = 1.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class ConnectionPool:
    """Connections to any number of origins. Idle ones are kept for `keepalive` seconds, owned ones while they last."""

    def __init__(self, dialer: Dialer, timeouts: Timeouts, keepalive: float) -> None:
        self._dialer = dialer
        self._timeouts = timeouts
        self._kept: KeptConnections[UpstreamConnection] = KeptConnections(keepalive)
        self._open: set[UpstreamConnection] = set()

    async def send(
        self,
        origin: str,
        request: Request,
        body: AsyncIterator[bytes],
        client: Hashable | None = None,
        timeouts: Timeouts | None = None,
    ) -> "UpstreamBody":
        """The answer to a request as soon as its head has come; its body is still to come.

        It is sent once more where a kept connection turns out to be gone, nothing of an answer has come, and doing it
        twice does no harm (RFC 9110 section 9.2.2).
        """
        exchange = _PoolExchange(origin, request, body, client, timeouts or self._timeouts)
        is_owned = self._kept.has_own(origin, client) or challenges.is_login(request.headers)
        connection = self._kept.own(origin, client) if is_owned else self._kept.take(origin)
        if connection is not None:
            try:
                return await self._perform(exchange, connection)
            except (httpx.ReadError, httpx.RemoteProtocolError):
                if not exchange.may_be_repeated or connection.has_answered:
                    raise
        connection = await self._connect(origin, exchange.timeouts)
        if is_owned:
            self._kept.make_own(connection, origin, client)
        return await self._perform(exchange, connection)

    def hand_on(self, origin: str, client: Hashable) -> Streams | None:
        """The connection to an origin that is this client's own, which then is spoken on by who gets it."""
        connection = self._kept.give_away(origin, client)
        return connection.hand_on() if connection is not None else None

    def left(self, client: Hashable) -> None:
        """Learns that a client is gone; its connections end with it."""
        self._kept.left(client)

    async def aclose(self) -> None:
        """Closes every connection."""
        self._kept.stop()
        for connection in list(self._open):
            connection.abort()
        await asyncio.sleep(0)

    async def _perform(self, exchange: "_PoolExchange", connection: UpstreamConnection) -> "UpstreamBody":
        upload: RequestUpload | None = None
        try:
            connection.begin(exchange.request.method, exchange.timeouts)
            if exchange.has_body:
                upload = RequestUpload(connection, exchange.head, exchange.body, exchange.request.headers)
            else:
                connection.send(exchange.head)
                await read_empty(exchange.body)
            head = await connection.head()
            if upload is not None:
                await upload.settle()
        except BaseException:
            if upload is not None:
                upload.cancel()
            connection.abort()
            raise
        origin, client = exchange.origin, exchange.client
        if challenges.is_challenge(head.status, head.headers):
            self._kept.make_own(connection, origin, client)
        return UpstreamBody(head, connection, upload, lambda: self._kept.keep(connection, origin, client))

    async def _connect(self, origin: str, timeouts: Timeouts) -> UpstreamConnection:
        connection = await self._dialer.open(
            origin, lambda: UpstreamConnection(lambda gone: self._forget(origin, gone)), timeouts.connect
        )
        if connection.open:
            self._open.add(connection)
        return connection

    def _forget(self, origin: str, connection: UpstreamConnection) -> None:
        self._open.discard(connection)
        self._kept.forget(connection, origin)


class _PoolExchange:
    """What is sent, to whom and for whom."""

    __slots__ = ("body", "client", "has_body", "head", "origin", "request", "timeouts")

    def __init__(
        self, origin: str, request: Request, body: AsyncIterator[bytes], client: Hashable | None, timeouts: Timeouts
    ) -> None:
        self.origin = origin
        self.request = request
        self.body = body
        self.client = client
        self.timeouts = timeouts
        self.head = request_head(request)
        self.has_body = has_body(request.headers)

    @property
    def may_be_repeated(self) -> bool:
        """Whether it can be sent twice, and doing so does no harm."""
        return not self.has_body and self.request.method in _IDEMPOTENT


class UpstreamBody(httpx.AsyncByteStream):
    """The body of an answer as it comes over one connection, which `keep` takes back. `head` is as it was sent."""

    def __init__(
        self,
        head: ResponseHead,
        connection: UpstreamConnection,
        upload: "RequestUpload | None",
        keep: Callable[[], None],
    ) -> None:
        self.head = head
        self.read = connection.read
        self.whole = connection.whole
        self._connection = connection
        self._upload = upload
        self._keep = keep
        # Upstream has answered without the whole request: whatever it does with the rest, the next one gets its own.
        self._is_early = upload is not None and not upload.is_whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self.read():
            yield piece

    async def aclose(self) -> None:
        """Ends the exchange; its connection is kept where both messages ended cleanly."""
        if self._upload is not None and self._connection.has_ended and self._connection.is_owned:
            # Half a request would end the connection, and the login with it.
            await self._upload.linger(None)
            self._is_early = not self._upload.is_whole
        elif self._upload is not None and self._connection.has_ended and self.head.status < _FIRST_ERROR:
            await self._upload.linger(LINGER_SECONDS)
        if self._connection.release() and not self._is_early:
            self._keep()
        else:
            await self.abort()

    async def abort(self) -> None:
        """Gives the exchange up."""
        if self._upload is not None:
            self._upload.cancel()
        self._connection.abort()


class RequestUpload:
    """Sends a head and the body after it, in a task of its own; what goes wrong is raised to who reads the answer."""

    def __init__(
        self, connection: UpstreamConnection, head: bytes, body: AsyncIterator[bytes], headers: Headers
    ) -> None:
        # What is left to be sent; None for chunks, whose end only the client knows.
        self._left = None if is_chunked(headers) else int(get(headers, "content-length"))
        self._connection = connection
        self._has_finished = False
        connection.begin_upload()
        self._task = asyncio.ensure_future(self._run(head, body))
        self._task.add_done_callback(self._report)

    @property
    def is_whole(self) -> bool:
        """Whether all of the body has been sent."""
        return self._has_finished or self._left == 0

    async def settle(self) -> None:
        """Lets a body whose last byte is sent come to its end."""
        if self.is_whole:
            await self.linger(_SETTLES_SECONDS)

    async def linger(self, seconds: float | None) -> None:
        """Waits until the body has been read to its end, no longer than some seconds where any are given."""
        if not self._task.done():
            await asyncio.wait({self._task}, timeout=seconds)

    def cancel(self) -> None:
        """Sends no more."""
        self._task.cancel()

    async def _run(self, head: bytes, body: AsyncIterator[bytes]) -> None:
        self._connection.send_head_coalesced(head)
        async for piece in body:
            if piece:
                self._connection.send(self._framed(piece))
                await self._connection.drain()
            if self._left == 0:
                self._connection.end_upload()
        if self._left:
            raise httpx.LocalProtocolError("its body is shorter than its Content-Length")
        if self._left is None:
            self._connection.send(b"0\r\n\r\n")
        self._has_finished = True
        self._connection.end_upload()

    def _framed(self, piece: bytes) -> bytes:
        if self._left is None:
            return b"%x\r\n%b\r\n" % (len(piece), piece)
        self._left -= len(piece)
        if self._left < 0:
            raise httpx.LocalProtocolError("its body is longer than its Content-Length")
        return piece

    def _report(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._connection.fail(error)


def request_head(request: Request) -> bytes:
    """The head of a request, nothing added. httpx.LocalProtocolError where something in it would change its meaning."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in request.headers])
    head = f"{request.method} {request.target} HTTP/1.1\r\n{fields}\r\n"
    if not _HEAD.fullmatch(head) or head.count("\n") != len(request.headers) + 2:
        raise httpx.LocalProtocolError("it holds characters that a request head cannot")
    return head.encode("latin-1")


async def read_empty(body: AsyncIterator[bytes]) -> None:
    """Reads a body that nothing announces to its end. httpx.LocalProtocolError where it is not empty."""
    async for piece in body:
        if piece:
            raise httpx.LocalProtocolError("it has a body, but neither a length nor chunks")


_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))
_FIRST_ERROR = 400
_HEAD = re.compile(rf"{TOKEN.pattern} [!-~]+ HTTP/1\.1\r\n(?:{TOKEN.pattern}: [^\0\r\n]*+\r\n)*\r\n")
