"""Which heads are plain enough for the fast path."""

import pytest

from replaymock.server.fastpath.acceptor import parse_head, parse_request

HOST = b"Host: localhost\r\n"


def head(line: bytes = b"GET /a HTTP/1.1", more: bytes = b"", host: bytes = HOST) -> bytes:
    return line + b"\r\n" + host + more + b"\r\n"


@pytest.mark.parametrize(
    "line", [b"GET /a HTTP/1.1", b"HEAD /a?b=1&c HTTP/1.1", b"GET //a/../b%2F HTTP/1.1", b"GET /a HTTP/1.0"]
)
def test_a_plain_head_is_the_request_it_says(line: bytes) -> None:
    parsed = parse_head(head(line, b"X-Name: caf\xe9\r\n"))
    assert parsed is not None
    request, version = parsed
    assert f"{request.method} {request.target} {version}".encode() == line
    assert request.headers == (("Host", "localhost"), ("X-Name", "caf\xe9"))


@pytest.mark.parametrize(
    "data",
    [
        head(b"POST /a HTTP/1.1"),
        head(b"GET /a HTTP/2.0"),
        head(b"GET  /a HTTP/1.1"),
        head(b"GET http://x/a HTTP/1.1"),
        head(b"GET * HTTP/1.1"),
        head(b"GET /caf\xe9 HTTP/1.1"),
        head(b"GET /a#b HTTP/1.1"),
        head(more=b"Content-Length: 0\r\n"),
        head(more=b"Transfer-Encoding: chunked\r\n"),
        head(more=b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
        head(more=b"Expect: 100-continue\r\n"),
        head(more=b"TE: trailers\r\n"),
        head(more=b"Connection: close, x\r\n"),
        head(more=b"X: a\r\n b\r\n"),
        head(more=b"X : a\r\n"),
        head(more=b"X: a\x00b\r\n"),
        head(more=b"X: a\rb\r\n"),
        head(host=b""),
        head(host=HOST + HOST),
        head(host=b"Host: lo cal\r\n"),
        head()[:-2],
        b"",
        b"\r\n" + head(),
    ],
)
def test_anything_else_is_for_the_server(data: bytes) -> None:
    assert parse_head(data) is None


def test_a_request_that_is_all_there_ends_with_its_body() -> None:
    post = head(b"POST /a HTTP/1.1", b"Content-Length: 2\r\n") + b"{}"
    data = head() + post + head()
    parsed = parse_request(data, len(head()))
    assert parsed is not None
    request, version, end = parsed
    assert (request.method, request.body, version, data[end:]) == ("POST", b"{}", "HTTP/1.1", head())


def test_a_request_without_a_body_ends_with_its_head() -> None:
    parsed = parse_request(head(b"DELETE /a HTTP/1.1"), 0)
    assert parsed is not None and (parsed[0].body, parsed[2]) == (b"", len(head(b"DELETE /a HTTP/1.1")))


@pytest.mark.parametrize(
    "data",
    [
        head(b"POST /a HTTP/1.1", b"Content-Length: 3\r\n") + b"{}",
        head(b"POST /a HTTP/1.1", b"Content-Length: 2, 2\r\n") + b"{}",
        head(b"POST /a HTTP/1.1", b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
        head(b"POST /a HTTP/1.1", b"Expect: 100-continue\r\nContent-Length: 2\r\n") + b"{}",
        head(b"OPTIONS /a HTTP/1.1"),
    ],
)
def test_a_body_that_is_not_there_or_not_plain_is_for_the_server(data: bytes) -> None:
    assert parse_request(data, 0) is None
