"""What makes two requests the same, and what tells two different ones apart."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.http.selectors import parse_selector
from replaymock.matching.differences import differences
from replaymock.matching.matcher import Matcher
from replaymock.matching.rules import MatchRule
from tests.support import strategies
from tests.support.factories import JSON, a_request

MATCHER = Matcher()
GRAPHQL: Headers = (("Content-Type", "application/graphql"),)


def get(target: str) -> Request:
    return a_request("GET", target)


def post(headers: Headers, body: str, target: str = "/x") -> Request:
    return a_request("POST", target, headers, body.encode())


SAME = [
    (get("/x"), get("/x?")),
    (get("/x?a=1&b=2"), get("/x?b=2&a=1")),
    (get("/x?a=1&a=2"), get("/x?a=2&a=1")),
    (get("/x?a=b%20c"), get("/x?a=b+c")),
    (get("/%7eann"), get("/~ann")),
    (get("/a%2fb"), get("/a%2Fb")),
    (get("/x?token=a"), get("/x?token=b")),
    (post(strategies.JSON_TYPE, '{"a":1,"b":[1.0]}'), post(strategies.JSON_TYPE, '{ "b": [1], "a": 1e0 }')),
    (post(strategies.JSON_TYPE, '{"a":1}'), post((("content-type", "application/json; charset=utf-8"),), '{"a":1}')),
    (post(strategies.FORM_TYPE, "a=1&b=2"), post(strategies.FORM_TYPE, "b=2&a=1")),
    (post(strategies.JSON_TYPE, '{"query":"{ a }"}'), post(strategies.JSON_TYPE, '{"query":"{a}","variables":null}')),
    (post(GRAPHQL, "{ a }"), post(GRAPHQL, "{a} # x")),
    (
        post(strategies.MULTIPART_TYPE, '--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--edge--\r\n'),
        post(
            (("Content-Type", "multipart/form-data; boundary=other"),),
            '--other\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--other--\r\n',
        ),
    ),
    (post((), "abc"), post((), "abc")),
]
DIFFERENT = [
    (get("/x"), get("/x/")),
    (get("/x"), get("//x")),
    (get("/a%2Fb"), get("/a/b")),
    (get("/a/../b"), get("/b")),
    (get("/x?a"), get("/x?a=")),
    (get("/x?a=1"), get("/x?a=1&a=1")),
    (get("/x?a=1"), get("/x?A=1")),
    (get("/x"), a_request("POST", "/x")),
    (post(strategies.JSON_TYPE, '{"a":1}'), post(strategies.JSON_TYPE, '{"a":true}')),
    (post(strategies.JSON_TYPE, '{"a":1}'), post(strategies.JSON_TYPE, '{"a":"1"}')),
    (post(strategies.JSON_TYPE, "[1,2]"), post(strategies.JSON_TYPE, "[2,1]")),
    (post(strategies.JSON_TYPE, "null"), post((), "")),
    (post(strategies.FORM_TYPE, "a=1"), post(strategies.JSON_TYPE, "a=1")),
    (post((), "abc"), post((), "abd")),
    (post(GRAPHQL, '{ a(x: "1") }'), post(GRAPHQL, '{ a(x: "2") }')),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_requests_that_mean_the_same_have_one_key(one: Request, other: Request) -> None:
    assert MATCHER.key(one) == MATCHER.key(other)
    assert not differences(MATCHER.canonical(one), MATCHER.canonical(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_requests_that_mean_something_else_have_two(one: Request, other: Request) -> None:
    assert MATCHER.key(one) != MATCHER.key(other)
    assert differences(MATCHER.canonical(one), MATCHER.canonical(other))


@given(strategies.requests())
def test_every_request_has_a_hashable_key(request: Request) -> None:
    assert hash(MATCHER.key(request)) == hash(MATCHER.key(request))


@given(strategies.requests(), strategies.requests())
def test_two_keys_differ_exactly_where_a_field_does(one: Request, other: Request) -> None:
    fields = differences(MATCHER.canonical(one), MATCHER.canonical(other))
    assert (MATCHER.key(one) == MATCHER.key(other)) is (not fields)


@given(strategies.pairs, st.randoms(use_true_random=False))
def test_the_order_of_query_and_form_fields_does_not_count(
    pairs: list[tuple[str, str | None]], dice: random.Random
) -> None:
    mixed = dice.sample(pairs, len(pairs))
    one, other = strategies.urlencoded(pairs), strategies.urlencoded(mixed)
    assert MATCHER.key(get(f"/x?{one}")) == MATCHER.key(get(f"/x?{other}"))
    assert MATCHER.key(post(strategies.FORM_TYPE, one)) == MATCHER.key(post(strategies.FORM_TYPE, other))


@given(strategies.values, st.sampled_from([None, 1, 2]), st.booleans())
def test_the_spelling_of_json_does_not_count(value: Any, indent: int | None, ascii_only: bool) -> None:
    one = json.dumps(value)
    other = json.dumps(value, indent=indent, ensure_ascii=ascii_only, sort_keys=True)
    assert MATCHER.key(post(strategies.JSON_TYPE, one)) == MATCHER.key(post(strategies.JSON_TYPE, other))


def matcher(*rules: MatchRule) -> Matcher:
    return Matcher(rules)


def ignoring(*texts: str, path: str = "/**", method: str = "") -> MatchRule:
    selectors = tuple(
        parse_selector(text, ("query", "json", "form", "body", "trailing-slash"), "here") for text in texts
    )
    return MatchRule(path=path, method=method, ignore=selectors)


def test_a_rule_holds_for_the_paths_and_methods_it_names() -> None:
    ruled = matcher(ignoring("query:_", path="/api/**", method="GET"))
    assert ruled.key(get("/api/x?_=1")) == ruled.key(get("/api/x?_=2"))
    assert ruled.key(get("/other?_=1")) != ruled.key(get("/other?_=2"))
    assert ruled.key(a_request("POST", "/api/x?_=1")) != ruled.key(a_request("POST", "/api/x?_=2"))


def test_rules_add_up() -> None:
    ruled = matcher(ignoring("query:a"), ignoring("query:b", path="/x"))
    assert ruled.key(get("/x?a=1&b=1")) == ruled.key(get("/x"))


def test_headers_take_part_only_when_named() -> None:
    one, other = a_request(headers=(("Accept-Language", "de"),)), a_request(headers=(("Accept-Language", "fr"),))
    assert MATCHER.key(one) == MATCHER.key(other)
    ruled = matcher(MatchRule(headers=("accept-language",)))
    assert ruled.uses_headers and not MATCHER.uses_headers
    assert ruled.key(one) != ruled.key(other)
    assert ruled.key(one) == ruled.key(a_request(headers=(("accept-language", "de"), ("X-Other", "1"))))


def test_a_matched_header_that_is_secret_does_not_decide() -> None:
    ruled = matcher(MatchRule(headers=("authorization",)))
    keys = {ruled.key(a_request(headers=(("Authorization", value),))) for value in ("Bearer a", "Bearer b")}
    assert len(keys) == 1
    assert ruled.key(a_request()) not in keys


@pytest.mark.parametrize(
    ("recorded", "received", "fields"),
    [
        (get("/x?a=1&b=2"), get("/x?a=1&b=3&c=4"), {"query:b": ("2", "3"), "query:c": (None, "4")}),
        (get("/x?a=1&a=2"), get("/x?a=1"), {"query:a": (["1", "2"], "1")}),
        (get("/x"), a_request("PUT", "/y"), {"method": ("GET", "PUT"), "path": ("/x", "/y")}),
        (
            post(strategies.JSON_TYPE, '{"a":{"b":[1,2]},"c":1}'),
            post(strategies.JSON_TYPE, '{"a":{"b":[1,3]},"d d":1}'),
            {"json:$.a.b[1]": (2, 3), "json:$.c": (1, None), "json:$['d d']": (None, 1)},
        ),
        (post(strategies.JSON_TYPE, "[1]"), post(strategies.JSON_TYPE, "[1,2]"), {"json:$": ([1], [1, 2])}),
        (post(strategies.FORM_TYPE, "a=1"), post(strategies.FORM_TYPE, "a=2"), {"form:a": ("1", "2")}),
        (post(strategies.FORM_TYPE, "a=1"), post(strategies.JSON_TYPE, "{}"), {"body": ("form", "json")}),
    ],
)
def test_differences_are_named_as_the_selectors_that_ignore_them(
    recorded: Request, received: Request, fields: dict[str, tuple[Any, Any]]
) -> None:
    differing = differences(MATCHER.canonical(recorded), MATCHER.canonical(received))
    assert {difference.field: (difference.recorded, difference.received) for difference in differing} == fields


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (strategies.JSON_TYPE, b'{"a":1e999999999}'),
        (strategies.JSON_TYPE, b"[" * 50_000),
        (strategies.JSON_TYPE, b'{"a":' * 2000 + b"1" + b"}" * 2000),
        (strategies.JSON_TYPE, b'"\\ud800"'),
        (strategies.JSON_TYPE, b"\xff\xfe"),
        (GRAPHQL, b"\xff\x00"),
        (strategies.FORM_TYPE, b"\xff=%ff&%"),
        (strategies.MULTIPART_TYPE, b"--edge"),
        ((("Content-Type", "text/plain; charset=hex"),), b"zz"),
        ((("Content-Type", "multipart/form-data; boundary="),), b"zz"),
    ],
)
def test_hostile_bodies_have_a_key_too(headers: Headers, body: bytes) -> None:
    assert hash(MATCHER.key(a_request("POST", "/", headers, body)))


def upload(filename: str, content: str, media_type: str = "text/plain") -> Request:
    head = f'Content-Disposition: form-data; name="f"; filename="{filename}"\r\nContent-Type: {media_type}'
    return post(strategies.MULTIPART_TYPE, f"--edge\r\n{head}\r\n\r\n{content}\r\n--edge--\r\n")


@pytest.mark.parametrize("other", [upload("b.txt", "x"), upload("a.txt", "y"), upload("a.txt", "x", "text/csv")])
def test_an_uploaded_file_differs_by_name_content_and_type(other: Request) -> None:
    assert MATCHER.key(upload("a.txt", "x")) == MATCHER.key(upload("a.txt", "x"))
    assert MATCHER.key(upload("a.txt", "x")) != MATCHER.key(other)


def test_a_large_upload_is_the_same_under_any_boundary() -> None:
    def upload(boundary: str, content: bytes) -> Request:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="big.bin"\r\n\r\n'.encode()
        body = head + content + f"\r\n--{boundary}--\r\n".encode()
        return a_request("POST", "/up", (("content-type", f"multipart/form-data; boundary={boundary}"),), body)

    for content in (b"\x00\xff" * 60_000, b"text " * 30_000):
        assert Matcher().key(upload("aaa", content)) == Matcher().key(upload("bbbb", content))
        assert Matcher().key(upload("aaa", content)) != Matcher().key(upload("aaa", content + b"!"))


def test_a_large_json_body_is_the_same_in_any_order() -> None:
    one = {"a": "x" * 70_000, "b": 1.0}
    other = {"b": 1, "a": "x" * 70_000}
    keys = [Matcher().key(a_request("POST", "/x", JSON, json.dumps(value).encode())) for value in (one, other)]
    assert keys[0] == keys[1]


def test_json_nested_beyond_reason_is_compared_by_its_bytes() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    assert Matcher().canonical(a_request("POST", "/x", JSON, deep)).kind == "bytes"
    assert Matcher().key(a_request("POST", "/x", JSON, deep)) != Matcher().key(
        a_request("POST", "/x", JSON, deep[1:-1])
    )
