"""httpx's own transport, for what ours does not speak: HTTP/2, and the ways through a proxy.

One exchange at a time over each of httpx's transports, which has one connection then: an exchange that is given up ends
with its connection, as in HTTP/1.1, so that upstream learns of it and no other exchange suffers. A shared one of
httpcore 1.0.9 resets no stream of HTTP/2 that is given up, until no more can be opened; loses the frames of others
where a write is cancelled; has each stream wait for the end of another where a server sets no limit; and loses sockets
of SOCKS connections that fail or are cancelled while they are made.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Hashable, Mapping
from typing import Protocol, cast

import httpx

from replaymock.http import challenges
from replaymock.proxy.client.httpx_messages import CLIENT, head_of, message_of, origin_of
from replaymock.proxy.client.kept_connections import KeptConnections

CLOSE_SECONDS = 1.0
"""How long a call may take to notice that its socket was closed."""
_SOCKS = "socks.setup_socks5_connection."


class StockTransport(httpx.AsyncBaseTransport):
    """Connections of httpx, each by a transport that `make` gives. Idle ones are kept for `keepalive` seconds.

    A client that logs in on its connection has connections of its own from then on. A proxy that speaks SOCKS has
    `connect_timeout` seconds to open a way.
    """

    def __init__(self, make: Callable[[], httpx.AsyncHTTPTransport], connect_timeout: float, keepalive: float) -> None:
        self._make = make
        self._connect_timeout = connect_timeout
        self._kept: KeptConnections[StockConnection] = KeptConnections(keepalive)
        self._open: set[StockConnection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response to a request as soon as its head has come. httpx's errors, also while its body is read."""
        origin, client = origin_of(request), request.extensions.get(CLIENT)
        is_owned = self._kept.has_own(origin, client) or challenges.is_login(message_of(request).headers)
        connection = self._kept.own(origin, client) if is_owned else self._kept.take(origin)
        if connection is None:
            connection = self._connection(origin)
            if is_owned:
                self._kept.make_own(connection, origin, client)
        response = await connection.send(request)
        head = head_of(response)
        if challenges.is_challenge(head.status, head.headers):
            self._kept.make_own(connection, origin, client)

        def keep(used: StockConnection = connection) -> None:
            self._kept.keep(used, origin, client)

        body = _StockBody(response, connection, keep)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=body, extensions=response.extensions
        )

    def hand_on(self, _origin: str, _client: Hashable) -> None:
        """None: its connections cannot be spoken on by others."""

    def left(self, client: Hashable) -> None:
        """Learns that a client is gone; its connections end with it."""
        self._kept.left(client)

    async def aclose(self) -> None:
        """Closes every connection."""
        self._kept.stop()
        await asyncio.gather(*(connection.close() for connection in list(self._open)))

    def _connection(self, origin: str) -> "StockConnection":
        connection = StockConnection(self._make(), self._connect_timeout, lambda gone: self._forget(origin, gone))
        self._open.add(connection)
        return connection

    def _forget(self, origin: str, connection: "StockConnection") -> None:
        self._open.discard(connection)
        self._kept.forget(connection, origin)


class _Socket(Protocol):
    """What httpcore calls a network stream."""

    async def aclose(self) -> None: ...
    def get_extra_info(self, info: str) -> object: ...


