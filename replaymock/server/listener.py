"""The sockets on which the server listens."""

import errno
import socket
import sys

from tornado.netutil import bind_sockets

from replaymock.errors import UsageError

BACKLOG = 256
"""How many callers may wait to be accepted; one more would try again only after a second."""


def bind(host: str, port: int, *, shared: bool = False) -> list[socket.socket]:
    """Listening sockets on every address of `host`, on one port, chosen by the system for 0. UsageError if not.

    `shared` says that each may stand beside others on the same port.
    """
    try:
        return _bind(host, port, shared=shared)
    except OSError as error:
        reason = error.strerror or str(error)
        # Whoever may not listen here, or comes too late, needs another port; for all else it is the host that is wrong.
        is_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        advice = "--port (0 picks one)" if is_port else "--host"
        message = f"cannot listen on {host} port {port}: {reason}; choose another by {advice}"
        raise UsageError(message) from error


def bind_each(host: str, port: int, count: int) -> list[list[socket.socket]]:
    """Listening sockets for each of `count` processes, on one port. UsageError if not.

    On Linux each has its own, and the system spreads connections over them; elsewhere they share the same.
    """
    first = bind(host, port)
    if not sys.platform.startswith("linux"):
        return [first] * count
    # Sockets that share a port would share it with those of another run, too: only the first finds out who is there.
    number = int(first[0].getsockname()[1])
    for listening in first:
        listening.close()
    return [bind(host, number, shared=True) for _ in range(count)]


def _bind(host: str, port: int, *, shared: bool) -> list[socket.socket]:
    """Sockets on every address of a host, on one port."""
    if host != "localhost":
        return bind_sockets(port, host, backlog=BACKLOG, reuse_port=shared)
    for _ in range(_BIND_TRIES):
        first = bind_sockets(port, "127.0.0.1", backlog=BACKLOG, reuse_port=shared)
        try:
            return first + bind_sockets(
                first[0].getsockname()[1], "::1", socket.AF_INET6, backlog=BACKLOG, reuse_port=shared
            )
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
