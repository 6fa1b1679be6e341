"""The listening sockets, and accepting connections on them."""

import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import Callable

from tornado.netutil import bind_sockets

from replaymock.errors import UsageError

try:
    import resource
except ImportError:  # not on Windows, which has no such limit
    resource = None  # type: ignore[assignment]

BACKLOG = 256
"""How many clients may wait to be accepted. One more would try again only after a second."""


def bind(host: str, port: int, *, shared: bool = False) -> list[socket.socket]:
    """Listening sockets on every address of `host`, on one port; 0 lets the system choose it. UsageError if that fails.

    With `shared`, other sockets may listen on the same port, too.
    """
    try:
        return _bind(host, port, shared=shared)
    except OSError as error:
        reason = error.strerror or str(error)
        # A port that is taken or forbidden needs another port; with all other errors the host is wrong.
        is_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        advice = "--port (0 picks one)" if is_port else "--host"
        message = f"cannot listen on {host} port {port}: {reason}; choose another by {advice}"
        raise UsageError(message) from error


def bind_each(host: str, port: int, count: int) -> list[list[socket.socket]]:
    """Listening sockets for each of `count` processes, on one port. UsageError if that fails.

    On Linux each process has its own, and the system spreads connections over them; elsewhere they share one.
    """
    first = bind(host, port)
    if not sys.platform.startswith("linux"):
        return [first] * count
    # Shared sockets would also share the port with another run. Only this first, unshared one finds out.
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

MOST_CONNECTIONS = 4096

PAUSE_SECONDS = 0.1

_AT_ONCE = 16

_OUT_OF_RESOURCES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Acceptor:
    """Accepts connections on the running loop. While `can_accept` is False, they wait.

    `take` is called with each connection and the address of its peer.
    """

    def __init__(
        self,
        take: Callable[[socket.socket, object], None],
        can_accept: Callable[[], bool],
        warn: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._take = take
        self._can_accept = can_accept
        self._warn = warn
        self._listening: list[socket.socket] = []
        self._is_active = False

    def listen(self, sockets: list[socket.socket]) -> None:
        """Accepts on these listening sockets from now on."""
        for listening in sockets:
            listening.setblocking(False)
        self._listening = sockets
        self._resume()

    def close(self) -> None:
        """Stops accepting for good, and closes the sockets."""
        self._pause()
        for listening in self._listening:
            listening.close()
        self._listening = []

    def _pause(self) -> None:
        self._is_active = False
        for listening in self._listening:
            self._loop.remove_reader(listening)

    def _resume(self) -> None:
        self._is_active = True
        for listening in self._listening:
            self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            if not self._is_active:
                return
            if not self._can_accept():
                self._wait()
                return
            try:
                peer, address = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _OUT_OF_RESOURCES:
                    raise
                limit = "raise the limit of open files (ulimit -n)"
                self._warn(f"cannot accept connections: {error.strerror}; {limit}")
                self._wait()
                return
            self._take(peer, address)

    def _wait(self) -> None:
        """Pauses for a moment, instead of trying again and again."""
        self._pause()
        self._loop.call_later(PAUSE_SECONDS, self._resume)


def allow_open_files() -> None:
    """Raises the limit of open files as far as it is allowed and useful. Some systems begin with 256."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS * 2 if hard == resource.RLIM_INFINITY else min(MOST_CONNECTIONS * 2, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
