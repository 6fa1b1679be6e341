"""The real backends: which one is asked, and what is said when it does not answer.

Requests go out byte for byte; responses come back as they are, still in their content coding.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx

from replaymock.errors import RequestRefused
from replaymock.http import challenges
from replaymock.http.messages import Request, StreamingResponse
from replaymock.proxy.client.dialer import DialedConnection, Dialer, tls_context
from replaymock.proxy.client.pool import ConnectionPool, Transport, UpstreamResponse
from replaymock.proxy.client.proxied import Proxied
from replaymock.proxy.errors import translate_errors
from replaymock.proxy.options import UpstreamOptions
from replaymock.proxy.routes import Upstream
from replaymock.proxy.websocket import WebSocketReply, open_websocket

# How many requests are upstream at once; more wait their turn. A caller whose body is slow in coming holds a place, so
# there are places for more of them than a browser or a careless program has connections.
IN_FLIGHT = 2000
# Idle connections are dropped before servers that close after five seconds can race with the next request.
KEEPALIVE_SECONDS = 2.0


class Upstreams:
    """Every upstream of a run behind one transport."""

    def __init__(self, options: UpstreamOptions) -> None:
        self._options = options
        self._upstreams = sorted(options.upstreams, key=lambda upstream: -len(upstream.prefix))
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        tls = tls_context(options)
        self._dialer = Dialer(tls, options.connect_timeout, options.proxy)
        self._transport = _choose(options, self._dialer, tls)
        # By client and origin: what a request for a WebSocket was asked on to log in.
        self._logging_in: dict[Hashable, dict[str, DialedConnection]] = {}

    def route(self, path: str) -> Upstream | None:
        """The upstream with the longest prefix of whole segments that `path` begins with."""
        for upstream in self._upstreams:
            if not upstream.prefix or path == upstream.prefix or path.startswith(f"{upstream.prefix}/"):
                return upstream
        return None

    @asynccontextmanager
    async def send(
        self, upstream: Upstream, request: Request, body: AsyncIterator[bytes], client: Hashable | None = None
    ) -> AsyncIterator[StreamingResponse]:
        """The response to a request whose body comes from `body`. UpstreamError also while its chunks are read.

        `client` is the connection it came on, with which a login on the connection upstream is not shared by others.
        """
        outgoing = replace(request, target=_target(upstream, request))
        async with self._slots:
            with translate_errors(upstream, self._options):
                reply = await self._transport.ask(upstream.origin, outgoing, body, client)
            try:
                head, whole = reply.head, reply.whole()
                chunks = self._chunks(reply, upstream) if whole is None else _one(whole)
                yield StreamingResponse(head.status, head.reason, head.headers, chunks, whole)
            except BaseException:
                await reply.abort()
                raise
            await reply.end()

    async def open(self, upstream: Upstream, request: Request, limit: int, client: Hashable) -> WebSocketReply:
        """The answer to a request for a WebSocket, over the connection the client has logged in on. UpstreamError."""
        outgoing = replace(request, target=_target(upstream, request))
        with translate_errors(upstream, self._options):
            connection = self._own(upstream.origin, client) or await self._dialer.dial(upstream.origin)
            try:
                async with asyncio.timeout(self._options.read_timeout):
                    answered = await open_websocket(connection, outgoing, limit)
            except TimeoutError as error:
                raise httpx.ReadTimeout(str(error)) from error
            except OSError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
        if answered.connection and challenges.is_offered(answered.response.status, answered.response.headers):
            self._logging_in.setdefault(client, {})[upstream.origin] = answered.connection
        elif answered.connection:
            answered.connection.close()
        return answered

    def left(self, client: Hashable) -> None:
        """Learns that a client's connection is closed."""
        self._transport.left(client)
        for connection in self._logging_in.pop(client, {}).values():
            connection.close()

    async def aclose(self) -> None:
        """Closes every connection."""
        for client in list(self._logging_in):
            self.left(client)
        await self._transport.aclose()

    async def _chunks(self, reply: UpstreamResponse, upstream: Upstream) -> AsyncIterator[bytes]:
        with translate_errors(upstream, self._options):
            while piece := await reply.read():
                yield piece

    def _own(self, origin: str, client: Hashable) -> DialedConnection | None:
        """The connection to an origin that a client has logged in on, or is about to."""
        connection = self._logging_in.get(client, {}).pop(origin, None)
        if connection and connection.is_open:
            return connection
        streams = self._transport.hand_on(origin, client)
        return DialedConnection(*streams) if streams else None


def _choose(options: UpstreamOptions, dialer: Dialer, tls: ssl.SSLContext) -> Transport:
    timeouts = {"connect": options.connect_timeout, "read": options.read_timeout, "write": options.read_timeout}
    if options.proxy:
        return Proxied(tls, options.proxy, timeouts, KEEPALIVE_SECONDS)
    return ConnectionPool(dialer, options.read_timeout, options.read_timeout, KEEPALIVE_SECONDS)


def _target(upstream: Upstream, request: Request) -> str:
    target = upstream.base + request.target
    if not target.isascii():
        raise RequestRefused(
            400, "bad_request", "the request target holds bytes that are not ASCII; percent-encode them"
        )
    return target


async def _one(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body
