"""WebSockets on the record road: what goes upstream, and what is kept."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from replaymock.proxy.routes import parse_upstream
from tests.support.inside import Told, running_app
from tests.support.running import ask, cassettes, raw_backend, read_request
from tests.support.sockets import CLOSE, TEXT, Reader, close, frame, opened
from tests.support.upgrading import GOOD, answer

SECRET = "hunter2-hunter2"


def once(
    path: Path, *lines: str, request: tuple[str, ...] = (), told: Told | None = None, **more: Any
) -> tuple[bytes, bytes]:
    """One WebSocket through a recorder: the head the backend saw, and the head the caller got."""
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        connection.sendall(
            answer(heads[0], *GOOD, *lines) + frame(TEXT, b'{"token":"' + SECRET.encode() + b'"}', mask=False)
        )
        connection.recv(1000)
        connection.sendall(frame(CLOSE, b"\x03\xe8", mask=False))

    with raw_backend(handle) as backend:
        settings = {"upstreams": (parse_upstream(backend),), "mode": "all", **more}
        with (
            running_app(path, told, **settings) as app,
            opened(app.port, f"/ws?token={SECRET}", *request) as (peer, head),
        ):
            reader = Reader(peer)
            assert reader.messages(1) == [(TEXT, b'{"token":"' + SECRET.encode() + b'"}')]
            peer.sendall(close())
            assert reader.messages() == [(CLOSE, b"\x03\xe8")]
    return heads[0], head


def test_the_handshake_upstream_is_our_own_and_the_rest_the_callers(tmp_path: Path) -> None:
    sent = ("Cookie: a=1", "Origin: http://localhost:3000")
    seen, got = once(
        tmp_path, "Set-Cookie: s=1; Secure", "X-Own: 1", request=sent, headers=(("Authorization", "Bearer x-y-z"),)
    )
    lines = seen.decode().split("\r\n")
    assert lines[0] == f"GET /ws?token={SECRET} HTTP/1.1"
    assert {"Cookie: a=1", "Origin: http://localhost:3000", "Authorization: Bearer x-y-z"} <= set(lines)
    assert len([line for line in lines if line.lower().startswith("sec-websocket-key:")]) == 1
    assert "Host: localhost" not in lines
    assert b"Set-Cookie: s=1\r\n" in got
    assert got.count(b"Sec-WebSocket-Accept") == 1


def test_secrets_are_on_neither_disk_nor_log_and_framing_is_not_kept(tmp_path: Path) -> None:
    told = Told()
    once(tmp_path, "X-Own: 1", told=told)
    text = "".join(file.read_text() for file in tmp_path.rglob("*.json"))
    assert SECRET not in text + told.log + json.dumps(told.events("request"))
    ((file, cassette),) = cassettes(tmp_path).items()
    assert file.startswith("ws/GET--websocket")
    assert cassette["request"]["headers"] == {"upgrade": "websocket"}
    assert cassette["responses"][0]["headers"] == {"x-own": "1"}
    assert [event["outcome"] for event in told.events("request")] == ["recorded"]


def test_what_is_not_to_be_recorded_is_relayed_all_the_same(tmp_path: Path) -> None:
    once(tmp_path, skip=("/ws",))
    assert cassettes(tmp_path) == {}


@pytest.mark.parametrize(
    ("reply", "code"), [(b"", "upstream_unreachable"), (b"HTTP/1.1 101 Go\r\n\r\n", "upstream_unreachable")]
)
def test_a_backend_that_cannot_be_spoken_to_is_told_of(tmp_path: Path, reply: bytes, code: str) -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply)

    sent = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")]
    sent.append(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="))
    told = Told()
    with (
        raw_backend(handle) as backend,
        running_app(tmp_path, told, upstreams=(parse_upstream(backend),), mode="all") as app,
    ):
        got = ask(app.url, "GET", "/ws", sent)
    assert (got.status, got.json()["code"]) == (502, code)
    assert "GET /ws" in told.log
