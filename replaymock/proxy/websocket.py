"""A WebSocket with a backend: how it is opened, and how it is relayed frame by frame while a transcript is kept.

Each side's pings are answered here, and passed on as well, so that either end knows of the other. A close is answered
by the other side, so that what that still has to say comes first.
"""

import asyncio
import base64
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import h11
import httpx

from replaymock.http.headers import get, list_items
from replaymock.http.messages import Request, Response
from replaymock.http.websocket_frames import (
    LINGER_SECONDS,
    READ_BYTES,
    Closed,
    Event,
    Fragment,
    Ping,
    Pong,
    ProtocolViolation,
    WebSocketConnection,
)
from replaymock.http.websocket_handshake import accept, client_headers, parse_accepted_extension, protocols
from replaymock.http.websocket_messages import BINARY, CLIENT, CLOSE, CUT, SERVER, TEXT, Message
from replaymock.proxy.client.dialer import DialedConnection

CLOSE_SECONDS = 5.0
"""How long the other side has to answer a close."""
GOING_AWAY = 1001
SWITCHING = 101
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class WebSocketReply:
    """What the backend answered to a request for a WebSocket; `side` is there if it agreed.

    If not, `connection` is there where another request can be sent on it.
    """

    response: Response
    protocol: str = ""
    side: WebSocketConnection | None = None
    connection: DialedConnection | None = None


class MalformedHandshake(httpx.RemoteProtocolError):
    """The backend's answer is no HTTP, or agrees to what was not asked."""


async def open_websocket(connection: DialedConnection, request: Request, limit: int) -> WebSocketReply:
    """The answer to a request that is to open a WebSocket; a body beyond `limit` bytes is cut off.

    The request's own handshake headers are replaced. OSError or MalformedHandshake, with the connection closed.
    """
    key = base64.b64encode(os.urandom(_KEY_BYTES)).decode("ascii")
    compress = "permessage-deflate" in get(request.headers, "sec-websocket-extensions")
    offered = protocols(request.headers)
    plain = tuple(pair for pair in request.headers if not pair[0].lower().startswith("sec-websocket-"))
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=READ_BYTES)
    try:
        await _send(
            connection, http, Request("GET", request.target, client_headers(plain, key, offered, compress=compress))
        )
        response = await _response(connection, http, limit)
        if response.status != SWITCHING:
            if http.our_state is h11.DONE and http.their_state is h11.DONE and not http.trailing_data[0]:
                return WebSocketReply(response, connection=connection)
            connection.close()
            return WebSocketReply(response)
        protocol = _agreed(response, key, offered)
        side = WebSocketConnection(
            connection, parse_accepted_extension(response.headers), limit, is_client=True, data=http.trailing_data[0]
        )
        return WebSocketReply(response, protocol, side)
    except (h11.ProtocolError, ValueError) as error:
        connection.close()
        raise MalformedHandshake(str(error)) from error
    except BaseException:
        connection.close()
        raise


class Transcript:
    """What was said so far, with the time between; no more than `limit` bytes of it, and for so many seconds."""

    def __init__(self, limit: int, clock: Callable[[], float], seconds: float) -> None:
        self.messages: list[Message] = []
        self.is_whole = True
        self._limit = limit
        self._clock = clock
        self._ends = clock() + seconds
        self._before = clock()
        self._ended = False
        self._pieces: dict[str, list[bytes]] = {CLIENT: [], SERVER: []}

    def piece(self, sender: str, piece: Fragment) -> None:
        """Notes a frame; a message counts as said when it is whole, and not any more once one side has closed.

        What still comes then was under way, and how much of it there is depends on the moment.
        """
        if self._ended or not self.is_whole:
            return
        data = piece.data.encode("utf-8") if isinstance(piece.data, str) else piece.data
        pieces = self._pieces[sender]
        pieces.append(data)
        self._limit -= len(data)
        if piece.is_last:
            kind = TEXT if isinstance(piece.data, str) else BINARY
            self._note(Message(sender, kind, b"".join(pieces)))
            pieces.clear()

    def close(self, sender: str, code: int, reason: str) -> None:
        """Notes the close, of the side that closed first."""
        if self.is_whole and not self._ended:
            self._ended = True
            self._note(Message(sender, CLOSE, reason.encode("utf-8"), code))

    def _note(self, message: Message) -> None:
        now = self._clock()
        if self._limit < 0 or now > self._ends:
            self.is_whole = False
            return
        delay = round((now - self._before) * 1000)
        self._before = now
        self.messages.append(Message(message.sender, message.kind, message.data, message.code, delay))


