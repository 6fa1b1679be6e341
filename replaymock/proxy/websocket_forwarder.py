"""Forwards WebSockets: opened upstream as the client asked, relayed, and recorded once they are over."""

from collections.abc import AsyncIterator, Hashable

from replaymock.errors import RequestRefused
from replaymock.http import websocket_handshake
from replaymock.http.conditional import withheld_conditions
from replaymock.http.headers import NEGOTIATED, without
from replaymock.http.messages import Exchange, Request, Response, StreamingResponse
from replaymock.http.problem import rejection
from replaymock.http.rendered import RenderedResponse, frame
from replaymock.http.websocket_frames import ByteStream, WebSocketConnection, WebSocketOpening
from replaymock.proxy.forwarder import Forwarder, recording_time
from replaymock.proxy.ticket import Ticket
from replaymock.proxy.websocket import Transcript, relay_websocket

SWITCHING = 101


class WebSocketForwarder:
    """Opens WebSockets upstream."""

    def __init__(self, forwarder: Forwarder) -> None:
        self._forwarder = forwarder

    async def open(self, request: Request, client: Hashable) -> WebSocketOpening | RenderedResponse:
        """The head of a WebSocket that upstream agreed to, with the conversation that follows it; else its answer."""
        forwarder = self._forwarder
        started = forwarder.clock()
        ticket = forwarder.recorder.begin(request, is_conversation=True)
        cors, limit = forwarder.cors, forwarder.options.max_body
        left_out = withheld_conditions(request.method) if ticket.is_wanted else frozenset[str]()
        try:
            upstream = forwarder.route(request)
            outgoing = forwarder.headers.outgoing(request, upstream, left_out)
            asked = Request(request.method, request.target, outgoing)
            answered = await forwarder.upstreams.open(upstream, asked, limit, client)
        except RequestRefused as error:
            forwarder.warn(request, error.detail)
            ticket.served(error.status, "error")
            return rejection(error, cors, cors.credentialed_origin(request.headers))
        response, backend = answered.response, answered.side
        plain = without(response.headers, NEGOTIATED | {"sec-websocket-protocol"})
        live = StreamingResponse(response.status, response.reason, plain, _nothing())
        headers = forwarder.headers.head(live, request, "", stored=False).headers
        if backend is None:
            ticket.served(response.status, "forwarded")
            return frame(response.status, response.reason, headers, response.body)
        deflate = websocket_handshake.negotiate_deflate(request.headers)

        async def converse(stream: ByteStream) -> None:
            opened = round((forwarder.clock() - started) * 1000)
            ticket.cassette_for(None)
            client_side = WebSocketConnection(stream, deflate, limit, is_client=False)
            transcript = Transcript(limit, forwarder.clock, forwarder.options.max_stream_time)
            try:
                await relay_websocket(client_side, backend, transcript)
            finally:
                self._finish(ticket, request, response, opened, transcript)

        head = websocket_handshake.switching_head(request, answered.protocol, deflate, headers)
        return WebSocketOpening(head, converse)

    def _finish(
        self, ticket: Ticket, request: Request, response: Response, opened: int, transcript: Transcript
    ) -> None:
        if not ticket.is_wanted:
            ticket.served(SWITCHING, "forwarded")
            return
        exchange = Exchange(request, response, recording_time(), opened)
        warning = "" if transcript.is_whole else _CUT
        ticket.finish(exchange, SWITCHING, tuple(transcript.messages), warning)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


_CUT = "kept only as far as --max-body and --max-stream-time go, as truncated"
