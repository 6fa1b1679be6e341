"""Requests with a body, and answers that do not wait for its end."""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator

import httpx
import pytest

from replaymock.http.messages import Request
from tests.support.running import raw_backend, read_request
from tests.support.upstream_pool import HI, HOST, Backend, answered, pieces, pool, until

NO = b"HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno"
CHUNKS = Request("POST", "/", (*HOST, ("Transfer-Encoding", "chunked")))
PIECE = b"x" * 65536


def sized(size: int) -> Request:
    """A request with a length."""
    return Request("POST", "/", (*HOST, ("Content-Length", str(size))))


async def endless(seen: list[int]) -> AsyncIterator[bytes]:
    """A body that does not end soon, and how many pieces of it were taken."""
    for number in range(1000):
        seen.append(number)
        yield PIECE
        await asyncio.sleep(0)


def test_a_body_goes_out_in_its_framing_and_the_connection_is_used_again() -> None:
    received: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for ending in (b"5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n", b"\r\n\r\nhelloyou", b"\r\n\r\n"):
            received.append((await reader.readuntil(ending)).partition(b"\r\n\r\n")[2])
            writer.write(HI)
        await reader.read()

    async def story() -> None:
        backend, used = Backend(handle), pool()
        async with backend.serving() as origin:
            for request, body in ((CHUNKS, (b"hello", b"", b"you")), (sized(8), (b"hello", b"you")), (sized(0), ())):
                assert await answered(used, origin, request, *body) == (200, b"hi")
            await used.aclose()
        assert backend.connections == 1

    asyncio.run(story())
    assert received == [b"5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n", b"helloyou", b""]


@pytest.mark.parametrize("body", [(b"too", b" long"), (b"few",), ()])
def test_a_body_that_is_not_as_long_as_announced_is_an_error(body: tuple[bytes, ...]) -> None:
    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> None:
        backend, used = Backend(handle), pool()
        async with backend.serving() as origin:
            with pytest.raises(httpx.LocalProtocolError):
                await answered(used, origin, sized(4), *body)
            await until(lambda: backend.open == 0)
        await used.aclose()

    asyncio.run(story())


def test_a_head_waits_a_moment_for_its_body_but_not_longer() -> None:
    reads: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reads.append(await reader.read(65536))
        reads.append(await reader.read(65536))
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(HI)

    async def slow() -> AsyncIterator[bytes]:
        yield b"a"
        await until(lambda: len(reads) == 1)
        yield b"b"
        await until(lambda: len(reads) == 2)

    async def story() -> None:
        used = pool()
        async with Backend(handle).serving() as origin:
            reply = await used.send(origin, CHUNKS, slow())
            await reply.abort()
        await used.aclose()

    asyncio.run(story())
    assert [data.rpartition(b"\r\n\r\n")[2] for data in reads[:2]] == [b"1\r\na\r\n", b"1\r\nb\r\n"]


@pytest.mark.parametrize("then", ["reads on", "stops reading", "closes", "resets"])
@pytest.mark.parametrize("framed", ["chunked", "length"])
def test_a_refusal_comes_at_once_and_ends_the_upload(then: str, framed: str) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(NO)
        await writer.drain()
        if then == "resets":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        while then == "reads on" and await reader.read(65536):
            pass
        if then == "stops reading":
            await writer.wait_closed()

    async def story() -> None:
        seen: list[int] = []
        used = pool()
        async with Backend(handle).serving() as origin:
            reply = await used.send(origin, CHUNKS if framed == "chunked" else sized(1 << 40), endless(seen))
            assert (reply.head.status, await reply.read(), await reply.read()) == (413, b"no", b"")
            await reply.aclose()
            sent = len(seen)
            await until(lambda: not used._open)
            assert len(seen) <= sent + 1
        await used.aclose()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_an_answer_is_seen_that_came_before_a_reset_which_is_met_while_writing() -> None:
    gone = threading.Event()

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(NO)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        gone.set()

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(0)
        # The loop sees nothing of what happens meanwhile, until it writes.
        gone.wait(5)
        for _ in range(3):
            yield PIECE

    async def story(origin: str) -> None:
        used = pool()
        reply = await used.send(origin, CHUNKS, body())
        assert (reply.head.status, await reply.read(), await reply.read()) == (413, b"no", b"")
        await reply.aclose()
        await used.aclose()

    with raw_backend(handle) as origin:
        asyncio.run(story(origin))


def test_an_upload_goes_on_beside_its_answer() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            await reader.readuntil(b"ping\r\n")
            writer.write(b"4\r\npong\r\n")
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(b"0\r\n\r\n")
        await reader.read()

    async def story() -> None:
        turns: asyncio.Queue[bytes] = asyncio.Queue()

        async def pings() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"ping"
                assert await turns.get() == b"pong"

        backend, used = Backend(handle), pool()
        async with backend.serving() as origin:
            reply = await used.send(origin, CHUNKS, pings())
            while piece := await reply.read():
                turns.put_nowait(piece)
            await reply.aclose()
            await until(lambda: backend.open == 0)
        await used.aclose()

    asyncio.run(asyncio.wait_for(story(), 10))


def test_an_upload_that_was_answered_well_is_still_read_to_its_end() -> None:
    ended: list[bool] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HI)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield PIECE
            await asyncio.sleep(0.001)
        ended.append(True)

    async def story() -> None:
        backend, used = Backend(handle), pool()
        async with backend.serving() as origin:
            reply = await used.send(origin, CHUNKS, body())
            assert (await reply.read(), await reply.read()) == (b"hi", b"")
            await reply.aclose()
            await until(lambda: backend.open == 0)
        await used.aclose()

    asyncio.run(story())
    assert ended == [True]


def test_an_upload_waits_for_a_slow_reader_and_times_out_on_one_who_never_reads() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await writer.wait_closed()

    async def story() -> None:
        seen: list[int] = []
        used = pool(write=0.2)
        async with Backend(handle).serving() as origin:
            with pytest.raises(httpx.WriteTimeout):
                await used.send(origin, CHUNKS, endless(seen))
            await until(lambda: not used._open)
        await used.aclose()
        assert len(seen) * len(PIECE) < 20_000_000

    asyncio.run(story())


def test_a_caller_who_is_slow_with_the_body_is_no_silence_of_upstream() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(HI)

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.1)
            yield b"x"

    async def story() -> None:
        used = pool(read=0.2)
        async with Backend(handle).serving() as origin:
            reply = await used.send(origin, CHUNKS, slow())
            assert await reply.read() == b"hi"
            await reply.aclose()
        await used.aclose()

    asyncio.run(story())


def test_a_body_that_breaks_off_breaks_the_request_off() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> None:
        backend, used = Backend(handle), pool()
        async with backend.serving() as origin:
            with pytest.raises(ZeroDivisionError):
                await used.send(origin, CHUNKS, broken())
            await until(lambda: backend.open == 0)
        await used.aclose()

    asyncio.run(story())


def test_a_body_nobody_announced_is_an_error() -> None:
    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> None:
        used = pool()
        async with Backend(handle).serving() as origin:
            with pytest.raises(httpx.LocalProtocolError):
                await used.send(origin, Request("POST", "/", HOST), pieces(b"x"))
        await used.aclose()

    asyncio.run(story())