async def relay_websocket(client: WebSocketConnection, backend: WebSocketConnection, transcript: Transcript) -> None:
    """Passes everything on until both sides are through. Cancelled, it tells both that this server is going away."""
    ways = [
        asyncio.ensure_future(_pass_on(client, backend, CLIENT, transcript)),
        asyncio.ensure_future(_pass_on(backend, client, SERVER, transcript)),
    ]
    try:
        _, open_ways = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if open_ways:
            await asyncio.wait(open_ways, timeout=CLOSE_SECONDS)
        await _go(client, backend)
    except asyncio.CancelledError:
        _stop(ways)
        await _go(client, backend)
        raise
    finally:
        _stop(ways)
        await asyncio.gather(*ways, client.finish(), backend.finish(), return_exceptions=True)


async def _go(client: WebSocketConnection, backend: WebSocketConnection) -> None:
    """Closes a side that was not told of a close yet, unless it does not even read."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await asyncio.gather(client.close(GOING_AWAY), backend.close(GOING_AWAY))


def _stop(ways: "list[asyncio.Task[None]]") -> None:
    for way in ways:
        way.cancel()


async def _pass_on(near: WebSocketConnection, far: WebSocketConnection, sender: str, transcript: Transcript) -> None:
    async for event in near.events():
        match event:
            case Fragment(data, last):
                transcript.piece(sender, event)
                await far.send(data, is_last=last)
            case _:
                await _pass_control(event, near, far, sender, transcript)


async def _pass_control(
    event: Event, near: WebSocketConnection, far: WebSocketConnection, sender: str, transcript: Transcript
) -> None:
    match event:
        case Ping(payload):
            await near.pong(payload)
            await far.ping(payload)
        case Pong(payload) if not near.is_reply(payload):
            await far.pong(payload)
        case Closed(code, reason):
            transcript.close(sender, code, reason)
            await far.close(code, reason)
        case ProtocolViolation(code, reason):
            transcript.close(sender, CUT, "")
            await near.close(code, reason)
            await far.close(GOING_AWAY)


async def _send(connection: DialedConnection, http: h11.Connection, request: Request) -> None:
    event = h11.Request(
        method=request.method,
        target=request.target,
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
    )
    await connection.write((http.send(event) or b"") + (http.send(h11.EndOfMessage()) or b""))


async def _response(connection: DialedConnection, http: h11.Connection, limit: int) -> Response:
    head = await _event(connection, http)
    while isinstance(head, h11.InformationalResponse) and head.status_code != SWITCHING:
        head = await _event(connection, http)
    if not isinstance(head, h11.Response | h11.InformationalResponse):
        raise MalformedHandshake("it closed the connection before it answered")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items())
    body = bytearray()
    while isinstance(head, h11.Response) and len(body) <= limit:
        event = await _event(connection, http)
        if not isinstance(event, h11.Data):
            break
        body += event.data
    return Response(head.status_code, bytes(head.reason).decode("latin-1"), headers, bytes(body[:limit]))


async def _event(connection: DialedConnection, http: h11.Connection) -> Any:
    """The next event that is not a request for more bytes."""
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(await connection.read())
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
    chosen = protocols(headers)
    if len(chosen) > 1 or any(name not in offered for name in chosen):
        raise ValueError("it chose a subprotocol that was not offered")
    return chosen[0] if chosen else ""
