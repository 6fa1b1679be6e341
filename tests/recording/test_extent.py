"""How far a response goes that its client left, and what is compared of it then."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.cassettes.model import RecordedResponse
from replaymock.http.websocket_messages import CLIENT, CLOSE, SERVER, TEXT, Message
from replaymock.recording.extent import cut_to_common, goes_further, is_open
from replaymock.recording.merge import is_same_response
from tests.support.factories import recorded

SSE = (("content-type", "text/event-stream"),)
LINES = (("content-type", "application/x-ndjson"),)
PLAIN = (("content-type", "text/plain"),)
LEFT, ENDED = Message(CLIENT, CLOSE, b"", 1001), Message(SERVER, CLOSE, b"", 1000)


def sse(letters: str, **more: object) -> RecordedResponse:
    return recorded("".join(f"data: {letter}\n\n" for letter in letters).encode(), headers=SSE, **more)


def lines(letters: str, **more: object) -> RecordedResponse:
    return recorded("".join(f'"{letter}"\n' for letter in letters).encode(), headers=LINES, **more)


def text(letters: str, **more: object) -> RecordedResponse:
    return recorded(letters.encode(), headers=PLAIN, **more)


def socket(letters: str, *close: Message, truncated: bool = False) -> RecordedResponse:
    said = tuple(Message(CLIENT if letter.isupper() else SERVER, TEXT, letter.encode()) for letter in letters)
    return recorded(b"", status=101, headers=(), messages=(*said, *close), truncated=truncated)


def beginning(make: object, letters: str) -> RecordedResponse:
    """What there is of it when its client leaves."""
    return socket(letters, LEFT) if make is socket else make(letters, truncated=True)  # type: ignore[operator,no-any-return]


def whole(make: object, letters: str) -> RecordedResponse:
    return socket(letters, ENDED) if make is socket else make(letters)  # type: ignore[operator,no-any-return]


KINDS = pytest.mark.parametrize("make", [sse, lines, text, socket])
letters = st.text("aBc", max_size=5)


@KINDS
@given(letters, letters)
def test_a_beginning_says_the_same_as_what_it_is_the_beginning_of(make: object, one: str, more: str) -> None:
    begun, all_of_it = beginning(make, one), whole(make, one + more)
    assert is_same_response(all_of_it, begun) and is_same_response(begun, all_of_it)
    assert goes_further(all_of_it, begun) and not goes_further(begun, all_of_it)


@KINDS
@given(letters, letters)
def test_two_beginnings_say_the_same_if_one_begins_the_other(make: object, one: str, other: str) -> None:
    first, second = beginning(make, one), beginning(make, other)
    assert is_same_response(first, second) is (one.startswith(other) or other.startswith(one))
    assert goes_further(second, first) is (len(other) > len(one))


@KINDS
@given(letters, letters)
def test_wholes_say_the_same_only_if_they_are(make: object, one: str, other: str) -> None:
    first, second = whole(make, one), whole(make, other)
    assert is_same_response(first, second) is (one == other)
    assert not goes_further(first, second)


@KINDS
@given(letters, letters)
def test_what_ended_earlier_is_another(make: object, one: str, more: str) -> None:
    ended, begun = whole(make, one), beginning(make, f"{one}{more}d")
    assert not is_same_response(ended, begun) and not is_same_response(begun, ended)


def test_a_conversation_that_the_recorder_left_is_open_whatever_code_a_client_leaves_it_by() -> None:
    left = socket("aB", LEFT)
    assert [is_open(one) for one in (left, socket("aB", ENDED), socket("aB", truncated=True), socket(""))] == [
        True,
        False,
        True,
        False,
    ]
    for other in (socket("aB", replace(LEFT, code=1006)), socket("aB", truncated=True)):
        assert is_same_response(left, other) and is_same_response(other, left)
        assert not goes_further(left, other) and not goes_further(other, left)


def test_signs_of_life_come_by_the_clock_and_tell_nothing() -> None:
    begun = recorded(b": hi\n\ndata: a\n\n: hi\n: hi\n\n", headers=SSE, truncated=True)
    assert is_same_response(sse("ab"), begun) and not goes_further(begun, sse("a", truncated=True))
    assert is_same_response(recorded(b'"a"\n\n\n"b"\n', headers=LINES), lines("a", truncated=True))
    assert not is_same_response(sse("ab"), recorded(b": hi\ndata: b\n\n", headers=SSE, truncated=True))
    long = recorded(b": \r\n" * 50_000 + b"data: a\r\n\r\n", headers=SSE, truncated=True)
    assert cut_to_common(long, long)[0].body == long.body


def test_what_is_still_coded_is_compared_by_its_bytes() -> None:
    coded = sse("ab", encoded=True)
    begun = replace(coded, body=coded.body[:5], truncated=True)
    assert is_same_response(coded, begun) and goes_further(coded, begun)


def test_another_head_is_another_response() -> None:
    assert not is_same_response(sse("ab"), replace(sse("a", truncated=True), status=206))
    assert not is_same_response(sse("ab"), replace(sse("a", truncated=True), headers=LINES))
    assert not is_same_response(sse("ab"), recorded(b"", headers=PLAIN, truncated=True))
