"""Which requests are served at all, as a table of raw requests."""

from collections.abc import Iterator

import pytest

from replaymock.errors import RequestRefused
from replaymock.http.messages import Request
from replaymock.server.access import over_limit, validate_request
from tests.support.inside import put, running_app
from tests.support.running import exchange

SERVED, MISS, REFUSED = "200", "404", "400"
CHUNKS = "1\r\nx\r\n0\r\n\r\n"

# What is sent, up to the blank line with `|` for line breaks, and the body after it; what comes back.
REQUESTS = [
    # forms of the target
    ("GET /a HTTP/1.1|Host: x", "", SERVED),
    ("GET /a? HTTP/1.1|Host: x", "", SERVED),
    ("GET / HTTP/1.1|Host: x", "", MISS),
    ("GET //a HTTP/1.1|Host: x", "", MISS),
    ("GET /../a HTTP/1.1|Host: x", "", MISS),
    ("GET /%00 HTTP/1.1|Host: x", "", MISS),
    ("GET /a?q=http://x/ HTTP/1.1|Host: x", "", SERVED),
    ("GET /http://x/ HTTP/1.1|Host: x", "", MISS),
    ("GET http://x/a HTTP/1.1|Host: x", "", REFUSED),
    ("GET HTTPS://x/a HTTP/1.1|Host: x", "", REFUSED),
    ("GET a HTTP/1.1|Host: x", "", REFUSED),
    ("GET ?a HTTP/1.1|Host: x", "", REFUSED),
    ("OPTIONS * HTTP/1.1|Host: x", "", REFUSED),
    ("GET * HTTP/1.1|Host: x", "", REFUSED),
    ("CONNECT x:443 HTTP/1.1|Host: x", "", REFUSED),
    ("CONNECT /a HTTP/1.1|Host: x", "", REFUSED),
    ("GET /a#b HTTP/1.1|Host: x", "", REFUSED),
    ("GET /a?b#c HTTP/1.1|Host: x", "", REFUSED),
    # methods
    ("HEAD /a HTTP/1.1|Host: x", "", SERVED),
    ("get /a HTTP/1.1|Host: x", "", MISS),
    ("PURGE /a HTTP/1.1|Host: x", "", MISS),
    ("M-SEARCH /a HTTP/1.1|Host: x", "", MISS),
    ("G@T /a HTTP/1.1|Host: x", "", REFUSED),
    ("G(T /a HTTP/1.1|Host: x", "", REFUSED),
    # Host
    ("GET /a HTTP/1.1|Host: localhost:8081", "", SERVED),
    ("GET /a HTTP/1.1|Host: [::1]:8081", "", SERVED),
    ("GET /a HTTP/1.1|HOST: x", "", SERVED),
    ("GET /a HTTP/1.1|Host: xn--bcher-kva.example", "", SERVED),
    ("GET /a HTTP/1.0|Host: x", "", SERVED),
    ("GET /a HTTP/1.0", "", SERVED),
    ("GET /a HTTP/1.1", "", REFUSED),
    ("GET /a HTTP/1.1|Host:", "", REFUSED),
    ("GET /a HTTP/1.1|Host: x|Host: x", "", REFUSED),
    ("GET /a HTTP/1.0|Host: x|Host: y", "", REFUSED),
    ("GET /a HTTP/1.1|Host: x, y", "", REFUSED),
    ("GET /a HTTP/1.1|Host: x/y", "", REFUSED),
    ("GET /a HTTP/1.1|Host: user@x", "", REFUSED),
    ("GET /a HTTP/1.1|Host: x:port", "", REFUSED),
    ("GET /a HTTP/1.1|Host: x:123456", "", REFUSED),
    ('GET /a HTTP/1.1|Host: x"><script>', "", REFUSED),
    # framing
    ("POST /up HTTP/1.1|Host: x|Content-Length: 1", "x", SERVED),
    ("POST /up HTTP/1.1|Host: x|Content-Length: 01", "x", SERVED),
    ("POST /up HTTP/1.1|Host: x|Transfer-Encoding: chunked", CHUNKS, SERVED),
    ("POST /up HTTP/1.1|Host: x|Transfer-Encoding: Chunked", CHUNKS, SERVED),
    ("POST /up HTTP/1.1|Host: x", "", MISS),
    ("POST /up HTTP/1.1|Host: x|Content-Length: -1", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Content-Length: +1", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Content-Length: 0x1", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Content-Length: 1_0", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Content-Length: 1, 1", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Content-Length:", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Content-Length: 1|Content-Length: 1", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Content-Length: 1|Content-Length: 2", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Content-Length: 9999999999999999999", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Content-Length: 1|Transfer-Encoding: chunked", CHUNKS, REFUSED),
    ("POST /up HTTP/1.1|Host: x|Transfer-Encoding: gzip, chunked", CHUNKS, REFUSED),
    ("POST /up HTTP/1.1|Host: x|Transfer-Encoding: chunked, chunked", CHUNKS, REFUSED),
    ("POST /up HTTP/1.1|Host: x|Transfer-Encoding: chunked|Transfer-Encoding: chunked", CHUNKS, REFUSED),
    ("POST /up HTTP/1.1|Host: x|Transfer-Encoding: identity", "x", REFUSED),
    ("POST /up HTTP/1.1|Host: x|Transfer-Encoding: xchunked", CHUNKS, REFUSED),
    ("POST /up HTTP/1.0|Host: x|Transfer-Encoding: chunked", CHUNKS, REFUSED),
    ("POST /up HTTP/1.1|Host: x|Transfer-Encoding : chunked", CHUNKS, REFUSED),
    ("POST /up HTTP/1.1|Host: x|Transfer-Encoding: chunked", "zz\r\nx\r\n0\r\n\r\n", REFUSED),
    # lines
    ("GET /a HTTP/1.1|Host: x|X Y: 1", "", REFUSED),
    ("GET /a HTTP/1.1|Host: x|: 1", "", REFUSED),
    ("GET /a HTTP/1.1|Host: x|novalue", "", REFUSED),
    ("GET /a HTTP/1.1|Host: x|X: a\0b", "", REFUSED),
    ("GET /a", "", REFUSED),
    ("GET  /a HTTP/1.1|Host: x", "", REFUSED),
    ("GET /a b HTTP/1.1|Host: x", "", REFUSED),
    ("GET /a HTTP/2.0|Host: x", "", REFUSED),
    ("hello", "", REFUSED),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("admitted")
    put(folder, "a.json", {})
    put(folder, "up.json", {"request": {"method": "POST", "path": "/up", "text": "x"}, "responses": [{"json": {}}]})
    (folder / "up").mkdir()
    (folder / "up.json").rename(folder / "up/POST.json")
    with running_app(folder) as app:
        yield app.port


@pytest.mark.parametrize(("head", "body", "verdict"), REQUESTS, ids=[head for head, *_ in REQUESTS])
def test_each_raw_request_gets_its_verdict(port: int, head: str, body: str, verdict: str) -> None:
    request = "\r\n".join([*head.split("|"), "Connection: close", "", body])
    answer = exchange(port, request.encode("latin-1"))
    assert answer[9:12].decode() == verdict


def test_the_table_is_no_smaller_than_it_was_meant_to_be() -> None:
    assert len(REQUESTS) >= 40
    assert len({head + body for head, body, _ in REQUESTS}) == len(REQUESTS)


HOST = (("Host", "x"),)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request("GET", "http://x/", HOST), "no forward proxy"),
        (Request("GET", "/a#b", HOST), "no fragment"),
        (Request("GET", "/a"), "exactly one Host"),
        (Request("GET", "/a", (*HOST, ("Content-Length", "x"))), "one Content-Length, in digits"),
        (Request("GET", "/a", (*HOST, ("Content-Length", "+1"))), "one Content-Length, in digits"),
        (Request("GET", "/a", (*HOST, ("Content-Length", "1_0"))), "one Content-Length, in digits"),
        (Request("GET", "/a", (*HOST, ("Transfer-Encoding", "gzip"))), "chunked alone"),
        (Request("GET", "/a", (*HOST, ("Transfer-Encoding", "chunked"), ("Content-Length", "1"))), "chunked alone"),
        (Request("CONNECT", "/a", HOST), "method CONNECT"),
        (Request("X" * 200 + "@", "/a", HOST), "method XXXXXXXXXXXXXXXXXXXX is not"),
    ],
)
def test_a_refusal_says_what_to_send_instead(request_: Request, said: str) -> None:
    with pytest.raises(RequestRefused, match=said) as caught:
        validate_request(request_, "HTTP/1.1")
    assert (caught.value.status, caught.value.code) == (400, "bad_request")


def test_the_limit_is_named_with_the_option_that_moves_it() -> None:
    refused = over_limit(1000)
    assert (refused.status, refused.code) == (413, "body_too_large")
    assert "larger than 1000 bytes" in refused.detail
    assert "--max-body" in refused.detail
