"""Connections are taken as far as there is room for them."""

import asyncio
import contextlib
import errno
import resource
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from replaymock.server.listener import MOST_CONNECTIONS, PAUSE_SECONDS, Acceptor, allow_open_files


class Gate:
    """An acceptor on a real socket, with what it took and said."""

    def __init__(self) -> None:
        self.taken: list[socket.socket] = []
        self.warned: list[str] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.limit = 1000
        self.acceptor = Acceptor(
            lambda peer, _: self.taken.append(peer), lambda: len(self.taken) < self.limit, self.warned.append
        )
        self.acceptor.listen([self.listening])

    @contextlib.contextmanager
    def callers(self, count: int) -> Iterator[None]:
        """So many callers who have connected."""
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                stack.enter_context(socket.create_connection(self.listening.getsockname()))
            yield

    def close(self) -> None:
        self.acceptor.close()
        for peer in self.taken:
            peer.close()


def test_every_caller_is_taken() -> None:
    async def story() -> int:
        gate = Gate()
        with gate.callers(100):
            await asyncio.sleep(0.1)
        gate.close()
        return len(gate.taken)

    assert asyncio.run(story()) == 100


def test_callers_wait_while_there_is_no_room_and_are_taken_when_there_is() -> None:
    async def story() -> list[int]:
        gate = Gate()
        gate.limit = 1
        with gate.callers(3):
            await asyncio.sleep(0.05)
            counts = [len(gate.taken)]
            gate.limit = 1000
            await asyncio.sleep(PAUSE_SECONDS * 2)
        gate.close()
        return [*counts, len(gate.taken)]

    assert asyncio.run(story()) == [1, 3]


def test_as_many_files_may_be_open_as_are_of_use_and_allowed() -> None:
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        allow_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(MOST_CONNECTIONS * 2, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


def test_without_descriptors_it_says_so_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [errno.EMFILE]
    accept = socket.socket.accept

    def failing(listening: socket.socket) -> tuple[socket.socket, Any]:
        if failures:
            raise OSError(failures.pop(), "Too many open files")
        return accept(listening)

    async def story() -> Gate:
        monkeypatch.setattr(socket.socket, "accept", failing)
        gate = Gate()
        with gate.callers(2):
            await asyncio.sleep(PAUSE_SECONDS * 3)
        gate.close()
        return gate

    gate = asyncio.run(story())
    assert len(gate.taken) == 2
    assert gate.warned == ["cannot accept connections: Too many open files; raise the limit of open files (ulimit -n)"]
