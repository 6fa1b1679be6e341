"""The same response again is known by its digest, and nothing that makes a difference is left out of that."""

import hashlib
from dataclasses import replace

import pytest

from replaymock.http.headers import Headers
from replaymock.recording.cassette_builder import UnchangedCache, digest_of
from tests.support.factories import JSON, a_response, an_exchange

DATE = ("Date", "Sun, 22 Nov 2026 13:00:00 GMT")


def test_a_repeat_is_the_same_response_for_the_same_entry_at_the_same_position() -> None:
    unchanged, entry = UnchangedCache(), object()
    assert not unchanged.is_unchanged("items/GET.json", entry, 0, b"1")
    unchanged.remember("items/GET.json", entry, 0, b"1")
    assert unchanged.is_unchanged("items/GET.json", entry, 0, b"1")
    assert not unchanged.is_unchanged("items/GET.json", entry, 0, b"2")
    assert not unchanged.is_unchanged("items/GET.json", entry, 1, b"1")
    assert not unchanged.is_unchanged("items/GET.json", object(), 0, b"1"), "an equal one that was loaded again"
    assert not unchanged.is_unchanged("other/GET.json", entry, 0, b"1")


def test_a_changed_cassette_is_known_by_the_first_entry_it_is_served_from() -> None:
    unchanged, entry, later = UnchangedCache(), object(), object()
    unchanged.served("items/GET.json", entry)
    unchanged.remember("items/GET.json", None, 0, b"1")
    assert not unchanged.is_unchanged("items/GET.json", entry, 0, b"1")
    unchanged.served("items/GET.json", entry)
    unchanged.served("items/GET.json", later)
    assert unchanged.is_unchanged("items/GET.json", entry, 0, b"1")
    assert not unchanged.is_unchanged("items/GET.json", later, 0, b"1")


@pytest.mark.parametrize(
    ("headers", "equal"),
    [
        ((*JSON, DATE), True),
        ((*JSON, ("X-REQUEST-ID", "7")), True),
        ((*JSON, ("X-Other", "7")), False),
        ((*JSON, ("Connection", "content-type")), False),
        ((*JSON, ("Content-Length", "7")), False),
        ((*JSON, ("Content-Encoding", "gzip")), False),
        ((), False),
    ],
)
def test_a_digest_tells_all_responses_apart_but_for_headers_that_say_nothing(headers: Headers, equal: bool) -> None:
    assert (digest_of(an_exchange(response=a_response(headers=headers))) == digest_of(an_exchange())) == equal


def test_a_digest_of_the_body_that_is_known_is_not_reckoned_again() -> None:
    exchange = an_exchange()
    known = hashlib.sha256(exchange.response.body).digest()
    assert digest_of(replace(exchange, digest=known)) == digest_of(exchange)
    assert digest_of(replace(exchange, digest=b"1" * 32)) != digest_of(exchange)


def test_status_reason_and_body_are_in_a_digest_and_whether_there_was_more() -> None:
    responses = [a_response(), a_response(201), a_response(reason="Fine"), a_response(body=b"")]
    exchanges = [an_exchange(response=response) for response in responses]
    assert len({digest_of(exchange) for exchange in (*exchanges, replace(exchanges[0], truncated=True))}) == 5
