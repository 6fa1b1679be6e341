"""From HTTP to WebSocket on one connection."""

import socket
from pathlib import Path

from tests.support.inside import Told, put, running_app
from tests.support.running import exchange
from tests.support.sockets import CLOSE, KEY, PING, PONG, TEXT, Reader, close, frame, opened, opening

HELLO = {
    "request": {"path": "/ws"},
    "responses": [{"messages": [{"from": "client", "text": "a"}, {"from": "server", "text": "b"}]}],
}


def test_frames_that_come_with_the_request_are_not_lost(tmp_path: Path) -> None:
    put(tmp_path, "GET--ws.json", HELLO)
    with running_app(tmp_path) as app, socket.create_connection(("127.0.0.1", app.port), timeout=5) as peer:
        peer.sendall(opening("/ws") + frame(TEXT, b"a") + frame(PING, b"!") + close())
        answered = peer.makefile("rb")
        while answered.readline().strip():
            pass
        assert answered.read() == b"\x81\x01b" + b"\x8a\x01!" + b"\x88\x02\x03\xe8"


def test_a_websocket_may_follow_plain_requests_on_its_connection(tmp_path: Path) -> None:
    put(tmp_path, "GET--ws.json", HELLO)
    put(tmp_path, "a.json", [1])
    with running_app(tmp_path) as app, socket.create_connection(("127.0.0.1", app.port), timeout=5) as peer:
        peer.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert peer.recv(65536).startswith(b"HTTP/1.1 200 ")
        peer.sendall(opening("/ws"))
        assert peer.recv(65536).startswith(b"HTTP/1.1 101 ")
        peer.sendall(frame(TEXT, b"a") + close())
        assert Reader(peer).messages() == [(TEXT, b"b"), (CLOSE, b"\x03\xe8")]


def test_a_refused_upgrade_is_an_answer_with_cors_that_ends_the_connection(tmp_path: Path) -> None:
    put(tmp_path, "GET--ws.json", HELLO)
    with running_app(tmp_path) as app:
        refused = exchange(app.port, opening("/ws").replace(KEY.encode(), b"no-key"))
        missed = exchange(app.port, opening("/other", "Origin: http://localhost:1"))
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert b"bad_handshake" in refused
    assert missed.startswith(b"HTTP/1.1 404 ")
    assert b"Access-Control-Allow-Origin: http://localhost:1\r\n" in missed


def test_a_caller_that_goes_at_once_leaves_no_trace(tmp_path: Path) -> None:
    put(tmp_path, "GET--ws.json", HELLO)
    told = Told()
    with running_app(tmp_path, told) as app:
        for _ in range(20):
            with opened(app.port, "/ws") as (peer, _):
                peer.sendall(frame(TEXT, b"a"))
        with opened(app.port, "/ws") as (peer, _):
            peer.sendall(frame(PING, b"1"))
            assert Reader(peer).messages(1) == [(PONG, b"1")]
    assert "fault" not in told.log
