"""Connections to a backend, and the way through a proxy."""

import asyncio
import base64
import socket

import httpx
import pytest

from replaymock.http.messages import Request
from replaymock.http.websocket_frames import Closed, Event
from replaymock.proxy.websocket import WebSocketReply, open_websocket
from tests.support.running import raw_backend, read_request
from tests.support.sockets import close
from tests.support.upgrading import GOOD, answer, through
from tests.support.upstream_pool import dialed

ASKING = Request("GET", "/ws?x=1", (("Host", "backend"), ("X-Own", "1"), ("Sec-WebSocket-Protocol", "a, b")))


async def asked(origin: str, proxy: str) -> tuple[WebSocketReply, list[Event]]:
    found = await open_websocket(await dialed(origin, proxy), ASKING, 1000)
    events = [event async for event in found.side.events()] if found.side else []
    if found.side:
        await found.side.finish()
    return found, events


def test_a_proxy_is_asked_for_a_tunnel_with_its_credentials() -> None:
    heads: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        through(connection, heads[0].split(b" ")[1].decode())

    def backend(connection: socket.socket) -> None:
        connection.sendall(answer(read_request(connection), *GOOD) + close()[:1] + b"\x00")

    with raw_backend(backend) as origin, raw_backend(proxy) as by:
        found, events = asyncio.run(asked(origin, by.replace("//", "//user:p%40ss@")))
    assert found.side is not None
    assert events == [Closed(1005)]
    assert heads[0].startswith(b"CONNECT " + origin.removeprefix("http://").encode() + b" HTTP/1.1\r\n")
    assert b"Basic " + base64.b64encode(b"user:p@ss") in heads[0]


def test_a_proxy_that_refuses_is_named() -> None:
    def proxy(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with raw_backend(proxy) as by, pytest.raises(httpx.ConnectError, match="answered 407 to CONNECT"):
        asyncio.run(asked("http://127.0.0.1:1", by))
