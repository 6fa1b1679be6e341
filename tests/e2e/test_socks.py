"""Backends behind a SOCKS proxy: names are looked up by the proxy, and what it refuses is told."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.support.http2_backend import Http2Backend
from tests.support.running import ask, cassettes, raw_backend, read_request, replaymock, reply
from tests.support.sockets import TEXT, Reader, frame, opened
from tests.support.socks import socks
from tests.support.upgrading import GOOD, answer

NAMES = {"backend.test": "127.0.0.1"}
Handle = Callable[[socket.socket], None]


def _says(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(reply(b'{"over": "socks"}'))


def _over_tls(authority: trustme.CA, handle: Handle) -> Handle:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("backend.test").configure_cert(context)

    def wrapped(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            handle(secured)

    return wrapped


def _named(origin: str, scheme: str = "http") -> str:
    return f"{scheme}://backend.test:{origin.rpartition(':')[2]}"


def _by(proxy: str, scheme: str, login: str = "") -> tuple[str, str]:
    return "--upstream-proxy", f"{scheme}://{login}{proxy.removeprefix('http://')}"


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_backend_that_only_the_proxy_can_name_is_recorded(tmp_path: Path, scheme: str, secure: bool) -> None:
    targets: list[str] = []
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    proxy_handle = socks(targets, b"user:p@ss", NAMES)
    with raw_backend(_over_tls(authority, _says) if secure else _says) as origin, raw_backend(proxy_handle) as proxy:
        upstream = _named(origin, "https" if secure else "http")
        to = ("--upstream", upstream, *_by(proxy, scheme, "user:p%40ss@"), "--ca-file", str(tmp_path / "ca.pem"))
        with replaymock("record", tmp_path / "c", *to) as server:
            assert ask(server.url, "GET", "/a").json() == {"over": "socks"}
            assert "p@ss" not in server.log and "p%40ss" not in server.log
    assert targets == [upstream.partition("//")[2]]
    assert list(cassettes(tmp_path / "c")) == ["a/GET.json"]


def test_http2_is_spoken_through_it_too(tmp_path: Path) -> None:
    backend = Http2Backend(trustme.CA(), lambda _asked: ([(b":status", b"200")], b"two"))
    with backend.serving() as origin, raw_backend(socks([])) as proxy:
        to = ("--upstream", origin, "--insecure", "--upstream-http2", *_by(proxy, "socks5"))
        with replaymock("record", tmp_path, *to) as server:
            assert ask(server.url, "GET", "/a").body == b"two"


@pytest.mark.parametrize("login", [b"", b"user:pass"])
def test_a_websocket_is_opened_through_it(tmp_path: Path, login: bytes) -> None:
    def handle(connection: socket.socket) -> None:
        connection.sendall(answer(read_request(connection), *GOOD) + frame(TEXT, b"hi", mask=False))
        connection.sendall(frame(8, b"\x03\xe8", mask=False))

    targets: list[str] = []
    with raw_backend(handle) as origin, raw_backend(socks(targets, login, NAMES)) as proxy:
        told = f"{login.decode()}@" if login else ""
        to = ("--upstream", _named(origin), *_by(proxy, "socks5", told))
        with replaymock("record", tmp_path, *to) as server, opened(server.port, "/ws") as (peer, head):
            assert head.startswith(b"HTTP/1.1 101 ")
            assert Reader(peer).messages()[0] == (TEXT, b"hi")
    assert targets == [_named(origin).partition("//")[2]]


def _mute(connection: socket.socket) -> None:
    connection.settimeout(10)
    connection.recv(100)
    connection.recv(1)


def _http(connection: socket.socket) -> None:
    connection.recv(100)
    connection.sendall(reply(b"{}", status="400 Bad Request"))


BAD: dict[str, tuple[Handle, str, str]] = {
    "refuses": (socks([], refusal=5), "upstream_unreachable", "--upstream-proxy"),
    "wants a login": (socks([], b"user:pass"), "upstream_unreachable", "--upstream-proxy"),
    "is no proxy": (_http, "upstream_unreachable", "--upstream-proxy"),
    "closes": (lambda connection: connection.close(), "upstream_unreachable", "--upstream-proxy"),
    "says nothing": (_mute, "upstream_timeout", "--connect-timeout"),
}


UPGRADE = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]


@pytest.mark.parametrize("websocket", [False, True], ids=["HTTP", "WebSocket"])
@pytest.mark.parametrize("what", BAD)
def test_a_proxy_that_opens_no_way_is_told_of(tmp_path: Path, what: str, websocket: bool) -> None:
    handle, code, said = BAD[what]
    headers = UPGRADE if websocket else []
    seconds = "0.3" if what == "says nothing" else "10"
    with raw_backend(handle) as proxy:
        to = ("--upstream", "http://127.0.0.1:9", *_by(proxy, "socks5"), "--connect-timeout", seconds)
        with replaymock("record", tmp_path, *to) as server:
            problem = ask(server.url, "GET", "/x", headers).json()
    assert (problem["code"], said in problem["detail"]) == (code, True), problem
