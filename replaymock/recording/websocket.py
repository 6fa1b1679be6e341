"""WebSockets on the record road: opened upstream as the caller asked, relayed, and kept once they are over."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable

from replaymock.errors import RequestRefused
from replaymock.http import websocket_handshake
from replaymock.http.conditional import not_forwarded
from replaymock.http.headers import AGREED, Headers, without
from replaymock.http.messages import Exchange, Request, Response, StreamingResponse
from replaymock.http.problem import rejection
from replaymock.http.rendered import RenderedResponse, frame
from replaymock.http.websocket_frames import ByteStream, WebSocketConnection
from replaymock.proxy.forwarder import RecordingForwarder, now
from replaymock.proxy.websocket import Transcript, relay_websocket
from replaymock.telemetry.journal import ServedRequest

SWITCHING = 101


class WebSocketRecorder:
    """Opens WebSockets upstream and keeps what is said on them."""

    def __init__(self, recorder: RecordingForwarder, count: Callable[[ServedRequest], None]) -> None:
        self._recorder = recorder
        self._count = count

    async def open(
        self, request: Request, client: Hashable
    ) -> RenderedResponse | tuple[bytes, Callable[[ByteStream], Awaitable[None]]]:
        """The head of a WebSocket that upstream agreed to, with the conversation that follows it; else its answer."""
        recorder, started = self._recorder, self._recorder.clock()
        wanted = recorder.is_wanted(request.path)
        left_out = not_forwarded(request.method) if wanted else frozenset()
        cors = recorder.cors
        try:
            upstream = recorder.route(request)
            outgoing = recorder.passage.outgoing(request, upstream, left_out)
            limit = recorder.recording.policy.max_body
            answered = await recorder.backends.open(upstream, _with(request, outgoing), limit, client)
        except RequestRefused as error:
            recorder.warn(request, error.detail)
            self._served(request, error.status, "error", "", started)
            return rejection(error, cors, cors.echoed(request.headers))
        response = answered.response
        plain = without(response.headers, AGREED | {"sec-websocket-protocol"})
        headers = recorder.passage.head(
            StreamingResponse(response.status, response.reason, plain, _nothing()), request, "", stored=False
        ).headers
        side = answered.side
        if side is None:
            self._served(request, response.status, "forwarded", "", started)
            return frame(response.status, response.reason, headers, response.body)
        deflate = websocket_handshake.negotiate_deflate(request.headers)

        async def converse(stream: ByteStream) -> None:
            caller = WebSocketConnection(stream, deflate, limit, is_client=False)
            await self._converse(request, response, caller, side, started, wanted=wanted)

        return websocket_handshake.answer_head(request, answered.protocol, deflate, headers), converse

    async def _converse(
        self,
        request: Request,
        response: Response,
        caller: WebSocketConnection,
        backend: WebSocketConnection,
        started: float,
        *,
        wanted: bool,
    ) -> None:
        recorder = self._recorder
        opened = round((recorder.clock() - started) * 1000)
        there = frozenset(recorder.library.index.entries) if recorder.forwarding.lookup else None
        policy = recorder.recording.policy
        notes = Transcript(policy.max_body, recorder.clock, policy.max_stream_time)
        try:
            await relay_websocket(caller, backend, notes)
        finally:
            exchange = Exchange(request, response, now(), opened)

            def done(outcome: str, file: str) -> None:
                if file and not notes.is_whole:
                    recorder.warn(request, "kept only as far as --max-body and --max-stream-time go, as truncated")
                self._served(request, SWITCHING, outcome, file, started)

            if wanted:
                recorder.taking.join_conversation(exchange, tuple(notes.messages), there, done)
            else:
                done("forwarded", "")

    def _served(self, request: Request, status: int, outcome: str, file: str, started: float) -> None:
        shown = self._recorder.recording.shown(request)
        elapsed = (self._recorder.clock() - started) * 1000
        self._count(ServedRequest(request.method, shown, status, outcome, file, elapsed))


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _with(request: Request, headers: Headers) -> Request:
    return Request(request.method, request.target, headers)
