"""Connections from listening sockets, as many as there is room for: the rest wait in the system's queue."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

PAUSE_SECONDS = 0.1
_AT_ONCE = 64
_OUT_OF_ROOM = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Acceptor:
    """Accepts on the loop, and can be paused."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        take: Callable[[socket.socket, Any], None],
        warn: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._take = take
        self._warn = warn
        self._listening: list[socket.socket] = []
        self._active = False

    def listen(self, sockets: list[socket.socket]) -> None:
        """Accepts on these listening sockets from now on."""
        for listening in sockets:
            listening.setblocking(False)
        self._listening = sockets
        self.resume()

    def pause(self) -> None:
        """Lets connections wait."""
        self._active = False
        for listening in self._listening:
            self._loop.remove_reader(listening)

    def resume(self) -> None:
        """Accepts again, if it was paused."""
        if self._active:
            return
        self._active = True
        for listening in self._listening:
            self._loop.add_reader(listening, self._accept, listening)

    def close(self) -> None:
        """Takes no more connections, ever."""
        self.pause()
        for listening in self._listening:
            listening.close()
        self._listening = []

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            if not self._active:
                return
            try:
                peer, address = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                self._wait(error)
                return
            self._take(peer, address)

    def _wait(self, error: OSError) -> None:
        """Pauses when the process is out of descriptors, instead of spinning on connections it cannot take."""
        if error.errno not in _OUT_OF_ROOM:
            raise error
        self._warn(f"cannot accept connections: {error.strerror}; raise the limit of open files (ulimit -n)")
        self.pause()
        self._loop.call_later(PAUSE_SECONDS, self.resume)
