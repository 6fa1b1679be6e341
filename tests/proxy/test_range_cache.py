"""What is remembered of wholes that are asked for in parts."""

import hashlib
from collections.abc import AsyncIterator
from itertools import pairwise
from random import Random

import pytest

from replaymock.http.headers import Headers, get
from replaymock.http.messages import StreamingResponse
from replaymock.proxy.range_cache import TOO_LARGE, UNMEASURED, Parts, Wholes, total_of

TAG = '"a"'
DATA = bytes(range(200))


async def _nothing() -> AsyncIterator[bytes]:
    for _ in ():
        yield b""


def live(tag: str = TAG, status: int = 200, *headers: tuple[str, str]) -> StreamingResponse:
    return StreamingResponse(status, "OK", (("ETag", tag), ("X-Age", "1"), *headers), _nothing())


def part(start: int, data: bytes, total: int | str = 200, tag: str = TAG) -> tuple[Headers, bytes]:
    place = f"bytes {start}-{start + len(data) - 1}/{total}"
    headers = (("ETag", tag), ("Content-Range", place), ("Content-Length", "9"), ("Content-MD5", "x"), ("X-Own", "1"))
    return headers, data


def test_a_whole_is_known_by_its_tag_until_there_is_no_room() -> None:
    wholes = Wholes(100)
    wholes.remember("/a", live(), b"x" * 60)
    wholes.remember("/b", live('"b"'), b"x" * 30)
    assert wholes.known("/a") and wholes.known("/b")
    wholes.known("/a")
    wholes.remember("/c", live(), b"x" * 30)
    assert (bool(wholes.known("/a")), wholes.known("/b"), bool(wholes.known("/c"))) == (True, None, True)
    wholes.remember("/c", live(), b"x" * 101)
    assert wholes.known("/c") is None


@pytest.mark.parametrize("tag", ["", 'W/"a"', "a"])
def test_a_whole_that_cannot_be_told_from_another_is_not_known(tag: str) -> None:
    wholes = Wholes(100)
    wholes.remember("/a", live(), b"x")
    wholes.remember("/a", live(tag), b"y")
    assert wholes.known("/a") is None


def test_what_is_confirmed_has_what_is_new_and_nothing_else_of_the_304() -> None:
    wholes = Wholes(100)
    wholes.remember("/a", live(TAG, 200, ("Content-Type", "text/plain"), ("Date", "1")), b"abc")
    known = wholes.known("/a")
    assert known
    news = (("date", "2"), ("Cache-Control", "no-store"), ("Content-Length", "0"), ("Content-Type", "text/html"))
    found = known.confirmed(
        StreamingResponse(304, "Not Modified", (*news, ("Connection", "close, X-Hop"), ("X-Hop", "1")), _nothing())
    )
    assert (found.status, found.reason, found.whole) == (200, "OK", b"abc")
    assert found.digest == hashlib.sha256(b"abc").digest()
    wholes.remember("/a", found, b"abc")
    again = wholes.known("/a")
    assert again and again.digest is found.digest
    assert get(found.headers, "content-type") == "text/plain"
    assert (get(found.headers, "date"), get(found.headers, "cache-control")) == ("2", "no-store")
    assert not get(found.headers, "content-length") + get(found.headers, "x-hop") + get(found.headers, "connection")


def test_what_is_too_large_or_not_measured_goes_by_itself() -> None:
    wholes = Wholes(100)
    for size, why in ((101, TOO_LARGE), (100, ""), (101, TOO_LARGE), (None, UNMEASURED), (50, UNMEASURED)):
        wholes.note_size("/a", size)
        assert wholes.why_apart("/a") == why
    for number in range(2000):
        wholes.note_size(f"/{number}", 101)
    assert wholes.why_apart("/a") == ""
    assert wholes.why_apart("/1999") == TOO_LARGE


def test_the_same_whole_is_kept_once_at_a_time() -> None:
    wholes = Wholes(100)
    assert [wholes.is_coming("/a", live().headers) for _ in range(2)] == [False, True]
    assert not wholes.is_coming("/b", live().headers)
    assert not wholes.is_coming("/a", live('"b"').headers)
    wholes.came("/a")
    assert not wholes.is_coming("/a", live('"b"').headers)
    assert [wholes.is_coming("/c", live('W/"a"').headers) for _ in range(2)] == [False, False]


@pytest.mark.parametrize("seed", range(8))
def test_parts_in_any_order_overlapping_or_repeated_make_the_whole_once(seed: int) -> None:
    random, parts = Random(seed), Parts(500)
    cuts = sorted({0, 200, *random.sample(range(1, 200), 6)})
    pieces = [(first, DATA[first : last + random.randint(0, 3)]) for first, last in pairwise(cuts)]
    random.shuffle(pieces)
    found = [parts.join("/a", *part(*piece)) for piece in [pieces[0], *pieces]]
    assert found[:-1] == [None] * len(pieces) or sum(map(bool, found)) == 1
    headers, body = next(one for one in found if one)
    assert body == DATA
    assert headers == (("ETag", TAG), ("X-Own", "1"))


@pytest.mark.parametrize(
    "second",
    [
        part(100, DATA[100:], tag='"b"'),
        part(100, DATA[100:] + b"x", total=201),
        part(100, DATA[100:], tag='W/"a"'),
        part(100, DATA[100:199]),
        part(100, DATA[100:], total="*"),
        ((("ETag", TAG), ("Content-Range", "bytes 100-199/200")), DATA[100:150]),
        ((("ETag", TAG), ("Content-Range", "bytes 100-199/150")), DATA[100:]),
        ((("ETag", TAG),), DATA[100:]),
    ],
)
def test_parts_that_are_not_of_one_whole_make_none(second: tuple[Headers, bytes]) -> None:
    parts = Parts(500)
    assert parts.join("/a", *part(0, DATA[:100])) is None
    assert parts.join("/a", *second) is None
    assert parts.join("/b", *part(100, DATA[100:])) is None


def test_a_single_part_may_be_the_whole_and_what_has_no_room_is_none() -> None:
    assert Parts(200).join("/a", *part(0, DATA))
    assert Parts(199).join("/a", *part(0, DATA)) is None


def test_the_oldest_parts_go_when_there_is_no_room() -> None:
    parts = Parts(300)
    parts.join("/a", *part(0, DATA[:100]))
    parts.join("/b", *part(0, DATA[:100]))
    assert parts.join("/a", *part(100, DATA[100:])) is None
    assert parts.join("/a", *part(0, DATA[:100]))


def test_a_part_tells_the_size_of_the_whole_or_not() -> None:
    assert [total_of(part(0, b"ab", total)[0]) for total in (200, "*")] == [200, 0]
    assert total_of(()) == 0
