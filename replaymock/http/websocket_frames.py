"""One side of a WebSocket (RFC 6455): frames out and in over a stream of bytes. The only import of wsproto.

Its `Connection` sends nothing any more once the other side has begun to close, so the protocol below it is used.
Compression is our own extension: wsproto's loses its state to a control frame between two fragments, inflates without
a bound, and accepts parameters it does not know (all seen in 1.3.2).
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
    """A connection as bytes."""

    async def read(self) -> bytes:
        """What has come; empty at the end, however it came about."""

    async def write(self, data: bytes) -> None:
        """Sends, and waits until there is room for more; nothing happens once the connection is gone."""

    def end(self) -> None:
        """Sends no more."""

    def close(self) -> None:
        """Closes both ways, at once."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A frame of a message; `last` ends the message."""

    data: str | bytes
    last: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """A question whether this side is there."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping, or a sign of life."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """The other side's end: its code and reason; 1005 where it gave none, 1006 where the connection just ended."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProtocolViolation:
    """What came is no WebSocket, or too much of one: the code and reason the other side is told."""

    code: int
    reason: str


Event = Fragment | Ping | Pong | Closed | ProtocolViolation


@dataclass(frozen=True, slots=True)
class WebSocketOpening:
    """A WebSocket that is agreed to: the head that says so, and what is said on the stream that follows it."""

    head: bytes
    converse: "Callable[[ByteStream], Awaitable[None]]"


class WebSocketConnection:
    """This end of a WebSocket, whose handshake is over."""

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
        self._said_close = False

    async def events(self) -> AsyncIterator[Event]:
        """What comes from the other side, up to its close or its fault."""
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

    async def say(self, data: str | bytes, *, last: bool = True) -> None:
        """Sends a message, or a frame of one; nothing after a close."""
        if not self._said_close:
            await self._stream.write(bytes(self._protocol.send_data(data, last)))

    async def ping(self, payload: bytes) -> None:
        """Sends a ping."""
        if not self._said_close:
            self._pings.append(payload)
            await self._stream.write(bytes(self._protocol.ping(payload)))

    async def pong(self, payload: bytes) -> None:
        """Sends a pong."""
        if not self._said_close:
            await self._stream.write(bytes(self._protocol.pong(payload)))

    def was_asked(self, payload: bytes) -> bool:
        """Whether a pong answers a ping of ours, and so the pings before it (RFC 6455 section 5.5.3)."""
        if payload not in self._pings:
            return False
        while self._pings.popleft() != payload:
            pass
        return True

    async def close(self, code: int, reason: str = "") -> None:
        """Sends a close, or answers one, if that was not done yet; 1006 cuts the connection instead."""
        if code == CUT:
            self._stream.close()
        elif not self._said_close:
            self._said_close = True
            spoken = None if code == NO_CODE else code
            await self._stream.write(bytes(self._protocol.close(spoken, reason if spoken else None)))

    async def finish(self) -> None:
        """Closes the connection so that what was sent last arrives: what still comes is read and thrown away."""
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
            yield from self._pieces(payload, frame)

    def _pieces(self, payload: str | bytes, frame: Frame) -> Iterator[Event]:
        """The piece that ends with a frame, which may come in several parts."""
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
    """permessage-deflate (RFC 7692) as it was agreed on; a message may not become larger than `limit` bytes."""

    name = "permessage-deflate"

    def __init__(self, agreed: DeflateParameters, limit: int, *, is_client: bool) -> None:
        keeps = (not agreed.server_no_context_takeover, not agreed.client_no_context_takeover)
        bits = (agreed.server_max_window_bits, agreed.client_max_window_bits)
        self._limit = limit
        self._keeps_in, self._keeps_out = keeps if is_client else keeps[::-1]
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
        rest = self._inflate(_TAIL)
        if not self._keeps_in:
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        return rest

    def frame_outbound(
        self, _proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, data: bytes, fin: bool
    ) -> tuple[RsvBits, bytes]:
        if opcode.iscontrol():
            return rsv, data
        if self._deflater is None:
            self._deflater = zlib.compressobj(wbits=-self._bits)
        # A fragment is flushed, too, so that it can be read before the next one has come.
        packed = self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        if fin:
            packed = packed.removesuffix(_TAIL) or b"\x00"  # zlib flushes nothing twice; RFC 7692 section 7.2.3.6
            if not self._keeps_out:
                self._deflater = None
        return RsvBits(opcode is not Opcode.CONTINUATION, rsv.rsv2, rsv.rsv3), packed

    def _inflate(self, data: bytes) -> bytes | CloseReason:
        found = bytearray()
        while data:
            try:
                found += self._inflater.decompress(data, self._limit - self._size - len(found) + 1)
            except zlib.error:
                return CloseReason.INVALID_FRAME_PAYLOAD_DATA
            if self._size + len(found) > self._limit:
                return CloseReason.MESSAGE_TOO_BIG
            data = self._inflater.unused_data
            if self._inflater.eof:  # a block that is marked as the last one (RFC 7692 section 7.2.3.4)
                self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._size += len(found)
        return bytes(found)


def _bytes(part: str | bytes) -> bytes:
    return part.encode("utf-8") if isinstance(part, str) else part


_TAIL = b"\x00\x00\xff\xff"
