"""The connections that are open on the ordinary road, each watched for patience."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

from tornado import httputil, iostream
from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection

SECONDS = 60.0
"""The time there is for a head, for so many bytes of a body, and for taking some of an answer."""

LEAST_BODY = 1024
"""How many bytes of a body must come in that time, if it is not whole by then."""

BUFFERED = 1 << 20
"""How many bytes a connection may have received and not been asked for."""

_HELLO = b"\x16\x03"
"""How a session of TLS begins (RFC 8446 section 5.1): a handshake, and the version 3."""

_END = b"\r\n\r\n"


class ClientStream(iostream.IOStream):
    """A connection that knows whether anything moves on it, and whose first bytes may have been read before.

    A caller that speaks TLS would be waited for until its patience ends, as its hello has no end of a head: it gets one
    here, so that it is refused at once, and `on_tls` is called.
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
        self._seen: tuple[Any, ...] = ()
        self._since = 0.0

    def expects_head(self) -> None:
        """Learns that the next request may come."""
        self._requests += 1
        self._in_body = False

    def expects_body(self) -> None:
        """Learns that the head of a request is there."""
        self._in_body = True

    def keeps_waiting(self, now: float, seconds: float) -> bool:
        """Whether the caller has let so much time pass; asked a few times in it."""
        seen = self._progress()
        if seen != self._seen or not seen:
            self._seen, self._since = seen, now
        return now - self._since >= seconds

    def set_nodelay(self, value: bool) -> None:
        """Does nothing: what is written here is always a whole piece, and Tornado would change it twice an answer."""

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Reads as `IOStream` does, but gives out what came before first."""
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

    def _progress(self) -> tuple[Any, ...]:
        """What changes when the caller does its part; empty while it has none."""
        if self.writing():
            return "answer", self._sent
        if not self.reading():
            return ()
        return ("body", self._received // LEAST_BODY) if self._in_body else ("head", self._requests)


class IdleReaper:
    """Closes connections that keep the server waiting."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lines: set[ClientStream] = set()
        self._loop = asyncio.get_running_loop()
        self._sweeping = self._loop.call_later(seconds / 4, self._sweep)

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: ClientStream) -> None:
        """Watches a connection from now on."""
        self._lines.add(line)

    def remove(self, line: ClientStream) -> None:
        """Learns that a connection is closed."""
        self._lines.discard(line)

    def stop(self) -> None:
        """Watches no longer."""
        self._sweeping.cancel()

    def _sweep(self) -> None:
        now = self._loop.time()
        for line in [line for line in self._lines if line.keeps_waiting(now, self._seconds)]:
            line.close()
        self._sweeping = self._loop.call_later(self._seconds / 4, self._sweep)


class Connections(httputil.HTTPServerConnectionDelegate):
    """The connections that are open; gives each request its delegate, and tells whose connection was `left`."""

    def __init__(
        self,
        delegate: Callable[[HTTP1Connection], httputil.HTTPMessageDelegate],
        left: Callable[[ClientStream], None],
        seconds: float,
    ) -> None:
        self._delegate = delegate
        self._left = left
        self._open: dict[object, ClientStream] = {}
        self._watch = IdleReaper(seconds)

    def __len__(self) -> int:
        return len(self._open)

    def start(self, connection: HTTP1ServerConnection, line: ClientStream) -> None:
        """Serves a connection."""
        self._open[connection] = line
        self._watch.add(line)
        connection.start_serving(self)

    def start_request(self, server: object, connection: httputil.HTTPConnection) -> httputil.HTTPMessageDelegate:
        self._open[server].expects_head()
        return self._delegate(cast(HTTP1Connection, connection))

    def on_close(self, server: object) -> None:
        line = self._open.pop(server)
        self._watch.remove(line)
        self._left(line)

    async def close(self) -> None:
        """Closes every connection."""
        self._watch.stop()
        await asyncio.gather(*(cast(HTTP1ServerConnection, connection).close() for connection in list(self._open)))
