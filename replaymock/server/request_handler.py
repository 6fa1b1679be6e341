"""One HTTP request, from its head to the end of its response; its body may be sent upstream while it comes.

This is a delegate of Tornado's HTTP connection. Its own `RequestHandler` would normalise what must stay literal.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
from dataclasses import replace
from typing import Protocol, cast

from msgspec import Struct
from tornado import httputil
from tornado.http1connection import HTTP1Connection

from replaymock.errors import RequestRefused
from replaymock.http.headers import get, has_body, waits_for_continue
from replaymock.http.messages import Request, should_offload
from replaymock.http.rendered import ResponseSink
from replaymock.replay.engine import ReplayEngine
from replaymock.server.access import over_limit, validate_request
from replaymock.server.admin.endpoints import AdminEndpoints
from replaymock.server.client_connection import ClientConnection
from replaymock.server.connections import ClientStream
from replaymock.server.router import FORWARDED, LOOKED_UP, Route, RoutedAnswers, RoutedRequest, Router

QUEUED_PIECES = 8

_DRAINED_BYTES = 256 * 1024 * 1024
"""How many bytes of a body are read and thrown away after its request was answered."""

# A member of an enumeration is slow to look up in Python 3.11, and these are compared for every request.
_OWN_ENDPOINT, _WEBSOCKET, _FORWARD = Route.OWN_ENDPOINT, Route.WEBSOCKET, Route.FORWARD


class RequestForwarder(Protocol):
    """Forwards requests to upstream."""

    async def forward(self, request: Request, body: AsyncIterator[bytes], out: ResponseSink) -> None:
        """Sends a request upstream, and its response to the client. The request body may still be coming."""

    def left(self, client: Hashable) -> None:
        """Called when a client's connection is closed."""


class WebSockets(Protocol):
    """The WebSockets of a server."""

    async def take(self, connection: HTTP1Connection, request: Request, out: ClientConnection) -> bool:
        """Opens a WebSocket on a connection and takes it over. False if it was answered with a response instead."""

    async def drain(self) -> None:
        """Closes the open WebSockets."""


class RequestServices(Struct, frozen=True):
    """The parts by which requests are answered. `max_body` is in bytes; on replay there is no `forwarder`."""

    router: Router
    answers: RoutedAnswers
    admin: AdminEndpoints
    engine: ReplayEngine
    max_body: int
    forwarder: RequestForwarder | None = None


