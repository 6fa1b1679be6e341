"""Slow callers: they disturb nobody, take little memory, and are cut, on both roads."""

import contextlib
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import pytest

from replaymock.server.fastpath.acceptor import FastPath
from replaymock.server.listener import allow_open_files, bind
from replaymock.server.router import RoutedAnswers
from tests.support.factories import a_cassette, recorded
from tests.support.inside import a_router, a_server, an_engine, held_open
from tests.support.running import ask, eventually

PATIENCE = 1.6
LARGE = 4_000_000
HEAD = b" HTTP/1.1\r\nHost: localhost\r\n"
BODY = b"POST /a" + HEAD + b"Content-Length: 100000\r\n\r\n"


@dataclass(frozen=True)
class Here:
    """A server in this process, with how many connections it has."""

    port: int
    connections: Callable[[], int]


@contextlib.asynccontextmanager
async def listening(*, fast: bool, patience: float) -> AsyncIterator[Here]:
    engine = an_engine(a_cassette("/a"), a_cassette("/large", recorded(b'"' + b"x" * LARGE + b'"')))
    server = a_server(engine, 1_000_000, idle_seconds=patience)
    answers = RoutedAnswers(a_router(engine), engine)
    fast_path = FastPath(answers, server, engine.count, engine.count, lambda _: None, patience) if fast else None
    sockets = bind("127.0.0.1", 0)
    (fast_path or server).listen(sockets)
    yield Here(
        sockets[0].getsockname()[1],
        lambda: len(server._connections) + len(fast_path._connections if fast_path else ()),
    )
    (fast_path or server).stop_accepting()
    if fast_path:
        fast_path.close()
    await server.drain(0)


@pytest.fixture(params=[True, False], ids=["fast", "slow"])
def fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@contextlib.contextmanager
def callers(port: int, count: int, said: bytes, buffer: int = 0) -> Iterator[list[socket.socket]]:
    """So many callers who said something and then are slow."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            caller = stack.enter_context(socket.socket())
            if buffer:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            caller.settimeout(5)
            caller.connect(("127.0.0.1", port))
            caller.sendall(said)
            found.append(caller)
        yield found


def drip(callers: list[socket.socket], byte: bytes) -> None:
    for caller in callers:
        with contextlib.suppress(OSError):
            caller.send(byte)


def test_a_thousand_slow_callers_disturb_nobody_and_are_cut(fast: bool) -> None:
    allow_open_files()
    with held_open(lambda: listening(fast=fast, patience=PATIENCE)) as here, contextlib.ExitStack() as stack:
        dripping = b"GET /a" + HEAD + b"X-Dripping: "
        said = [*[b""] * 6, b"GET /a" + HEAD, BODY + b"{", dripping, BODY + b'"']
        origin = f"http://127.0.0.1:{here.port}"
        kinds = []
        for first in said:
            kinds.append(stack.enter_context(callers(here.port, 100, first)))
            assert [ask(origin, "GET", "/a").status for _ in range(5)] == [200] * 5
        assert here.connections() > 100

        def are_cut() -> bool:
            time.sleep(0.1)
            drip([*kinds[-2], *kinds[-1]], b"x")
            return here.connections() == 0

        eventually(are_cut, 20)
        assert ask(origin, "GET", "/a").status == 200


def test_who_never_reads_is_cut_and_takes_no_copy_of_what_it_was_to_get(fast: bool) -> None:
    tracemalloc.start()
    try:
        with held_open(lambda: listening(fast=fast, patience=0.8)) as here:
            before, _ = tracemalloc.get_traced_memory()
            asked = (b"GET /large" + HEAD + b"\r\n") * 20
            with callers(here.port, 30, asked, buffer=4096):
                eventually(lambda: here.connections() == 30, 5)
                time.sleep(0.2)
                assert tracemalloc.get_traced_memory()[1] - before < 8 * LARGE
                eventually(lambda: here.connections() == 0, 20)
    finally:
        tracemalloc.stop()


def test_who_reads_slowly_but_steadily_gets_everything(fast: bool) -> None:
    with held_open(lambda: listening(fast=fast, patience=0.4)) as here:
        asked = b"GET /large" + HEAD + b"Connection: close\r\n\r\n"
        with callers(here.port, 1, asked, buffer=65536) as (caller,):
            received = 0
            while piece := caller.recv(LARGE // 10):
                received += len(piece)
                time.sleep(0.02)
    assert received > LARGE
