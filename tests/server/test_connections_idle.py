"""Connections that know whether they are waited for."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from replaymock.server.connections import LEAST_BODY, ClientStream, IdleReaper

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)


@contextlib.asynccontextmanager
async def a_line(
    before: bytes = b"", on_tls: Callable[[], None] = lambda: None
) -> AsyncIterator[tuple[ClientStream, socket.socket]]:
    """A connection, and the client's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs = socket.create_connection(listening.getsockname())
        line = ClientStream(listening.accept()[0], before, on_tls)
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


@pytest.mark.parametrize("before", [b"", HELLO])
def test_a_caller_that_speaks_tls_is_told_of_and_its_hello_ends_like_a_head(before: bytes) -> None:
    async def story(sent: bytes) -> tuple[bytes, int]:
        told: list[int] = []
        async with a_line(before, lambda: told.append(1)) as (line, theirs):
            theirs.sendall(sent)
            return await asyncio.wait_for(line.read_until(b"\r\n\r\n"), 5), len(told)

    head, told = asyncio.run(story(HELLO))
    assert (head[:2], told) == (HELLO[:2], 1)
    if not before:
        assert asyncio.run(story(b"GET / \x16\x03\r\n\r\n")) == (b"GET / \x16\x03\r\n\r\n", 0)


def test_a_head_has_its_time_however_it_drips() -> None:
    async def story() -> list[bool]:
        async with a_line() as (line, theirs):
            line.expects_head()
            reading = asyncio.ensure_future(line.read_until(b"\n\n"))
            found = [line.is_idle_for(60, 0)]
            for now in (30, 61):
                theirs.sendall(b"G")
                await asyncio.sleep(0.01)
                found.append(line.is_idle_for(60, now))
            reading.cancel()
            return found

    assert asyncio.run(story()) == [False, False, True]


def test_a_body_has_as_long_as_it_brings_enough() -> None:
    async def story() -> list[bool]:
        async with a_line() as (line, theirs):
            line.expects_head()
            line.expects_body()
            reading = asyncio.ensure_future(line.read_bytes(1_000_000))
            found = [line.is_idle_for(60, 0)]
            for now, size in ((50, LEAST_BODY), (100, 1), (111, 1)):
                theirs.sendall(b"x" * size)
                await asyncio.sleep(0.02)
                found.append(line.is_idle_for(60, now))
            reading.cancel()
            return found

    assert asyncio.run(story()) == [False, False, False, True]


def test_no_time_runs_while_the_server_is_waited_for() -> None:
    async def story() -> list[bool]:
        async with a_line() as (line, _):
            line.expects_head()
            return [line.is_idle_for(60, now) for now in (0, 100, 200)]

    assert asyncio.run(story()) == [False, False, False]


def test_an_answer_has_as_long_as_some_of_it_is_taken() -> None:
    async def story() -> list[bool]:
        async with a_line() as (line, theirs):
            line.write(b"x" * 50_000_000)
            found = [line.is_idle_for(60, 0)]
            for _ in range(20):
                await asyncio.sleep(0)
                theirs.recv(1 << 20)
            await asyncio.sleep(0.02)
            return [*found, line.is_idle_for(60, 100), line.is_idle_for(60, 130), line.is_idle_for(60, 161)]

    assert asyncio.run(story()) == [False, False, False, True]


def test_a_watch_closes_only_those_who_let_time_pass() -> None:
    async def story() -> tuple[bool, bool]:
        watch: IdleReaper[ClientStream] = IdleReaper(0.08)
        async with a_line() as (waiting, _), a_line() as (working, _):
            watch.add(waiting)
            watch.add(working)
            waiting.expects_head()
            reading = asyncio.ensure_future(waiting.read_until(b"\n\n"))
            await asyncio.wait([reading], timeout=5)
            watch.stop()
            return bool(reading.exception()), working.closed()

    assert asyncio.run(story()) == (True, False)
