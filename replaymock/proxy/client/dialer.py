"""Connections to backends: the one way to open one, for HTTP and for WebSockets, straight or through a proxy."""

import asyncio
import base64
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import certifi
import httpx

from replaymock.errors import UsageError
from replaymock.http.messages import ResponseHead
from replaymock.http.websocket_frames import READ_BYTES, ByteStream
from replaymock.proxy.client.response_parser import Malformed, ResponseParser
from replaymock.proxy.options import TlsOptions, UpstreamOptions

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_QUICK_SECONDS = 0.25

Protocol = TypeVar("Protocol", bound=asyncio.Protocol)


class ProxyRefusal(Exception):
    """A proxy did not open a tunnel."""


class Dialer:
    """Opens connections within a time; `dial` takes the way through the proxy where one is named."""

    def __init__(self, tls: ssl.SSLContext, connect_timeout: float, proxy: str = "") -> None:
        tls.set_alpn_protocols(["http/1.1"])
        self._tls = tls
        self._connect_timeout = connect_timeout
        self._proxy = proxy

    async def open(self, origin: str, make: Callable[[], Protocol], seconds: float | None = None) -> Protocol:
        """A connection straight to an origin, spoken on by what `make` gives. httpx.ConnectTimeout or ConnectError.

        It has other `seconds` than usual where any are given.
        """
        seconds = self._connect_timeout if seconds is None else seconds
        async with _connecting(seconds):
            return await self._open(origin, make, seconds)

    async def dial(self, origin: str) -> "DialedConnection":
        """A connection to an origin, straight or through the proxy. httpx.ConnectTimeout or ConnectError."""
        async with _connecting(self._connect_timeout):
            first = self._proxy or origin
            protocol = await self._open(first, _StreamProtocol, self._connect_timeout)
            connection = DialedConnection(*protocol.streams())
            try:
                if self._proxy:
                    await self._tunnel(connection, origin)
            except BaseException:
                connection.close()
                raise
            return connection

    async def _open(self, origin: str, make: Callable[[], Protocol], seconds: float) -> Protocol:
        parts = urlsplit(origin)
        host, secure = parts.hostname or "", parts.scheme == "https"
        _, protocol = await asyncio.get_running_loop().create_connection(
            make,
            sock=await _connected(host, parts.port or _PORTS.get(parts.scheme, 80)),
            ssl=self._tls if secure else None,
            server_hostname=host if secure else None,
            ssl_handshake_timeout=seconds + 1 if secure else None,  # ours comes first
        )
        return protocol

    async def _tunnel(self, connection: "DialedConnection", origin: str) -> None:
        """Has the proxy connect to an origin, with which TLS is spoken from there on where its scheme is https."""
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if self._proxy.startswith("socks"):
            await _connect_by_socks(connection, host, port, self._proxy)
        else:
            authority = parts.netloc if parts.port else f"{parts.netloc}:{port}"
            await _connect_by_http(connection, authority, self._proxy)
        if parts.scheme == "https":
            await connection.start_tls(self._tls, host)


class DialedConnection(ByteStream):
    """A connection to a backend as a stream of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def is_open(self) -> bool:
        """Whether the backend is there as far as is known."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def read(self) -> bytes:
        """What has come; empty at the end, however it came about."""
        try:
            return await self._reader.read(READ_BYTES)
        except (OSError, ssl.SSLError):
            return b""

    async def read_exactly(self, size: int) -> bytes:
        """So many bytes. ProxyRefusal where they do not come."""
        try:
            return await self._reader.readexactly(size)
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
            raise ProxyRefusal("the connection was closed") from error

    async def write(self, data: bytes) -> None:
        """Sends, and waits until there is space for more."""
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.write(data)
            await self._writer.drain()

    async def start_tls(self, tls: ssl.SSLContext, name: str) -> None:
        """Speaks TLS from here on."""
        await self._writer.start_tls(tls, server_hostname=name)

    def end(self) -> None:
        """Sends no more."""
        with contextlib.suppress(OSError, RuntimeError):
            if self._writer.can_write_eof():
                self._writer.write_eof()

    def close(self) -> None:
        """Closes both ways."""
        self._writer.close()


class _StreamProtocol(asyncio.StreamReaderProtocol):
    """A connection read by a `StreamReader`, as `asyncio.open_connection` would give it."""

    def __init__(self) -> None:
        self._incoming = asyncio.StreamReader(READ_BYTES)
        super().__init__(self._incoming)
        self._outgoing: asyncio.StreamWriter | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is made."""
        super().connection_made(transport)
        if self._outgoing is None and isinstance(transport, asyncio.WriteTransport):
            loop = asyncio.get_running_loop()
            self._outgoing = asyncio.StreamWriter(transport, self, self._incoming, loop)

    def streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Both ways of a connection that is made."""
        if self._outgoing is None:
            raise ConnectionError("the connection was closed before it was used")
        return self._incoming, self._outgoing


