"""Where a response begins and ends: whole, and fed byte by byte."""

import contextlib

import pytest

from replaymock.http.messages import ResponseHead
from replaymock.proxy.client.response_parser import MAX_FIELDS, MAX_HEAD, MAX_INTERIM, Malformed, ResponseParser
from tests.support.growth import grows_in_proportion

OK = b"HTTP/1.1 200 OK\r\n"
HI = OK + b"Content-Length: 2\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SAME = {"whole": 1 << 30, "byte by byte": 1}


def fed(data: bytes, size: int, method: str = "GET", *, closed: bool = False) -> tuple[ResponseParser, bytes]:
    """A response fed in pieces of some size, and its body."""
    incoming = ResponseParser(method)
    body = b"".join([incoming.feed(data[at : at + size]) for at in range(0, len(data), size)])
    if closed:
        incoming.close()
    return incoming, body


HEADS: dict[bytes, tuple[int, str, tuple[tuple[str, str], ...]]] = {
    OK + b"\r\n": (200, "OK", ()),
    b"HTTP/1.1 200 \r\n\r\n": (200, "", ()),
    b"HTTP/1.1 404\r\n\r\n": (404, "", ()),
    b"HTTP/1.0 999 Odd  \xff  One \r\n\r\n": (999, "Odd  \xff  One ", ()),
    OK + b"X-A: 1\r\nx-a:2\r\nX-A: \t 3 \t\r\n\r\n": (200, "OK", (("X-A", "1"), ("x-a", "2"), ("X-A", "3"))),
    OK + b"A:\r\nB: \xe9 \x01 \x80\r\n\r\n": (200, "OK", (("A", ""), ("B", "\xe9 \x01 \x80"))),
    b"HTTP/1.1 200 OK\nA: b: c\n\n": (200, "OK", (("A", "b: c"),)),
    OK + b"A: one\r\n \ttwo\r\nB: 3\r\n\r\n": (200, "OK", (("A", "one two"), ("B", "3"))),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK + b"\r\n": (200, "OK", ()),
    OK + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n": (200, "OK", (("Upgrade", "h2c"), ("Connection", "Upgrade"))),
}


@pytest.mark.parametrize("size", SAME.values(), ids=SAME)
@pytest.mark.parametrize("data", HEADS)
def test_a_head_is_read_as_it_was_sent(data: bytes, size: int) -> None:
    assert fed(data, size)[0].head == ResponseHead(*HEADS[data])


