"""One side of a WebSocket, fed with frames from memory."""

import asyncio
import struct
import zlib
from collections.abc import Iterator

import pytest

from replaymock.http.websocket_frames import (
    ByteStream,
    Closed,
    Event,
    Fragment,
    Ping,
    Pong,
    ProtocolViolation,
    WebSocketConnection,
)
from replaymock.http.websocket_handshake import DeflateParameters
from tests.support.sockets import BINARY, CONT, PING, PONG, TEXT, close, frame, masked

LIMIT = 100_000


class Memory(ByteStream):
    """A stream of bytes that are there, and of those that are written."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self.written = b""
        self.is_closed = False

    async def read(self) -> bytes:
        return next(self._pieces, b"")

    async def write(self, data: bytes) -> None:
        self.written += data

    def end(self) -> None:
        self.written += b"|"

    def close(self) -> None:
        self.is_closed = True


def heard(*pieces: bytes, deflate: DeflateParameters | None = None, limit: int = LIMIT) -> list[Event]:
    """What a server makes of the bytes of a client."""

    async def listen() -> list[Event]:
        side = WebSocketConnection(Memory(*pieces), deflate, limit, is_client=False)
        return [event async for event in side.events()]

    return asyncio.run(listen())


def deflated(*texts: bytes) -> list[bytes]:
    """Messages as a client compresses them, one after the other in one context."""
    packer = zlib.compressobj(wbits=-15)
    return [(packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4] for text in texts]


def test_messages_pings_and_the_close_are_heard_in_order() -> None:
    sent = (
        frame(TEXT, "ä".encode()) + frame(PING, b"1") + frame(BINARY, b"\x00") + frame(PONG, b"2") + close(4000, b"bye")
    )
    expected = [Fragment("ä", True), Ping(b"1"), Fragment(b"\x00", True), Pong(b"2"), Closed(4000, "bye")]
    assert heard(sent) == expected
    assert heard(*(sent[at : at + 1] for at in range(len(sent)))) == expected


def test_fragments_stay_fragments_also_where_one_ends_within_a_character() -> None:
    data = "aä".encode()
    events = heard(frame(TEXT, data[:2], fin=False) + frame(CONT, data[2:]) + close())
    assert events[:2] == [Fragment("a", False), Fragment("ä", True)]


def test_a_connection_that_ends_without_a_close_counts_as_cut() -> None:
    assert heard(frame(TEXT, b"a")) == [Fragment("a", True), Closed(1006)]


@pytest.mark.parametrize("fin", [True, False])
def test_a_message_may_not_be_larger_than_the_limit(fin: bool) -> None:
    sent = frame(TEXT, b"a" * 60, fin=False) + frame(CONT, b"a" * 60, fin=fin)
    assert heard(sent, limit=100)[-1] == ProtocolViolation(1009, "a message is larger than 100 bytes")
    assert heard(frame(TEXT, b"a" * 60) * 2 + close(), limit=100)[-1] == Closed(1000)


def test_compressed_messages_are_read_with_a_ping_between_two_fragments() -> None:
    one, two = deflated(b"hello " * 9, b"hello " * 9)
    sent = frame(TEXT, one[:3], fin=False, rsv=4) + frame(PING, b"!") + frame(CONT, one[3:]) + frame(TEXT, two, rsv=4)
    events = heard(sent + close(), deflate=DeflateParameters())
    texts = [event.data for event in events if isinstance(event, Fragment)]
    assert "".join(map(str, texts)) == "hello " * 18
    assert Ping(b"!") in events


def test_a_message_may_come_uncompressed_although_compression_was_agreed_on() -> None:
    (packed,) = deflated(b"b")
    events = heard(frame(TEXT, b"a") + frame(TEXT, packed, rsv=4) + close(), deflate=DeflateParameters())
    assert events[:2] == [Fragment("a", True), Fragment("b", True)]


def test_a_last_block_does_not_end_compression() -> None:
    def ended(text: bytes) -> bytes:
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(text) + packer.flush(zlib.Z_FINISH) + b"\x00"

    sent = frame(TEXT, ended(b"one"), rsv=4) + frame(TEXT, ended(b"two"), rsv=4) + close()
    assert heard(sent, deflate=DeflateParameters())[:2] == [Fragment("one", True), Fragment("two", True)]


def test_what_is_packed_small_is_not_unpacked_beyond_the_limit() -> None:
    (bomb,) = deflated(bytes(50_000_000))
    assert len(bomb) < 65536
    assert heard(frame(BINARY, bomb, rsv=4), deflate=DeflateParameters()) == [
        ProtocolViolation(1009, f"a message is larger than {LIMIT} bytes")
    ]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"\xff\xff\xff", rsv=4), 1007),
        (frame(TEXT, b"a", rsv=2), 1002),
        (frame(PING, b"a", rsv=4), 1002),
        (frame(TEXT, b"\x02", fin=False, rsv=4) + frame(CONT, b"\x00", rsv=4), 1002),
    ],
)
def test_compression_that_is_none_is_a_fault(sent: bytes, code: int) -> None:
    event = heard(sent, deflate=DeflateParameters())[-1]
    assert isinstance(event, ProtocolViolation)
    assert event.code == code


AGREEMENTS = [
    DeflateParameters(),
    DeflateParameters(server_no_context_takeover=True),
    DeflateParameters(client_no_context_takeover=True, client_max_window_bits=9),
    DeflateParameters(server_max_window_bits=9, server_no_context_takeover=True, client_no_context_takeover=True),
    None,
]


@pytest.mark.parametrize("deflate", AGREEMENTS)
@pytest.mark.parametrize("is_client", [True, False])
def test_two_sides_understand_each_other(deflate: DeflateParameters | None, is_client: bool) -> None:
    said: list[str | bytes] = ["again " * 400, "", "again " * 400, b"", bytes(300), "", "ä"]

    async def converse() -> list[Event]:
        out = Memory()
        speaking = WebSocketConnection(out, deflate, LIMIT, is_client=is_client)
        for message in said:
            await speaking.send(message)
        await speaking.send("two ", is_last=False)
        await speaking.ping(b"!")
        await speaking.send("pieces")
        await speaking.close(1000, "done")
        await speaking.send("after the close")
        assert not deflate or len(out.written) < 2000
        return [
            event
            async for event in WebSocketConnection(
                Memory(out.written), deflate, LIMIT, is_client=not is_client
            ).events()
        ]

    events = asyncio.run(converse())
    whole = [event.data for event in events if isinstance(event, Fragment)]
    assert whole == [*said, "two ", "pieces"]
    assert events[-3:-1] == [Ping(b"!"), Fragment("pieces", True)]
    assert events[-1] == Closed(1000, "done")


@pytest.mark.parametrize(
    ("code", "payload"), [(1000, struct.pack("!H", 1000)), (1005, b""), (4404, struct.pack("!H", 4404))]
)
def test_a_close_goes_out_once_and_without_a_code_where_there_was_none(code: int, payload: bytes) -> None:
    async def end() -> Memory:
        out = Memory()
        side = WebSocketConnection(out, None, LIMIT, is_client=False)
        await side.close(code)
        await side.close(1001)
        await side.finish()
        return out

    out = asyncio.run(end())
    assert out.written == b"\x88" + bytes([len(payload)]) + payload + b"|"
    assert out.is_closed


def test_a_reason_is_cut_to_what_a_close_can_hold() -> None:
    async def end() -> bytes:
        out = Memory()
        await WebSocketConnection(out, None, LIMIT, is_client=False).close(1000, "ä" * 100)
        return out.written

    assert asyncio.run(end())[4:].decode() == "ä" * 61


def test_a_pong_answers_the_pings_up_to_its_own() -> None:
    async def ask() -> list[bool]:
        side = WebSocketConnection(Memory(), None, LIMIT, is_client=True)
        for payload in (b"1", b"2", b"3"):
            await side.ping(payload)
        return [side.is_reply(payload) for payload in (b"2", b"1", b"3", b"3")]

    assert asyncio.run(ask()) == [True, False, True, False]


def test_a_client_masks_what_it_sends() -> None:
    async def say() -> bytes:
        out = Memory()
        await WebSocketConnection(out, None, LIMIT, is_client=True).send("hello")
        return out.written

    sent = asyncio.run(say())
    assert sent[1] == 0x80 | 5
    assert bytes(one ^ sent[2 + at % 4] for at, one in enumerate(sent[6:])) == b"hello"
    assert masked(masked(b"hello")) == b"hello"
