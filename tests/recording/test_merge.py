"""How a response joins what is stored of its cassette; letters stand for bodies."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.cassettes.model import RecordedResponse
from replaymock.http.websocket_messages import Message
from replaymock.recording.merge import doubt_left, is_full_match, is_same_response, merge_response, with_missing
from tests.support.factories import JSON, recorded


def a_run(*bodies: str) -> tuple[RecordedResponse, ...]:
    return tuple(recorded(body.encode()) for body in bodies)


def run_over(stored: tuple[RecordedResponse, ...], *seen: RecordedResponse) -> tuple[RecordedResponse, ...]:
    cursor = -1
    for response in seen:
        stored, cursor = merge_response(stored, cursor, response, {})
    return stored


letters = st.lists(st.sampled_from("abc"), max_size=8)


@given(letters)
def test_one_run_keeps_its_responses_in_order_and_equal_neighbours_once(bodies: list[str]) -> None:
    once = [body for place, body in enumerate(bodies) if place == 0 or bodies[place - 1] != body]
    assert run_over((), *a_run(*bodies)) == a_run(*once)


@given(letters)
def test_the_same_run_again_changes_nothing(bodies: list[str]) -> None:
    stored = run_over((), *a_run(*bodies))
    later = [replace(response, recorded_at="2027-01-01T00:00:00Z", elapsed_ms=9) for response in a_run(*bodies)]
    assert run_over(stored, *later) is stored


@given(letters, st.integers(0, 8))
def test_a_run_that_stops_half_way_leaves_the_tail(bodies: list[str], length: int) -> None:
    stored = run_over((), *a_run(*bodies))
    assert run_over(stored, *a_run(*bodies)[:length]) == stored


@given(letters, letters)
def test_a_run_leaves_what_it_saw_at_the_front(before: list[str], now: list[str]) -> None:
    stored = run_over(run_over((), *a_run(*before)), *a_run(*now))
    seen = run_over((), *a_run(*now))
    assert stored[: len(seen)] == seen


def test_what_differs_replaces_the_stored_ones_from_there_on() -> None:
    assert run_over(a_run("a", "b", "c"), *a_run("a", "x")) == a_run("a", "x")


def test_an_equal_response_that_comes_after_another_write_now_is_stored_with_that_one() -> None:
    waits = recorded(b'"new"', after="POST /items x2")
    assert (
        merge_response((recorded(b'"old"'), waits), 0, recorded(b'"new"', after="PUT /items"), {"POST /items": 2})[0][1]
        is waits
    )
    stored, _ = merge_response(
        (recorded(b'"old"'), waits), 0, recorded(b'"new"', after="PUT /items"), {"PUT /items": 1}
    )
    assert stored[1].after == "PUT /items"


def test_the_first_response_waits_for_nothing() -> None:
    stored, _ = merge_response((), -1, recorded(after="POST /items"), {"POST /items": 1})
    assert stored[0].after == ""


def test_an_error_never_replaces_a_good_response() -> None:
    assert run_over(a_run("a"), recorded(b"oops", status=503)) == a_run("a")


def test_a_new_response_keeps_what_is_stored_of_its_headers_but_for_when_something_ends() -> None:
    """On replay a date is told by how far it is from the moment of its recording."""
    dates = ("Sun, 01 Nov 2026 10:00:00 GMT", "Mon, 01 Nov 2027 10:00:00 GMT")
    old, new = (
        (("set-cookie", f"a={hidden}"), ("last-modified", date), ("expires", date))
        for hidden, date in zip(("{{redacted:a}}", "{{redacted:a:2}}"), dates, strict=True)
    )
    stored = run_over((recorded(b"1", headers=old),), recorded(b"2", headers=new))
    assert stored[0].headers == (*old[:2], new[2])


def test_a_good_response_replaces_an_error() -> None:
    assert run_over((recorded(b"oops", status=503),), *a_run("a")) == a_run("a")


@pytest.mark.parametrize(
    ("change", "equal"),
    [
        ({"recorded_at": "2027-01-01T00:00:00Z"}, True),
        ({"elapsed_ms": 900}, True),
        ({"headers": (("content-type", "application/json"), ("last-modified", "Mon, 02 Nov 2026 10:00:00 GMT"))}, True),
        ({"headers": (("last-modified", "Sun, 01 Nov 2026 10:00:00 GMT"), ("content-type", "application/json"))}, True),
        ({"body": b'{"token":"{{redacted:token:2}}"}'}, True),
        ({"body": b'{"token":"other"}'}, False),
        ({"status": 201}, False),
        ({"headers": (("content-type", "text/plain"),)}, False),
    ],
)
def test_two_responses_say_the_same_whenever_they_said_it(change: dict[str, Any], equal: bool) -> None:
    headers = (*JSON, ("last-modified", "Sun, 01 Nov 2026 10:00:00 GMT"))
    one = recorded(b'{"token":"{{redacted:token}}"}', headers=headers)
    assert is_same_response(one, replace(one, **change)) is equal


SOON = recorded(b'{"expires_at":"2026-11-22T14:00:00Z","ttl":1}', recorded_at="2026-11-22T13:00:00Z")
STAMP = recorded(b'{"until":1,"exp":1795352400.25,"validTo":"2030-01-01"}', recorded_at="2026-11-22T13:00:00Z")


@pytest.mark.parametrize(
    ("stored", "body", "equal"),
    [
        (SOON, b'{"expires_at":"2026-11-24T15:00:02Z","ttl":1}', True),
        (SOON, b'{"expires_at":"2026-11-24T15:00:06Z","ttl":1}', False),
        (SOON, b'{"expires_at":"2026-11-22T14:00:00Z","ttl":1}', True),
        (SOON, b'{"expires_at":"2026-11-24T15:00:00+00:00","ttl":1}', False),
        (SOON, b'{"expires_at":"2026-11-24T15:00:00Z","ttl":2}', False),
        (SOON, b'{"expires_at":1795532400,"ttl":1}', False),
        (STAMP, b'{"until":1,"exp":1795528799.5,"validTo":"2030-01-01"}', True),
        (STAMP, b'{"until":1,"exp":1795528799.5,"validTo":"2030-01-02"}', False),
    ],
)
def test_an_expiry_that_lies_as_far_ahead_as_before_says_the_same(
    stored: RecordedResponse, body: bytes, equal: bool
) -> None:
    assert is_same_response(stored, recorded(body, recorded_at="2026-11-24T14:00:00Z")) is equal


HIDDEN = recorded(b'{"note":"it is {{redacted:token:2}}, ann"}', headers=(*JSON, ("x-a", "{{redacted:token}}")))


@pytest.mark.parametrize(
    ("body", "said", "equal"),
    [
        (b'{"note":"it is Zx81kLmn22pQ, ann"}', "hunter2abc", True),
        (b'{"note":"it is Zx81kLmn22pQ, bob"}', "hunter2abc", False),
        (b'{"note":"it is secret, ann"}', "hunter2abc", False),
        (b'{"note":"it is Zx81kLmn22pQ, ann"}', "no", False),
    ],
)
def test_what_is_not_known_to_be_secret_yet_says_what_is_stored_hidden(body: bytes, said: str, equal: bool) -> None:
    assert is_same_response(HIDDEN, recorded(body, headers=(*JSON, ("x-a", said)))) is equal


def test_a_message_that_is_not_known_to_be_secret_yet_says_what_is_stored_hidden() -> None:
    ask = Message("client", "text", b"{{redacted:token}}")
    stored, live = recorded(b"", messages=(ask,)), recorded(b"", messages=(replace(ask, data=b"Zx81kLmn22pQ"),))
    assert is_same_response(stored, live) and not is_same_response(live, stored)


def said(*lines: str) -> RecordedResponse:
    """A conversation of lines such as `client ask`, `server answer`, `client close`."""
    pairs = [line.split() for line in lines]
    messages = tuple(
        Message(sender, "close", code=1000) if word == "close" else Message(sender, "text", word.encode())
        for sender, word in pairs
    )
    return recorded(b"", messages=messages)


CROSSED = [
    (
        ("client ask", "server answer", "server done", "client next"),
        ("client ask", "server answer", "client next", "server done"),
    ),
    (("client ask", "server push", "server answer"), ("server push", "client ask", "server answer")),
    (("server hello", "client hello"), ("client hello", "server hello")),
    (
        ("client ask", "server answer", "client stop", "server late"),
        ("client ask", "server answer", "server late", "client stop"),
    ),
    (("server ping", "client pong", "client ask"), ("client pong", "client ask", "server ping")),
    (("server bye", "client close"), ("client bye", "server close")),
    (("client one", "client two"), ("client two", "client one")),
    (("client ask", "server one", "server two"), ("client ask", "server two", "server one")),
    (("client ask", "server answer"), ("client ask", "server answer", "server more")),
    (("client same", "server other"), ("server same", "client other")),
]


@pytest.mark.parametrize(("first", "second"), CROSSED[:5])
def test_messages_of_both_sides_may_cross_in_another_order(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert is_same_response(said(*first), said(*second)) and is_same_response(said(*second), said(*first))


@pytest.mark.parametrize(("first", "second"), CROSSED[5:])
def test_what_one_side_said_and_in_which_order_counts(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert not is_same_response(said(*first), said(*second))


def test_a_hidden_message_is_found_in_its_side_though_messages_crossed() -> None:
    stored, live = said("server go", "client {{redacted:token}}"), said("client Zx81kLmn22pQ", "server go")
    assert is_same_response(stored, live)


def a_stream(letters: str, *, left: bool = False, **more: object) -> RecordedResponse:
    data = "".join(f"data: {letter}\n\n" for letter in letters).encode()
    return recorded(data, headers=(("content-type", "text/event-stream"),), truncated=left, **more)


def streams(*texts: str) -> tuple[RecordedResponse, ...]:
    """Streams by their events; one that ends with a dot was left there."""
    return tuple(a_stream(text.rstrip("."), left=text.endswith(".")) for text in texts)


def streamed(stored: tuple[RecordedResponse, ...], *texts: str) -> tuple[str, ...]:
    """What is stored once a run has seen these streams."""
    cursor, doubt = -1, 0
    for response in streams(*texts):
        last = cursor + doubt + 1
        stored, cursor = merge_response(stored, cursor, response, {}, (), doubt)
        doubt = doubt_left(stored, cursor, last, response, {}, ())
    return tuple(
        "".join(re.findall(r"data: (\w)", one.body.decode())) + ("." if one.truncated else "") for one in stored
    )


@pytest.mark.parametrize(
    ("stored", "seen", "left"),
    [
        (["abc"], ["ab."], ["abc"]),
        (["abc"], ["."], ["abc"]),
        (["abc"], ["abc."], ["abc"]),
        (["abc"], ["ab.", "a.", "abc"], ["abc"]),
        (["abc."], ["ab."], ["abc."]),
        (["ab."], ["abc."], ["abc."]),
        (["ab."], ["abc"], ["abc"]),
        (["abc."], ["abc"], ["abc"]),
        (["abc."], ["ab"], ["ab"]),
        (["abc"], ["ax."], ["ax."]),
        (["abc", "xyz"], ["ab.", "xyz"], ["abc", "xyz"]),
        (["abc", "xyz"], ["ab.", "x.", "pq"], ["abc", "xyz", "pq"]),
        (["ab.", "xy.", "pq"], ["abc", "xyz", "p."], ["abc", "xyz", "pq"]),
        (["abc", "xyz"], ["x.", "xyz"], ["xyz"]),
        ([], ["a.", "ab.", "abc", "ab."], ["abc"]),
        ([], ["a.", "x.", "xyz", "abc"], ["a.", "xyz", "abc"]),
    ],
)
def test_what_a_client_left_is_the_beginning_of_what_is_stored_or_of_more(
    stored: list[str], seen: list[str], left: list[str]
) -> None:
    assert streamed(streams(*stored), *seen) == tuple(left)


@pytest.mark.parametrize(
    ("seen", "left"),
    [
        (["h.", "h.", "h."], None),
        (["h.", "h.", "ha"], None),
        (["ha", "h.", "hc"], None),
        (["h.", "h.", "hc", "hc"], None),
        (["h.", "hb", "hc"], None),
        (["ha", "h.", "ha", "hb", "hc"], None),
        (["ha", "h.", "hx"], ["ha", "hb", "hx"]),
        (["ha", "h.", "ha", "hx"], ["ha", "hx"]),
        (["h.", "h.", "h.", "h.", "hx"], ["ha", "hb", "hc", "hx"]),
    ],
)
def test_a_beginning_of_several_may_be_that_of_any_of_them(seen: list[str], left: list[str] | None) -> None:
    stored = ["ha", "hb", "hc"]
    assert streamed(streams(*stored), *seen) == tuple(left or stored)


short_texts = st.lists(st.text("ab", min_size=1, max_size=3), max_size=5)


@given(short_texts, st.data())
def test_a_run_of_which_any_are_left_early_changes_nothing(texts: list[str], data: st.DataObject) -> None:
    stored = streams(*streamed((), *texts))
    left = [data.draw(st.sampled_from([text, text[:-1] + ".", "."])) for text in texts]
    assert streamed(stored, *left) == tuple(streamed((), *texts))


def test_more_of_a_beginning_keeps_the_write_it_comes_after_and_the_spelling_of_its_head() -> None:
    date = ("last-modified", "Sun, 01 Nov 2026 10:00:00 GMT")
    first, begun = a_stream("x"), a_stream("a", left=True, after="POST /items")
    begun = replace(begun, headers=(*begun.headers, date))
    more = replace(a_stream("ab"), headers=(*a_stream("").headers, (date[0], "Mon, 02 Nov 2026 10:00:00 GMT")))
    stored, cursor = merge_response((first, begun, first), 0, more, {"POST /items": 1})
    assert (stored, cursor) == ((first, replace(begun, body=more.body, truncated=False), first), 1)
    assert merge_response((first, begun), 0, more, {})[0] == (first, replace(more, headers=begun.headers))


def test_more_that_comes_after_a_write_is_its_doing() -> None:
    begun, more = a_stream("a", left=True), a_stream("ab", after="POST /items")
    assert merge_response((begun,), 0, more, {"POST /items": 1})[0] == (begun, more)
    assert merge_response((begun,), -1, more, {"POST /items": 1})[0] == (replace(more, after=""),)
    assert merge_response((more,), 0, replace(begun, after="POST /items"), {"POST /items": 1})[0] == (more,)


def test_what_is_gathered_goes_as_far_as_either_does() -> None:
    stored = streams("ab.", "xyz")
    assert with_missing(stored, streams("abc", "x.", "p", "p")) == streams("abc", "xyz", "p", "p")
    assert is_full_match(stored[1], streams("x.")[0]) and not is_full_match(stored[0], streams("abc")[0])
