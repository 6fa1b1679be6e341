"""The real backends: which one a request goes to, over which of httpx's transports, and its response.

Requests go out byte for byte; responses come back as they are, still in their content coding.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Hashable
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec
from typing import Protocol, cast, runtime_checkable

import httpx

from replaymock.errors import RequestRefused, UsageError
from replaymock.http import challenges
from replaymock.http.headers import has_body
from replaymock.http.messages import Request, StreamingResponse
from replaymock.proxy.client.connection import Timeouts
from replaymock.proxy.client.dialer import DialedConnection, Dialer, tls_context
from replaymock.proxy.client.httpx_messages import CLIENT, OutgoingRequest, head_of
from replaymock.proxy.client.httpx_transport import StockTransport
from replaymock.proxy.client.pool import Streams, UpstreamBody, read_empty
from replaymock.proxy.client.transport import Http1Transport
from replaymock.proxy.errors import translate_errors
from replaymock.proxy.options import UpstreamOptions
from replaymock.proxy.routes import Upstream
from replaymock.proxy.websocket import WebSocketReply, open_websocket
from replaymock.redaction.redactor import redact_url

# How many requests are upstream at once; more wait their turn. A client whose body is slow in coming holds a place, so
# there are places for more of them than a browser or a careless program has connections. It stands before every
# transport: the pool of httpcore 1.0.9 dies after client aborts once a limit of its own makes requests wait
# (httpcore#1093).
IN_FLIGHT = 2000
# Idle connections are dropped before servers that close after five seconds can race with the next request.
KEEPALIVE_SECONDS = 2.0


@runtime_checkable
class KeepsLogins(Protocol):
    """A transport on which a client that has logged in has connections of its own."""

    def hand_on(self, origin: str, client: Hashable) -> Streams | None:
        """The connection to an origin that is this client's own, which then is spoken on by who gets it."""

    def left(self, client: Hashable) -> None:
        """Learns that a client is gone; its connections end with it."""


