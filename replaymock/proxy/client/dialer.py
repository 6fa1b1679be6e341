"""The backend's end of a WebSocket before it is one: connection, proxy, TLS and handshake, for one request each."""

import asyncio
import base64
import contextlib
import os
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import h11

from replaymock.http.headers import get, list_items
from replaymock.http.messages import Request, Response
from replaymock.http.websocket_frames import READ_BYTES, ByteStream, WebSocketConnection
from replaymock.http.websocket_handshake import accept, client_headers, parse_accepted_extension, protocols

SWITCHING = 101
_KEY_BYTES = 16
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class WebSocketReply:
    """What the backend said to a request for a WebSocket; `side` is there if it agreed.

    If not, `connection` is there where another request can be sent on it.
    """

    response: Response
    protocol: str = ""
    side: WebSocketConnection | None = None
    connection: "DialedConnection | None" = None


class MalformedHandshake(Exception):
    """The backend's answer is no HTTP, or agrees to what was not asked."""


async def connect(origin: str, proxy: str, tls: ssl.SSLContext) -> "DialedConnection":
    """A connection to an origin, through a proxy where one is named. OSError, or Malformed when the proxy refuses."""
    parts, by = urlsplit(origin), urlsplit(proxy or origin)
    port = by.port or _PORTS.get(by.scheme, 80)
    secure = tls if by.scheme == "https" else None
    streams = await asyncio.open_connection(by.hostname, port, limit=READ_BYTES, ssl=secure)
    connection = DialedConnection(*streams)
    try:
        if proxy:
            await _tunnel(connection, parts.netloc if parts.port else f"{parts.netloc}:{_PORTS[parts.scheme]}", proxy)
            if parts.scheme == "https":
                await connection.start_tls(tls, parts.hostname or "")
    except BaseException:
        connection.close()
        raise
    return connection


async def open_websocket(connection: "DialedConnection", request: Request, limit: int) -> WebSocketReply:
    """The answer to a request that is to open a WebSocket; a body beyond `limit` bytes is cut off.

    The request's own handshake headers are replaced. OSError or Malformed, with the connection closed.
    """
    key = base64.b64encode(os.urandom(_KEY_BYTES)).decode("ascii")
    compress = "permessage-deflate" in get(request.headers, "sec-websocket-extensions")
    offered = protocols(request.headers)
    plain = tuple(pair for pair in request.headers if not pair[0].lower().startswith("sec-websocket-"))
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=READ_BYTES)
    try:
        await _say(
            connection, client, Request("GET", request.target, client_headers(plain, key, offered, compress=compress))
        )
        response = await _answer(connection, client, limit)
        if response.status != SWITCHING:
            if client.our_state is h11.DONE and client.their_state is h11.DONE and not client.trailing_data[0]:
                return WebSocketReply(response, connection=connection)
            connection.close()
            return WebSocketReply(response)
        protocol = _agreed(response, key, offered)
        side = WebSocketConnection(
            connection, parse_accepted_extension(response.headers), limit, is_client=True, data=client.trailing_data[0]
        )
        return WebSocketReply(response, protocol, side)
    except (h11.ProtocolError, ValueError) as error:
        connection.close()
        raise MalformedHandshake(str(error)) from error
    except BaseException:
        connection.close()
        raise


class DialedConnection(ByteStream):
    """A connection to the backend."""

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

    async def write(self, data: bytes) -> None:
        """Sends, and waits until there is room for more."""
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


async def _tunnel(connection: DialedConnection, authority: str, proxy: str) -> None:
    """Has a proxy connect to an authority (RFC 9110 section 9.3.6)."""
    parts = urlsplit(proxy)
    headers: tuple[tuple[str, str], ...] = (("Host", authority),)
    if parts.username:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers = (*headers, ("Proxy-Authorization", f"Basic {base64.b64encode(credentials).decode('ascii')}"))
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=READ_BYTES)
    try:
        await _say(connection, client, Request("CONNECT", authority, headers))
        answer = await _event(connection, client)
    except h11.ProtocolError as error:
        raise MalformedHandshake(str(error)) from error
    if not isinstance(answer, h11.Response) or answer.status_code // 100 != 2:  # noqa: PLR2004 - successful
        raise MalformedHandshake(f"the proxy answered {getattr(answer, 'status_code', 'nothing')} to CONNECT")


async def _say(connection: DialedConnection, client: h11.Connection, request: Request) -> None:
    event = h11.Request(
        method=request.method,
        target=request.target,
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
    )
    await connection.write((client.send(event) or b"") + (client.send(h11.EndOfMessage()) or b""))


async def _answer(connection: DialedConnection, client: h11.Connection, limit: int) -> Response:
    found = await _event(connection, client)
    while isinstance(found, h11.InformationalResponse) and found.status_code != SWITCHING:
        found = await _event(connection, client)
    if not isinstance(found, h11.Response | h11.InformationalResponse):
        raise MalformedHandshake("it closed the connection before it answered")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in found.headers.raw_items())
    body = bytearray()
    while isinstance(found, h11.Response) and len(body) <= limit:
        event = await _event(connection, client)
        if not isinstance(event, h11.Data):
            break
        body += event.data
    return Response(found.status_code, bytes(found.reason).decode("latin-1"), headers, bytes(body[:limit]))


async def _event(connection: DialedConnection, client: h11.Connection) -> Any:
    """The next event that is not a request for more bytes."""
    while (event := client.next_event()) is h11.NEED_DATA:
        client.receive_data(await connection.read())
    return event


def _agreed(response: Response, key: str, offered: list[str]) -> str:
    """The subprotocol a 101 chose. ValueError where it is no answer to the request (RFC 6455 section 4.1)."""
    headers = response.headers
    if "websocket" not in list_items(get(headers, "upgrade")) or "upgrade" not in list_items(
        get(headers, "connection")
    ):
        raise ValueError("its 101 does not upgrade to websocket")
    if get(headers, "sec-websocket-accept").strip() != accept(key):
        raise ValueError("its Sec-WebSocket-Accept does not fit the key")
    found = protocols(headers)
    if len(found) > 1 or any(name not in offered for name in found):
        raise ValueError("it chose a subprotocol that was not offered")
    return found[0] if found else ""
