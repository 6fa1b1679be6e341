"""Connections that know whether they are waited for."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from replaymock.patience import LEAST_BODY, Line, Watch


@contextlib.asynccontextmanager
async def a_line(before: bytes = b"") -> AsyncIterator[tuple[Line, socket.socket]]:
    """A connection, and the caller's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs = socket.create_connection(listening.getsockname())
        line = Line(listening.accept()[0], before)
        with theirs:
            yield line, theirs
        line.close()


@pytest.mark.parametrize("count", [1, 4, 100])
def test_what_was_read_before_comes_first_in_pieces_of_any_size(count: int) -> None:
    async def story() -> bytes:
        async with a_line(b"before, ") as (line, theirs):
            theirs.sendall(b"after")
            received = b""
            while len(received) < len(b"before, after"):
                received += await line.read_bytes(count, partial=True)
            return received

    assert asyncio.run(story()) == b"before, after"


def test_a_head_has_its_time_however_it_drips() -> None:
    async def story() -> list[bool]:
        async with a_line() as (line, theirs):
            line.expects_head()
            reading = asyncio.ensure_future(line.read_until(b"\n\n"))
            found = [line.keeps_waiting(0, 60)]
            for now in (30, 61):
                theirs.sendall(b"G")
                await asyncio.sleep(0.01)
                found.append(line.keeps_waiting(now, 60))
            reading.cancel()
            return found

    assert asyncio.run(story()) == [False, False, True]


def test_a_body_has_as_long_as_it_brings_enough() -> None:
    async def story() -> list[bool]:
        async with a_line() as (line, theirs):
            line.expects_head()
            line.expects_body()
            reading = asyncio.ensure_future(line.read_bytes(1_000_000))
            found = [line.keeps_waiting(0, 60)]
            for now, size in ((50, LEAST_BODY), (100, 1), (111, 1)):
                theirs.sendall(b"x" * size)
                await asyncio.sleep(0.02)
                found.append(line.keeps_waiting(now, 60))
            reading.cancel()
            return found

    assert asyncio.run(story()) == [False, False, False, True]


def test_no_time_runs_while_the_server_is_waited_for() -> None:
    async def story() -> list[bool]:
        async with a_line() as (line, _):
            line.expects_head()
            return [line.keeps_waiting(now, 60) for now in (0, 100, 200)]

    assert asyncio.run(story()) == [False, False, False]


def test_an_answer_has_as_long_as_some_of_it_is_taken() -> None:
    async def story() -> list[bool]:
        async with a_line() as (line, theirs):
            line.write(b"x" * 50_000_000)
            found = [line.keeps_waiting(0, 60)]
            for _ in range(20):
                await asyncio.sleep(0)
                theirs.recv(1 << 20)
            await asyncio.sleep(0.02)
            return [*found, line.keeps_waiting(100, 60), line.keeps_waiting(130, 60), line.keeps_waiting(161, 60)]

    assert asyncio.run(story()) == [False, False, False, True]


def test_a_watch_closes_only_those_who_let_time_pass() -> None:
    async def story() -> tuple[bool, bool]:
        watch = Watch(0.08)
        async with a_line() as (waiting, _), a_line() as (working, _):
            watch.add(waiting)
            watch.add(working)
            waiting.expects_head()
            reading = asyncio.ensure_future(waiting.read_until(b"\n\n"))
            await asyncio.wait([reading], timeout=5)
            watch.stop()
            return bool(reading.exception()), working.closed()

    assert asyncio.run(story()) == (True, False)
