"""What a request for a WebSocket gets, before anything is said."""

from pathlib import Path
from random import Random

import pytest

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.http.rendered import RenderedResponse
from replaymock.http.websocket_frames import WebSocketOpening as Opening
from replaymock.http.websocket_messages import SERVER, TEXT, Message
from replaymock.matching.matcher import Matcher
from replaymock.replay.websocket import WebSocketReplay
from replaymock.telemetry.events import Emit, Event, MissOccurred
from tests.support.factories import a_cassette
from tests.support.handshakes import opening
from tests.support.inside import a_router, an_engine, put, running_app
from tests.support.running import ask

SOCKET = CassetteRequest("GET", "/ws", headers=(("upgrade", "websocket"),))
HELLO = Message(SERVER, TEXT, b"hello")


def a_socket(headers: Headers = (), path: str = "/ws") -> Cassette:
    request = CassetteRequest("GET", path, headers=SOCKET.headers)
    return Cassette(request, (RecordedResponse(101, "Switching Protocols", headers, messages=(HELLO,)),))


def opened(
    *cassettes: Cassette,
    request: Request | None = None,
    version: str = "HTTP/1.1",
    cors: CorsPolicy | None = None,
    emit: Emit = lambda _event: None,
) -> Opening | RenderedResponse:
    engine = an_engine(*cassettes, emit=emit, cors=cors)
    routed = a_router(engine).route(request or opening(), version)
    if routed.refusal is not None:
        return engine.refuse(routed.request, routed.refusal)
    opened = WebSocketReplay(engine, Matcher(), 1000, Random(0)).open(routed.request)
    assert opened is not None
    return opened


def test_a_recorded_websocket_is_opened_with_its_subprotocol_headers_and_where_it_is_from() -> None:
    cassette = a_socket((("sec-websocket-protocol", "chat"), ("set-cookie", "a=1; Secure"), ("x-own", "1")))
    found = opened(cassette, request=opening(Sec_WebSocket_Protocol="other, chat"))
    assert isinstance(found, Opening)
    head = found.head.decode()
    assert "\r\nSec-WebSocket-Protocol: chat\r\n" in head
    assert "\r\nset-cookie: a=1\r\n" in head
    assert "\r\nCache-Status: replaymock; hit\r\n" in head


@pytest.mark.parametrize(
    ("cassette", "reason"), [(a_cassette("/ws"), "other protocol"), (a_socket(path="/other"), "never recorded")]
)
def test_a_websocket_that_was_not_recorded_is_a_miss(cassette: Cassette, reason: str) -> None:
    told: list[Event] = []
    found = opened(cassette, emit=told.append)
    assert isinstance(found, RenderedResponse)
    assert found.status == 404
    assert [event.reason for event in told if isinstance(event, MissOccurred)] == [reason]


@pytest.mark.parametrize(
    ("request_", "version", "status"),
    [
        (opening(Sec_WebSocket_Version="8"), "HTTP/1.1", 426),
        (opening(), "HTTP/1.0", 400),
        (opening(Origin="https://evil.example"), "HTTP/1.1", 403),
        (opening(Origin="null"), "HTTP/1.1", 403),
    ],
)
def test_a_request_that_may_not_is_refused(request_: Request, version: str, status: int) -> None:
    found = opened(a_socket(), request=request_, version=version)
    assert isinstance(found, RenderedResponse)
    assert found.status == status
    assert (status == 426) == (b"Sec-WebSocket-Version: 13\r\n" in found.head)


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://[::1]", "https://app.example"])
def test_a_page_that_cors_lets_in_may_open_a_websocket(origin: str) -> None:
    cors = CorsPolicy(("https://app.example",))
    assert isinstance(opened(a_socket(), request=opening(Origin=origin), cors=cors), Opening)


def test_a_page_and_a_websocket_at_one_path_are_told_apart(tmp_path: Path) -> None:
    put(tmp_path, "GET--socket.json", {"request": {"path": "/ws"}, "responses": [{"messages": []}]})
    put(tmp_path, "GET--any.json", {"request": {"path": "/x/**"}, "responses": [{"text": "page"}]})
    put(tmp_path, "GET--all.json", {"request": {"path": "/x/live/**"}, "responses": [{"messages": []}]})
    with running_app(tmp_path) as app:
        refused = ask(app.url, "GET", "/ws")
        assert ask(app.url, "GET", "/x/live/1").body == b"page"
    assert refused.status == 426
    assert refused.json()["reason"] == "other protocol"
    assert refused.header("upgrade") == "websocket"
    assert refused.header("connection").lower().startswith("upgrade")
