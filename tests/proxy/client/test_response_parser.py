"""Where a response begins and ends: whole, and fed byte by byte."""

import contextlib

import pytest

from replaymock.http.messages import ResponseHead
from replaymock.proxy.client.response_parser import MAX_HEAD, Malformed, ResponseParser
from tests.support.growth import grows_in_proportion
from tests.support.raw_responses import BODIES, CHUNKED, HEADS, HI, OK, WRONG

SAME = {"whole": 1 << 30, "byte by byte": 1}


def fed(data: bytes, size: int, method: str = "GET", *, closed: bool = False) -> tuple[ResponseParser, bytes]:
    """A response fed in pieces of some size, and its body."""
    incoming = ResponseParser(method)
    body = b"".join([incoming.feed(data[at : at + size]) for at in range(0, len(data), size)])
    if closed:
        incoming.close()
    return incoming, body


@pytest.mark.parametrize("size", SAME.values(), ids=SAME)
@pytest.mark.parametrize("data", HEADS)
def test_a_head_is_read_as_it_was_sent(data: bytes, size: int) -> None:
    assert fed(data, size)[0].head == ResponseHead(*HEADS[data])


@pytest.mark.parametrize("size", SAME.values(), ids=SAME)
@pytest.mark.parametrize(("data", "body", "can_reuse"), BODIES)
def test_a_body_ends_where_its_framing_says_and_more_spoils_the_connection(
    data: bytes, body: bytes, can_reuse: bool, size: int
) -> None:
    incoming, found = fed(data, size)
    assert (found, incoming.ended, incoming.can_reuse) == (body, True, can_reuse)


@pytest.mark.parametrize("size", SAME.values(), ids=SAME)
def test_an_answer_to_head_has_no_body_whatever_it_announces(size: int) -> None:
    for announced in (b"Content-Length: 7\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"\r\n"):
        incoming, body = fed(OK + announced, size, "HEAD")
        assert (body, incoming.ended, incoming.can_reuse) == (b"", True, True)


@pytest.mark.parametrize("size", SAME.values(), ids=SAME)
def test_a_body_without_framing_ends_with_its_connection(size: int) -> None:
    incoming, body = fed(OK + b"\r\nall of it\r\n0\r\n\r\n", size, closed=True)
    assert (body, incoming.ended, incoming.can_reuse) == (b"all of it\r\n0\r\n\r\n", True, False)


CUT = [b"", b"HTT", OK, OK + b"A: b\r\n", HI + b"\r\n", HI + b"\r\nh", CHUNKED, CHUNKED + b"5\r\nhell"]


@pytest.mark.parametrize("data", [*CUT, CHUNKED + b"5\r\nhello\r\n0\r\n"])
def test_an_answer_cut_short_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed, match="was closed"):
        fed(data, 1, closed=True)


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
