"""The real backends: which one is asked, and what is said when it does not answer.

Requests go out byte for byte; responses come back as they are, still in their content coding.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import certifi
import httpx

from replaymock.config.settings import Settings
from replaymock.errors import RequestRefused, UpstreamError, UsageError
from replaymock.http import challenges
from replaymock.http.messages import Request, StreamingResponse
from replaymock.proxy.client import dialer
from replaymock.proxy.client.dialer import WebSocketReply
from replaymock.proxy.client.pool import ConnectionPool, Transport, UpstreamResponse
from replaymock.proxy.client.proxied import Proxied
from replaymock.proxy.routes import Upstream

# How many requests are upstream at once; more wait their turn. A caller whose body is slow in coming holds a place, so
# there are places for more of them than a browser or a careless program has connections.
IN_FLIGHT = 2000
# Idle connections are dropped before servers that close after five seconds can race with the next request.
KEEPALIVE_SECONDS = 2.0


class Upstreams:
    """Every upstream of a run behind one transport."""

    def __init__(self, settings: Settings) -> None:
        self._upstreams = sorted(settings.upstreams, key=lambda upstream: -len(upstream.prefix))
        self._timeouts = {
            "connect": settings.connect_timeout,
            "read": settings.read_timeout,
            "write": settings.read_timeout,
        }
        self._proxied = bool(settings.upstream_proxy)
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._proxy = settings.upstream_proxy
        self._tls = _ssl_context(settings)
        self._transport = self._choose(self._tls, self._proxy)
        # By client and origin: what a request for a WebSocket was asked on to log in.
        self._logging_in: dict[Hashable, dict[str, dialer.DialedConnection]] = {}

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
            with _translate_errors(upstream, self._timeouts, proxied=self._proxied):
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
        with _translate_errors(upstream, self._timeouts, proxied=self._proxied):
            connection = self._own(upstream.origin, client) or await self._dial(upstream.origin)
            try:
                async with asyncio.timeout(self._timeouts["read"]):
                    answered = await dialer.open_websocket(connection, outgoing, limit)
            except TimeoutError as error:
                raise httpx.ReadTimeout(str(error)) from error
            except (OSError, dialer.MalformedHandshake) as error:
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
        with _translate_errors(upstream, self._timeouts, proxied=self._proxied):
            while piece := await reply.read():
                yield piece

    def _own(self, origin: str, client: Hashable) -> dialer.DialedConnection | None:
        """The connection to an origin that a client has logged in on, or is about to."""
        connection = self._logging_in.get(client, {}).pop(origin, None)
        if connection and connection.is_open:
            return connection
        streams = self._transport.hand_on(origin, client)
        return dialer.DialedConnection(*streams) if streams else None

    async def _dial(self, origin: str) -> dialer.DialedConnection:
        try:
            async with asyncio.timeout(self._timeouts["connect"]):
                return await dialer.connect(origin, self._proxy, self._tls)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError, dialer.MalformedHandshake) as error:
            raise httpx.ConnectError(str(error)) from error

    def _choose(self, tls: ssl.SSLContext, proxy: str) -> Transport:
        if proxy:
            return Proxied(tls, proxy, self._timeouts, KEEPALIVE_SECONDS)
        return ConnectionPool(tls, **self._timeouts, keepalive=KEEPALIVE_SECONDS)


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


class _translate_errors:  # noqa: N801 - reads as a statement
    """Turns httpx's errors into UpstreamError, in one place."""

    def __init__(self, upstream: Upstream, timeouts: Mapping[str, float | None], *, proxied: bool) -> None:
        self._origin = upstream.origin
        self._proxied = proxied
        self._timeouts = timeouts

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, httpx.LocalProtocolError):
            raise RequestRefused(400, "bad_request", f"the request cannot be sent on: {error}") from error
        if isinstance(error, (httpx.TransportError, OSError)):
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> UpstreamError:
        origin = self._origin
        verification = _cause(error, ssl.SSLCertVerificationError)
        if isinstance(verification, ssl.SSLCertVerificationError):
            reason = verification.verify_message
            advice = "trust its authority by --ca-file FILE, or skip the check by --insecure"
            return UpstreamError(
                502, "tls_verification_failed", f"the certificate of {origin} is not trusted: {reason}; {advice}"
            )
        if isinstance(error, httpx.ConnectTimeout):
            return self._timeout("did not accept the connection", "connect", "--connect-timeout")
        if isinstance(error, httpx.TimeoutException):
            return self._timeout("sent nothing", "read", "--read-timeout")
        return UpstreamError(502, "upstream_unreachable", f"{origin} {_unreachable(error, proxied=self._proxied)}")

    def _timeout(self, what: str, which: str, flag: str) -> UpstreamError:
        detail = f"{self._origin} {what} within {self._timeouts[which]:g} s; allow more by {flag} SECONDS"
        return UpstreamError(504, "upstream_timeout", detail)


def _unreachable(error: Exception, *, proxied: bool) -> str:
    if proxied and isinstance(error, (httpx.ProxyError, httpx.ConnectError)) and not _cause(error, ssl.SSLError):
        reason = str(error) or "connection failed"
        return f"cannot be reached through --upstream-proxy ({reason}); does the proxy run there?"
    unknown = _cause(error, socket.gaierror)
    if unknown:
        return f"cannot be found: {getattr(unknown, 'strerror', None) or unknown}; check the host name in --upstream"
    if _cause(error, ConnectionRefusedError):
        return "refuses the connection; is the backend running there?"
    if _cause(error, ssl.SSLError):
        return f"failed the TLS handshake: {error}; is the scheme in --upstream right?"
    if isinstance(error, httpx.ConnectError):
        return f"cannot be connected to: {str(error) or 'connection failed'}; check --upstream"
    return f"broke the connection before its answer was whole ({str(error) or type(error).__name__})"


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The error of this kind among an error, its causes, and the errors it is made of."""
    while error is not None:
        if isinstance(error, kind):
            return error
        if isinstance(error, BaseExceptionGroup):
            found = (_cause(part, kind) for part in error.exceptions)
            return next((part for part in found if part), None)
        error = error.__cause__ or error.__context__
    return None


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    if not _speaks_tls(settings):
        # Reading every authority there is takes 0.2 s, which plain http need not wait for.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context()
    try:
        if not settings.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context.load_verify_locations(certifi.where())
            if settings.ca_file:
                context.load_verify_locations(settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"--ca-file {settings.ca_file}: not a readable PEM file of certificates ({_short(error)})"
        ) from error
    if settings.client_key and not settings.client_cert:
        raise UsageError("--client-key needs --client-cert")
    if settings.client_cert:
        try:
            context.load_cert_chain(settings.client_cert, settings.client_key or None)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"--client-cert {settings.client_cert}: cannot be used ({_short(error)}); it must be PEM, with its key"
            ) from error
    return context


def _speaks_tls(settings: Settings) -> bool:
    named = (settings.ca_file, settings.client_cert, settings.client_key)
    origins = (settings.upstream_proxy, *(upstream.origin for upstream in settings.upstreams))
    return any(named) or any(origin.startswith("https:") for origin in origins)


def _short(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
