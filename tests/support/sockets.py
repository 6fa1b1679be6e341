"""WebSocket frames as raw bytes, for tests that look at the wire; and backends that speak WebSocket."""

import asyncio
import base64
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from tests.support.inside import held_open

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x01\x02\x03\x04"
KEY = base64.b64encode(b"0123456789abcdef").decode()
Frame = tuple[int, bytes]
"""Opcode and payload; of a text or binary message the whole of it."""


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bool = True, wide: int = 0
) -> bytes:
    """One frame; `wide` forces a length of 16 or 64 bits."""
    size = len(payload)
    wide = wide or (64 if size > 65535 else 16 if size > 125 else 0)
    short = {0: size, 16: 126, 64: 127}[wide]
    length = {0: b"", 16: struct.pack("!H", size & 65535), 64: struct.pack("!Q", size)}[wide]
    head = bytes([(fin << 7) | (rsv << 4) | opcode, (mask << 7) | short]) + length
    return head + MASK + masked(payload) if mask else head + payload


def masked(payload: bytes) -> bytes:
    """A payload under the one mask that is used here."""
    size = len(payload)
    key = (MASK * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def opening(path: str, *headers: str) -> bytes:
    """A request for a WebSocket."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@contextlib.contextmanager
def opened(port: int, path: str, *headers: str) -> Iterator[tuple[socket.socket, bytes]]:
    """A WebSocket on a raw socket, and the head of the answer to it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(opening(path, *headers))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = connection.recv(1)
            assert piece, head
            head += piece
        yield connection, head


class Reader:
    """Frames from a socket, unmasked as a server must send them."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def frame(self) -> tuple[int, int, bytes] | None:
        """The first byte's upper half, the opcode and the payload; None at the end."""
        try:
            head = self._file.read(2)
            if len(head) < 2:
                return None
            assert not head[1] & 0x80, "a server does not mask"
            size = head[1]
            if size > 125:
                size = int.from_bytes(self._file.read(2 if size == 126 else 8), "big")
            return head[0] >> 4, head[0] & 15, self._file.read(size)
        except ConnectionResetError:
            return None

    def messages(self, most: int = 1 << 30) -> list[Frame]:
        """Messages and control frames up to the close or the end; a close is its code in two bytes."""
        found: list[Frame] = []
        opcode, data = 0, b""
        while len(found) < most and (one := self.frame()) is not None:
            flags, kind, payload = one
            if kind >= CLOSE:
                found.append((kind, payload[:2] if kind == CLOSE else payload))
                if kind == CLOSE:
                    break
                continue
            opcode, data = kind or opcode, data + payload
            if flags & 8:
                found.append((opcode, data))
                data = b""
        return found


@contextlib.contextmanager
def socket_backend(handle: Callable[[ServerConnection], Awaitable[None]], **options: Any) -> Iterator[str]:
    """A backend that speaks WebSocket by the `websockets` library; its origin."""

    async def quietly(connection: ServerConnection) -> None:
        with contextlib.suppress(Exception):
            await handle(connection)

    options = {"max_size": None, **options}
    with held_open(lambda: serve(quietly, "127.0.0.1", 0, **options)) as server:
        yield f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def echo(connection: ServerConnection) -> None:
    """Sends every message back."""
    async for message in connection:
        await connection.send(message)


def talk(conversation: Awaitable[Any]) -> Any:
    """Runs a client's side to its end."""

    async def bounded() -> Any:
        async with asyncio.timeout(20):
            return await conversation

    return asyncio.run(bounded())
