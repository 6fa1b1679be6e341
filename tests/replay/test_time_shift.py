"""Times in recorded responses moved on, and moved back in what a client sends."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.replay.time_shift import MOST_BYTES, IssuedValues, Shift, is_expiry, is_time, shifted
from tests.support import strategies
from tests.support.factories import JSON, a_request
from tests.support.tokens import a_token

RECORDED = 1_700_000_000  # 2023-11-14T22:13:20Z
YEAR = 365 * 86_400
EXPIRES = ("2023-11-15T00:00:00Z", "2024-11-14T00:00:00Z")


def moved_headers(*headers: tuple[str, str]) -> Headers:
    return shifted(headers, b"", Shift(RECORDED, RECORDED + YEAR))[0]


def moved_json(text: str, issued: IssuedValues | None = None, *, all_json: bool = False, by: int = YEAR) -> str:
    shift = Shift(RECORDED, RECORDED + by, all_json, (issued or IssuedValues()).remember)
    return shifted(JSON, text.encode(), shift)[1].decode()


@pytest.mark.parametrize(
    ("name", "recorded", "served"),
    [
        ("expires", "Wed, 15 Nov 2023 00:00:00 GMT", "Thu, 14 Nov 2024 00:00:00 GMT"),
        ("Expires", "Wed, 15-Nov-2023 00:00:00 GMT", "Thu, 14-Nov-2024 00:00:00 GMT"),
        ("expires", "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("expires", "0", "0"),
        ("retry-after", "Wed, 15 Nov 2023 00:00:00 GMT", "Thu, 14 Nov 2024 00:00:00 GMT"),
        ("retry-after", "120", "120"),
        ("last-modified", "Wed, 15 Nov 2023 00:00:00 GMT", "Wed, 15 Nov 2023 00:00:00 GMT"),
        (
            "set-cookie",
            "a=1; Path=/; expires=Wed, 15 Nov 2023 00:00:00 GMT; HttpOnly",
            "a=1; Path=/; expires=Thu, 14 Nov 2024 00:00:00 GMT; HttpOnly",
        ),
        (
            "set-cookie",
            "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
            "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
        ),
        ("set-cookie", "a=1; Max-Age=60; Expires=never", "a=1; Max-Age=60; Expires=never"),
        ("location", "/#id=" + a_token('{"exp":1700003600}'), "/#id=" + a_token('{"exp":1731539600}')),
    ],
)
def test_what_a_header_says_ends_later_moves_and_what_was_over_stays(name: str, recorded: str, served: str) -> None:
    assert moved_headers((name, recorded)) == ((name, served),)


@pytest.mark.parametrize(
    ("recorded", "served"),
    [
        (f'{{"expires_at": "{EXPIRES[0]}"}}', f'{{"expires_at": "{EXPIRES[1]}"}}'),
        ('{"a": {"expiresAt":1700003600000}, "n": 1.10}', '{"a": {"expiresAt":1731539600000}, "n": 1.10}'),
        ('{"exp":1700003600,"iat":1700000000}', '{"exp":1731539600,"iat":1731536000}'),
        ('{"expires_on": "1700003600"}', '{"expires_on": "1731539600"}'),
        ('{"expiry": "2023-11-15"}', '{"expiry": "2024-11-14"}'),
        ('{"not_before": ["2023-11-15T00:00:00+02:00"]}', '{"not_before": ["2024-11-14T00:00:00+02:00"]}'),
        ('{"expires_in": 3600, "created": "2023-11-15"}', '{"expires_in": 3600, "created": "2023-11-15"}'),
        ('{"expires_in_ms": 1209600000}', '{"expires_in_ms": 1209600000}'),
        ('{"expires": "9999-12-31T23:59:59Z"}', '{"expires": "9999-12-31T23:59:59Z"}'),
        ('{"expires": null, "exp": true, "expiry": "soon"}', '{"expires": null, "exp": true, "expiry": "soon"}'),
        ('}{"expires": "2023-11-15"', '}{"expires": "2023-11-15"'),
    ],
)
def test_in_json_the_moments_of_expiry_move(recorded: str, served: str) -> None:
    assert moved_json(recorded) == served


@pytest.mark.parametrize(
    ("recorded", "served"),
    [
        ('["2023-11-15T10:00:00.123+02:00"]', '["2024-11-14T10:00:00.123+02:00"]'),
        ('{"day": "2023-11-14", "old": "1969-07-20"}', '{"day": "2024-11-13", "old": "1969-07-20"}'),
        ('{"at": "Wed, 15 Nov 2023 00:00:00 GMT"}', '{"at": "Thu, 14 Nov 2024 00:00:00 GMT"}'),
        ('{"created_at_ms": 1700003600000}', '{"created_at_ms": 1731539600000}'),
        ('{"timestamps": [1700003600, 1700003600.5]}', '{"timestamps": [1731539600, 1731539600.5]}'),
        ('{"id": 1700003600, "to": 1700003600}', '{"id": 1700003600, "to": 1700003600}'),
        ('{"updated": 170000, "v": "1700003600"}', '{"updated": 170000, "v": "1700003600"}'),
        ('"2023-11-15T00:00Z"', '"2024-11-14T00:00Z"'),
    ],
)
def test_on_demand_every_time_in_json_moves(recorded: str, served: str) -> None:
    assert moved_json(recorded, all_json=True) == served


def test_what_was_todays_date_is_todays_date() -> None:
    assert moved_json('["2023-11-14"]', all_json=True, by=2 * 3600) == '["2023-11-15"]'
    assert moved_json('["2023-11-14"]', all_json=True, by=3600) == '["2023-11-14"]'


@pytest.mark.parametrize(
    "name", ["exp", "token_exp", "accessTokenExpiresAt", "EXPIRES", "expiryTimestamp", "validUntil", "not-before"]
)
def test_names_of_expiry(name: str) -> None:
    assert is_expiry(name)


@pytest.mark.parametrize("name", ["", "expires_in", "regexp", "experience", "expiresInMs", "expiryPolicy", "valid"])
def test_other_names(name: str) -> None:
    assert not is_expiry(name)


@pytest.mark.parametrize(
    ("name", "says"),
    [("createdAt", True), ("ts", True), ("epoch", True), ("time_ms", True), ("lat", False), ("count", False)],
)
def test_names_of_times(name: str, says: bool) -> None:
    assert is_time(name) is says


def test_only_text_is_looked_into_and_none_that_is_very_long() -> None:
    token = a_token('{"exp":1700003600}').encode()
    shift = Shift(RECORDED, RECORDED + YEAR)
    assert shifted((("content-type", "text/html"),), b"\xff<p>" + token, shift)[1] != b"\xff<p>" + token
    for media, body in (("image/png", token), ("text/html", token + b" " * MOST_BYTES)):
        assert shifted((("content-type", media),), body, shift)[1] == body


dates = st.integers(RECORDED - YEAR, RECORDED + YEAR).map(lambda moment: {"expires_at": moment, "x": str(moment)})


@given(dates, strategies.values, st.integers(1, 10 * YEAR), st.booleans())
def test_a_body_sent_back_is_the_body_that_was_recorded(
    times: dict[str, Any], value: Any, by: int, all_json: bool
) -> None:
    text = json.dumps({"times": times, "rest": value})
    issued = IssuedValues()
    served = moved_json(text, issued, all_json=all_json, by=by)
    assert served != text
    request = a_request("POST", headers=JSON, body=served.encode())
    assert json.loads(issued.to_recorded(request).body) == json.loads(text)


@pytest.fixture
def issued() -> IssuedValues:
    found = IssuedValues()
    found.remember("2024-11-14T00:00:00+02:00", "2023-11-15T00:00:00+02:00")
    found.remember("1731539600", "1700003600")
    return found


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/a?since=1731539600&b", "/a?since=1700003600&b"),
        ("/a?since=2024-11-14T00%3A00%3A00%2B02%3A00", "/a?since=2023-11-15T00%3A00%3A00%2B02%3A00"),
        ("/a?since=2024-11-14T00:00:00+02:00", "/a?since=2023-11-15T00%3A00%3A00+02%3A00"),
        ("/a/1731539600/b", "/a/1700003600/b"),
        ("/a/2024-11-14T00:00:00+02:00", "/a/2023-11-15T00:00:00+02:00"),
        ("/a/x1731539600?y=1731539600z&1731539600", "/a/x1731539600?y=1731539600z&1731539600"),
    ],
)
def test_a_target_with_a_whole_time_that_was_handed_out_is_the_recorded_one(
    issued: IssuedValues, sent: str, meant: str
) -> None:
    assert issued.to_recorded(a_request(target=sent)).target == meant


def test_forms_are_moved_back_too(issued: IssuedValues) -> None:
    headers = (("content-type", "application/x-www-form-urlencoded"),)
    request = a_request("POST", headers=headers, body=b"a=1731539600&b=+1731539600")
    assert issued.to_recorded(request).body == b"a=1700003600&b=+1731539600"


@given(strategies.requests())
def test_a_request_that_speaks_of_no_such_time_stays_the_same(request: Request) -> None:
    found = IssuedValues()
    assert found.to_recorded(request) is request
    found.remember("2024-11-14T00:00:00+02:00", "x")
    assert found.to_recorded(request) is request


def test_only_the_latest_swaps_are_remembered() -> None:
    found = IssuedValues(most=2)
    for now, recorded in (("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")):
        found.remember(now, recorded)
    assert found.to_recorded(a_request(target="/a/b/c")).target == "/3/b/4"
