"""HTTP in: with `connection` the only room that imports Tornado. What is no proper request is refused here.

Tornado's `HTTPServerConnectionDelegate` is used without `RequestHandler`, which would normalise what must stay literal.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import tornado.platform.asyncio  # noqa: F401 - Tornado imports it with the first connection, when files may be used up
from tornado import httputil
from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters, HTTP1ServerConnection

from replaymock.errors import RequestRefused
from replaymock.http.headers import get, has_body
from replaymock.http.messages import Request, should_offload
from replaymock.http.rendered import RenderedResponse
from replaymock.http.websocket_handshake import is_upgrade
from replaymock.matching.lookup import CanonicalAndShown
from replaymock.proxy.headers import waits_to_be_asked
from replaymock.replay.engine import Hit, ReplayEngine
from replaymock.server.access import HostGuard, over_limit, validate_request
from replaymock.server.admin import endpoints
from replaymock.server.client_connection import ClientConnection
from replaymock.server.connections import SECONDS, ClientStream, Connections
from replaymock.server.listener import MOST_CONNECTIONS, Acceptor
from replaymock.server.receiving import RequestBodyQueue, whole

if TYPE_CHECKING:  # most runs open no WebSocket
    from replaymock.replay.websocket import WebSocketReplay
    from replaymock.server.websocket import WebSocketUpgrades

MAX_HEADER = 64 * 1024


class HttpServer:
    """Listens, and answers through one responder. `patience` is in seconds."""

    def __init__(
        self,
        responder: ReplayEngine,
        guard: HostGuard,
        max_body: int,
        warn: Callable[[str], None] = lambda _message: None,
        patience: float = SECONDS,
        make_sockets: "Callable[[], WebSocketReplay] | None" = None,
    ) -> None:
        self._make_sockets = make_sockets
        self._upgrades: WebSocketUpgrades | None = None
        self._responder = responder
        self._guard = guard
        self._max_body = max_body
        self._open: set[RequestHandler] = set()
        self._connections = Connections(self._delegate, responder.left, patience)
        self._warn = warn
        self._has_told_of_tls = False
        self._acceptor = Acceptor(lambda peer, address: self.take_over(peer, address, b""), self.has_room, warn)
        # Ours is the limit of a body that answers 413; Tornado's own would close without a word.
        self._parameters = HTTP1ConnectionParameters(max_header_size=MAX_HEADER, max_body_size=1 << 62)

    def listen(self, sockets: list[socket.socket]) -> None:
        """Accepts on these listening sockets from now on."""
        self._acceptor.listen(sockets)

    def take_over(self, connection: socket.socket, address: Any, data: bytes) -> None:
        """Serves a connection from which `data` has been read already."""
        line = ClientStream(connection, data, self._tell_of_tls)
        self._connections.start(HTTP1ServerConnection(line, self._parameters, address), line)

    def _tell_of_tls(self) -> None:
        if not self._has_told_of_tls:
            self._has_told_of_tls = True
            self._warn("a TLS handshake came in, but what is served here is http: ask by http:// instead of https://")

    def has_room(self, others: int = 0) -> bool:
        """Whether one more connection is taken beside those that are open, here and elsewhere."""
        return len(self._connections) + others < MOST_CONNECTIONS

    def constant(self, request: Request) -> Hit | None:
        """The answer every equal request gets for now, as `Responder.constant`; None for the server's own paths."""
        return self._asked(request, self._responder.constant)

    def direct(self, request: Request) -> Hit | None:
        """The answer to this very request, as `Responder.direct`; None for the server's own paths."""
        return self._asked(request, self._responder.direct)

    def _asked(self, request: Request, ask: Callable[[Request], Hit | None]) -> Hit | None:
        # Whatever goes wrong here goes wrong on the ordinary road too, which answers it and tells of it.
        with contextlib.suppress(Exception):
            request = self._responder.assign(request)
            return None if endpoints.is_own(request.path) else ask(request)
        return None

    def stop_accepting(self) -> None:
        """Takes no more connections."""
        self._acceptor.close()

    async def drain(self, seconds: float, hurry: asyncio.Event | None = None) -> None:
        """Waits until what is in flight is answered, no longer than `seconds` or until `hurry`; closes what is left."""
        if self._upgrades:
            await self._upgrades.drain()
        now = asyncio.get_running_loop().time
        deadline = now() + seconds
        # Looked at in turns, once, at the end: an event would cost every request.
        while self._open and now() < deadline and not (hurry and hurry.is_set()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for delegate in list(self._open):
            delegate.cancel()
        try:
            await asyncio.wait_for(self._connections.close(), 1.0)
        except TimeoutError:
            return

    def _delegate(self, connection: HTTP1Connection) -> "RequestHandler":
        return RequestHandler(connection, self._responder, self._guard, self._max_body, self._open, self._upgrading)

    def _upgrading(self) -> "WebSocketUpgrades":
        if self._upgrades is None:
            from replaymock.server.websocket import WebSocketUpgrades  # noqa: PLC0415 - most runs open no WebSocket

            if self._make_sockets is None:
                raise RuntimeError("this server opens no WebSockets")
            self._upgrades = WebSocketUpgrades(self._make_sockets(), self._responder.fail)
        return self._upgrades


class RequestHandler(httputil.HTTPMessageDelegate):
    """One request, from its head to the end of its answer."""

    def __init__(
        self,
        connection: HTTP1Connection,
        responder: ReplayEngine,
        guard: HostGuard,
        max_body: int,
        in_flight: "set[RequestHandler]",
        upgrading: "Callable[[], WebSocketUpgrades]",
    ) -> None:
        self._upgrading = upgrading
        self._connection = connection
        self._responder = responder
        self._guard = guard
        self._max_body = max_body
        self._in_flight = in_flight
        self._out = ClientConnection(connection, self._done, self._fell_short)
        self._request: Request | None = None
        self._upload: RequestBodyQueue | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._drained = 0
        self._task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """Gives up answering."""
        if self._task:
            self._task.cancel()

    def headers_received(
        self, start_line: httputil.RequestStartLine | httputil.ResponseStartLine, headers: httputil.HTTPHeaders
    ) -> Awaitable[None] | None:
        line = cast(httputil.RequestStartLine, start_line)
        self._in_flight.add(self)
        cast(ClientStream, self._connection.stream).expects_body()
        request = Request(line.method, line.path, tuple(headers.get_all()))
        # Tornado 6.6 knows one spelling of what is expected, and invites a body that was refused: that is done here.
        if "Expect" in headers:
            del headers["Expect"]
        self._out.expect(request, line.version)
        try:
            validate_request(request, line.version)
            request = self._responder.assign(request)
            is_own = endpoints.is_own(request.path)
            if not is_own:
                self._guard.check(request)
        except RequestRefused as error:
            self._out.close_after()
            self._out.answer(self._responder.refuse(request, error))
            self._out.received()
            return None
        if not is_own and is_upgrade(request):
            return self._upgrade(request, line.version)
        self._request = request
        too_large = int(get(request.headers, "content-length", "0")) > self._max_body
        if (too_large or not self._responder.mode.lookup) and self._goes_upstream(request):
            self._stream(request)
        elif too_large:
            self._refuse(request)
        if not self._out.begun and line.version != "HTTP/1.0" and waits_to_be_asked(request.headers):
            self._out.invite()
        return None

    async def _upgrade(self, request: Request, version: str) -> None:
        if await self._upgrading().take(self._connection, request, version, self._out):
            self._done()

    def data_received(self, piece: bytes) -> Awaitable[None] | None:
        self._size += len(piece)
        if self._request is None or self._out.finished:
            self._drained += len(piece)
            if self._drained > _DRAINED:
                self._out.received()
            return None
        if self._size > self._max_body and not self._upload:
            if not self._goes_upstream(self._request):
                self._refuse(self._request)
                return None
            self._stream(self._request)
        if self._upload:
            return self._upload.put(piece)
        self._pieces.append(piece)
        return None

    def finish(self) -> None:
        self._out.received()
        if self._request is None or self._out.finished:
            return
        if self._task:
            if self._upload:
                self._upload.end()
            return
        request = replace(self._request, body=b"".join(self._pieces)) if self._pieces else self._request
        if endpoints.concerns_all(request, self._responder, self._guard):
            self._start(self._answer_for_all(request))
        elif should_offload(request) and self._responder.mode.lookup and not endpoints.is_own(request.path):
            self._start(self._read_and_answer(request))
        else:
            self._answer(request)

    def _answer(self, request: Request) -> None:
        try:
            answer = self._local(request)
        except Exception as error:
            # The caller gets an answer and the user one line, whatever went wrong.
            answer = self._responder.fail(request, error)
        if answer is not None:
            self._out.answer(answer)
        else:
            self._start(self._responder.forward(request, whole(request.body), self._out))

    def on_connection_close(self) -> None:
        self.cancel()
        self._done()

    def _goes_upstream(self, request: Request) -> bool:
        """Whether upstream can be asked for a request, which then may be as large as it likes."""
        cors = self._responder.cors
        return self._responder.mode.forward and not (endpoints.is_own(request.path) or cors.is_preflight(request))

    def _stream(self, request: Request) -> None:
        """Sends a request upstream while its body is still coming."""
        self._upload = RequestBodyQueue(self._pieces) if has_body(request.headers) else None
        self._pieces = []
        pieces = self._upload.pieces() if self._upload else whole(b"")
        self._start(self._responder.forward(request, pieces, self._out))

    def _local(self, request: Request, read: CanonicalAndShown | None = None) -> RenderedResponse | None:
        """The answer that needs no upstream; None where upstream is asked. `read` is what the request comes down to."""
        if endpoints.is_own(request.path):
            return endpoints.answer(request, self._responder, self._guard)
        preflight = self._responder.preflight(request)
        if preflight is None and self._responder.mode.lookup:
            return self._responder.replay(request, read)
        return preflight

    async def _read_and_answer(self, request: Request) -> None:
        answer = self._local(request, await self._responder.read(request))
        if answer is not None:
            self._out.answer(answer)
        else:
            await self._responder.forward(request, whole(request.body), self._out)

    async def _answer_for_all(self, request: Request) -> None:
        self._out.answer(await endpoints.answer_for_all(request, self._responder, self._guard))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._out.on_leave(self.cancel)
        self._task = asyncio.ensure_future(work)
        self._task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._upload:
            self._upload.close()
        error = None if task.cancelled() else task.exception()
        if error and self._request:
            answer = self._responder.fail(self._request, error)
            if not self._out.begun:
                self._out.answer(answer)
            elif not self._out.finished:  # or its connection serves the next request by now
                self._out.abort()
        self._done()

    def _refuse(self, request: Request) -> None:
        """Refuses a body over the limit; what still comes of it is read and thrown away, so that the answer is seen."""
        self._out.close_after()
        self._out.answer(self._responder.refuse(request, over_limit(self._max_body)))

    def _fell_short(self) -> None:
        if self._request:
            self._responder.fell_short(self._request)

    def _done(self) -> None:
        self._in_flight.discard(self)


_DRAINED = 256 * 1024 * 1024