def tls_context(options: UpstreamOptions) -> ssl.SSLContext:
    """How TLS is spoken with the backends. UsageError where a file that is named cannot be used."""
    tls = options.tls
    if not _speaks_tls(options):
        # Reading every authority of the system takes 0.2 s, which plain http need not wait for.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context()
    try:
        if not tls.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context.load_verify_locations(certifi.where())
            if tls.ca_file:
                context.load_verify_locations(tls.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"--ca-file {tls.ca_file}: not a readable PEM file of certificates ({_short(error)})"
        ) from error
    _present(context, tls)
    return context


def _present(context: ssl.SSLContext, tls: TlsOptions) -> None:
    """Has a context present a certificate, where one is named."""
    if tls.client_key and not tls.client_cert:
        raise UsageError("--client-key needs --client-cert")
    if not tls.client_cert:
        return
    try:
        context.load_cert_chain(tls.client_cert, tls.client_key or None)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"--client-cert {tls.client_cert}: cannot be used ({_short(error)}); it must be PEM, with its key"
        ) from error


def _speaks_tls(options: UpstreamOptions) -> bool:
    files = (options.tls.ca_file, options.tls.client_cert, options.tls.client_key)
    origins = (options.proxy, *(upstream.origin for upstream in options.upstreams))
    return any(files) or any(origin.startswith("https:") for origin in origins)


def _short(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


@asynccontextmanager
async def _connecting(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except (OSError, UnicodeError, ExceptionGroup, ProxyRefusal) as error:
        raise httpx.ConnectError(str(error)) from error


async def _connected(host: str, port: int) -> socket.socket:
    """A socket connected to the first address that answers; all but the last have to be quick about it.

    asyncio's own race between addresses is not used: it loses the kinds of the errors, and the socket that has won when
    it is cancelled just then (both seen in 3.11).
    """
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failed: list[OSError] = []
    for number, (family, kind, protocol, _, address) in enumerate(addresses, 1):
        connected = socket.socket(family, kind, protocol)
        try:
            connected.setblocking(False)
            async with asyncio.timeout(None if number == len(addresses) else _QUICK_SECONDS):
                await loop.sock_connect(connected, address)
        except OSError as error:
            connected.close()
            failed.append(error)
        except BaseException:
            connected.close()
            raise
        else:
            return connected
    raise failed[0] if len(failed) == 1 else ExceptionGroup(f"none of {len(failed)} addresses answers", failed)


async def _connect_by_http(connection: DialedConnection, authority: str, proxy: str) -> None:
    """Has an HTTP proxy connect to an authority (RFC 9110 section 9.3.6)."""
    parts = urlsplit(proxy)
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if parts.username:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(credentials).decode('ascii')}")
    await connection.write("\r\n".join([*lines, "", ""]).encode("ascii"))
    try:
        head = await _head(connection)
    except Malformed as error:
        raise ProxyRefusal(f"the proxy's answer to CONNECT: {error}") from error
    if head.status // 100 != 2:  # noqa: PLR2004 - successful
        raise ProxyRefusal(f"the proxy answered {head.status} to CONNECT")


async def _connect_by_socks(connection: DialedConnection, host: str, port: int, proxy: str) -> None:
    """Has a SOCKS5 proxy connect to a host, whose name it looks up (RFC 1928, RFC 1929)."""
    parts = urlsplit(proxy)
    user, password = (unquote(text or "").encode() for text in (parts.username, parts.password))
    method = _BY_PASSWORD if user else _OPEN
    await connection.write(bytes((5, 1, method)))
    if (await connection.read_exactly(2)) != bytes((5, method)):
        raise ProxyRefusal("the proxy asks for another login, or speaks no SOCKS5")
    if user:
        await connection.write(bytes((1, len(user))) + user + bytes((len(password),)) + password)
        if (await connection.read_exactly(2))[1]:
            raise ProxyRefusal("the proxy does not take this login")
    await connection.write(bytes((5, 1, 0)) + _socks_address(host) + port.to_bytes(2, "big"))
    _, code, _, kind = await connection.read_exactly(4)
    if code:
        raise ProxyRefusal(f"the proxy answered {code} to its CONNECT")
    size = _ADDRESS_BYTES.get(kind) or (await connection.read_exactly(1))[0]
    await connection.read_exactly(size + 2)


def _socks_address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna")
        return bytes((_BY_NAME, len(name))) + name
    return bytes((_IPV4 if address.version == _VERSION_4 else _IPV6,)) + address.packed


_OPEN, _BY_PASSWORD = 0, 2
_IPV4, _BY_NAME, _IPV6 = 1, 3, 4
_VERSION_4 = 4
_ADDRESS_BYTES = {_IPV4: 4, _IPV6: 16}


async def _head(connection: DialedConnection) -> ResponseHead:
    parser = ResponseParser("CONNECT")
    while parser.head is None:
        if data := await connection.read():
            parser.feed(data)
        else:
            parser.close()
    return parser.head