class Upstreams:
    """Every upstream of a run behind one transport: `transport` where it is given, else the one the options ask for."""

    def __init__(self, options: UpstreamOptions, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._options = options
        self._upstreams = sorted(options.upstreams, key=lambda upstream: -len(upstream.prefix))
        self._timeouts = {
            "connect": options.connect_timeout,
            "read": options.read_timeout,
            "write": options.read_timeout,
            "pool": None,
        }
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._dialer = Dialer(tls_context(options), options.connect_timeout, options.proxy)
        self._transport = transport or _choose(options, self._dialer)
        self._logins = self._transport if isinstance(self._transport, KeepsLogins) else None
        self._reads_every_body = isinstance(self._transport, Http1Transport)
        # By client and origin: what a request for a WebSocket was asked on to log in.
        self._logging_in: dict[Hashable, dict[str, DialedConnection]] = {}

    def route(self, path: str) -> Upstream | None:
        """The upstream with the longest prefix of whole segments that `path` begins with."""
        for upstream in self._upstreams:
            if not upstream.prefix or path == upstream.prefix or path.startswith(f"{upstream.prefix}/"):
                return upstream
        return None

    def send(
        self, upstream: Upstream, request: Request, body: AsyncIterator[bytes], client: Hashable | None = None
    ) -> AbstractAsyncContextManager[StreamingResponse]:
        """The response to a request whose body comes from `body`. UpstreamError also while its chunks are read.

        `client` is the connection it came on, with which a login on the connection upstream is not shared by others.
        """
        return _Sending(self, upstream, request, body, client)

    async def begin(
        self, upstream: Upstream, request: Request, body: AsyncIterator[bytes], client: Hashable | None
    ) -> httpx.Response:
        """A response as httpx has it, which takes a place among those in flight until it is ended by `end`."""
        message = Request(request.method, _target(upstream, request), request.headers)
        await self._slots.acquire()
        try:
            with translate_errors(upstream, self._options):
                if not self._reads_every_body and not has_body(message.headers):
                    await read_empty(body)
                extensions = {"timeout": self._timeouts, CLIENT: client}
                outgoing = OutgoingRequest(upstream.origin, message, body, extensions)
                return await self._transport.handle_async_request(outgoing)
        except BaseException:
            self._slots.release()
            raise

    async def end(self, response: httpx.Response, *, is_complete: bool) -> None:
        """Ends the exchange of a response, which is given up where it is not complete."""
        stream = cast(httpx.AsyncByteStream, response.stream)
        try:
            if isinstance(stream, UpstreamBody) and not is_complete:
                await stream.abort()
            else:
                await stream.aclose()
        finally:
            self._slots.release()

    def streaming(self, response: httpx.Response, upstream: Upstream) -> StreamingResponse:
        """A response as the rest of the proxy has it; whole where its body has come already."""
        stream = response.stream
        if not isinstance(stream, UpstreamBody):
            head = head_of(response)
            return StreamingResponse(head.status, head.reason, head.headers, self._chunks(response, upstream))
        head, whole = stream.head, stream.whole()
        chunks = self._chunks(response, upstream) if whole is None else _one(whole)
        return StreamingResponse(head.status, head.reason, head.headers, chunks, whole)

    async def open(self, upstream: Upstream, request: Request, limit: int, client: Hashable) -> WebSocketReply:
        """The answer to a request for a WebSocket, over the connection the client has logged in on. UpstreamError."""
        outgoing = Request(request.method, _target(upstream, request), request.headers)
        with translate_errors(upstream, self._options):
            connection = self._own(upstream.origin, client) or await self._dialer.dial(upstream.origin)
            try:
                async with asyncio.timeout(self._options.read_timeout):
                    reply = await open_websocket(connection, outgoing, limit)
            except TimeoutError as error:
                raise httpx.ReadTimeout(str(error)) from error
            except OSError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
        if reply.connection and challenges.is_challenge(reply.response.status, reply.response.headers):
            self._logging_in.setdefault(client, {})[upstream.origin] = reply.connection
        elif reply.connection:
            reply.connection.close()
        return reply

    def left(self, client: Hashable) -> None:
        """Learns that a client's connection is closed."""
        if self._logins is not None:
            self._logins.left(client)
        for connection in self._logging_in.pop(client, {}).values():
            connection.close()

    async def aclose(self) -> None:
        """Closes every connection."""
        for client in list(self._logging_in):
            self.left(client)
        await self._transport.aclose()

    async def _chunks(self, response: httpx.Response, upstream: Upstream) -> AsyncIterator[bytes]:
        with translate_errors(upstream, self._options):
            async for piece in cast("AsyncIterable[bytes]", response.stream):
                if piece:
                    yield piece

    def _own(self, origin: str, client: Hashable) -> DialedConnection | None:
        """The connection to an origin that a client has logged in on, or is about to."""
        connection = self._logging_in.get(client, {}).pop(origin, None)
        if connection and connection.is_open:
            return connection
        streams = self._logins.hand_on(origin, client) if self._logins is not None else None
        return DialedConnection(*streams) if streams else None


class _Sending(AbstractAsyncContextManager[StreamingResponse]):
    """One exchange; a class, as the generator of a context manager costs as much again as httpx's request."""

    def __init__(
        self,
        upstreams: Upstreams,
        upstream: Upstream,
        request: Request,
        body: AsyncIterator[bytes],
        client: Hashable | None,
    ) -> None:
        self._upstreams = upstreams
        self._upstream = upstream
        self._request = request
        self._body = body
        self._client = client
        self._response: httpx.Response | None = None

    async def __aenter__(self) -> StreamingResponse:
        upstreams, upstream = self._upstreams, self._upstream
        response = self._response = await upstreams.begin(upstream, self._request, self._body, self._client)
        return upstreams.streaming(response, upstream)

    async def __aexit__(self, kind: type[BaseException] | None, _error: object, _traceback: object) -> None:
        if self._response is not None:
            await self._upstreams.end(self._response, is_complete=kind is None)


def _choose(options: UpstreamOptions, dialer: Dialer) -> httpx.AsyncBaseTransport:
    timeouts = Timeouts(options.connect_timeout, options.read_timeout, options.read_timeout)
    if not options.proxy and not options.http2:
        return Http1Transport(dialer, timeouts, KEEPALIVE_SECONDS)
    _require_extras(options)
    # Not the dialer's: httpcore offers HTTP/2 on it, which a WebSocket cannot speak.
    tls = tls_context(options)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=None)
    proxy = _proxy(options.proxy) if options.proxy else None

    def make() -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=limits, proxy=proxy, http2=options.http2)

    return StockTransport(make, options.connect_timeout, KEEPALIVE_SECONDS)


def _require_extras(options: UpstreamOptions) -> None:
    if options.http2 and find_spec("h2") is None:
        raise UsageError('--upstream-http2 needs h2: pip install "replaymock[http2]"')
    if options.proxy.startswith("socks") and find_spec("socksio") is None:
        raise UsageError('--upstream-proxy socks5://… needs socksio: pip install "replaymock[socks]"')


def _proxy(url: str) -> httpx.Proxy:
    try:
        return httpx.Proxy(url)
    except ValueError as error:
        advice = "write it as http://host:port or socks5://host:port"
        raise UsageError(f"--upstream-proxy {redact_url(url)!r}: {advice}") from error


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
