"""The conductor of WebSockets: what a request to open one gets, and what is then said on it.

Loaded with the first such request.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from replaymock import placeholders
from replaymock.errors import RequestRefused
from replaymock.http import origin, websocket_handshake
from replaymock.http.headers import Headers, get, has, without
from replaymock.http.messages import Request
from replaymock.http.rendered import Answer
from replaymock.http.websocket_frames import Side, Stream
from replaymock.http.websocket_messages import BINARY, SERVER, TEXT, Message, Play
from replaymock.matching.canonical import Canonical
from replaymock.matching.index import Entry
from replaymock.matching.matcher import Matcher, key_of
from replaymock.matching.near_misses import explain_message
from replaymock.matching.redacted_match import covers, is_masked
from replaymock.replay.engine import Responder
from replaymock.replay.faults import Latency
from replaymock.replay.socketplay import NO_MATCH, Player

if TYPE_CHECKING:  # replay loads nothing that could open a connection
    from replaymock.recording.websocket import SocketRecorder


@dataclass(frozen=True, slots=True)
class Opening:
    """A WebSocket that is agreed to: the head that says so, and the conversation on the stream that follows it."""

    head: bytes
    converse: Callable[[Stream], Awaitable[None]]


class Sockets:
    """Opens WebSockets from the cassettes and to upstream."""

    def __init__(
        self, responder: Responder, matcher: Matcher, recorder: "SocketRecorder | None", limit: int, random: Random
    ) -> None:
        self._responder = responder
        self._matcher = matcher
        self._recorder = recorder
        self._limit = limit
        self._random = random

    async def open(self, request: Request, version: str, client: Hashable) -> Opening | Answer:
        """What a request for a WebSocket gets; `client` is the connection it came on."""
        try:
            websocket_handshake.check(request, version)
            self._check_origin(request)
        except RequestRefused as error:
            return self._responder.refuse(request, error)
        if self._responder.mode.lookup:
            found = self._responder.converse(request)
            if isinstance(found, Answer):
                return found
            if found is not None:
                return self._played(request, *found)
        if self._recorder is None:
            raise RuntimeError("a mode that forwards needs a recorder")
        found_upstream = await self._recorder.open(request, client)
        if isinstance(found_upstream, Answer):
            return found_upstream
        return Opening(*found_upstream)

    def _check_origin(self, request: Request) -> None:
        """Refuses a page of another site, which CORS cannot keep from opening a WebSocket (RFC 6455 section 10.2)."""
        headers = request.headers
        if has(headers, "origin") and not self._responder.cors.echoed(headers):
            detail = "a page of this origin may not open a WebSocket here; allow it by --cors-origin ORIGIN"
            raise RequestRefused(403, "origin_not_allowed", detail)

    def _played(self, request: Request, entry: Entry, position: int) -> Opening:
        recorded = entry.prepared(position).recorded
        protocol = get(recorded.headers, "sec-websocket-protocol")
        if protocol not in websocket_handshake.protocols(request.headers):
            protocol = ""
        deflate = websocket_handshake.agreed(request.headers)
        headers = self._headers(request, recorded.headers) + entry.says(position)
        latency = self._responder.latency(request)

        async def converse(stream: Stream) -> None:
            messages = [
                _with_origin(message, request.origin, rewrite=recorded.rewrite) for message in recorded.messages
            ]
            repeats = self._responder.playing.sequence != "strict"
            play = Play(
                messages,
                lambda message: key_of(self._canonical(request, message)),
                lambda recorded, live: self._is_covered(request, recorded, live),
                repeats=repeats,
            )
            side = Side(stream, deflate, self._limit, is_client=False)
            pause = partial(self._pause, latency)
            await Player(side, play, pause, partial(self._missed, request, entry)).run()
            self._tell_of_rest(request, play)

        return Opening(websocket_handshake.answer_head(request, protocol, deflate, headers), converse)

    def _headers(self, request: Request, headers: Headers) -> Headers:
        kept = origin.below(origin.local_cookies(without(headers, ("sec-websocket-protocol",))), request.base)
        return tuple((name, value.replace(placeholders.TOKEN, request.origin)) for name, value in kept)

    def _canonical(self, request: Request, message: Message) -> Canonical:
        return self._matcher.message(request, message.data, is_text=message.kind == TEXT)

    def _is_covered(self, request: Request, recorded: Message, live: Message) -> bool:
        stored = self._canonical(request, recorded)
        return is_masked(stored) and covers(stored, self._canonical(request, live))

    def _pause(self, latency: Latency, message: Message, is_first: bool) -> float:
        if latency.factor:
            return message.delay_ms / 1000 * latency.factor
        return self._random.uniform(latency.low, latency.high) if is_first and latency.high > 0 else 0.0

    def _missed(self, request: Request, entry: Entry, message: Message, play: Play) -> str:
        awaited = [self._canonical(request, left) for left in play.awaited()]
        received = self._canonical(request, message)
        playing = self._responder.playing
        miss = explain_message(received, awaited, entry, playing.ignored).written_in(playing.home)
        self._responder.missed(request, miss, NO_MATCH, entry.file)
        return f"no recorded message matches: {miss.reason}; the log of replaymock says more"

    def _tell_of_rest(self, request: Request, play: Play) -> None:
        if held := play.held():
            rest = f"{held} messages were not said: they answer messages of which only some have come"
            self._responder.warn(request, rest)


def sockets_for(responder: Responder, matcher: Matcher, limit: int) -> Sockets:
    """The WebSockets of a run, with a road upstream where its mode has one."""
    recorder = None
    if responder.recorder:
        from replaymock.recording.websocket import SocketRecorder  # noqa: PLC0415 - replay does not load what dials out

        recorder = SocketRecorder(responder.recorder, lambda: responder.index, responder.count)
    return Sockets(responder, matcher, recorder, limit, Random(0))  # noqa: S311 - the same run twice is wanted


def _with_origin(message: Message, caller_origin: str, *, rewrite: bool) -> Message:
    if not rewrite or message.kind == BINARY or message.sender != SERVER or b"{{origin}}" not in message.data:
        return message
    return replace(message, data=origin.from_token(message.data, caller_origin))
