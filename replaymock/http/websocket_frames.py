"""One side of a WebSocket connection (RFC 6455): frames in and out over a stream of bytes.

Uses wsproto's frame protocol, because its `Connection` sends nothing once the other side has begun to close.
Compression is our own extension: wsproto's loses its state to a control frame between two fragments, inflates without a
bound, and accepts unknown parameters (all seen in 1.3.2).
"""

import asyncio
import zlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, Frame, FrameDecoder, FrameProtocol, Opcode, ParseFailed, RsvBits

from replaymock.http.websocket_handshake import DeflateParameters
from replaymock.http.websocket_messages import CUT, NO_CODE

READ_BYTES = 64 * 1024
LINGER_SECONDS = 1.0
_MOST_PINGS = 64


class ByteStream(Protocol):
    """A connection that carries bytes."""

    async def read(self) -> bytes:
        """Gives the next bytes; empty at the end of the connection, whatever ended it."""

    async def write(self, data: bytes) -> None:
        """Sends bytes, and waits until the buffer has space for more. Does nothing once the connection is gone."""

    def end(self) -> None:
        """Ends sending."""

    def close(self) -> None:
        """Closes both directions at once."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment of a message; `is_last` ends the message."""

    data: str | bytes
    is_last: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping frame."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """A pong frame: the answer to a ping, or a sign of life."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """The other side closed: its code and reason.

    1005 if it gave no code, 1006 if the connection ended without a close.
    """

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProtocolViolation:
    """The other side broke the protocol or a limit: the code and reason to close with."""

    code: int
    reason: str


Event = Fragment | Ping | Pong | Closed | ProtocolViolation


@dataclass(frozen=True, slots=True)
class WebSocketOpening:
    """An accepted WebSocket: the head of the 101, and the coroutine that runs on the stream after it."""

    head: bytes
    converse: "Callable[[ByteStream], Awaitable[None]]"


class WebSocketConnection:
    """This end of a WebSocket connection, after the handshake."""

    def __init__(
        self, stream: ByteStream, deflate: DeflateParameters | None, limit: int, *, is_client: bool, data: bytes = b""
    ) -> None:
        extensions: list[Extension] = [_Compression(deflate, limit, is_client=is_client)] if deflate else []
        self._stream = stream
        self._protocol = FrameProtocol(is_client, extensions)
        self._protocol.receive_bytes(data)
        self._limit = limit
        self._size = 0
        self._parts: list[str | bytes] = []
        self._pings: deque[bytes] = deque(maxlen=_MOST_PINGS)
        self._has_sent_close = False

    async def events(self) -> AsyncIterator[Event]:
        """Yields what the other side sends, up to its close or a protocol violation."""
        while True:
            for event in self._events():
                yield event
                if isinstance(event, Closed | ProtocolViolation):
                    return
            data = await self._stream.read()
            if not data:
                yield Closed(CUT)
                return
            self._protocol.receive_bytes(data)

    async def send(self, data: str | bytes, *, is_last: bool = True) -> None:
        """Sends a message, or a fragment of one. Does nothing after a close."""
        if not self._has_sent_close:
            await self._stream.write(bytes(self._protocol.send_data(data, is_last)))

    async def ping(self, payload: bytes) -> None:
        """Sends a ping."""
        if not self._has_sent_close:
            self._pings.append(payload)
            await self._stream.write(bytes(self._protocol.ping(payload)))

    async def pong(self, payload: bytes) -> None:
        """Sends a pong."""
        if not self._has_sent_close:
            await self._stream.write(bytes(self._protocol.pong(payload)))

    def is_reply(self, payload: bytes) -> bool:
        """Whether a pong answers one of our pings, and thereby the pings before it (RFC 6455 section 5.5.3)."""
        if payload not in self._pings:
            return False
        while self._pings.popleft() != payload:
            pass
        return True

    async def close(self, code: int, reason: str = "") -> None:
        """Sends a close, or answers one, unless that is done already. 1006 cuts the connection instead."""
        if code == CUT:
            self._stream.close()
        elif not self._has_sent_close:
            self._has_sent_close = True
            sent_code = None if code == NO_CODE else code
            await self._stream.write(bytes(self._protocol.close(sent_code, reason if sent_code else None)))

    async def finish(self) -> None:
        """Closes the connection so that what was sent last arrives: further input is read and discarded."""
        self._stream.end()
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while await self._stream.read():
                    pass
        except TimeoutError:
            return
        finally:
            self._stream.close()

    def _events(self) -> Iterator[Event]:
        try:
            for frame in self._protocol.received_frames():
                yield from self._read(frame)
        except ParseFailed as error:
            too_big = error.code is CloseReason.MESSAGE_TOO_BIG
            yield self._too_big() if too_big else ProtocolViolation(int(error.code), str(error))

    def _read(self, frame: Frame) -> Iterator[Event]:
        payload = frame.payload
        if isinstance(payload, tuple):
            yield Closed(int(payload[0]), payload[1])
        elif frame.opcode is Opcode.PING and not isinstance(payload, str):
            yield Ping(bytes(payload))
        elif frame.opcode is Opcode.PONG and not isinstance(payload, str):
            yield Pong(bytes(payload))
        else:
            yield from self._fragments(payload, frame)

    def _fragments(self, payload: str | bytes, frame: Frame) -> Iterator[Event]:
        """The fragment that ends with this frame, which may arrive in several parts."""
        self._size += len(payload)
        if self._size > self._limit:
            yield self._too_big()
            return
        self._parts.append(payload)
        if not frame.frame_finished:
            return
        data = "".join(map(str, self._parts)) if isinstance(payload, str) else b"".join(map(_bytes, self._parts))
        self._parts.clear()
        self._size = 0 if frame.message_finished else self._size
        yield Fragment(data, frame.message_finished)

    def _too_big(self) -> ProtocolViolation:
        return ProtocolViolation(int(CloseReason.MESSAGE_TOO_BIG), f"a message is larger than {self._limit} bytes")


class _Compression(Extension):
    """permessage-deflate (RFC 7692) as negotiated. A message may inflate to `limit` bytes at most."""

    name = "permessage-deflate"

    def __init__(self, parameters: DeflateParameters, limit: int, *, is_client: bool) -> None:
        reuse = (not parameters.server_no_context_takeover, not parameters.client_no_context_takeover)
        bits = (parameters.server_max_window_bits, parameters.client_max_window_bits)
        self._limit = limit
        self._can_reuse_inflater, self._can_reuse_deflater = reuse if is_client else reuse[::-1]
        self._bits = bits[1] if is_client else bits[0]
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._deflater: zlib._Compress | None = None
        self._is_control = False
        self._is_deflated = False
        self._size = 0

    def enabled(self) -> bool:
        return True

    def offer(self) -> str:
        return ""

    def frame_inbound_header(
        self, _proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, _payload_length: int
    ) -> CloseReason | RsvBits:
        self._is_control = opcode.iscontrol()
        starts = opcode in (Opcode.TEXT, Opcode.BINARY)
        if starts:
            self._is_deflated = rsv.rsv1
            self._size = 0
        return RsvBits(starts, False, False)

    def frame_inbound_payload_data(self, _proto: FrameDecoder | FrameProtocol, data: bytes) -> bytes | CloseReason:
        return data if self._is_control or not self._is_deflated else self._inflate(data)

    def frame_inbound_complete(self, _proto: FrameDecoder | FrameProtocol, fin: bool) -> bytes | CloseReason | None:
        if self._is_control or not self._is_deflated or not fin:
            return None
        tail = self._inflate(_TAIL)
        if not self._can_reuse_inflater:
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        return tail

    def frame_outbound(
        self, _proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, data: bytes, fin: bool
    ) -> tuple[RsvBits, bytes]:
        if opcode.iscontrol():
            return rsv, data
        if self._deflater is None:
            self._deflater = zlib.compressobj(wbits=-self._bits)
        # Flush fragments, too, so that one can be read before the next has come.
        packed = self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        if fin:
            packed = packed.removesuffix(_TAIL) or b"\x00"  # zlib flushes nothing twice; RFC 7692 section 7.2.3.6
            if not self._can_reuse_deflater:
                self._deflater = None
        return RsvBits(opcode is not Opcode.CONTINUATION, rsv.rsv2, rsv.rsv3), packed

    def _inflate(self, data: bytes) -> bytes | CloseReason:
        inflated = bytearray()
        while data:
            try:
                inflated += self._inflater.decompress(data, self._limit - self._size - len(inflated) + 1)
            except zlib.error:
                return CloseReason.INVALID_FRAME_PAYLOAD_DATA
            if self._size + len(inflated) > self._limit:
                return CloseReason.MESSAGE_TOO_BIG
            data = self._inflater.unused_data
            if self._inflater.eof:  # a block that is marked as the last one (RFC 7692 section 7.2.3.4)
                self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._size += len(inflated)
        return bytes(inflated)


def _bytes(part: str | bytes) -> bytes:
    return part.encode("utf-8") if isinstance(part, str) else part


_TAIL = b"\x00\x00\xff\xff"
