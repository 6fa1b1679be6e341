"""WebSockets from the cassettes: the response to a request that opens one, and the conversation that follows.

This module is loaded with the first such request.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from replaymock import placeholders
from replaymock.http import origin, websocket_handshake
from replaymock.http.headers import Headers, get, without
from replaymock.http.messages import Request
from replaymock.http.rendered import RenderedResponse
from replaymock.http.websocket_frames import (
    ByteStream,
    Closed,
    Fragment,
    Ping,
    ProtocolViolation,
    WebSocketConnection,
    WebSocketOpening,
)
from replaymock.http.websocket_messages import BINARY, CLIENT, CLOSE, SERVER, TEXT, ConversationPlayback, Message
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import IndexEntry
from replaymock.matching.matcher import Matcher, key_of
from replaymock.matching.near_misses import explain_message
from replaymock.matching.redacted_match import has_placeholder, matches_redacted
from replaymock.replay.engine import Decision, ReplayEngine
from replaymock.replay.faults import Latency

CLOSE_SECONDS = 5.0
"""How long the client has to answer a close."""

GOING_AWAY = 1001

NO_MATCH = 4404
"""The status of the close after a message that matches no recorded one."""

_MOST_DUE = 64

Pause = Callable[[Message, bool], float]
"""How many seconds a message is held back; the flag is True for the first of those that go out together."""

Missed = Callable[[Message, ConversationPlayback], str]
"""Called with a message that matches no recorded one; gives the reason for the close."""


@dataclass(slots=True)
class _Due:
    """Messages to send in order, each after so many seconds. `hurry` is set when the client has gone on meanwhile."""

    messages: tuple[tuple[float, Message], ...]
    hurry: asyncio.Event = field(default_factory=asyncio.Event)


class WebSocketPlayer:
    """The conversation with one client."""

    def __init__(self, side: WebSocketConnection, play: ConversationPlayback, pause: Pause, missed: Missed) -> None:
        self._side = side
        self._play = play
        self._pause = pause
        self._missed = missed
        self._due: asyncio.Queue[_Due] = asyncio.Queue(_MOST_DUE)
        self._latest: _Due | None = None
        self._batches_waiting = 0
        self._pieces: list[bytes] = []
        self._patience = asyncio.timeout(None)
        self._is_over = False

    async def run(self) -> None:
        """Plays to the end. When cancelled, it closes with the status for a server that goes away."""
        self._sending = asyncio.ensure_future(self._send_queued())
        try:
            await self._listen()
        except asyncio.CancelledError:
            self._sending.cancel()
            await self._side.close(GOING_AWAY)
            raise
        finally:
            self._sending.cancel()
            await asyncio.gather(self._sending, self._side.finish(), return_exceptions=True)

    async def _listen(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with self._patience:
                await self._schedule(self._play.begin())
                async for event in self._side.events():
                    match event:
                        case Fragment():
                            await self._receive(event)
                        case Ping(payload):
                            await self._side.pong(payload)
                        case Closed(code, reason) | ProtocolViolation(code, reason):
                            await self._side.close(code, reason)

    async def _receive(self, piece: Fragment) -> None:
        if self._is_over:
            return
        self._pieces.append(piece.data.encode("utf-8") if isinstance(piece.data, str) else piece.data)
        if not piece.is_last:
            return
        message = Message(CLIENT, TEXT if isinstance(piece.data, str) else BINARY, b"".join(self._pieces))
        self._pieces.clear()
        replies = self._play.receive(message)
        if replies is not None:
            await self._schedule(replies)
            return
        self._sending.cancel()
        await self._close(NO_MATCH, self._missed(message, self._play))

    async def _schedule(self, messages: tuple[Message, ...]) -> None:
        """Sends messages that are due now, and queues the others behind those that wait already."""
        if self._latest:
            self._latest.hurry.set()
        waits = [self._pause(message, place == 0) for place, message in enumerate(messages)]
        ready = 0
        while not self._batches_waiting and ready < len(messages) and waits[ready] <= 0:
            await self._send(messages[ready])
            ready += 1
        if ready < len(messages):
            self._batches_waiting += 1
            self._latest = _Due(tuple(zip(waits, messages, strict=True))[ready:])
            await self._due.put(self._latest)

    async def _send_queued(self) -> None:
        while not self._is_over:
            due = await self._due.get()
            for seconds, message in due.messages:
                if seconds > 0:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(due.hurry.wait(), seconds)
                await self._send(message)
            self._batches_waiting -= 1

    async def _send(self, message: Message) -> None:
        if message.kind == CLOSE:
            await self._close(message.code, message.data.decode("utf-8"))
        elif message.kind == BINARY:
            await self._side.send(message.data)
        else:
            await self._side.send(message.data.decode("utf-8"))

    async def _close(self, code: int, reason: str) -> None:
        self._is_over = True
        self._patience.reschedule(asyncio.get_running_loop().time() + CLOSE_SECONDS)
        await self._side.close(code, reason)


class WebSocketReplay:
    """Opens WebSockets from the cassettes. `limit` is the size of the largest message, in bytes."""

    def __init__(self, engine: ReplayEngine, matcher: Matcher, limit: int, random: Random) -> None:
        self._engine = engine
        self._matcher = matcher
        self._limit = limit
        self._random = random

    def open(self, request: Request) -> WebSocketOpening | RenderedResponse | None:
        """The WebSocket that a valid request opens, or the response that explains a miss; None if upstream is asked."""
        if not self._engine.mode.lookup:
            return None
        result = self._engine.converse(request)
        return self._opening(request, result) if isinstance(result, Decision) else result

    def _opening(self, request: Request, decision: Decision) -> WebSocketOpening:
        entry, position = decision.entry, decision.position
        recorded = decision.renderer.recorded
        protocol = get(recorded.headers, "sec-websocket-protocol")
        if protocol not in websocket_handshake.protocols(request.headers):
            protocol = ""
        deflate = websocket_handshake.negotiate_deflate(request.headers)
        headers = self._headers(request, recorded.headers) + self._engine.responses.provenance(entry, position)
        latency = decision.behavior.latency

        async def converse(stream: ByteStream) -> None:
            messages = [
                _with_origin(message, request.origin, rewrite=recorded.rewrite) for message in recorded.messages
            ]
            repeats = self._engine.options.sequence != "strict"
            play = ConversationPlayback(
                messages,
                lambda message: key_of(self._canonical(request, message)),
                lambda recorded, live: self._is_covered(request, recorded, live),
                can_repeat=repeats,
            )
            side = WebSocketConnection(stream, deflate, self._limit, is_client=False)
            pause = partial(self._pause, latency)
            await WebSocketPlayer(side, play, pause, partial(self._missed, request, entry)).run()
            self._warn_of_withheld(request, play)

        return WebSocketOpening(websocket_handshake.switching_head(request, protocol, deflate, headers), converse)

    def _headers(self, request: Request, headers: Headers) -> Headers:
        local = origin.under_base_path(
            origin.local_cookies(without(headers, ("sec-websocket-protocol",))), request.base
        )
        return tuple((name, value.replace(placeholders.ORIGIN, request.origin)) for name, value in local)

    def _canonical(self, request: Request, message: Message) -> CanonicalRequest:
        return self._matcher.message(request, message.data, is_text=message.kind == TEXT)

    def _is_covered(self, request: Request, recorded: Message, live: Message) -> bool:
        stored = self._canonical(request, recorded)
        return has_placeholder(stored) and matches_redacted(stored, self._canonical(request, live))

    def _pause(self, latency: Latency, message: Message, is_first: bool) -> float:
        if latency.factor:
            return message.delay_ms / 1000 * latency.factor
        return self._random.uniform(latency.low, latency.high) if is_first and latency.high > 0 else 0.0

    def _missed(self, request: Request, entry: IndexEntry, message: Message, play: ConversationPlayback) -> str:
        awaited = [self._canonical(request, left) for left in play.awaited()]
        received = self._canonical(request, message)
        options = self._engine.options
        miss = explain_message(received, awaited, entry, options.ignored).with_location(options.home)
        self._engine.report_miss(request, miss, NO_MATCH, entry.file)
        return f"no recorded message matches: {miss.reason}; the log of replaymock says more"

    def _warn_of_withheld(self, request: Request, play: ConversationPlayback) -> None:
        if withheld := play.withheld_count():
            rest = f"{withheld} messages were not said: they answer messages of which only some have come"
            self._engine.warn(request, rest)


def _with_origin(message: Message, own_origin: str, *, rewrite: bool) -> Message:
    if not rewrite or message.kind == BINARY or message.sender != SERVER or b"{{origin}}" not in message.data:
        return message
    return replace(message, data=origin.from_token(message.data, own_origin))
