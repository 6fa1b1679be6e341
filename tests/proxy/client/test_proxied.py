"""The road through a proxy: the proxy gets the target as it came, and gives the answer back as it was."""

import asyncio
import socket
import ssl

import pytest

from replaymock.errors import UsageError
from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.proxy.client.proxied import Proxied
from tests.support.running import raw_backend, read_request
from tests.support.upstream_pool import pieces

TIMEOUTS = {"connect": 5.0, "read": 5.0, "write": 5.0}


def test_a_request_and_its_answer_pass_through_as_they_are() -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 Fine  so\r\nX-A: 1\r\nx-a: \xff\r\nContent-Length: 2\r\n\r\nhi")

    async def story(proxy: str) -> None:
        road = Proxied(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), proxy, TIMEOUTS, 2.0)
        reply = await road.ask("http://backend.example", Request("GET", '/a/../b"', (("Host", "h"),)), pieces())
        assert (reply.head.status, reply.head.reason) == (200, "Fine  so")
        assert reply.head.headers == (("X-A", "1"), ("x-a", "\xff"), ("Content-Length", "2"))
        assert (await reply.read(), await reply.read()) == (b"hi", b"")
        await reply.end()
        await road.aclose()

    with raw_backend(handle) as proxy:
        asyncio.run(story(proxy))
    assert heads[0].startswith(b'GET http://backend.example/a/../b" HTTP/1.1\r\nHost: h\r\n')


def test_what_is_no_proxy_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="http://host:port"):
        Proxied(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "ftp://x", TIMEOUTS, 2.0)


def test_a_client_that_logs_in_has_connections_of_its_own_until_it_leaves() -> None:
    seen: list[tuple[int, bytes]] = []
    ended: list[int] = []

    def handle(connection: socket.socket) -> None:
        while head := read_request(connection):
            seen.append((connection.fileno(), head.split(b" ")[1].rpartition(b"/")[2]))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        ended.append(connection.fileno())

    login = (("Host", "h"), ("Authorization", "Negotiate abc"))

    async def ask(road: Proxied, path: str, client: str | None, headers: Headers = (("Host", "h"),)) -> None:
        reply = await road.ask("http://backend.example", Request("GET", path, headers), pieces(), client)
        while await reply.read():
            pass
        await reply.end()

    async def story(proxy: str) -> None:
        road = Proxied(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), proxy, TIMEOUTS, 2.0)
        await ask(road, "/shared", "ada")
        await ask(road, "/ada", "ada", login)
        await ask(road, "/nobody", None, login)
        await ask(road, "/bob", "bob", login)
        await ask(road, "/ada", "ada")
        await ask(road, "/shared", "cyd")
        await ask(road, "/shared", None)
        assert road.hand_on("http://backend.example", "ada") is None
        road.left("ada")
        road.left("cyd")
        async with asyncio.timeout(5):
            while len(ended) < 1:  # noqa: ASYNC110 - it is told by no event
                await asyncio.sleep(0.01)
        await ask(road, "/shared", "ada")
        await road.aclose()

    with raw_backend(handle) as proxy:
        asyncio.run(story(proxy))
    by_name = {name: {on for on, asked in seen if asked == name} for _, name in seen}
    assert {name: len(used) for name, used in by_name.items()} == dict.fromkeys(
        (b"shared", b"ada", b"nobody", b"bob"), 1
    )
    assert len(set.union(*by_name.values())) == 4
    assert ended[0] in by_name[b"ada"]
