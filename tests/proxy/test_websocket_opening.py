"""A WebSocket to a backend: what its answer must be."""

import asyncio
import socket

import pytest

from replaymock.http.messages import Request
from replaymock.http.websocket_frames import Closed, Event, Fragment
from replaymock.proxy.websocket import MalformedHandshake, WebSocketReply, open_websocket
from tests.support.running import raw_backend, read_request
from tests.support.sockets import TEXT, frame
from tests.support.upgrading import GOOD, answer
from tests.support.upstream_pool import dialed

ASKING = Request("GET", "/ws?x=1", (("Host", "backend"), ("X-Own", "1"), ("Sec-WebSocket-Protocol", "a, b")))


async def asked(origin: str) -> tuple[WebSocketReply, list[Event]]:
    connection = await dialed(origin)
    found = await open_websocket(connection, ASKING, 1000)
    events = [event async for event in found.side.events()] if found.side else []
    if found.side:
        await found.side.finish()
    return found, events


def test_a_backend_that_agrees_is_spoken_to_and_what_it_said_at_once_is_not_lost() -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        connection.sendall(answer(heads[0], *GOOD, "Sec-WebSocket-Protocol: b") + frame(TEXT, b"hi", mask=False))
        connection.sendall(frame(8, b"\x03\xe8", mask=False))

    with raw_backend(handle) as origin:
        found, events = asyncio.run(asked(origin))
    assert found.protocol == "b"
    assert events == [Fragment("hi", True), Closed(1000)]
    assert heads[0].startswith(b"GET /ws?x=1 HTTP/1.1\r\nHost: backend\r\nX-Own: 1\r\nUpgrade: websocket\r\n")
    assert heads[0].lower().count(b"sec-websocket-protocol") == 1
    assert b"Sec-WebSocket-Extensions" not in heads[0]


def test_another_answer_is_given_back_as_it_is() -> None:
    def handle(connection: socket.socket) -> None:
        head = read_request(connection)
        body = "Content-Length: 2000", "X-Why: because"
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(head, *body, status="403 No Way") + b"n" * 2000)

    with raw_backend(handle) as origin:
        found, _ = asyncio.run(asked(origin))
    assert found.side is None
    assert (found.response.status, found.response.reason) == (403, "No Way")
    assert ("X-Why", "because") in found.response.headers
    assert found.response.body == b"n" * 1000


@pytest.mark.parametrize(
    "lines",
    [
        ("Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Accept: wrong"),
        ("Connection: upgrade", "Sec-WebSocket-Accept: ACCEPT"),
        ("Upgrade: websocket", "Sec-WebSocket-Accept: ACCEPT"),
        (*GOOD, "Sec-WebSocket-Protocol: c"),
        (*GOOD, "Sec-WebSocket-Protocol: a, b"),
        (*GOOD, "Sec-WebSocket-Extensions: permessage-bzip"),
        (*GOOD, "no header at all"),
    ],
)
def test_an_answer_that_agrees_to_something_else_is_not_believed(lines: tuple[str, ...]) -> None:
    def handle(connection: socket.socket) -> None:
        connection.sendall(answer(read_request(connection), *lines))

    with raw_backend(handle) as origin, pytest.raises(MalformedHandshake):
        asyncio.run(asked(origin))


def test_a_backend_that_says_nothing_is_a_fault() -> None:
    with raw_backend(lambda connection: connection.close()) as origin, pytest.raises((MalformedHandshake, OSError)):
        asyncio.run(asked(origin))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno", True),
        (b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 401 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", False),
        (b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno, and more", False),
        (b"HTTP/1.1 401 No\r\nContent-Length: 2000\r\n\r\n" + b"n" * 2000, False),
        (b"HTTP/1.0 401 No\r\nContent-Length: 2\r\n\r\nno", False),
    ],
)
def test_after_another_answer_its_connection_is_there_for_the_next_request_where_that_can_be(
    sent: bytes, kept: bool
) -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(sent)
        connection.recv(1)

    async def story(origin: str) -> bool:
        found = await open_websocket(await dialed(origin), ASKING, 1000)
        if found.connection:
            assert found.connection.is_open
            found.connection.close()
            assert not found.connection.is_open
        return found.connection is not None

    with raw_backend(handle) as origin:
        assert asyncio.run(story(origin)) == kept
