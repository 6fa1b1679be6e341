"""Messages in httpx's form say what was said, to the byte."""

import httpx
import pytest

from replaymock.http.messages import Request, ResponseHead
from replaymock.proxy.client.httpx_messages import IncomingResponse, LiteralURL, head_of, message_of, origin_of
from tests.support.upstream_pool import outgoing

ORIGIN = "https://api.example.com:8443"
FIELDS = (("Host", "h"), ("X-A", "caf\xe9"), ("x-a", ""))


def test_a_url_is_literal_and_httpx_can_still_read_it() -> None:
    url = LiteralURL(ORIGIN, b'/a/../b%2F"?q=%zz&q')
    assert (url.raw_path, url.query, str(url)) == (b'/a/../b%2F"?q=%zz&q', b"q=%zz&q", f'{ORIGIN}/a/../b%2F"?q=%zz&q')
    assert (url.scheme, url.host, url.port, url.path) == ("https", "api.example.com", 8443, '/a/../b/"')
    assert url.params.multi_items() == [("q", "%zz"), ("q", "")]


@pytest.mark.parametrize("method", ["get", "x-Own"])
def test_a_request_keeps_the_spelling_of_its_method_and_headers(method: str) -> None:
    request = outgoing(ORIGIN, Request(method, "/", FIELDS))
    assert request.method == method
    assert request.headers.raw == [(b"Host", b"h"), (b"X-A", b"caf\xe9"), (b"x-a", b"")]
    again = httpx.Request("GET", request.url, headers=request.headers, extensions={"target": b"/a/../b"})
    assert (origin_of(request), origin_of(again)) == (ORIGIN, ORIGIN)
    assert (message_of(request), message_of(again)) == (
        Request(method, "/", FIELDS),
        Request("GET", "/a/../b", FIELDS),
    )


def test_the_head_of_a_response_is_the_same_in_both_forms() -> None:
    head = ResponseHead(299, "Odd  One", FIELDS)
    assert head_of(IncomingResponse(head, httpx.ByteStream(b""))) == head


def test_where_no_reason_was_sent_the_one_of_the_standard_stands() -> None:
    assert head_of(httpx.Response(404)).reason == "Not Found"
    assert head_of(httpx.Response(404, extensions={"reason_phrase": b""})).reason == ""
