"""Header fields and the lists of names that are treated specially."""

import pytest

from replaymock.http import headers
from replaymock.http.headers import FIELD_VALUE, HOP_BY_HOP, HOST, TOKEN, UNSTORED

FIELDS = (("Accept", "a"), ("X-Tag", "1"), ("accept", "b"))


def test_names_are_found_in_any_case_and_repeats_joined() -> None:
    assert headers.get(FIELDS, "accept") == "a, b"
    assert headers.get_all(FIELDS, "accept") == ["a", "b"]
    assert headers.has(FIELDS, "x-tag")
    assert not headers.has(FIELDS, "x")


def test_an_absent_header_has_the_default_value() -> None:
    assert headers.get(FIELDS, "host") == ""
    assert headers.get(FIELDS, "host", "none") == "none"
    assert headers.get_all(FIELDS, "host") == []


def test_headers_can_be_left_out_by_name() -> None:
    assert headers.without(FIELDS, ["accept"]) == (("X-Tag", "1"),)


@pytest.mark.parametrize(
    ("value", "items"),
    [("", []), (" , ,", []), ("a", ["a"]), ("Gzip , br;q=0.5", ["gzip", "br;q=0.5"]), ("a,,B", ["a", "b"])],
)
def test_lists_are_split_at_commas(value: str, items: list[str]) -> None:
    assert headers.list_items(value) == items


def test_what_connection_names_ends_at_this_hop_too() -> None:
    assert headers.hop_by_hop((("Connection", "close, X-Own"),)) == HOP_BY_HOP | {"close", "x-own"}


def test_no_caller_takes_the_length_of_a_body_away() -> None:
    assert "content-length" not in headers.hop_by_hop((("Connection", "close, Content-Length"),))


@pytest.mark.parametrize(
    ("value", "media"),
    [("", ""), ("Text/HTML; charset=utf-8", "text/html"), ("application/json", "application/json"), (" a/b ;x", "a/b")],
)
def test_a_media_type_has_no_parameters(value: str, media: str) -> None:
    assert headers.media_type((("content-type", value),)) == media


@pytest.mark.parametrize(
    "name", ["date", "server", "x-request-id", "cf-ray", "traceparent", "x-b3-traceid", "te", "x-own"]
)
def test_headers_without_content_are_not_stored(name: str) -> None:
    assert headers.is_unstored(name, frozenset(("x-own",)))


@pytest.mark.parametrize("name", ["etag", "vary", "content-type", "set-cookie", "location", "x-own", "cache-control"])
def test_headers_with_content_are_stored(name: str) -> None:
    assert not headers.is_unstored(name)


def test_every_name_in_the_lists_is_a_whole_header_name() -> None:
    wrong = [name for name in UNSTORED if not TOKEN.fullmatch(name) or name != name.lower() or name.strip("-") != name]
    assert not wrong
    assert {"transfer-encoding", "x-cloud-trace-context", "x-amz-apigw-id", "x-envoy-upstream-service-time"} <= UNSTORED


@pytest.mark.parametrize("host", ["localhost", "localhost:8081", "127.0.0.1:1", "[::1]:8081", "a_b.example.com"])
def test_hosts_are_names_or_addresses_with_a_port(host: str) -> None:
    assert HOST.fullmatch(host)


@pytest.mark.parametrize("host", ["", "a b", "a/b", "a:123456", 'evil"><script>', "[::1", "a:b", "user@host"])
def test_other_hosts_are_refused(host: str) -> None:
    assert not HOST.fullmatch(host)


@pytest.mark.parametrize(
    ("value", "fits"), [("a\tb\xff", True), ("", True), ("a\r\nb", False), ("a\x00", False), ("Ā", False)]
)
def test_field_values_are_one_line_of_latin_1(value: str, fits: bool) -> None:
    assert bool(FIELD_VALUE.fullmatch(value)) is fits


@pytest.mark.parametrize(
    ("version", "said", "ends", "option"),
    [
        ("HTTP/1.1", "", False, ""),
        ("HTTP/1.1", "keep-alive", False, ""),
        ("HTTP/1.1", "Close", True, "close"),
        ("HTTP/1.1", "TE, close", True, "close"),
        ("HTTP/1.0", "", True, ""),
        ("HTTP/1.0", "Keep-Alive", False, "keep-alive"),
        ("HTTP/1.0", "keep-alive, x", False, "keep-alive"),
        ("HTTP/1.0", "keep-alive, close", True, "close"),
        ("HTTP/1.0", "x", True, ""),
    ],
)
def test_a_connection_ends_as_its_client_says_or_its_version_does(
    version: str, said: str, ends: bool, option: str
) -> None:
    persistence = headers.connection_persistence((("Connection", said),) if said else (), version)
    assert (persistence.is_closing, persistence.option) == (ends, option)