class StockConnection:
    """One of httpx's transports, for one exchange after the other; `lost` is called once it is closed."""

    def __init__(
        self,
        transport: httpx.AsyncHTTPTransport,
        connect_timeout: float,
        lost: "Callable[[StockConnection], None]",
    ) -> None:
        self._transport = transport
        self._connect_timeout = connect_timeout
        self._lost = lost
        self._socket: _Socket | None = None
        self._call: asyncio.Task[httpx.Response] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._socks_timer: asyncio.TimerHandle | None = None
        self._is_in_socks = False
        self._has_sent_head = False
        self._has_timed_out = False
        self.idle_since = 0.0
        self.is_busy = False
        self.is_owned = False

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The response to a request. Cancelled, it is not the call that is cancelled: its socket is closed."""
        self.is_busy = True
        self._has_sent_head = False
        request.extensions["trace"] = self._trace
        self._call = asyncio.ensure_future(self._transport.handle_async_request(request))
        try:
            return await asyncio.shield(self._call)
        except Exception as error:
            self.abort()
            if self._has_timed_out:
                raise httpx.ConnectTimeout("the proxy did not open a way") from error
            if self._is_in_socks and isinstance(error, httpx.NetworkError):
                raise httpx.ProxyError("the proxy closed the connection") from error
            if self._is_in_socks and not isinstance(error, httpx.TransportError):
                # What is no SOCKS5 comes as errors of socksio, or as failed assertions.
                raise httpx.ProxyError(f"the proxy's answer is not understood: {error!r}") from error
            if self._has_sent_head and isinstance(error, httpx.LocalProtocolError):
                raise httpx.RemoteProtocolError(str(error)) from error  # httpcore takes all errors of h2 for ours
            raise
        except asyncio.CancelledError as error:
            self.abort()
            task = asyncio.current_task()
            if self._call.cancelled() and task is not None and not task.cancelling():
                raise httpx.ReadError("the connection was closed") from error
            raise

    def release(self) -> None:
        """Learns that the exchange has ended well."""
        self.is_busy = False
        self.idle_since = asyncio.get_running_loop().time()

    def become_owned(self) -> None:
        """Makes it one client's own."""
        self.is_owned = True

    def is_quiet(self) -> bool:
        """Whether nothing waits to be read, not even the news that upstream has closed."""
        return self._socket is not None and not self._socket.get_extra_info("is_readable")

    def abort(self) -> None:
        """Closes it, in a task of its own."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())

    async def close(self) -> None:
        """Closes it."""
        self.abort()
        if self._closing is not None:
            await asyncio.shield(self._closing)

    async def _close(self) -> None:
        try:
            if self._call is not None:
                await self._end(self._call)
            await self._transport.aclose()
            if self._socket is not None:
                await self._socket.aclose()
        finally:
            self._lost(self)

    async def _end(self, call: "asyncio.Task[httpx.Response]") -> None:
        """Ends a call that may be under way, by its socket: a call that is cancelled can leave that open."""
        if self._socket is None:
            call.cancel()
        elif not call.done():
            await self._socket.aclose()
            await asyncio.wait({call}, timeout=CLOSE_SECONDS)
            call.cancel()
        (response,) = await asyncio.gather(call, return_exceptions=True)
        if isinstance(response, httpx.Response):
            await response.aclose()

    async def _trace(self, event: str, info: Mapping[str, object]) -> None:
        """Learns from httpcore of the socket, and sets a limit to what it waits for without one."""
        if event.endswith(".connect_tcp.complete"):
            self._socket = cast(_Socket, info["return_value"])
        elif event == "http2.send_request_headers.complete":
            self._has_sent_head = True
        elif event == f"{_SOCKS}started":
            self._is_in_socks = True
            loop = asyncio.get_running_loop()
            self._socks_timer = loop.call_later(self._connect_timeout, self._time_out)
        elif event.startswith(_SOCKS) and self._socks_timer is not None:
            self._is_in_socks = event.endswith("failed")
            self._socks_timer.cancel()

    def _time_out(self) -> None:
        self._has_timed_out = True
        self.abort()


class _StockBody(httpx.AsyncByteStream):
    """The body of an answer; read to its end, its connection is given back by `keep`."""

    def __init__(self, response: httpx.Response, connection: StockConnection, keep: Callable[[], None]) -> None:
        self._response = response
        self._connection = connection
        self._keep = keep
        self._is_whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in cast("AsyncIterable[bytes]", self._response.stream):
                yield piece
        except httpx.TransportError:
            raise
        except Exception as error:
            # httpcore lets errors of h2 through here.
            raise httpx.RemoteProtocolError(str(error) or type(error).__name__) from error
        self._is_whole = True

    async def aclose(self) -> None:
        """Ends the exchange; its connection is kept where its answer was read to the end."""
        if not self._is_whole:
            self._connection.abort()
            return
        await self._response.aclose()
        self._connection.release()
        self._keep()
