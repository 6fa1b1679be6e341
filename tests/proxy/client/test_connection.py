"""One connection: what waits on it is bounded in both directions."""

import asyncio

import httpx
import pytest

from replaymock.http.messages import Request
from replaymock.proxy.client.connection import MOST_WAITING, Timeouts, UpstreamConnection
from tests.support.upstream_pool import HI, HOST, Backend, answered, pieces, pool, until

PIECE = b"x" * 65536


def test_a_fast_upstream_waits_for_a_slow_caller() -> None:
    sent: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (400 * len(PIECE)))
        for number in range(400):
            writer.write(PIECE)
            await writer.drain()
            sent.append(number)
        await reader.read()

    async def story() -> None:
        backend, used = Backend(handle), pool()
        async with backend.serving() as origin:
            reply = await used.send(origin, Request("GET", "/", HOST), pieces())
            await asyncio.sleep(0.2)
            waiting = sum(map(len, reply._connection._pieces))
            assert MOST_WAITING <= waiting <= 3 * MOST_WAITING
            assert len(sent) < 400
            size = 0
            while piece := await reply.read():
                size += len(piece)
            assert size == 400 * len(PIECE)
            await reply.aclose()
            await answered_again(origin)
        await used.aclose()

    async def answered_again(origin: str) -> None:
        other = pool()
        assert (await answered(other, origin))[0] == 200
        await other.aclose()

    asyncio.run(story())


def test_a_first_piece_is_there_as_soon_as_it_has_come() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata")
        await reader.read()

    async def story() -> None:
        used = pool()
        async with Backend(handle).serving() as origin:
            reply = await used.send(origin, Request("GET", "/", HOST), pieces())
            assert await reply.read() == b"data"
            await reply.abort()
        await used.aclose()

    asyncio.run(story())


def test_a_body_that_came_with_its_head_is_given_whole_and_then_there_is_no_more() -> None:
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(HI if len(asked) == 1 else HI[:-1])
            if len(asked) > 1:
                await reader.read()

    async def story() -> None:
        backend, used = Backend(handle), pool()
        async with backend.serving() as origin:
            reply = await used.send(origin, Request("GET", "/", HOST), pieces())
            assert (reply.whole(), await reply.read()) == (b"hi", b"")
            await reply.aclose()
            reply = await used.send(origin, Request("GET", "/", HOST), pieces())
            assert (reply.whole(), await reply.read()) == (None, b"h")
            await reply.abort()
        assert backend.connections == 1
        await used.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 408 Too Late\r\nContent-Length: 0\r\n\r\n"])
def test_bytes_or_an_end_between_two_exchanges_make_a_connection_unusable(said: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HI)
        await asyncio.sleep(0.02)
        writer.write(said)
        if said:
            await reader.read()

    async def story() -> None:
        backend, used = Backend(handle), pool()
        async with backend.serving() as origin:
            for _ in range(2):
                assert await answered(used, origin) == (200, b"hi")
                await until(lambda: backend.open == 0)
        assert backend.connections == 2
        await used.aclose()

    asyncio.run(story())


def test_a_connection_that_is_gone_before_it_is_used_is_an_error_and_no_wait() -> None:
    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def story() -> None:
        used = pool(read=60)
        async with Backend(handle).serving() as origin:
            for _ in range(20):
                with pytest.raises(httpx.TransportError):
                    await asyncio.wait_for(answered(used, origin), 5)
            gone = UpstreamConnection(lambda _: None)
            gone.begin("GET", Timeouts(60, 60, 60))
            with pytest.raises(httpx.ReadError):
                await gone.head()
        await used.aclose()

    asyncio.run(story())
