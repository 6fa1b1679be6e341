"""Requests for less than the whole of a recorded 200."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http.conditional import (
    ConditionalRequest,
    PartialResponse,
    can_be_cut,
    narrowing_headers,
    parse_conditional,
    partial_response,
    single_range,
    withheld_conditions,
)
from replaymock.http.headers import Headers, get

MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
WHOLE: Headers = (
    ("content-type", "text/plain"),
    ("etag", '"a,b"'),
    ("last-modified", MODIFIED),
    ("cache-control", "max-age=5"),
    ("vary", "Accept"),
    ("expires", LATER),
    ("content-location", "/x"),
)


def outcome(
    *headers: tuple[str, str], method: str = "GET", whole: Headers = WHOLE, status: int = 200, size: int = 10
) -> PartialResponse | None:
    request = parse_conditional(method, headers, conditional=True)
    return partial_response(status, whole, size, request) if request else None


@pytest.mark.parametrize(
    ("text", "start", "size"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-5", 2, 4),
        ("bytes=2-", 2, 8),
        ("bytes=0-99999999999999999", 0, 10),
        ("bytes=-3", 7, 3),
        ("bytes=-30", 0, 10),
        ("BYTES=9-9", 9, 1),
    ],
)
def test_one_range_is_a_206_of_exactly_these_bytes(text: str, start: int, size: int) -> None:
    partial = outcome(("Range", text))
    assert partial
    assert (partial.status, partial.start, partial.size) == (206, start, size)
    assert get(partial.headers, "content-range") == f"bytes {start}-{start + size - 1}/10"
    assert partial.headers[: len(WHOLE)] == WHOLE


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_range_past_the_end_is_a_416_that_tells_the_size(text: str) -> None:
    partial = outcome(("Range", text))
    assert partial
    assert (partial.status, partial.size, get(partial.headers, "content-range")) == (416, 0, "bytes */10")
    assert not get(partial.headers, "content-type")


@pytest.mark.parametrize(
    "text",
    [
        "bytes=0-1,3-4",
        "bytes=5-2",
        "bytes=-",
        "bytes",
        "items=0-4",
        "bytes=a-b",
        "bytes= 0-1",
        "bytes=1-2-3",
        "bytes=" + "9" * 5000 + "-",
        "bytes=٠-٩",
        "",
    ],
)
def test_several_ranges_and_what_is_none_get_the_whole(text: str) -> None:
    assert outcome(("Range", text)) is None


def test_a_range_twice_gets_the_whole() -> None:
    assert outcome(("Range", "bytes=0-1"), ("range", "bytes=0-1")) is None


@pytest.mark.parametrize(
    "name",
    [
        "Content-MD5",
        "Digest",
        "Content-Digest",
        "x-amz-checksum-sha256",
        "X-Amz-Checksum-CRC64NVME",
        "x-amz-crc32",
        "x-goog-hash",
        "x-ms-content-crc64",
        "x-checksum-sha1",
        "x-oss-hash-crc64ecma",
    ],
)
def test_a_part_carries_no_checksum_of_the_whole(name: str) -> None:
    whole = (*WHOLE, (name, "x"), ("Repr-Digest", "sha-256=:x:"))
    part = outcome(("Range", "bytes=0-1"), whole=whole)
    nothing = outcome(("Range", "bytes=10-"), whole=whole)
    assert part
    assert nothing
    assert not get(part.headers, name.lower()) + get(nothing.headers, name.lower())
    assert get(part.headers, "repr-digest")


@pytest.mark.parametrize(
    "text", ["bytes=0-1,3-4", "bytes=5-2", "bytes=-", "items=0-4", "bytes= 0-1", "", "bytes=" + "9" * 5000 + "-"]
)
def test_what_is_not_one_proper_range_is_not_cut(text: str) -> None:
    assert single_range("GET", (("Range", text),)) is None
    assert single_range("GET", (("Accept", text),)) is None
    assert single_range("GET", (("Range", "bytes=0-1"), ("Range", "bytes=0-1"))) is None


def test_one_proper_range_of_a_get_is_cut_and_conditions_have_no_say() -> None:
    wanted = (("Range", "bytes=0-1"), ("If-Range", '"a"'), ("If-None-Match", "*"))
    assert single_range("GET", wanted) == ConditionalRequest((), wanted[:2])
    assert [single_range(method, wanted) for method in ("HEAD", "POST", "PUT")] == [None] * 3


def test_a_part_may_be_sent_of_what_takes_ranges_and_is_the_one_that_is_meant() -> None:
    wanted = ConditionalRequest((), (("Range", "bytes=0-1"), ("If-Range", '"a,b"')))
    assert can_be_cut(WHOLE, wanted)
    assert not can_be_cut((*WHOLE, ("Accept-Ranges", "none")), wanted)
    assert not can_be_cut((("etag", '"other"'),), wanted)


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE", "MOVE", "OPTIONS"])
def test_conditions_of_a_write_are_not_for_a_recorder_to_keep(method: str) -> None:
    assert not withheld_conditions(method)
    assert narrowing_headers(method, (("If-Match", "x"), ("Range", "x")), 412) == ""
    assert narrowing_headers(method, (("If-Match", "x"), ("Range", "x")), 206) == ""


@pytest.mark.parametrize(
    ("headers", "status", "names"),
    [
        ((("Range", "bytes=0-1"),), 206, "Range"),
        ((("range", "bytes=9-"), ("If-Range", "x")), 416, "range and If-Range"),
        ((("If-None-Match", "*"),), 304, "If-None-Match"),
        ((("If-Modified-Since", LATER),), 304, "If-Modified-Since"),
        ((("If-Match", "x"),), 412, "If-Match"),
        ((("If-Unmodified-Since", LATER),), 412, "If-Unmodified-Since"),
        ((("Range", "bytes=0-1"), ("If-Match", "x")), 200, ""),
        ((("If-Match", "x"),), 304, ""),
        ((("x-ms-range", "bytes=0-1"),), 206, ""),
        ((("Range", "bytes=0-1"),), 404, ""),
    ],
)
def test_what_answers_a_condition_or_a_range_says_nothing_of_the_whole(
    headers: Headers, status: int, names: str
) -> None:
    assert narrowing_headers("GET", headers, status) == names
    assert narrowing_headers("HEAD", headers, status) == names
    assert withheld_conditions("GET") == withheld_conditions("HEAD") == {"if-none-match", "if-modified-since"}


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ('"a,b"', 206),
        ('W/"a,b"', None),
        ('"other"', None),
        (MODIFIED, 206),
        (LATER, None),
        ("nonsense", None),
        ("", 206),
    ],
)
def test_if_range_wants_the_whole_of_anything_newer(named: str, status: int | None) -> None:
    partial = outcome(("Range", "bytes=0-1"), ("If-Range", named))
    assert (partial and partial.status) == status


def test_a_weak_tag_is_no_ground_for_a_part() -> None:
    whole = (("etag", 'W/"a"'),)
    assert outcome(("Range", "bytes=0-1"), ("If-Range", 'W/"a"'), whole=whole) is None


def test_ranges_are_for_a_get_and_a_200_that_takes_them() -> None:
    wanted = ("Range", "bytes=0-1")
    assert outcome(wanted, method="HEAD") is None
    assert outcome(wanted, method="POST") is None
    assert outcome(wanted, status=404) is None
    assert outcome(wanted, size=0) is None
    assert outcome(wanted, whole=(("accept-ranges", "none"),)) is None
    assert outcome(wanted, whole=(("accept-ranges", "bytes"),))


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("If-None-Match", '"a,b"', 304),
        ("If-None-Match", 'W/"a,b"', 304),
        ("If-None-Match", '"x", W/"a,b" , "y"', 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", '"a"', None),
        ("If-None-Match", "a,b", None),
        ("If-Modified-Since", MODIFIED, 304),
        ("If-Modified-Since", LATER, 304),
        ("If-Modified-Since", EARLIER, None),
        ("If-Modified-Since", "yesterday", None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_caller_has_already_is_a_304(name: str, value: str, status: int | None, method: str) -> None:
    partial = outcome((name, value), method=method)
    assert (partial and partial.status) == status


def test_a_date_does_not_count_beside_a_tag() -> None:
    assert outcome(("If-None-Match", '"x"'), ("If-Modified-Since", LATER)) is None


def test_without_a_validator_nothing_is_known_to_be_unmodified() -> None:
    for header in (("If-None-Match", '""'), ("If-None-Match", '"x"'), ("If-Modified-Since", LATER)):
        assert outcome(header, whole=()) is None


def test_a_304_carries_what_a_cache_renews_and_nothing_of_the_content() -> None:
    partial = outcome(("If-None-Match", "*"))
    assert partial
    assert [name for name, _ in partial.headers] == ["etag", "cache-control", "vary", "expires", "content-location"]
    untagged = outcome(("If-Modified-Since", LATER), whole=WHOLE[2:])
    assert untagged
    assert get(untagged.headers, "last-modified") == MODIFIED


def test_a_condition_that_holds_goes_before_a_range() -> None:
    both = outcome(("If-None-Match", "*"), ("Range", "bytes=0-1"))
    neither = outcome(("If-None-Match", '"x"'), ("Range", "bytes=0-1"))
    assert both
    assert neither
    assert (both.status, neither.status) == (304, 206)


def test_conditions_count_only_if_asked_for_by_configuration() -> None:
    assert parse_conditional("GET", (("If-None-Match", "*"),), conditional=False) is None
    assert parse_conditional("GET", (("Accept", "*/*"),), conditional=True) is None
    assert parse_conditional("GET", (("Range", "x"), ("If-None-Match", "*")), conditional=False) == ConditionalRequest(
        (), (("Range", "x"),)
    )


@given(st.integers(0, 30), st.integers(0, 30) | st.none(), st.integers(1, 20))
def test_a_part_lies_within_the_whole_and_says_where(first: int, last: int | None, size: int) -> None:
    partial = outcome(("Range", f"bytes={first}-{'' if last is None else last}"), size=size)
    body = bytes(range(size))
    if partial and partial.status == 206:
        assert body[partial.start : partial.start + partial.size] == body[first : None if last is None else last + 1]
    else:
        assert first >= size or (last is not None and last < first)