class RequestHandler(httputil.HTTPMessageDelegate):
    """Handles one request. It is in `in_flight` until its response is out; `websockets` gives those of the server."""

    def __init__(
        self,
        connection: HTTP1Connection,
        services: RequestServices,
        in_flight: "set[RequestHandler]",
        websockets: Callable[[], WebSockets],
    ) -> None:
        self._connection = connection
        self._services = services
        self._in_flight = in_flight
        self._websockets = websockets
        self._out = ClientConnection(connection, self._done, self._report_short_file)
        self._routed: RoutedRequest | None = None
        self._upload: RequestBodyQueue | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._drained = 0
        self._task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """Stops answering."""
        if self._task:
            self._task.cancel()

    def headers_received(
        self, start_line: httputil.RequestStartLine | httputil.ResponseStartLine, headers: httputil.HTTPHeaders
    ) -> Awaitable[None] | None:
        line = cast(httputil.RequestStartLine, start_line)
        self._in_flight.add(self)
        cast(ClientStream, self._connection.stream).expects_body()
        request = Request(line.method, line.path, tuple(headers.get_all()))
        # Tornado 6.6 knows only one spelling of `Expect`, and invites even a body that was refused: it is done here.
        if "Expect" in headers:
            del headers["Expect"]
        self._out.start_request(request, line.version)
        routed = self._route(request, line.version)
        if routed.refusal is not None:
            self._refuse(routed.request, routed.refusal)
            self._out.received()
            return None
        if routed.route is _WEBSOCKET:
            return self._upgrade(routed.request)
        self._begin(routed)
        if not self._out.has_begun and line.version != "HTTP/1.0" and waits_for_continue(request.headers):
            self._out.invite()
        return None

    def data_received(self, piece: bytes) -> Awaitable[None] | None:
        self._size += len(piece)
        if self._routed is None or self._out.is_finished:
            self._drained += len(piece)
            if self._drained > _DRAINED_BYTES:
                self._out.received()
            return None
        if self._size > self._services.max_body and not self._upload:
            if self._routed.route not in FORWARDED:
                self._refuse(self._routed.request, over_limit(self._services.max_body))
                return None
            self._stream(self._routed.request)
        if self._upload:
            return self._upload.put(piece)
        self._pieces.append(piece)
        return None

    def finish(self) -> None:
        self._out.received()
        routed = self._routed
        if routed is None or self._out.is_finished:
            return
        if self._task:
            if self._upload:
                self._upload.end()
            return
        if self._pieces:
            routed = RoutedRequest(replace(routed.request, body=b"".join(self._pieces)), routed.route)
        if routed.route is _OWN_ENDPOINT and self._services.admin.needs_all_workers(routed.request):
            self._start(self._answer_for_all(routed.request))
        elif should_offload(routed.request) and routed.route in LOOKED_UP:
            self._start(self._answer_large(routed))
        else:
            self._answer(routed)

    def on_connection_close(self) -> None:
        self.cancel()
        self._done()

    def _route(self, request: Request, version: str) -> RoutedRequest:
        try:
            validate_request(request, version)
        except RequestRefused as error:
            return RoutedRequest(request, Route.REFUSED, error)
        return self._services.router.route(request, version)

    def _begin(self, routed: RoutedRequest) -> None:
        """Sends a request upstream at once if nothing is looked up before; refuses a body that is over the limit."""
        self._routed = routed
        too_large = int(get(routed.request.headers, "content-length", "0")) > self._services.max_body
        if routed.route is _FORWARD or (too_large and routed.route in FORWARDED):
            self._stream(routed.request)
        elif too_large:
            self._refuse(routed.request, over_limit(self._services.max_body))

    async def _upgrade(self, request: Request) -> None:
        if await self._websockets().take(self._connection, request, self._out):
            self._done()

    def _answer(self, routed: RoutedRequest) -> None:
        try:
            is_own = routed.route is _OWN_ENDPOINT
            services = self._services
            answer = services.admin.answer(routed.request) if is_own else services.answers.answer(routed)
        except Exception as error:
            # Whatever went wrong, the client gets a response and the user one line.
            answer = self._services.engine.fail(routed.request, error)
        if answer is not None:
            self._out.answer(answer)
        else:
            self._start(self._forward(routed.request, one_piece(routed.request.body)))

    async def _answer_large(self, routed: RoutedRequest) -> None:
        answer = await self._services.answers.answer_large(routed)
        if answer is not None:
            self._out.answer(answer)
        else:
            await self._forward(routed.request, one_piece(routed.request.body))

    async def _answer_for_all(self, request: Request) -> None:
        self._out.answer(await self._services.admin.answer_for_all_workers(request))

    def _stream(self, request: Request) -> None:
        """Sends a request upstream while its body is still coming."""
        self._upload = RequestBodyQueue(self._pieces) if has_body(request.headers) else None
        self._pieces = []
        self._start(self._forward(request, self._upload.pieces() if self._upload else one_piece(b"")))

    def _forward(self, request: Request, body: AsyncIterator[bytes]) -> Awaitable[None]:
        forwarder = self._services.forwarder
        if forwarder is None:
            raise RuntimeError("a mode that forwards needs a forwarder")
        return forwarder.forward(request, body, self._out)

    def _start(self, work: Awaitable[None]) -> None:
        self._out.on_leave(self.cancel)
        self._task = asyncio.ensure_future(work)
        self._task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._upload:
            self._upload.close()
        error = None if task.cancelled() else task.exception()
        if error and self._routed:
            answer = self._services.engine.fail(self._routed.request, error)
            if not self._out.has_begun:
                self._out.answer(answer)
            elif not self._out.is_finished:  # or its connection serves the next request by now
                self._out.abort()
        self._done()

    def _refuse(self, request: Request, refusal: RequestRefused) -> None:
        """Refuses a request. The rest of its body is read and thrown away, so that the client sees the response."""
        self._out.close_after()
        self._out.answer(self._services.engine.refuse(request, refusal))

    def _report_short_file(self) -> None:
        if self._routed:
            self._services.engine.report_short_file(self._routed.request)

    def _done(self) -> None:
        self._in_flight.discard(self)


class RequestBodyQueue:
    """A request body on its way upstream: the pieces that came `before`, then a queue of a few."""

    def __init__(self, before: Iterable[bytes] = ()) -> None:
        self._before = deque(before)
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED_PIECES)
        self._is_closed = False

    async def put(self, piece: bytes) -> None:
        """Adds a piece, waiting while the queue is full."""
        if not self._is_closed:
            await self._queue.put(piece)

    def end(self) -> None:
        """Marks the end of the body."""
        if not self._is_closed:
            self._ending = asyncio.ensure_future(self._queue.put(None))

    def close(self) -> None:
        """Drops all pieces, also later ones, and ends a `put` that waits."""
        self._is_closed = True
        while not self._queue.empty():
            self._queue.get_nowait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces as they come, to the end of the body."""
        while self._before:
            yield self._before.popleft()
        while not self._is_closed:
            piece = await self._queue.get()
            if piece is None:
                return
            yield piece


async def one_piece(body: bytes) -> AsyncIterator[bytes]:
    """A body that has come completely, as one piece; none if it is empty."""
    if body:
        yield body
