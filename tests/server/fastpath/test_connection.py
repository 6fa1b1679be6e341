"""One connection on the fast path, by itself; what it says is told in test_acceptor."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from replaymock.server.date_header import DatedStatusLines
from replaymock.server.fastpath.cache import ReadyResponse, ReadyResponses
from replaymock.server.fastpath.connection import FastConnection
from replaymock.telemetry.events import ServedRequest

SERVED = ServedRequest("GET", "/a", 200, "hit", "a/GET.json", 0.0)
GET = b"GET /%d HTTP/1.1\r\n\r\n"


class Host:
    """One that answers what begins with `GET` by its target, and hands the rest over."""

    def __init__(self) -> None:
        self.responses = ReadyResponses()
        self.starts = DatedStatusLines(asyncio.get_running_loop())
        self.handed: list[bytes] = []
        self.closed = 0
        self.was_left = asyncio.Event()

    def repeat(self, served: ServedRequest) -> None:
        raise AssertionError(served)

    def answer(self, head: bytes) -> ReadyResponse | None:
        wire = b"[%b]" % head.split(b" ")[1]
        return (
            ReadyResponse(b"", wire, b"", SERVED, closes=wire == b"[/9]", is_simple=False)
            if head[:3] == b"GET"
            else None
        )

    def answer_now(self, _data: bytes, _start: int) -> tuple[ReadyResponse, int] | None:
        return None

    def left(self, _connection: FastConnection) -> None:
        self.closed += 1
        self.was_left.set()

    def hand_over(self, _connection: FastConnection, peer: socket.socket, _address: Any, data: bytes) -> None:
        self.handed.append(data)
        peer.close()


def told(story: Callable[[Host, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> Host:
    """What a story of a client comes to, told on a real connection."""

    async def run() -> Host:
        host = Host()
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            peer, address = listening.accept()
            FastConnection(host, loop, peer, address)
            await asyncio.wait_for(story(host, reader, writer), 5)
            writer.close()
            await writer.wait_closed()
        return host

    return asyncio.run(run())


def test_requests_are_answered_in_order_until_one_ends_the_connection() -> None:
    async def story(_host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET % 1 + GET % 2)
        assert await reader.readexactly(8) == b"[/1][/2]"
        writer.write(GET % 9 + GET % 3)
        assert await reader.read() == b"[/9]"

    assert told(story).closed == 1


def test_what_it_does_not_know_is_handed_over_with_all_that_follows() -> None:
    async def story(_host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET % 1 + b"POST / HTTP/1.1\r\n\r\n" + GET % 2)
        assert await reader.read() == b"[/1]"

    host = told(story)
    assert host.handed == [b"POST / HTTP/1.1\r\n\r\n" + GET % 2]


def test_a_client_that_leaves_is_let_go() -> None:
    async def story(host: Host, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await host.was_left.wait()

    assert told(story).closed == 1


def test_it_is_idle_for_as_long_as_nothing_comes() -> None:
    async def story() -> list[bool]:
        host, loop = Host(), asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            connection = FastConnection(host, loop, *listening.accept())
            began = loop.time()
            idle = [connection.is_idle_for(60, began + seconds) for seconds in (0, 59, 61)]
            writer.write(GET % 1)
            assert await asyncio.wait_for(reader.readexactly(4), 5) == b"[/1]"
            idle += [connection.is_idle_for(60, began + seconds) for seconds in (70, 129, 131)]
            writer.close()
            await asyncio.wait_for(host.was_left.wait(), 5)
        return idle

    assert asyncio.run(story()) == [False, False, True, False, False, True]