BODIES: list[tuple[bytes, bytes, bool]] = [
    (HI + b"\r\nhi", b"hi", True),
    (OK + b"Content-Length: 0\r\n\r\n", b"", True),
    (HI + b"Connection: x, Close\r\n\r\nhi", b"hi", False),
    (HI.replace(b"1.1", b"1.0") + b"\r\nhi", b"hi", False),
    (HI.replace(b"1.1", b"1.0") + b"Connection: Keep-Alive\r\n\r\nhi", b"hi", True),
    (HI + b"content-length: 2\r\n\r\nhi", b"hi", True),
    (OK + b"Content-Length: 2, 2\r\n\r\nhi", b"hi", True),
    (HI + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nhey\r\n0\r\n\r\n", b"hey", True),
    (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", b"hi", True),
    (CHUNKED + b'2;a=b;c="d"\r\nhi\r\n003 \r\nyou\r\n0;e\r\nTrailer: x\r\nTrailer: y\r\n\r\n', b"hiyou", True),
    (CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789", True),
    (b"HTTP/1.1 204 None\r\nContent-Length: 7\r\n\r\n", b"", True),
    (b"HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n", b"", True),
    (HI + b"\r\nhi" + HI + b"\r\nno", b"hi", False),
    (HI + b"\r\nhi\r\n", b"hi", False),
    (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n" + HI + b"\r\nno", b"hi", False),
    (CHUNKED + b"2\r\nhi\r\n0\r\n\r\nH", b"hi", False),
    (CHUNKED + b"2\r\nhi\r\n0\r\n\r\nx", b"hi", False),
    (b"HTTP/1.1 204 None\r\n\r\nbody", b"", False),
]


@pytest.mark.parametrize("size", SAME.values(), ids=SAME)
@pytest.mark.parametrize(("data", "body", "keeps"), BODIES)
def test_a_body_ends_where_its_framing_says_and_more_spoils_the_connection(
    data: bytes, body: bytes, keeps: bool, size: int
) -> None:
    incoming, found = fed(data, size)
    assert (found, incoming.ended, incoming.keeps) == (body, True, keeps)


@pytest.mark.parametrize("size", SAME.values(), ids=SAME)
def test_an_answer_to_head_has_no_body_whatever_it_announces(size: int) -> None:
    for announced in (b"Content-Length: 7\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"\r\n"):
        incoming, body = fed(OK + announced, size, "HEAD")
        assert (body, incoming.ended, incoming.keeps) == (b"", True, True)


@pytest.mark.parametrize("size", SAME.values(), ids=SAME)
def test_a_body_without_framing_ends_with_its_connection(size: int) -> None:
    incoming, body = fed(OK + b"\r\nall of it\r\n0\r\n\r\n", size, closed=True)
    assert (body, incoming.ended, incoming.keeps) == (b"all of it\r\n0\r\n\r\n", True, False)


CUT = [b"", b"HTT", OK, OK + b"A: b\r\n", HI + b"\r\n", HI + b"\r\nh", CHUNKED, CHUNKED + b"5\r\nhell"]


@pytest.mark.parametrize("data", [*CUT, CHUNKED + b"5\r\nhello\r\n0\r\n"])
def test_an_answer_cut_short_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed, match="was closed"):
        fed(data, 1, closed=True)


WRONG: dict[bytes, str] = {
    b"SSH-2.0-OpenSSH_9.2\r\n": "no HTTP/1 response",
    b"\x15\x03\x01\x00\x02": "no HTTP/1 response",
    b"\r\n" + HI + b"\r\n": "no HTTP/1 response",
    b"HTTP/1.1 20 OK\r\n\r\n": "no HTTP/1 response",
    b"HTTP/1.1 2000 OK\r\n\r\n": "no HTTP/1 response",
    b"HTTP/1.1 200 O\0K\r\n\r\n": "no HTTP/1 response",
    b"HTTP/1.1  200 OK\r\n\r\n": "no HTTP/1 response",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n": "switches protocols",
    OK + b" folded\r\n\r\n": "no header",
    OK + b"no colon\r\n\r\n": "no header",
    OK + b"Name : x\r\n\r\n": "no header",
    OK + b": x\r\n\r\n": "no header",
    OK + b"A: b\0c\r\n\r\n": "no header",
    OK + b"A: b\rSet-Cookie: c\r\n\r\n": "no header",
    OK + b"Content-Length: +2\r\n\r\n": "no length",
    OK + b"Content-Length: \r\n\r\n": "no length",
    OK + b"Content-Length: \xb2\r\n\r\n": "no length",
    OK + b"Content-Length: 2, 3\r\n\r\n": "no length",
    HI + b"Content-Length: 3\r\n\r\n": "no length",
    OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n": "no length",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n": "gzip, chunked is not understood",
    CHUNKED + b"zz\r\n": "chunks are damaged",
    CHUNKED + b"-2\r\nhi\r\n": "chunks are damaged",
    CHUNKED + b"2\nhi\r\n": "chunks are damaged",
    CHUNKED + b"2\r\nhiX\r\n": "chunks are damaged",
    CHUNKED + b"f" * 20 + b"\r\n": "chunks are damaged",
    b"HTTP/1.1 100 Go on\r\n\r\n" * (MAX_INTERIM + 1): "interim answers",
    OK + b"A: b\r\n" * (MAX_FIELDS + 1) + b"\r\n": "more than",
}


@pytest.mark.parametrize("size", SAME.values(), ids=SAME)
@pytest.mark.parametrize("data", WRONG)
def test_what_cannot_be_framed_for_certain_is_malformed(data: bytes, size: int) -> None:
    with pytest.raises(Malformed, match=WRONG[data]):
        fed(data, size)


def test_a_head_of_a_hundred_thousand_bytes_passes() -> None:
    incoming, _ = fed(OK + b"A: " + b"x" * 100_000 + b"\r\n\r\n", 1400)
    assert incoming.head is not None
    assert len(incoming.head.headers[0][1]) == 100_000


@pytest.mark.parametrize("filler", ["x", " ", "\r\n "])
@pytest.mark.parametrize("ending", [b"", b"\0\r\n\r\n", b"\r\n\r\n"])
def test_a_head_that_is_too_long_is_refused_in_no_time(filler: str, ending: bytes) -> None:
    def refuse(text: str) -> None:
        with contextlib.suppress(Malformed):
            fed(OK + b"A: " + text.encode() + ending, 65536)

    with pytest.raises(Malformed):
        fed(OK + b"A: " + filler.encode() * (MAX_HEAD // len(filler)) + ending, 65536)
    assert grows_in_proportion(refuse, filler, MAX_HEAD // 5)
