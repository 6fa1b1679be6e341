"""A recorded WebSocket played to a caller: what the server said, when it said it, in answer to what it was asked."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from replaymock.http.websocket_frames import Broken, Closed, Piece, Ping, Side
from replaymock.http.websocket_messages import BINARY, CLIENT, CLOSE, TEXT, Message, Play

CLOSE_SECONDS = 5.0
"""How long the caller has to answer a close."""
GOING_AWAY = 1001
NO_MATCH = 4404
"""The code of the close after a message that was not recorded."""
_MOST_DUE = 64

Pause = Callable[[Message, bool], float]
"""How many seconds a message is held back; the flag says that it is the first one of an answer."""
Missed = Callable[[Message, Play], str]
"""Learns of a message that was not recorded; the reason the caller is told."""


@dataclass(slots=True)
class _Due:
    """Messages in order, each after so many seconds; `hurry` says that the caller has gone on meanwhile."""

    messages: tuple[tuple[float, Message], ...]
    hurry: asyncio.Event = field(default_factory=asyncio.Event)


class Player:
    """One caller's conversation."""

    def __init__(self, side: Side, play: Play, pause: Pause, missed: Missed) -> None:
        self._side = side
        self._play = play
        self._pause = pause
        self._missed = missed
        self._due: asyncio.Queue[_Due] = asyncio.Queue(_MOST_DUE)
        self._latest: _Due | None = None
        self._unsaid = 0
        self._pieces: list[bytes] = []
        self._patience = asyncio.timeout(None)
        self._is_over = False

    async def run(self) -> None:
        """Plays to the end. Cancelled, it tells the caller that this server is going away."""
        self._speaking = asyncio.ensure_future(self._speak())
        try:
            await self._listen()
        except asyncio.CancelledError:
            self._speaking.cancel()
            await self._side.close(GOING_AWAY)
            raise
        finally:
            self._speaking.cancel()
            await asyncio.gather(self._speaking, self._side.finish(), return_exceptions=True)

    async def _listen(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with self._patience:
                await self._will_say(self._play.begin())
                async for event in self._side.events():
                    match event:
                        case Piece():
                            await self._hear(event)
                        case Ping(payload):
                            await self._side.pong(payload)
                        case Closed(code, reason) | Broken(code, reason):
                            await self._side.close(code, reason)

    async def _hear(self, piece: Piece) -> None:
        if self._is_over:
            return
        self._pieces.append(piece.data.encode("utf-8") if isinstance(piece.data, str) else piece.data)
        if not piece.last:
            return
        message = Message(CLIENT, TEXT if isinstance(piece.data, str) else BINARY, b"".join(self._pieces))
        self._pieces.clear()
        said = self._play.hear(message)
        if said is not None:
            await self._will_say(said)
            return
        self._speaking.cancel()
        await self._close(NO_MATCH, self._missed(message, self._play))

    async def _will_say(self, messages: tuple[Message, ...]) -> None:
        """Says messages, or has them said when their time has come and what is due before them is said."""
        if self._latest:
            self._latest.hurry.set()
        waits = [self._pause(message, place == 0) for place, message in enumerate(messages)]
        ready = 0
        while not self._unsaid and ready < len(messages) and waits[ready] <= 0:
            await self._say(messages[ready])
            ready += 1
        if ready < len(messages):
            self._unsaid += 1
            self._latest = _Due(tuple(zip(waits, messages, strict=True))[ready:])
            await self._due.put(self._latest)

    async def _speak(self) -> None:
        while not self._is_over:
            due = await self._due.get()
            for seconds, message in due.messages:
                if seconds > 0:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(due.hurry.wait(), seconds)
                await self._say(message)
            self._unsaid -= 1

    async def _say(self, message: Message) -> None:
        if message.kind == CLOSE:
            await self._close(message.code, message.data.decode("utf-8"))
        elif message.kind == BINARY:
            await self._side.say(message.data)
        else:
            await self._side.say(message.data.decode("utf-8"))

    async def _close(self, code: int, reason: str) -> None:
        self._is_over = True
        self._patience.reschedule(asyncio.get_running_loop().time() + CLOSE_SECONDS)
        await self._side.close(code, reason)
