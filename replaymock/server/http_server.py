"""The HTTP server: accepts connections, gives each request its handler, and ends in order."""

import asyncio
import socket
from collections.abc import Callable, Hashable

import tornado.platform.asyncio  # noqa: F401 - Tornado imports it with the first connection, when open files may be used up
from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters, HTTP1ServerConnection

from replaymock.draining import wait_while
from replaymock.server.connections import IDLE_SECONDS, ClientStream, Connections
from replaymock.server.listener import MOST_CONNECTIONS, Acceptor
from replaymock.server.request_handler import RequestHandler, RequestServices, WebSockets

MAX_HEADER = 64 * 1024

CLOSE_SECONDS = 1.0
"""How long connections have to close once nothing is in flight on them."""


class HttpServer:
    """Listens, and answers with its `services`. `make_websockets` is called with the first request for a WebSocket.

    Clients may be idle for `idle_seconds`, as `connections` describes it.
    """

    def __init__(
        self,
        services: RequestServices,
        make_websockets: Callable[[], WebSockets],
        warn: Callable[[str], None] = lambda _message: None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._services = services
        self._make_websockets = make_websockets
        self._websockets: WebSockets | None = None
        self._in_flight: set[RequestHandler] = set()
        forwarder = services.forwarder
        self._connections = Connections(self._handler, forwarder.left if forwarder else _forget, idle_seconds)
        self._warn = warn
        self._has_warned_of_tls = False
        self._acceptor = Acceptor(lambda peer, address: self.take_over(peer, address, b""), self.can_accept, warn)
        # A body over our own limit is answered with 413; Tornado's would only close the connection.
        self._parameters = HTTP1ConnectionParameters(max_header_size=MAX_HEADER, max_body_size=1 << 62)

    def listen(self, sockets: list[socket.socket]) -> None:
        """Accepts on these listening sockets from now on."""
        self._acceptor.listen(sockets)

    def take_over(self, connection: socket.socket, address: object, data: bytes) -> None:
        """Serves a connection from which `data` has been read already."""
        stream = ClientStream(connection, data, self._warn_of_tls)
        self._connections.start(HTTP1ServerConnection(stream, self._parameters, address), stream)

    def can_accept(self, others: int = 0) -> bool:
        """Whether one more connection may be accepted beside the open ones, here and on the fast path (`others`)."""
        return len(self._connections) + others < MOST_CONNECTIONS

    def stop_accepting(self) -> None:
        """Stops accepting connections."""
        self._acceptor.close()

    async def drain(self, seconds: float, hurry: asyncio.Event | None = None) -> None:
        """Waits until requests in flight are answered, at most so many seconds or until `hurry`; closes the rest."""
        if self._websockets:
            await self._websockets.drain()
        await wait_while(lambda: bool(self._in_flight), seconds, hurry)
        for handler in list(self._in_flight):
            handler.cancel()
        try:
            await asyncio.wait_for(self._connections.close(), CLOSE_SECONDS)
        except TimeoutError:
            return

    def _warn_of_tls(self) -> None:
        if not self._has_warned_of_tls:
            self._has_warned_of_tls = True
            self._warn("a TLS handshake came in, but what is served here is http: ask by http:// instead of https://")

    def _handler(self, connection: HTTP1Connection) -> RequestHandler:
        return RequestHandler(connection, self._services, self._in_flight, self._open_websockets)

    def _open_websockets(self) -> WebSockets:
        if self._websockets is None:
            self._websockets = self._make_websockets()
        return self._websockets


def _forget(_client: Hashable) -> None:
    """Does nothing: without a forwarder nothing is kept for a client."""
