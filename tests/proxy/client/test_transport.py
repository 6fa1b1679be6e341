"""Our HTTP/1.1 as one of httpx's transports, asked as any of httpx's users would."""

import asyncio
import socket

import httpx
import pytest

from replaymock.proxy.client.connection import Timeouts
from replaymock.proxy.client.dialer import Dialer
from replaymock.proxy.client.transport import Http1Transport
from tests.support.running import raw_backend, read_request, read_whole, reply
from tests.support.upstream_pool import trusting


def a_transport() -> Http1Transport:
    return Http1Transport(Dialer(trusting(), 5.0), Timeouts(5.0, 5.0, 5.0), 5.0)


def test_httpx_client_speaks_over_it() -> None:
    heads: list[tuple[bytes, bytes]] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_whole(connection))
        connection.sendall(reply(b'{"a": 1}', "X-A: 1", "x-a: \xe9", status="200 Fine  so"))

    async def story(origin: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=a_transport()) as client:
            return await client.post(
                f"{origin}/a?b=1", content=b"body", extensions={"target": b'/a/../b"', "timeout": {"read": 3.0}}
            )

    with raw_backend(handle) as origin:
        response = asyncio.run(story(origin))
    assert heads[0][0].startswith(b'POST /a/../b" HTTP/1.1\r\nHost: ' + origin.removeprefix("http://").encode())
    assert heads[0][1] == b"body"
    assert (response.status_code, response.reason_phrase, response.json()) == (200, "Fine  so", {"a": 1})
    assert response.extensions["http_version"] == b"HTTP/1.1"
    assert [pair for pair in response.headers.raw if pair[0].lower() == b"x-a"] == [(b"X-A", b"1"), (b"x-a", b"\xe9")]


def test_timeouts_of_a_request_count_for_it_alone() -> None:
    def handle(connection: socket.socket) -> None:
        while b"/quick" in read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        connection.recv(1)

    async def story(origin: str) -> None:
        used = a_transport()
        async with httpx.AsyncClient(transport=used) as client:
            assert (await client.get(f"{origin}/quick", timeout=None)).status_code == 200
            async with asyncio.timeout(3):
                with pytest.raises(httpx.ReadTimeout):
                    await client.get(f"{origin}/slow", timeout=0.1)

    with raw_backend(handle) as origin:
        asyncio.run(story(origin))
