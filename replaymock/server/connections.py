"""The open connections of clients, and their idle limits.

A client has `IDLE_SECONDS` for a complete request head, counted from the end of the last response; for each 1 KiB of a
request body; and for reading some of a response.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar, cast

from tornado import httputil, iostream
from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection

IDLE_SECONDS = 60.0
"""How long a client may be idle, in seconds."""

LEAST_BODY = 1024
"""How many bytes of a body must come in that time, unless it ends before."""

BUFFERED = 1 << 20
"""How many received bytes a connection may buffer."""

_HELLO = b"\x16\x03"
"""The first bytes of a TLS connection (RFC 8446 section 5.1): a handshake, and the version 3."""

_END = b"\r\n\r\n"


class ClientStream(iostream.IOStream):
    """A connection that notices whether the client makes progress. Its first bytes, `data`, may have been read before.

    A client that speaks TLS sends no end of a head, and would only be closed when it is idle for too long. So its hello
    gets such an end here, is refused at once, and `on_tls` is called.
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
        self._is_in_body = False
        self._received = 0
        self._sent = 0
        self._seen: tuple[object, ...] = ()
        self._since = 0.0

    def expects_head(self) -> None:
        """Records that the next request may come."""
        self._requests += 1
        self._is_in_body = False

    def expects_body(self) -> None:
        """Records that the head of a request has come."""
        self._is_in_body = True

    def is_idle_for(self, seconds: float, now: float) -> bool:
        """Whether the client made no progress for so long. Must be called a few times in that time."""
        progress = self._progress()
        if progress != self._seen or not progress:
            self._seen, self._since = progress, now
        return now - self._since >= seconds

    def set_nodelay(self, value: bool) -> None:
        """Does nothing: whole pieces are written anyway, and Tornado would change the option twice a response."""

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Reads as `IOStream` does, but first gives the bytes that were read before."""
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
        """A value that changes when the client makes progress; empty while nothing is expected of it."""
        if self.writing():
            return "answer", self._sent
        if not self.reading():
            return ()
        return ("body", self._received // LEAST_BODY) if self._is_in_body else ("head", self._requests)


class IdleConnection(Protocol):
    """A connection that can be idle."""

    def is_idle_for(self, seconds: float, now: float) -> bool:
        """Whether the client made no progress for so long; `now` is the time of the event loop."""

    def close(self) -> None:
        """Ends the connection."""


_Connection = TypeVar("_Connection", bound=IdleConnection)


class IdleReaper(Generic[_Connection]):
    """Closes connections that are idle for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._connections: set[_Connection] = set()
        self._loop = asyncio.get_running_loop()
        self._sweeping = self._loop.call_later(seconds / 4, self._sweep)

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[_Connection]:
        return iter(self._connections)

    def add(self, connection: _Connection) -> None:
        """Adds an open connection."""
        self._connections.add(connection)

    def remove(self, connection: _Connection) -> None:
        """Removes a connection that is closed or handed on."""
        self._connections.discard(connection)

    def stop(self) -> None:
        """Stops closing connections."""
        self._sweeping.cancel()

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in [each for each in self._connections if each.is_idle_for(self._seconds, now)]:
            connection.close()
        self._sweeping = self._loop.call_later(self._seconds / 4, self._sweep)


class Connections(httputil.HTTPServerConnectionDelegate):
    """The open connections that Tornado reads. Each request gets a `delegate`; `left` is called when one is closed."""

    def __init__(
        self,
        delegate: Callable[[HTTP1Connection], httputil.HTTPMessageDelegate],
        left: Callable[[ClientStream], None],
        seconds: float,
    ) -> None:
        self._delegate = delegate
        self._left = left
        self._open: dict[object, ClientStream] = {}
        self._reaper: IdleReaper[ClientStream] = IdleReaper(seconds)

    def __len__(self) -> int:
        return len(self._open)

    def start(self, connection: HTTP1ServerConnection, stream: ClientStream) -> None:
        """Serves a connection."""
        self._open[connection] = stream
        self._reaper.add(stream)
        connection.start_serving(self)

    def start_request(self, server: object, connection: httputil.HTTPConnection) -> httputil.HTTPMessageDelegate:
        self._open[server].expects_head()
        return self._delegate(cast(HTTP1Connection, connection))

    def on_close(self, server: object) -> None:
        stream = self._open.pop(server)
        self._reaper.remove(stream)
        self._left(stream)

    async def close(self) -> None:
        """Closes every connection."""
        self._reaper.stop()
        await asyncio.gather(*(cast(HTTP1ServerConnection, connection).close() for connection in list(self._open)))
