"""A WebSocket between the caller and the backend: passed on as it comes, frame by frame, and noted down beside that.

Each side's pings are answered here, and passed on as well, so that either end knows of the other. A close is answered
by the other side, so that what that still has to say comes first.
"""

import asyncio
import contextlib
from collections.abc import Callable

from replaymock.http.websocket_frames import (
    LINGER_SECONDS,
    Closed,
    Event,
    Fragment,
    Ping,
    Pong,
    ProtocolViolation,
    WebSocketConnection,
)
from replaymock.http.websocket_messages import BINARY, CLIENT, CLOSE, CUT, SERVER, TEXT, Message

CLOSE_SECONDS = 5.0
"""How long the other side has to answer a close."""
GOING_AWAY = 1001


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
        if piece.last:
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


async def relay_websocket(caller: WebSocketConnection, backend: WebSocketConnection, notes: Transcript) -> None:
    """Passes everything on until both sides are through. Cancelled, it tells both that this server is going away."""
    ways = [
        asyncio.ensure_future(_pass_on(caller, backend, CLIENT, notes)),
        asyncio.ensure_future(_pass_on(backend, caller, SERVER, notes)),
    ]
    try:
        _, open_ways = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if open_ways:
            await asyncio.wait(open_ways, timeout=CLOSE_SECONDS)
        await _go(caller, backend)
    except asyncio.CancelledError:
        _stop(ways)
        await _go(caller, backend)
        raise
    finally:
        _stop(ways)
        await asyncio.gather(*ways, caller.finish(), backend.finish(), return_exceptions=True)


async def _go(caller: WebSocketConnection, backend: WebSocketConnection) -> None:
    """Closes a side that was not told of a close yet, unless it does not even read."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await asyncio.gather(caller.close(GOING_AWAY), backend.close(GOING_AWAY))


def _stop(ways: "list[asyncio.Task[None]]") -> None:
    for way in ways:
        way.cancel()


async def _pass_on(near: WebSocketConnection, far: WebSocketConnection, sender: str, notes: Transcript) -> None:
    async for event in near.events():
        match event:
            case Fragment(data, last):
                notes.piece(sender, event)
                await far.say(data, last=last)
            case _:
                await _answer(event, near, far, sender, notes)


async def _answer(
    event: Event, near: WebSocketConnection, far: WebSocketConnection, sender: str, notes: Transcript
) -> None:
    match event:
        case Ping(payload):
            await near.pong(payload)
            await far.ping(payload)
        case Pong(payload) if not near.was_asked(payload):
            await far.pong(payload)
        case Closed(code, reason):
            notes.close(sender, code, reason)
            await far.close(code, reason)
        case ProtocolViolation(code, reason):
            notes.close(sender, CUT, "")
            await near.close(code, reason)
            await far.close(GOING_AWAY)
