"""Sockets: where the server listens, and a connection that comes with bytes that were read from it before."""

import socket

from tornado import iostream
from tornado.netutil import bind_sockets

from replaymock.errors import UsageError

BUFFERED = 1 << 20
"""How many bytes a connection may have received and not been asked for."""


def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on every address of `host`, on one port, chosen by the system for 0. UsageError if not."""
    try:
        return _bind(host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"cannot listen on {host} port {port}: {reason}; choose another by --port (0 picks one)"
        raise UsageError(message) from error


class Resumed(iostream.IOStream):
    """A connection whose first bytes were read before it came here."""

    def __init__(self, connection: socket.socket, data: bytes) -> None:
        super().__init__(connection, max_buffer_size=BUFFERED)
        self._before = memoryview(data)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Reads as `IOStream` does, but gives out what came before first."""
        if not self._before:
            return super().read_from_fd(buf)
        count = min(len(buf), len(self._before))
        memoryview(buf)[:count] = self._before[:count]
        self._before = self._before[count:]
        return count


def _bind(host: str, port: int) -> list[socket.socket]:
    """Sockets on every address of a host, on one port."""
    if host != "localhost":
        return bind_sockets(port, host)
    for _ in range(_BIND_TRIES):
        first = bind_sockets(port, "127.0.0.1")
        try:
            return first + bind_sockets(first[0].getsockname()[1], "::1", socket.AF_INET6)
        except OSError:
            if port != 0 or not _has_ipv6_loopback():
                if _has_ipv6_loopback():
                    first[0].close()
                    raise
                return first
            first[0].close()
    raise OSError("no port is free on both 127.0.0.1 and ::1")


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


_BIND_TRIES = 10
