"""The road to real backends: which one, in what form, and what is said when it fails."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from replaymock.errors import RequestRefused, UpstreamError, UsageError
from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.proxy.options import TlsOptions, UpstreamOptions
from replaymock.proxy.routes import Upstream, parse_upstream
from replaymock.proxy.upstreams import IN_FLIGHT, Upstreams
from tests.support.running import raw_backend, read_request, read_whole, reply

HOST = (("Host", "backend"),)
Handle = Callable[[socket.socket], None]


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def answer(origin: str, request: Request, *body: bytes, **told: Any) -> tuple[int, str, Headers, bytes]:
    """One request, sent and answered."""
    upstream = parse_upstream(origin)
    backends = Upstreams(UpstreamOptions(upstreams=(upstream,), **told))
    try:
        async with backends.send(upstream, request, _pieces(*body)) as live:
            data = b"".join([piece async for piece in live.chunks])
            return live.status, live.reason, live.headers, data
    finally:
        await backends.aclose()


ROUTES = {
    "/": "rest",
    "/api": "api",
    "/api/": "api",
    "/api/x": "api",
    "/api/v2": "v2",
    "/api/v2/x": "v2",
    "/api/v20": "api",
    "/apix": "rest",
    "/API/x": "rest",
    "/x/api/v2": "rest",
    "//api": "rest",
}


@pytest.mark.parametrize("order", [("rest", "api", "v2"), ("v2", "api", "rest"), ("api", "v2", "rest")])
def test_the_longest_prefix_of_whole_segments_wins_in_any_order(order: tuple[str, ...]) -> None:
    upstreams = {"rest": Upstream("", "r"), "api": Upstream("/api", "a"), "v2": Upstream("/api/v2", "v")}
    backends = Upstreams(UpstreamOptions(upstreams=tuple(upstreams[name] for name in order)))
    assert {path: backends.route(path) for path in ROUTES} == {path: upstreams[name] for path, name in ROUTES.items()}


def test_a_path_below_no_prefix_has_no_upstream() -> None:
    assert Upstreams(UpstreamOptions(upstreams=(Upstream("/api", "http://x"),))).route("/other") is None


def test_a_request_goes_out_byte_for_byte_below_the_base_path() -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        connection.sendall(reply(b"{}"))

    request = Request("x-Own", '/a/../b"%2f?q=%zz&q', (*HOST, ("X-One", "caf\xe9"), ("x-one", ""), ("Cookie", "a=1")))
    with raw_backend(handle) as origin:
        asyncio.run(answer(f"{origin}/base", request))
    assert heads == [
        b'x-Own /base/a/../b"%2f?q=%zz&q HTTP/1.1\r\nHost: backend\r\nX-One: caf\xe9\r\nx-one: \r\nCookie: a=1\r\n\r\n'
    ]


def test_an_answer_comes_back_as_it_was_sent() -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(
            reply(b"\x1f\x8bno gzip", "X-A: 1", "x-a: \xff", "Content-Encoding: gzip", status="299 Odd  One")
        )

    with raw_backend(handle) as origin:
        status, reason, headers, body = asyncio.run(answer(origin, Request("GET", "/", HOST)))
    assert (status, reason, body) == (299, "Odd  One", b"\x1f\x8bno gzip")
    assert [pair for pair in headers if pair[0].lower() == "x-a"] == [("X-A", "1"), ("x-a", "\xff")]


def test_neither_cookies_nor_redirects_nor_the_environment_are_acted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        for _ in range(2):
            heads.append(read_request(connection))
            connection.sendall(
                b"HTTP/1.1 302 Found\r\nLocation: /other\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n"
            )

    async def twice(origin: str) -> None:
        upstream = parse_upstream(origin)
        backends = Upstreams(UpstreamOptions(upstreams=(upstream,)))
        for _ in range(2):
            async with backends.send(upstream, Request("GET", "/", HOST), _pieces()) as live:
                assert (live.status, [piece async for piece in live.chunks]) == (302, [])
        await backends.aclose()

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with raw_backend(handle) as origin:
        asyncio.run(twice(origin))
    assert heads == [b"GET / HTTP/1.1\r\nHost: backend\r\n\r\n"] * 2


def test_a_body_of_unknown_length_goes_out_in_chunks() -> None:
    bodies: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        bodies.append(read_whole(connection)[1])
        connection.sendall(reply(b"{}"))

    request = Request("POST", "/", (*HOST, ("Transfer-Encoding", "chunked")))
    with raw_backend(handle) as origin:
        asyncio.run(answer(origin, request, b"hello", b"you"))
    assert bodies == [b"5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n"]


def test_a_target_that_is_not_ascii_opens_no_connection() -> None:
    with pytest.raises(RequestRefused, match="percent-encode"):
        asyncio.run(answer("http://127.0.0.1:9", Request("GET", "/caf\xe9", HOST)))


def test_more_requests_than_slots_wait_their_turn_and_cancelled_ones_free_theirs() -> None:
    async def story(origin: str) -> list[int]:
        upstream = parse_upstream(origin)
        backends = Upstreams(UpstreamOptions(upstreams=(upstream,)))

        async def one(target: str) -> int:
            async with backends.send(upstream, Request("GET", target, HOST), _pieces()) as live:
                return live.status

        stuck = [asyncio.ensure_future(one("/stuck")) for _ in range(IN_FLIGHT)]
        await asyncio.sleep(0.2)
        waiting = [asyncio.ensure_future(one("/good")) for _ in range(5)]
        done, _ = await asyncio.wait(waiting, timeout=0.1)
        assert not done
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        found = await asyncio.wait_for(asyncio.gather(*waiting), 10)
        await backends.aclose()
        return found

    def handle(connection: socket.socket) -> None:
        if b"/stuck" in read_request(connection):
            connection.recv(1)
        else:
            connection.sendall(reply(b"{}"))

    with raw_backend(handle) as origin:
        assert asyncio.run(story(origin)) == [200] * 5


CUT = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf",
    b"HTTP/1.1 200 OK\r\n",
    b"",
]


@pytest.mark.parametrize("reset", [False, True])
def test_an_answer_that_does_not_end_is_an_error(reset: bool) -> None:
    def handle(connection: socket.socket) -> None:
        connection.sendall(CUT[int(read_request(connection).split(b"/")[1].split(b" ")[0])])
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    async def story(origin: str) -> None:
        upstream = parse_upstream(origin)
        backends = Upstreams(UpstreamOptions(upstreams=(upstream,)))
        for number in range(len(CUT)):
            with pytest.raises(UpstreamError, match="broke the connection"):
                async with backends.send(upstream, Request("GET", f"/{number}", HOST), _pieces()) as live:
                    _ = [piece async for piece in live.chunks]
        await backends.aclose()

    with raw_backend(handle) as origin:
        asyncio.run(story(origin))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (UpstreamOptions(tls=TlsOptions(ca_file="none.pem")), "--ca-file none.pem: not a readable PEM file"),
        (UpstreamOptions(tls=TlsOptions(ca_file="bad.pem")), "--ca-file bad.pem: not a readable PEM file"),
        (UpstreamOptions(tls=TlsOptions(client_key="bad.pem")), "--client-key needs --client-cert"),
        (UpstreamOptions(tls=TlsOptions(client_cert="none.pem")), "--client-cert none.pem: cannot be used .*PEM"),
        (UpstreamOptions(proxy="ftp://x"), "--upstream-proxy 'ftp://x': write it as http://host:port"),
    ],
)
def test_settings_that_cannot_work_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: UpstreamOptions, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(UsageError, match=said):
        Upstreams(told)


@pytest.mark.parametrize(
    ("told", "extra"),
    [
        (UpstreamOptions(http2=True), "http2"),
        (UpstreamOptions(proxy="socks5://127.0.0.1:1"), "socks"),
        (UpstreamOptions(proxy="socks5h://127.0.0.1:1"), "socks"),
    ],
)
def test_what_needs_an_extra_says_how_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, told: UpstreamOptions, extra: str
) -> None:
    Upstreams(told)
    monkeypatch.setattr("replaymock.proxy.upstreams.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=rf'pip install "replaymock\[{extra}\]"'):
        Upstreams(told)
