"""Connections from listening sockets, as many as there is room for: the rest wait in the system's queue."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from typing import Any

try:
    import resource
except ImportError:  # not on Windows, which has no such limit
    resource = None  # type: ignore[assignment]

MOST_CONNECTIONS = 4096
PAUSE_SECONDS = 0.1
_AT_ONCE = 16
_OUT_OF_ROOM = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Acceptor:
    """Accepts on the running loop, and lets connections wait while there is no room."""

    def __init__(
        self,
        take: Callable[[socket.socket, Any], None],
        has_room: Callable[[], bool],
        warn: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._take = take
        self._has_room = has_room
        self._warn = warn
        self._listening: list[socket.socket] = []
        self._active = False

    def listen(self, sockets: list[socket.socket]) -> None:
        """Accepts on these listening sockets from now on."""
        for listening in sockets:
            listening.setblocking(False)
        self._listening = sockets
        self._resume()

    def close(self) -> None:
        """Takes no more connections, ever."""
        self._pause()
        for listening in self._listening:
            listening.close()
        self._listening = []

    def _pause(self) -> None:
        self._active = False
        for listening in self._listening:
            self._loop.remove_reader(listening)

    def _resume(self) -> None:
        self._active = True
        for listening in self._listening:
            self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            if not self._active:
                return
            if not self._has_room():
                self._wait()
                return
            try:
                peer, address = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _OUT_OF_ROOM:
                    raise
                limit = "raise the limit of open files (ulimit -n)"
                self._warn(f"cannot accept connections: {error.strerror}; {limit}")
                self._wait()
                return
            self._take(peer, address)

    def _wait(self) -> None:
        """Pauses instead of spinning on connections that cannot be taken now."""
        self._pause()
        self._loop.call_later(PAUSE_SECONDS, self._resume)


def allow_open_files() -> None:
    """Raises this process's limit of open files as far as it is allowed and of use; some systems begin with 256."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS * 2 if hard == resource.RLIM_INFINITY else min(MOST_CONNECTIONS * 2, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
