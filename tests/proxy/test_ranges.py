"""Which ranges are cut from a whole, and how that is asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers, get
from replaymock.http.messages import Request, StreamingResponse
from replaymock.http.origin import OriginRewriter
from replaymock.proxy.headers import HeaderForwarder
from replaymock.proxy.range_cache import TOO_LARGE
from replaymock.proxy.ranges import Ranging
from replaymock.proxy.routes import Upstream
from tests.support.factories import a_request

UPSTREAM = Upstream("", "http://backend.test")
RANGE = ("Range", "bytes=0-1")
SIGNED = ("Authorization", "AWS4-HMAC-SHA256 Credential=k, SignedHeaders=host;accept-encoding, Signature=f")


async def nothing() -> AsyncIterator[bytes]:
    for _ in ():
        yield b""


def live(status: int = 200, *headers: tuple[str, str], whole: bytes = b"0123456789") -> StreamingResponse:
    return StreamingResponse(status, "Said", headers, nothing(), whole)


class Asked:
    """Backends that give one answer after the other, and what was asked of them."""

    def __init__(self, *answers: StreamingResponse) -> None:
        self.requests: list[Request] = []
        self._answers = list(answers)

    @asynccontextmanager
    async def send(
        self, _upstream: Upstream, request: Request, _body: AsyncIterator[bytes], _client: object
    ) -> AsyncIterator[StreamingResponse]:
        self.requests.append(request)
        yield self._answers.pop(0)


def ranging(backends: Asked | None = None, limit: int = 100) -> Ranging:
    passage = HeaderForwarder("1.1 replaymock-1", (), "", OriginRewriter(()), CorsPolicy())
    return Ranging(passage, cast(Any, backends or Asked()), limit)


def asked(*headers: tuple[str, str], method: str = "GET", target: str = "/film") -> Request:
    return a_request(method, target, (("Host", "localhost:8081"), *headers))


@pytest.mark.parametrize(
    "request_",
    [
        asked(),
        asked(RANGE, method="HEAD"),
        asked(RANGE, method="POST"),
        asked(("Range", "bytes=0-1,4-5")),
        asked(("Range", "lines=1-2")),
        asked(RANGE, ("Content-Length", "3")),
        asked(RANGE, ("Transfer-Encoding", "chunked")),
        asked(RANGE, ("Authorization", "AWS4-HMAC-SHA256 SignedHeaders=host;range, Signature=f")),
        asked(RANGE, ("Authorization", "SharedKey account:f")),
        asked(RANGE, ("If-Range", "x"), ("Signature-Input", 'a=("if-range");created=1')),
        asked(RANGE, target="/film?X-Amz-SignedHeaders=host%3Brange"),
    ],
)
def test_what_is_no_range_or_must_stay_as_it_is_goes_upstream(request_: Request) -> None:
    assert ranging().asked(request_) is None


@pytest.mark.parametrize(
    "request_",
    [asked(RANGE), asked(RANGE, ("If-Range", '"a"')), asked(RANGE, SIGNED), asked(RANGE, ("Content-Length", "0"))],
)
def test_one_range_of_a_get_is_cut_here(request_: Request) -> None:
    found = ranging().asked(request_)
    assert found and found.range[0] == RANGE


def sent(*headers: tuple[str, str]) -> Headers:
    backends = Asked(live())

    async def run() -> None:
        async with ranging(backends).whole(UPSTREAM, asked(*headers), nothing(), None) as found:
            assert found.whole == b"0123456789"

    asyncio.run(run())
    return backends.requests[0].headers


def test_the_whole_is_asked_for_without_condition_or_coding() -> None:
    found = sent(RANGE, ("If-Range", "x"), ("If-None-Match", "x"), ("If-Match", "y"), ("Accept-Encoding", "gzip, br"))
    assert [get(found, name) for name in ("range", "if-range", "if-none-match")] == [""] * 3
    assert (get(found, "if-match"), get(found, "accept-encoding")) == ("y", "identity")
    assert get(sent(RANGE), "accept-encoding") == ""
    assert get(sent(RANGE, SIGNED, ("Accept-Encoding", "gzip")), "accept-encoding") == "gzip"


def test_a_whole_that_was_kept_comes_again_without_being_sent() -> None:
    tag = ("ETag", '"a"')
    backends = Asked(live(304, ("Date", "now")), live(200, ("ETag", '"b"'), whole=b"new"), live(404, whole=b""))
    found = ranging(backends)
    found.kept(asked(RANGE), live(200, tag), b"0123456789")
    found.kept(asked(RANGE, target="/gone"), live(404, tag), b"no")

    async def ask(target: str) -> StreamingResponse:
        async with found.whole(UPSTREAM, asked(RANGE, target=target), nothing(), None) as answer:
            return answer

    known, new, gone = asyncio.run(ask("/film")), asyncio.run(ask("/film")), asyncio.run(ask("/gone"))
    assert (known.status, known.reason, known.whole, get(known.headers, "date")) == (200, "Said", b"0123456789", "now")
    assert (new.whole, gone.status) == (b"new", 404)
    assert [get(request.headers, "if-none-match") for request in backends.requests] == ['"a"', '"a"', ""]


def test_what_turned_out_too_large_goes_upstream_until_it_is_smaller() -> None:
    found = ranging(limit=5)
    found.give_up(asked(RANGE), StreamingResponse(200, "OK", (("Content-Length", "6"),), nothing()))
    assert (found.asked(asked(RANGE)), found.why_not_whole(asked(RANGE), ())) == (None, TOO_LARGE)
    assert found.joined(asked(RANGE), live(206, ("Content-Range", "bytes 0-1/6")), b"01") is None
    assert found.asked(asked(RANGE)) is None
    found.joined(asked(RANGE), live(206, ("Content-Range", "bytes 0-1/5")), b"01")
    assert found.asked(asked(RANGE))


def test_parts_join_unless_they_may_lack_some_of_their_headers() -> None:
    part = (206, ("ETag", '"a"'), ("Content-Range", "bytes 0-1/2"))
    assert ranging().joined(asked(RANGE), live(*part), b"01") == ((("ETag", '"a"'),), b"01")
    assert ranging().joined(asked(RANGE, ("If-Range", '"a"')), live(*part), b"01") is None


def test_it_is_said_why_a_part_was_not_cut_here() -> None:
    signed = asked(RANGE, ("Authorization", "AWS4-HMAC-SHA256 SignedHeaders=host;range, Signature=f"))
    tag, place = ("ETag", '"a"'), ("Content-Range", "bytes 0-1/101")
    assert ranging().why_not_whole(signed, ()) == "as the range is signed"
    assert "once all parts have come" in ranging().why_not_whole(signed, (tag,))
    assert ranging().why_not_whole(signed, (tag, place)) == TOO_LARGE
    assert ranging().why_not_whole(asked(RANGE), ()) == "as upstream answered by no more"
