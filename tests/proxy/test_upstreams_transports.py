"""Any of httpx's transports stands in the place of ours: applications without a server, and handlers in a test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx
import pytest

from replaymock.errors import RequestRefused, UpstreamError
from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.proxy.options import UpstreamOptions
from replaymock.proxy.relay import BodyCapture, keeping
from replaymock.proxy.routes import Upstream
from replaymock.proxy.upstreams import Upstreams
from tests.support.upstream_pool import pieces

UPSTREAM = Upstream("", "https://api.example.com", "/v1")
HOST = (("Host", "api.example.com"),)
Answer = tuple[int, str, Headers, bytes]


def answer(transport: httpx.AsyncBaseTransport, request: Request, *body: bytes) -> tuple[Answer, BodyCapture]:
    """One request over a transport, and what was sent of its body."""

    async def story() -> Answer:
        upstreams = Upstreams(UpstreamOptions((UPSTREAM,)), transport)
        async with upstreams.send(UPSTREAM, request, keeping(pieces(*body), sent), "a client") as live:
            data = b"".join([piece async for piece in live.chunks])
        upstreams.left("a client")
        await upstreams.aclose()
        return live.status, live.reason, live.headers, data

    sent = BodyCapture(1000)
    return asyncio.run(story()), sent


def test_a_handler_is_asked_for_what_was_asked_and_its_answer_comes_back() -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, json={"a": 1}, headers=[("X-A", "1"), ("x-a", "2")])

    found, sent = answer(httpx.MockTransport(handle), Request("GET", '/a/../b"?q=1', (*HOST, ("X-B", "caf\xe9"))))
    assert (asked[0].method, asked[0].url.raw_path, asked[0].headers["x-b"]) == ("GET", b'/v1/a/../b"?q=1', "caf\xe9")
    assert asked[0].url.params["q"] == "1"
    assert (found[0], found[1], found[3]) == (201, "Created", b'{"a":1}')
    assert [pair for pair in found[2] if pair[0].lower() == "x-a"] == [("X-A", "1"), ("x-a", "2")]
    assert sent.ended


def test_an_application_is_asked_without_a_server() -> None:
    async def app(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        body, event = b"", {"more_body": scope["method"] == "POST"}
        while event["more_body"]:
            event = dict(await receive())
            body += event["body"]
        said = f"{scope['method']} {scope['path']} {scope['query_string'].decode()} ".encode() + body
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": said})

    transport = httpx.ASGITransport(app)
    posted, sent = answer(transport, Request("POST", "/a%20b?c=%2F", (*HOST, ("Content-Length", "2"))), b"hi")
    assert posted == (200, "OK", (("content-type", "text/plain"),), b"POST /v1/a b c=%2F hi")
    assert (sent.data, sent.ended) == (b"hi", True)
    got, sent = answer(transport, Request("GET", "/", HOST))
    assert (got[3], sent.ended) == (b"GET /v1/  ", True)


@pytest.mark.parametrize("error", [httpx.ConnectError("no"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("x")])
def test_errors_are_told_as_those_of_any_backend(error: httpx.TransportError) -> None:
    def handle(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(UpstreamError, match=r"https://api\.example\.com"):
        answer(httpx.MockTransport(handle), Request("GET", "/", HOST))


def test_an_answer_that_breaks_off_is_an_error_and_a_body_nobody_announced_is_refused() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise httpx.ReadError("gone")

    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=broken()))
    with pytest.raises(UpstreamError, match="broke the connection"):
        answer(transport, Request("GET", "/", HOST))
    with pytest.raises(RequestRefused, match="neither a length nor chunks"):
        answer(transport, Request("GET", "/", HOST), b"body")
