"""Backends that speak only HTTP/2 are recorded by the real command, and replay as any other does."""

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support.http2_backend import Asked, Http2Backend, Reply
from tests.support.running import (
    Got,
    Running,
    ask,
    asking,
    cassettes,
    eventually,
    raw_backend,
    read_request,
    read_whole,
    replaymock,
)
from tests.support.sockets import opening
from tests.support.upgrading import GOOD
from tests.support.upgrading import answer as accepted

JSON = (b"content-type", b"application/json")


def _reply(asked: Asked) -> Reply:
    path = asked.get(b":path")
    if path == b"/events":
        return [(b":status", b"200"), (b"content-type", b"text/event-stream")], None
    if path == b"/none":
        return [(b":status", b"204")], b""
    if path == b"/cookies":
        return [(b":status", b"200"), JSON, (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")], b"{}"
    if path == b"/broken":
        return [(b":status", b"200"), (b"content-length", b"9")], b"{}"
    said = {"method": asked.get(b":method").decode(), "path": path.decode(), "body": bytes(asked.body).decode()}
    body = json.dumps(said).encode()
    status = b"404" if path == b"/missing" else b"200"
    length = (b"content-length", b"%d" % len(body))
    return [(b":status", status), JSON, length], b"" if asked.get(b":method") == b"HEAD" else body


@pytest.fixture
def backend() -> Http2Backend:
    return Http2Backend(trustme.CA(), _reply)


@contextlib.contextmanager
def recording(backend: Http2Backend, folder: Path, *more: str) -> Iterator[Running]:
    with backend.serving() as origin, replaymock("record", folder, "--upstream", origin, "--insecure", *more) as server:
        yield server


VISITS: list[tuple[str, str, list[tuple[str, str]], bytes | None]] = [
    ("GET", "/items?q=%2F", [("X-Own", "1"), ("Connection", "X-Hop"), ("X-Hop", "1"), ("TE", "trailers")], None),
    ("POST", "/items", [("Content-Type", "text/plain")], b"hello"),
    ("PUT", "/chunks", [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")], b"5\r\nhello\r\n0\r\n\r\n"),
    ("GET", "/none", [], None),
    ("HEAD", "/items", [], None),
    ("GET", "/missing", [], None),
    ("GET", "/cookies", [], None),
]


def _visit(url: str) -> list[Got]:
    return [ask(url, method, target, headers, body) for method, target, headers, body in VISITS]


def _shown(answers: list[Got]) -> list[tuple[int, str, bytes, list[str]]]:
    return [(got.status, got.reason, got.body, got.all("set-cookie")) for got in answers]


def test_what_was_recorded_over_http2_replays(backend: Http2Backend, tmp_path: Path) -> None:
    with recording(backend, tmp_path, "--upstream-http2") as server:
        recorded = _visit(server.url)
        assert "warning" not in server.log
    assert [(got.status, got.reason) for got in recorded] == [
        *[(200, "OK")] * 3,
        (204, "No Content"),
        (200, "OK"),
        (404, "Not Found"),
        (200, "OK"),
    ]
    assert [got.json()["body"] for got in recorded[1:3]] == ["hello", "hello"]
    with replaymock("replay", tmp_path) as server:
        assert _shown(_visit(server.url)) == _shown(recorded)
    assert backend.connections == 1


def test_a_request_is_what_http2_makes_of_it(backend: Http2Backend, tmp_path: Path) -> None:
    with recording(backend, tmp_path, "--upstream-http2") as server:
        _visit(server.url)
    first, _, chunks = backend.asked[:3]
    pseudo = {name: value for name, value in first.headers if name.startswith(b":")}
    assert pseudo.pop(b":authority").startswith(b"127.0.0.1:")
    assert pseudo == {b":method": b"GET", b":scheme": b"https", b":path": b"/items?q=%2F"}
    names = {name for asked in backend.asked for name, _ in asked.headers}
    assert not names & {b"host", b"connection", b"x-hop", b"te", b"transfer-encoding", b"keep-alive", b"upgrade"}
    assert (first.get(b"x-own"), bytes(chunks.body)) == (b"1", b"hello")


def test_cassettes_are_the_same_as_those_of_http1(backend: Http2Backend, tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        head, body = read_whole(connection)
        method, path, _ = head.partition(b"\r\n")[0].split(b" ")
        chunked = b"chunked" in head
        data = body.split(b"\r\n")[1] if chunked else body
        headers, answer = _reply(Asked(0, [(b":method", method), (b":path", path)], bytearray(data)))
        status = {b"200": b"200 OK", b"204": b"204 No Content", b"404": b"404 Not Found"}[headers[0][1]]
        lines = [b"%b: %b" % pair for pair in headers[1:]]
        length = (
            []
            if status.startswith(b"204") or b"content-length" in dict(headers)
            else [b"Content-Length: %d" % len(answer or b"")]
        )
        connection.sendall(b"\r\n".join([b"HTTP/1.1 " + status, *lines, *length, b"", b""]) + (answer or b""))

    with recording(backend, tmp_path / "two", "--upstream-http2") as server:
        _visit(server.url)
    with raw_backend(handle) as origin, replaymock("record", tmp_path / "one", "--upstream", origin) as server:
        _visit(server.url)
    one, two = (_undated(cassettes(tmp_path / name)) for name in ("one", "two"))
    assert len(one) == len(VISITS)
    assert one == two


def _undated(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for cassette in found.values():
        for response in cassette["responses"]:
            response.pop("recorded_at", None)
            response.pop("elapsed_ms", None)
    return found


@pytest.mark.parametrize("way", ["variable", "file"])
def test_it_is_told_by_variable_and_file_too(backend: Http2Backend, tmp_path: Path, way: str) -> None:
    (tmp_path / "replaymock.toml").write_text("upstream_http2 = true\n" if way == "file" else "")
    environment = {"REPLAYMOCK_UPSTREAM_HTTP2": "1"} if way == "variable" else {}
    with backend.serving() as origin:
        to = ("--upstream", origin, "--insecure")
        with replaymock("record", tmp_path / "c", *to, cwd=tmp_path, env=environment) as server:
            assert ask(server.url, "GET", "/items").status == 200


def test_without_the_option_such_a_backend_cannot_be_reached(backend: Http2Backend, tmp_path: Path) -> None:
    with recording(backend, tmp_path) as server:
        problem = ask(server.url, "GET", "/items").json()
    assert problem["code"] == "upstream_unreachable"
    assert "--upstream-http2" in problem["detail"]


def test_what_is_no_right_http2_is_the_backends_fault(backend: Http2Backend, tmp_path: Path) -> None:
    with recording(backend, tmp_path, "--upstream-http2") as server:
        got = ask(server.url, "GET", "/broken")
        assert (got.status, got.json()["code"]) == (502, "upstream_unreachable")
        assert ask(server.url, "GET", "/items").status == 200


def test_with_the_option_other_backends_are_still_spoken_to_in_http1(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        read_whole(connection)
        connection.sendall(b"HTTP/1.1 200 Fine  so\r\nContent-Length: 2\r\n\r\n{}")

    with raw_backend(handle) as origin:
        to = ("--upstream", origin, "--upstream-http2")
        with replaymock("record", tmp_path, *to) as server:
            assert ask(server.url, "GET", "/").reason == "Fine  so"


def test_clients_that_go_harm_no_other_and_free_upstream(backend: Http2Backend, tmp_path: Path) -> None:
    with recording(backend, tmp_path, "--upstream-http2") as server:
        for _ in range(150):  # more than a connection may have streams
            with asking(server.url, "GET", "/events") as answer:
                assert answer.read(4) == b"data"
        assert ask(server.url, "GET", "/items").status == 200
        eventually(lambda: backend.open <= 1)
        with asking(server.url, "GET", "/events") as answer:
            assert answer.read(4) == b"data"
            # One stream that goes on holds up no other request.
            assert [ask(server.url, "GET", "/items").status for _ in range(3)] == [200] * 3


def test_a_websocket_is_still_opened_in_http1(tmp_path: Path) -> None:
    chosen: list[str | None] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    tls.set_alpn_protocols(["h2", "http/1.1"])

    def handle(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as secured:
            chosen.append(secured.selected_alpn_protocol())
            if chosen[-1] == "http/1.1":
                secured.sendall(accepted(read_request(secured), *GOOD) + b"\x88\x02\x03\xe8")
                secured.recv(100)

    with raw_backend(handle) as origin:
        to = ("--upstream", origin.replace("http:", "https:"), "--insecure", "--upstream-http2")
        with replaymock("record", tmp_path, *to) as server:
            ask(server.url, "GET", "/")
            with socket.create_connection(("127.0.0.1", server.port), 5) as peer:
                peer.sendall(opening("/ws"))
                assert read_request(peer).startswith(b"HTTP/1.1 101 ")
    assert chosen == ["h2", "http/1.1"]
