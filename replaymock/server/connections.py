"""The open connections of clients: each has idle limits, and what is in flight on them is waited for at the end.

A client has as many seconds for a whole request head, counted from the end of the response before; for each 1 KiB of a
request body; and for taking some of a response.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar, cast

from tornado import httputil, iostream
from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection

IDLE_SECONDS = 60.0
"""The time a client has for its part."""

LEAST_BODY = 1024
"""How many bytes of a body must come in that time, if it is not whole by then."""

BUFFERED = 1 << 20
"""How many bytes a connection may have received and not been asked for."""

_HELLO = b"\x16\x03"
"""How a TLS connection begins (RFC 8446 section 5.1): a handshake, and the version 3."""

_END = b"\r\n\r\n"


class ClientStream(iostream.IOStream):
    """A connection that knows whether anything moves on it, and whose first bytes may have been read before.

    The hello of a client that speaks TLS has no end of a head, and would be waited on until its time is over: it gets
    one here, so that it is refused at once, and `on_tls` is called.
    """

    def __init__(self, connection: socket.socket, data: bytes = b"", on_tls: Callable[[], None] = lambda: None) -> None:
        super().__init__(connection, max_buffer_size=BUFFERED)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._on_tls = on_tls
        self._is_new = not data
        if data.startswith(_HELLO):
            on_tls()
            data = _HELLO + _END
        self._before = memoryview(data)
        self._requests = 0
        self._in_body = False
        self._received = 0
        self._sent = 0
        self._seen: tuple[object, ...] = ()
        self._since = 0.0

    def expects_head(self) -> None:
        """Learns that the next request may come."""
        self._requests += 1
        self._in_body = False

    def expects_body(self) -> None:
        """Learns that the head of a request has come."""
        self._in_body = True

    def is_idle_for(self, seconds: float, now: float) -> bool:
        """Whether the client has not done its part for so long; asked a few times in it."""
        progress = self._progress()
        if progress != self._seen or not progress:
            self._seen, self._since = progress, now
        return now - self._since >= seconds

    def set_nodelay(self, value: bool) -> None:
        """Does nothing: what is written here is always a whole piece, and Tornado would change it twice an answer."""

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Reads as `IOStream` does, but first gives out what was read before."""
        if self._before:
            count = min(len(buf), len(self._before))
            buf[:count] = self._before[:count]
            self._before = self._before[count:]
            return count
        received = super().read_from_fd(buf)
        if received and self._is_new:
            self._is_new = False
            if received > len(_HELLO + _END) and bytes(buf[: len(_HELLO)]) == _HELLO:
                self._on_tls()
                buf[received - len(_END) : received] = _END
        self._received += received or 0
        return received

    def write_to_fd(self, data: memoryview) -> int:
        """Writes as `IOStream` does."""
        sent = super().write_to_fd(data)
        self._sent += sent
        return sent

    def _progress(self) -> tuple[object, ...]:
        """What changes when the client does its part; empty while it has none."""
        if self.writing():
            return "answer", self._sent
        if not self.reading():
            return ()
        return ("body", self._received // LEAST_BODY) if self._in_body else ("head", self._requests)


class IdleConnection(Protocol):
    """A connection that can tell for how long nothing moved on it."""

    def is_idle_for(self, seconds: float, now: float) -> bool:
        """Whether the client has not done its part for so long; `now` is the time of the loop."""

    def close(self) -> None:
        """Ends the connection."""


_Watched = TypeVar("_Watched", bound=IdleConnection)


class IdleReaper(Generic[_Watched]):
    """The connections that are watched; those that are idle for so many seconds are closed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: set[_Watched] = set()
        self._loop = asyncio.get_running_loop()
        self._sweeping = self._loop.call_later(seconds / 4, self._sweep)

    def __len__(self) -> int:
        return len(self._watched)

    def __iter__(self) -> Iterator[_Watched]:
        return iter(self._watched)

    def add(self, connection: _Watched) -> None:
        """Watches a connection from now on."""
        self._watched.add(connection)

    def remove(self, connection: _Watched) -> None:
        """Learns that a connection is closed, or watched elsewhere."""
        self._watched.discard(connection)

    def stop(self) -> None:
        """Watches no longer."""
        self._sweeping.cancel()

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in [each for each in self._watched if each.is_idle_for(self._seconds, now)]:
            connection.close()
        self._sweeping = self._loop.call_later(self._seconds / 4, self._sweep)


class Connections(httputil.HTTPServerConnectionDelegate):
    """The open connections that Tornado reads; each request gets its delegate, and `left` learns who has gone."""

    def __init__(
        self,
        delegate: Callable[[HTTP1Connection], httputil.HTTPMessageDelegate],
        left: Callable[[ClientStream], None],
        seconds: float,
    ) -> None:
        self._delegate = delegate
        self._left = left
        self._open: dict[object, ClientStream] = {}
        self._watched: IdleReaper[ClientStream] = IdleReaper(seconds)

    def __len__(self) -> int:
        return len(self._open)

    def start(self, connection: HTTP1ServerConnection, stream: ClientStream) -> None:
        """Serves a connection."""
        self._open[connection] = stream
        self._watched.add(stream)
        connection.start_serving(self)

    def start_request(self, server: object, connection: httputil.HTTPConnection) -> httputil.HTTPMessageDelegate:
        self._open[server].expects_head()
        return self._delegate(cast(HTTP1Connection, connection))

    def on_close(self, server: object) -> None:
        stream = self._open.pop(server)
        self._watched.remove(stream)
        self._left(stream)

    async def close(self) -> None:
        """Closes every connection."""
        self._watched.stop()
        await asyncio.gather(*(cast(HTTP1ServerConnection, connection).close() for connection in list(self._open)))


async def wait_while(is_busy: Callable[[], bool], seconds: float, hurry: asyncio.Event | None = None) -> None:
    """Waits while something is in flight, no longer than `seconds` or until `hurry`."""
    now = asyncio.get_running_loop().time
    deadline = now() + seconds
    # Looked at in turns, once, at the end: an event would cost every request.
    while is_busy() and now() < deadline and not (hurry and hurry.is_set()):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
