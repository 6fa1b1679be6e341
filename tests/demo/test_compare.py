"""What the demo calls equal, and what it does not."""

from dataclasses import replace

import pytest

from replaymock.demo.compare import Seen, compare
from replaymock.http.headers import Headers

LIVE, REPLAYED = "http://localhost:4001", "http://localhost:4002"


def seen(body: str = "", *headers: tuple[str, str], status: int = 200, origin: str = LIVE) -> Seen:
    return Seen("GET /", origin, status, headers, body.encode(), "GET.json")


def test_an_answer_equals_itself() -> None:
    assert compare(seen("hello", ("etag", '"1"')), seen("hello", ("ETag", '"1"'))).is_same


@pytest.mark.parametrize(
    ("live", "replayed"),
    [
        (seen("hello"), seen("hallo")),
        (seen("hello"), seen("hello ")),
        (seen(status=200), seen(status=204)),
        (seen("", ("etag", '"1"')), seen("", ("etag", '"2"'))),
        (seen("", ("etag", '"1"')), seen("")),
        (seen("", ("set-cookie", "a=1"), ("set-cookie", "b=2")), seen("", ("set-cookie", "a=1"))),
    ],
)
def test_another_status_header_or_body_is_a_difference(live: Seen, replayed: Seen) -> None:
    assert not compare(live, replayed).is_same
    assert not compare(replayed, live).is_same


def test_no_answer_is_not_the_same_as_no_answer() -> None:
    verdict = compare(seen("no answer: ConnectError", status=0), seen("no answer: ConnectError", status=0))
    assert verdict.difference == "live 'no answer: ConnectError'"


def test_an_equal_answer_from_no_cassette_is_a_difference() -> None:
    verdict = compare(seen("hello"), replace(seen("hello"), cassette=""))
    assert verdict.difference == "replayed from no cassette"


def test_a_difference_is_shown_by_the_first_line_that_differs() -> None:
    verdict = compare(seen("one\ntwo\nthree"), seen("one\n2\n3"))
    assert verdict.difference == "live 'two', replayed '2'"


@pytest.mark.parametrize(
    "header", [("Date", "now"), ("X-Request-Id", "1"), ("Cache-Status", "x"), ("Access-Control-Allow-Origin", "*")]
)
def test_headers_that_say_nothing_about_the_content_may_differ(header: tuple[str, str]) -> None:
    assert compare(seen("", header), seen("")).is_same


def test_headers_may_come_in_another_order_of_names_but_not_of_repeats() -> None:
    one: Headers = (("etag", '"1"'), ("allow", "GET"))
    assert compare(seen("", *one), seen("", *reversed(one))).is_same


def test_each_sides_own_origin_is_the_same() -> None:
    live = seen(f'{{"next":"{LIVE}/2"}}', ("location", f"{LIVE}/2"))
    replayed = seen(f'{{"next":"{REPLAYED}/2"}}', ("location", f"{REPLAYED}/2"), origin=REPLAYED)
    assert compare(live, replayed).is_same


def test_a_replayed_link_to_where_it_was_recorded_is_a_difference() -> None:
    live = seen(f"{LIVE}/2")
    assert not compare(live, seen(f"{LIVE}/2", origin=REPLAYED)).is_same


def test_the_beginning_of_a_longer_port_is_not_the_own_origin() -> None:
    assert not compare(seen(f"{LIVE}0/"), seen(f"{REPLAYED}0/", origin=REPLAYED)).is_same


def test_a_placeholder_stands_for_a_value_that_is_told() -> None:
    live = seen('{"token":"s3cret"}', ("set-cookie", "session=abc; Path=/"))
    replayed = seen('{"token":"{{redacted:token}}"}', ("set-cookie", "session={{redacted:session}}; Path=/"))
    verdict = compare(live, replayed)
    assert verdict.is_same
    assert verdict.hidden == {"s3cret", "abc"}


def test_the_same_placeholder_stands_for_the_same_value() -> None:
    replayed = seen("{{redacted:token}} {{redacted:token}} {{redacted:token:2}}")
    assert compare(seen("a a b"), replayed).hidden == {"a", "b"}
    assert not compare(seen("a b b"), replayed).is_same


@pytest.mark.parametrize("body", ['{"token":"a","id":"b"}', '{"token":"a b"}', '{"token":""}'])
def test_a_placeholder_does_not_stand_for_more_or_less_than_a_value(body: str) -> None:
    assert not compare(seen(body), seen('{"token":"{{redacted:token}}"}')).is_same


def test_what_differs_beside_a_hidden_value_is_still_a_difference() -> None:
    verdict = compare(seen("token: a\nid: 1"), seen("token: {{redacted:token}}\nid: 2"))
    assert verdict.difference == "live 'id: 1', replayed 'id: 2'"
