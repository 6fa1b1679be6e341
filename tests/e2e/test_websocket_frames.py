"""The WebSocket protocol to the letter, by raw frames: against a replay, and against a recorder before a backend."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.cassettes.writer import dump
from replaymock.http.websocket_messages import CLIENT, SERVER, Message
from replaymock.proxy.routes import parse_upstream
from tests.support.inside import running_app
from tests.support.sockets import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    Frame,
    Reader,
    close,
    echo,
    frame,
    opened,
    socket_backend,
)

END = close(1000)
BROKEN, NOT_UTF8 = 1002, 1007


@dataclass(frozen=True)
class Case:
    """What a client sends, in writes, and what it gets."""

    name: str
    sent: tuple[bytes, ...]
    got: list[Frame] = field(default_factory=list)
    code: int | None = 1000


def byte_by_byte(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[at : at + 1] for at in range(len(data)))


def in_pieces(data: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(data[at : at + size] for at in range(0, len(data), size))


def fragments(opcode: int, *parts: bytes) -> bytes:
    last = len(parts) - 1
    return b"".join(frame(opcode if not at else CONT, part, fin=at == last) for at, part in enumerate(parts))


def sizes() -> Iterator[Case]:
    for size in (0, 1, 125, 126, 127, 128, 65535, 65536):
        yield Case(f"1 text of {size}", (frame(TEXT, b"*" * size), END), [(TEXT, b"*" * size)])
        yield Case(f"1 binary of {size}", (frame(BINARY, b"\xfe" * size), END), [(BINARY, b"\xfe" * size)])
    for opcode, name in ((TEXT, "text"), (BINARY, "binary")):
        whole = frame(opcode, b"*" * 65536)
        yield Case(f"1 {name} in pieces", (*in_pieces(whole, 997), END), [(opcode, b"*" * 65536)])
    yield Case("1 a length in more bytes than it needs", (frame(TEXT, b"a", wide=16),), code=BROKEN)
    yield Case("1 a length in far more bytes than it needs", (frame(TEXT, b"a", wide=64),), code=BROKEN)
    yield Case("1 a length beyond 63 bits", (b"\x81\xff" + b"\xff" * 8,), code=BROKEN)
    yield Case("1 a frame that is not masked", (frame(TEXT, b"a", mask=False),), code=BROKEN)


def pings() -> Iterator[Case]:
    for name, payload in {"none": b"", "text": b"Hello", "binary": b"\x00\xff\xfe\xfd", "most": b"\xfe" * 125}.items():
        yield Case(f"2 ping with {name}", (frame(PING, payload), END), [(PONG, payload)])
    yield Case("2 ping with too much", (frame(PING, b"\xfe" * 126),), code=BROKEN)
    yield Case("2 ping byte by byte", (*byte_by_byte(frame(PING, b"\xfe" * 125)), END), [(PONG, b"\xfe" * 125)])
    yield Case("2 unasked pong", (frame(PONG), END))
    yield Case("2 unasked pong with payload", (frame(PONG, b"unasked"), END))
    yield Case("2 unasked pong, then ping", (frame(PONG, b"unasked"), frame(PING, b"ping"), END), [(PONG, b"ping")])
    ten = [f"payload-{number}".encode() for number in range(10)]
    yield Case("2 ten pings", (*(frame(PING, one) for one in ten), END), [(PONG, one) for one in ten])
    at_once = b"".join(frame(PING, one) for one in ten)
    yield Case("2 ten pings byte by byte", (*byte_by_byte(at_once), END), [(PONG, one) for one in ten])


def reserved_bits() -> Iterator[Case]:
    for rsv in range(1, 8):
        yield Case(f"3 text with reserved bits {rsv}", (frame(TEXT, b"a", rsv=rsv),), code=BROKEN)
        yield Case(f"3 ping with reserved bits {rsv}", (frame(PING, b"a", rsv=rsv),), code=BROKEN)
    hello = frame(TEXT, b"Hello")
    yield Case("3 after a good message", (hello, frame(TEXT, b"a", rsv=4)), [(TEXT, b"Hello")], BROKEN)
    yield Case("3 byte by byte", byte_by_byte(frame(TEXT, b"a", rsv=2)), code=BROKEN)
    yield Case("3 close with a reserved bit", (frame(CLOSE, b"\x03\xe8", rsv=1),), code=BROKEN)


def opcodes() -> Iterator[Case]:
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield Case(f"4 opcode {opcode}", (frame(opcode),), code=BROKEN)
        yield Case(f"4 opcode {opcode} with payload", (frame(opcode, b"reserved"),), code=BROKEN)


def fragmentation() -> Iterator[Case]:
    ab, hello = [(TEXT, b"ab")], [(TEXT, b"Hello")]
    yield Case("5 ping in fragments", (frame(PING, b"a", fin=False),), code=BROKEN)
    yield Case("5 pong in fragments", (frame(PONG, b"a", fin=False),), code=BROKEN)
    yield Case("5 close in fragments", (frame(CLOSE, b"\x03\xe8", fin=False),), code=BROKEN)
    yield Case("5 text in two", (fragments(TEXT, b"a", b"b"), END), ab)
    yield Case("5 text in two writes", (*(fragments(TEXT, b"a", b"b").partition(b"\x80")), END), ab)
    yield Case("5 text in two, byte by byte", (*byte_by_byte(fragments(TEXT, b"a", b"b")), END), ab)
    yield Case("5 binary in five", (fragments(BINARY, *byte_by_byte(b"12345")), END), [(BINARY, b"12345")])
    yield Case("5 empty fragments", (fragments(TEXT, b"", b"", b""), END), [(TEXT, b"")])
    yield Case("5 one full, others empty", (fragments(TEXT, b"", b"ab", b""), END), ab)
    first, second = frame(TEXT, b"a", fin=False), frame(CONT, b"b")
    between = [(PONG, b"!"), *ab]
    yield Case("5 ping between", (first, frame(PING, b"!"), second, END), between)
    yield Case("5 ping between at once", (first + frame(PING, b"!") + second, END), between)
    yield Case("5 ping between byte by byte", (*byte_by_byte(first + frame(PING, b"!") + second), END), between)
    middle = frame(CONT, b"", fin=False)
    many = (first, frame(PING, b"1"), middle, frame(PING, b"2"), middle, frame(PONG, b"3"), second, END)
    yield Case("5 pings between many", many, [(PONG, b"1"), (PONG, b"2"), *ab])
    for fin in (True, False):
        yield Case(f"5 nothing to continue, {fin}", (frame(CONT, b"a", fin=fin),), code=BROKEN)
        after = (frame(TEXT, b"Hello"), frame(CONT, b"a", fin=fin))
        yield Case(f"5 nothing to continue any more, {fin}", after, hello, BROKEN)
        yield Case(f"5 text in the middle of text, {fin}", (first, frame(TEXT, b"b", fin=fin)), code=BROKEN)
    yield Case("5 binary in the middle of text", (first, frame(BINARY, b"b")), code=BROKEN)


VALID = ["κόσμε", "\x00", "\x7f", "\x80", "߿", "ࠀ", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0010ffff"]
INVALID = [
    *(
        b"\x80",
        b"\xbf",
        b"\x80\xbf",
        b"\xc0\x20",
        b"\xe0\x20",
        b"\xf0\x20",
        b"\xf8\x20",
        b"\xfc\x20",
        b"\xc0",
        b"\xe0\x80",
    ),
    *(b"\xf0\x80\x80", b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfe", b"\xff", b"\xfe\xfe\xff\xff", b"\xc0\xaf"),
    *(b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xed\xa0\x80"),
    *(b"\xed\xaf\xbf", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80"),
]
KOSME = "Hello-µ@ßöäüàá-UTF-8!!".encode()


def utf8() -> Iterator[Case]:
    for text in VALID:
        data = text.encode()
        yield Case(f"6 valid {text!a}", (frame(TEXT, data), END), [(TEXT, data)])
    yield Case("6 valid, a fragment a byte", (fragments(TEXT, *byte_by_byte(KOSME)), END), [(TEXT, KOSME)])
    yield Case("6 valid, split in a character", (fragments(TEXT, KOSME[:7], KOSME[7:]), END), [(TEXT, KOSME)])
    yield Case("6 valid, byte by byte", (*byte_by_byte(frame(TEXT, KOSME)), END), [(TEXT, KOSME)])
    for data in INVALID:
        yield Case(f"6 invalid {data.hex()}", (frame(TEXT, b"a" + data),), code=NOT_UTF8)
    bad = KOSME + b"\xed\xa0\x80" + b"edited"
    yield Case("6 invalid, a fragment a byte", (fragments(TEXT, *byte_by_byte(bad)),), code=NOT_UTF8)
    yield Case("6 invalid, told before the message ends", (frame(TEXT, bad, fin=False),), code=NOT_UTF8)
    yield Case("6 invalid, told before the frame ends", (frame(TEXT, bad + b"x" * 99)[:40],), code=NOT_UTF8)
    yield Case("6 binary is not looked at", (frame(BINARY, b"\xed\xa0\x80"), END), [(BINARY, b"\xed\xa0\x80")])


def closing() -> Iterator[Case]:
    hello, got = frame(TEXT, b"Hello"), [(TEXT, b"Hello")]
    yield Case("7 after a message", (hello, END), got)
    yield Case("7 twice", (END + END,))
    yield Case("7 and a ping after it", (END + frame(PING, b"late"),))
    yield Case("7 and a message after it", (END + hello,))
    yield Case("7 without a code", (close(None),), code=None)
    yield Case("7 with half a code", (frame(CLOSE, b"\x03"),), code=BROKEN)
    yield Case("7 with a reason", (close(1000, b"Hello"),))
    yield Case("7 with the longest reason", (close(1000, b"*" * 123),))
    yield Case("7 with a longer reason", (close(1000, b"*" * 124),), code=BROKEN)
    yield Case("7 with a reason that is not UTF-8", (close(1000, KOSME + b"\xed\xa0\x80"),), code=NOT_UTF8)
    for code in (1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 3000, 3999, 4000, 4999):
        yield Case(f"7 code {code}", (close(code),), code=code)
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield Case(f"7 no code {code}", (close(code),), code=BROKEN)


GROUPS = (sizes, pings, reserved_bits, opcodes, fragmentation, utf8, closing)
CASES = [case for group in GROUPS for case in group()]


@pytest.fixture(scope="module")
def replaying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a replay of a backend that sent everything back."""
    folder = tmp_path_factory.mktemp("echo") / "c"
    kinds = {TEXT: "text", BINARY: "binary"}
    echoed = dict.fromkeys(found for case in CASES for found in case.got if found[0] in kinds)
    said = tuple(Message(sender, kinds[kind], data) for kind, data in echoed for sender in (CLIENT, SERVER))
    cassette = Cassette(
        CassetteRequest("GET", "/echo"), (RecordedResponse(101, "Switching Protocols", (), messages=said),)
    )
    (folder / "echo").mkdir(parents=True)
    for name, data in dump(cassette, "echo/GET.json").items():
        (folder / "echo" / name).write_bytes(data)
    with running_app(folder) as app:
        yield app.port


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a recorder, which keeps nothing, before a backend that sends everything back."""
    folder = tmp_path_factory.mktemp("relay") / "c"
    with (
        socket_backend(echo, compression=None, ping_interval=None) as backend,
        running_app(folder, upstreams=(parse_upstream(backend),), mode="all", skip=("/**",)) as app,
    ):
        yield app.port


def test_the_table_has_as_many_cases_as_a_conformance_suite() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("server", ["replaying", "recording"])
def test_what_is_sent_frame_by_frame_is_answered_as_the_standard_says(
    server: str, case: Case, request: pytest.FixtureRequest
) -> None:
    with opened(request.getfixturevalue(server), "/echo") as (connection, head):
        assert head.startswith(b"HTTP/1.1 101 ")
        reader, got = Reader(connection), []
        for data in case.sent:
            # The backend's library answers a close before it has given a message to who sends it back.
            got += reader.messages(len(case.got)) if data is END else []
            connection.sendall(data)
        got += reader.messages()
    # A pong may overtake a message, which goes all the way to the backend; and so may what is said of a fault.
    messages, signs = [one for one in got if one[0] < CLOSE], [one for one in got if one[0] > CLOSE]
    expected = [one for one in case.got if one[0] < CLOSE]
    overtaken = server == "recording" and case.code in (BROKEN, NOT_UTF8)
    assert signs == [one for one in case.got if one[0] > CLOSE]
    assert messages == (expected[: len(messages)] if overtaken else expected)
    assert got[-1] == (CLOSE, b"" if case.code is None else struct.pack("!H", case.code))
