"""The road through a proxy: the proxy gets the target as it came, and gives the answer back as it was."""

import asyncio
import socket
import ssl

import pytest

from replaymock.errors import UsageError
from replaymock.exchange import Request
from replaymock.proxied import Proxied
from tests.running import raw_backend, read_request
from tests.test_transport import pieces

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
