"""What a proxy changes in headers, both ways, and nothing else."""

import pytest

from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers, content_length, has_body, waits_for_continue
from replaymock.http.origin import OriginRewriter
from replaymock.proxy.headers import request_headers, response_headers

VIA = "1.1 replaymock-1"
OFF = CorsPolicy(is_enabled=False)


def up(headers: Headers, added: Headers = (), left_out: str = "", signed: str = "") -> Headers:
    return request_headers(
        headers, "api.example.com", VIA, added, frozenset(left_out.split()), frozenset(signed.split())
    )


def down(headers: Headers, origins: OriginRewriter | None = None, cors: CorsPolicy = OFF) -> Headers:
    return response_headers(headers, origins, "http://localhost:8081", "", cors, "", ())


def test_only_host_and_via_are_ours() -> None:
    sent = (("Host", "localhost:8081"), ("X-Tag", "1"), ("x-tag", "2"), ("Accept", "\xe9"))
    assert up(sent) == (("Host", "api.example.com"), *sent[1:], ("Via", VIA))


def test_a_via_that_is_there_is_added_to() -> None:
    assert up((("Via", "1.0 a"), ("via", "1.1 b")))[1:] == (("Via", f"1.0 a, 1.1 b, {VIA}"),)


@pytest.mark.parametrize("name", ["Connection", "Keep-Alive", "TE", "Upgrade", "Proxy-Authorization", "X-Own"])
def test_what_ends_at_this_hop_is_not_sent_on(name: str) -> None:
    found = up((("Connection", "X-Own"), (name, "1")))
    assert not [sent for sent, _ in found if sent == name]


@pytest.mark.parametrize("said", ["100-continue", "100-Continue", " 100-CONTINUE ", "100-continue,", "x, 100-continue"])
def test_leave_to_send_a_body_is_given_here_in_whatever_spelling_it_is_asked_for(said: str) -> None:
    sent = (("Expect", said), ("Content-Length", "1"))
    assert waits_for_continue(sent)
    assert not waits_for_continue(sent[:1])
    assert not [name for name, _ in up(sent) if name == "Expect"]


@pytest.mark.parametrize("said", ["200-ok", "", "100-continued", "100 continue"])
def test_any_other_expectation_is_the_backends(said: str) -> None:
    assert not waits_for_continue((("Expect", said), ("Content-Length", "1")))
    assert ("Expect", said) in up((("Expect", said),))


@pytest.mark.parametrize("name", ["Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Range"])
def test_what_is_left_out_goes_only_where_a_signature_needs_it(name: str) -> None:
    assert (name, "x") in up(((name, "x"),))
    assert (name, "x") not in up(((name, "x"),), left_out=name.lower())
    assert (name, "x") in up(((name, "x"),), left_out=name.lower(), signed=f"host {name.lower()}")


def test_codings_that_a_signature_covers_are_asked_for_as_they_are() -> None:
    assert ("Accept-Encoding", "gzip, sdch") in up((("Accept-Encoding", "gzip, sdch"),), signed="accept-encoding")


@pytest.mark.parametrize(("sent", "cut"), [("gzip, sdch", "gzip"), ("br", "br"), ("compress", "identity")])
def test_only_codings_known_here_are_asked_for(sent: str, cut: str) -> None:
    assert ("Accept-Encoding", cut) in up((("Accept-Encoding", sent),))


def test_an_added_header_replaces_the_callers() -> None:
    found = up((("authorization", "a"), ("X", "1")), (("Authorization", "b"),))
    assert [value for name, value in found if name.lower() == "authorization"] == ["b"]


def test_a_chunked_body_goes_on_chunked_and_a_length_is_kept() -> None:
    assert up((("Transfer-Encoding", "chunked"),))[-1] == ("Transfer-Encoding", "chunked")
    assert ("Content-Length", "3") in up((("Content-Length", "3"),))


def test_the_caller_gets_what_upstream_sent_without_framing() -> None:
    sent = (("Date", "x"), ("Server", "y"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("Content-Length", "3"))
    assert down((*sent, ("Transfer-Encoding", "chunked"), ("Connection", "X-Own"), ("X-Own", "1"))) == sent[:-1]


def test_the_backends_origin_is_replaced_in_headers_only_where_asked() -> None:
    sent = (("Location", "https://api.example.com/a"),)
    assert down(sent) == sent
    assert down(sent, OriginRewriter(("https://api.example.com",))) == (("Location", "http://localhost:8081/a"),)


def test_cookies_are_made_fit_for_localhost() -> None:
    assert down((("Set-Cookie", "a=1; Secure; SameSite=None"),)) == (("Set-Cookie", "a=1"),)


def test_cors_is_upstreams_only_where_ours_is_off() -> None:
    sent = (("Access-Control-Allow-Origin", "https://a"),)
    assert down(sent) == sent
    assert dict(down(sent, cors=CorsPolicy()))["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("headers", "has_one"),
    [
        ((), False),
        ((("Content-Length", "0"),), False),
        ((("Content-Length", "3"),), True),
        ((("Transfer-Encoding", "Chunked"),), True),
    ],
)
def test_a_request_has_a_body_if_its_framing_says_so(headers: Headers, has_one: bool) -> None:
    assert has_body(headers) is has_one


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ((("Content-Length", "3"),), 3),
        ((("Content-Length", "3"), ("Content-Length", "3")), None),
        ((("Content-Length", "-3"),), None),
        ((("Content-Length", "3"), ("Transfer-Encoding", "chunked")), None),
        ((), None),
    ],
)
def test_a_length_counts_only_where_it_can_be_relied_on(headers: Headers, length: int | None) -> None:
    assert content_length(headers) == length
