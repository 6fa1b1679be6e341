"""Cross-origin answers."""

import pytest

from replaymock.http.cors import MAX_AGE, CorsPolicy, add_vary
from replaymock.http.headers import Headers
from tests.support.factories import a_request

LISTED = "https://app.example.com"
CORS = CorsPolicy((LISTED,))


@pytest.mark.parametrize(
    ("origin", "echoed"),
    [
        ("http://localhost", True),
        ("http://localhost:3000", True),
        ("https://app.localhost:5173", True),
        ("http://127.0.0.1:8000", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:3000", True),
        (LISTED, True),
        ("https://app.example.com:8443", False),
        ("http://app.example.com", False),
        ("https://evil.com", False),
        ("http://localhost.evil.com", False),
        ("http://evil-localhost", False),
        ("http://127.0.0.1.evil.com", False),
        ("http://localhost:3000/x", False),
        ("http://localhost:3000\nX: y", False),
        ("ftp://localhost", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_loopback_and_listed_origins_are_echoed(origin: str, echoed: bool) -> None:
    credentialed = CORS.credentialed_origin((("Origin", origin),))
    assert credentialed == (origin if echoed else "")
    headers = dict(CORS.apply((), credentialed))
    assert headers["Access-Control-Allow-Origin"] == (origin if echoed else "*")
    assert headers.get("Access-Control-Allow-Credentials") == ("true" if echoed else None)
    assert headers["Vary"] == "Origin"


def test_what_upstream_said_of_cors_is_replaced_and_real_headers_are_exposed() -> None:
    sent: Headers = (
        ("Access-Control-Allow-Origin", "https://old"),
        ("access-control-max-age", "9"),
        ("X-Total", "3"),
        ("x-total", "4"),
        ("Set-Cookie", "a=b"),
        ("ETag", '"1"'),
    )
    headers = CORS.apply(sent, "")
    assert [name for name, _ in headers if name.lower().startswith("access-control")] == [
        "Access-Control-Allow-Origin",
        "Access-Control-Expose-Headers",
    ]
    assert dict(headers)["Access-Control-Expose-Headers"] == "Date, x-total, ETag"


@pytest.mark.parametrize(
    ("vary", "with_origin"),
    [
        ((), "Origin"),
        ((("Vary", "Accept"),), "Accept, Origin"),
        ((("vary", "origin"),), "origin"),
        ((("Vary", "*"),), "*"),
        ((("Vary", "Accept"), ("Vary", "Cookie")), "Accept, Cookie, Origin"),
    ],
)
def test_origin_is_always_in_vary(vary: Headers, with_origin: str) -> None:
    values = [value for name, value in add_vary(vary, "Origin") if name.lower() == "vary"]
    assert values == [with_origin]


@pytest.mark.parametrize(
    ("method", "headers", "is_preflight"),
    [
        ("OPTIONS", (("Origin", "http://a"), ("Access-Control-Request-Method", "PUT")), True),
        ("OPTIONS", (("Origin", "http://a"),), False),
        ("OPTIONS", (("Access-Control-Request-Method", "PUT"),), False),
        ("GET", (("Origin", "http://a"), ("Access-Control-Request-Method", "PUT")), False),
    ],
)
def test_a_preflight_is_an_options_with_origin_and_method(method: str, headers: Headers, is_preflight: bool) -> None:
    assert CORS.is_preflight(a_request(method, headers=headers)) is is_preflight


def test_a_preflight_allows_what_it_asks_for_as_far_as_it_is_tokens() -> None:
    requested = (
        ("Origin", "http://localhost:3000"),
        ("Access-Control-Request-Method", "PATCH"),
        ("Access-Control-Request-Headers", "authorization, x-own,bad name,, evil\r\nx: y"),
    )
    assert dict(CORS.preflight(a_request("OPTIONS", headers=requested))) == {
        "Access-Control-Allow-Origin": "http://localhost:3000",
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
        "Access-Control-Max-Age": MAX_AGE,
        "Access-Control-Allow-Methods": "PATCH",
        "Access-Control-Allow-Headers": "authorization, x-own",
    }


def test_a_method_that_is_no_token_is_not_echoed() -> None:
    requested = (("Origin", "http://a"), ("Access-Control-Request-Method", "PU T"))
    assert "Access-Control-Allow-Methods" not in dict(CORS.preflight(a_request("OPTIONS", headers=requested)))


def test_switched_off_it_leaves_everything_as_it_is() -> None:
    off = CorsPolicy(is_enabled=False)
    headers = (("Access-Control-Allow-Origin", "https://old"),)
    assert off.apply(headers, "http://localhost") == headers
    requested = (("Origin", "http://a"), ("Access-Control-Request-Method", "PUT"))
    assert not off.is_preflight(a_request("OPTIONS", headers=requested))
