"""One exchange under way."""

from collections.abc import AsyncIterator
from dataclasses import replace

from replaymock.http.headers import Headers
from replaymock.http.messages import StreamingResponse
from replaymock.proxy.in_flight import InFlightExchange
from tests.support.clients import Callers
from tests.support.factories import JSON, a_request


async def _nothing() -> AsyncIterator[bytes]:
    for _ in ():
        yield b""


def attempt(headers: Headers = JSON) -> tuple[InFlightExchange, StreamingResponse]:
    found = InFlightExchange(a_request("POST"), Callers(), 100, 5.0)
    live = StreamingResponse(200, "OK", headers, _nothing())
    found.want(is_wanted=True)
    found.answered(live, 50.0)
    return found, live


def test_an_exchange_has_what_was_sent_and_what_came_and_when() -> None:
    found, live = attempt()
    found.sent.add(b"{}", 50.0)
    found.kept.add(b"[1", 50.01)
    found.kept.add(b"]", 50.2)
    exchange = found.exchange(live, 5.3, "2026-11-22T13:00:00Z", truncated=False)
    assert (exchange.request.body, exchange.response.body) == (b"{}", b"[1]")
    assert (exchange.arrivals, exchange.elapsed_ms) == (((2, 10), (3, 200)), 300)


def test_of_a_stream_that_is_to_be_kept_the_beginning_is() -> None:
    for headers, stored, data in (((("content-type", "text/event-stream"),), True, b"x" * 100), (JSON, True, b"")):
        found, _ = attempt(headers)
        found.kept.add(b"x" * 200, 50.0)
        assert (found.kept.data, found.is_stream) == (data, bool(data) and stored)


def test_the_last_part_makes_a_whole_which_is_kept_instead() -> None:
    found, _ = attempt()
    found.want(is_wanted=False)
    found.kept.add(b"cd", 50.01)
    whole = StreamingResponse(200, "OK", JSON, _nothing())
    found.complete(whole, b"abcd")
    exchange = found.exchange(whole, 5.3, "2026-11-22T13:00:00Z", truncated=False)
    assert (found.live, found.is_wanted, exchange.response.body) == (whole, True, b"abcd")


def test_what_does_not_fit_says_which_of_the_two_it_is() -> None:
    found, _ = attempt()
    found.sent.end()
    assert found.unfit == ""
    found.kept.add(b"x" * 101, 50.0)
    assert found.unfit == "larger than --max-body"
    found.sent.add(b"x" * 101, 50.0)
    assert found.unfit == "its request body is larger than --max-body"


def test_a_request_without_a_body_stays_the_one_it_is() -> None:
    found, _ = attempt()
    found.sent.end()
    assert found.whole_request is found.request
    found.sent.add(b"{}", 50.0)
    assert found.whole_request == replace(found.request, body=b"{}")
