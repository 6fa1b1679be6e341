"""The heads of an exchange, which are what they would be if nothing were remembered."""

from dataclasses import replace

import pytest

from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers
from replaymock.http.messages import Request, StreamingResponse
from replaymock.http.origin import OriginRewriter
from replaymock.proxy.headers import HeaderForwarder
from replaymock.proxy.relay import BodyCapture, keeping
from replaymock.proxy.routes import Upstream
from tests.support.chunks import chunks
from tests.support.factories import a_request

BACKEND = "https://api.example.com"
UPSTREAM = Upstream("", BACKEND, "/v1")
CUT = frozenset(("range", "if-none-match"))
STATUS = "replaymock; fwd=request"


def a_passage(
    status: str = STATUS, origins: OriginRewriter | None = None, cors: CorsPolicy | None = None
) -> HeaderForwarder:
    return HeaderForwarder(
        "1.1 replaymock-1", (("X-Key", "k"),), status, origins or OriginRewriter((BACKEND,)), cors or CorsPolicy()
    )


def live(*headers: tuple[str, str]) -> StreamingResponse:
    return StreamingResponse(200, "OK", headers, keeping(chunks(()), BodyCapture(0)))


def asked(*headers: tuple[str, str], method: str = "GET", base: str = "") -> Request:
    return Request(method, "/items", (("Host", "localhost:8081"), *headers), base=base)


EVIL = ("Origin", "https://evil.example")
OWN = ("Origin", "http://localhost:8081")
ALIAS = ("Origin", "http://127.0.0.1:8081")
PRESIGNED = "/items?X-Amz-SignedHeaders=host%3Bif-none-match"
LIVE = [
    live(("Location", f"{BACKEND}/a"), ("Vary", "Accept"), ("Content-Length", "2")),
    live(("Replaymock-Cassette", "theirs"), ("X-Other", "1"), ("Access-Control-Allow-Origin", "*")),
]
ASKED = [
    asked(),
    asked(("Origin", "http://localhost:3000")),
    asked(EVIL),
    asked(method="HEAD"),
    asked(base="/__replaymock/session/a"),
]


@pytest.mark.parametrize("status", [STATUS, ""])
@pytest.mark.parametrize("cors", [CorsPolicy(), CorsPolicy(is_enabled=False)])
def test_a_head_is_the_same_whatever_was_asked_before(status: str, cors: CorsPolicy) -> None:
    used = a_passage(status, cors=cors)
    for _ in range(2):
        for found in LIVE:
            for request in ASKED:
                for file in ("", "items/GET.json", "other/GET.json"):
                    fresh = a_passage(status, cors=cors).head(found, request, file, stored=bool(file))
                    assert used.head(found, request, file, stored=bool(file)) == fresh


def values(headers: Headers, name: str) -> list[str]:
    return [value for key, value in headers if key.lower() == name]


def test_an_answer_names_its_cassette_and_leads_back_to_this_server() -> None:
    headers = a_passage().head(LIVE[0], asked(base="/s"), "items/GET.json", stored=True).headers
    assert values(headers, "replaymock-cassette") == ["items/GET.json"]
    assert values(headers, "cache-status") == [f"{STATUS}; stored"]
    assert values(headers, "location") == ["http://localhost:8081/s/a"]
    assert "Replaymock-Cassette" in values(headers, "access-control-expose-headers")[0]
    not_kept = a_passage().head(LIVE[0], asked(), "", stored=False).headers
    assert (values(not_kept, "replaymock-cassette"), values(not_kept, "cache-status")) == ([], [STATUS])
    silent = a_passage("").head(LIVE[0], asked(), "items/GET.json", stored=True).headers
    assert not values(silent, "replaymock-cassette") + values(silent, "cache-status")


def test_only_the_answer_to_head_keeps_the_length_of_what_is_not_sent() -> None:
    assert values(a_passage().head(LIVE[0], asked(), "", stored=False).headers, "content-length") == []
    assert values(a_passage().head(LIVE[0], asked(method="HEAD"), "", stored=False).headers, "content-length") == ["2"]


def test_requests_go_out_alike_whatever_went_before() -> None:
    used = a_passage()
    requests = [asked(), asked(("Range", "bytes=0-1")), a_request(headers=(("X-Key", "theirs"),))]
    requests += [asked(OWN), asked(OWN, ("Host", "other")), replace(asked(("If-None-Match", "x")), target=PRESIGNED)]
    for _ in range(2):
        for request in requests:
            for left_out in (CUT, frozenset[str]()):
                for upstream in (UPSTREAM, Upstream("", "http://other:1")):
                    assert used.outgoing(request, upstream, left_out) == a_passage().outgoing(
                        request, upstream, left_out
                    )
    sent = used.outgoing(requests[1], UPSTREAM, CUT)
    assert sent == (("Host", "api.example.com"), ("Via", "1.1 replaymock-1"), ("X-Key", "k"))
    assert values(used.outgoing(requests[1], UPSTREAM), "range") == ["bytes=0-1"]


def test_a_client_that_says_it_is_here_is_told_to_be_at_the_backend() -> None:
    passage = a_passage()
    assert values(passage.outgoing(asked(OWN), UPSTREAM), "origin") == [BACKEND]
    assert values(passage.outgoing(asked(ALIAS), UPSTREAM), "origin") == [ALIAS[1]]
    passage = a_passage()
    passage.listens_on("localhost", 8081)
    assert values(passage.outgoing(asked(ALIAS, base="/s"), UPSTREAM), "origin") == [BACKEND]
    assert values(passage.outgoing(asked(EVIL), UPSTREAM), "origin") == [EVIL[1]]


def test_nothing_is_told_otherwise_where_nothing_is_rewritten_or_no_host_is_known() -> None:
    unrewritten = HeaderForwarder("1.1 replaymock-1", (), STATUS, None, CorsPolicy())
    assert values(unrewritten.outgoing(asked(OWN), UPSTREAM), "origin") == [OWN[1]]
    nameless = Request("GET", "/items", (("Origin", ""), ("Referer", "")))
    assert values(a_passage().outgoing(nameless, UPSTREAM), "origin") == [""]


@pytest.mark.parametrize(
    "request_",
    [
        asked(OWN, ("Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host;origin, Signature=b")),
        asked(OWN, ("Signature-Input", 'a=("@method" "origin");created=1')),
        replace(asked(OWN), target="/items?X-Amz-SignedHeaders=host%3Borigin&X-Amz-Signature=b"),
    ],
)
def test_what_a_signature_covers_stays_as_the_client_said_it(request_: Request) -> None:
    assert values(a_passage().outgoing(request_, UPSTREAM), "origin") == [OWN[1]]
