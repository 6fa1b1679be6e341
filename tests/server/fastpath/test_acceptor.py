"""The fast path answers as the server does, faster, and hands on what it does not know.

Every story is told on both: whether there is a fast path must not be seen from outside.
"""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from replaymock.proxy.routes import parse_upstream
from replaymock.server.fastpath.acceptor import FastPath
from tests.support.inside import running_app
from tests.support.running import Running, ask, eventually, exchange, replaymock, undated

HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
BROWSER = (
    b"Origin: http://localhost:3000\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n"
    b"Accept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\nReferer: http://localhost:3000/\r\n"
    b"Sec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-site\r\nCookie: theme=dark\r\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plain, coded, absolute and repeated answers, and one that is larger than a socket takes at once."""
    folder = tmp_path_factory.mktemp("fast") / "c"
    folder.mkdir()
    (folder / "a.json").write_text('{"a": 1}')
    (folder / "b.json").write_text("[2]")
    (folder / "large.json").write_text('"' + "x" * 8_000_000 + '"')
    (folder / "GET--coded.json").write_text(
        '{"request": {"path": "/coded"}, "responses": [{"headers": {"content-encoding": "gzip"}, "text": "coded"}]}'
    )
    (folder / "GET--link.json").write_text(
        '{"request": {"path": "/link"}, "responses": [{"json": {"next": "{{origin}}/a"}}]}'
    )
    (folder / "GET--steps.json").write_text('{"request": {"path": "/steps"}, "responses": [{"json": 1}, {"json": 2}]}')
    (folder / "POST--items.json").write_text(
        '{"request": {"method": "POST", "path": "/items", "json": {"a": [1, 2]}}, "responses": [{"json": 1}, {"json": 2}]}'
    )
    (folder / "GET--items.json").write_text(
        '{"request": {"path": "/items"}, "responses": [{"json": []}, {"after": "POST /items", "json": [1]}]}'
    )
    (folder / "DELETE--items.json").write_text(
        '{"request": {"method": "DELETE", "path": "/items"}, "responses": [{"status": 204}]}'
    )
    (folder / "GET--events.json").write_text(
        '{"request": {"path": "/events"}, "responses": [{"events": [{"data": 1}]}]}'
    )
    (folder / "GET--empty.json").write_text('{"request": {"path": "/empty"}, "responses": [{"status": 204}]}')
    return folder


@pytest.fixture(scope="module")
def both(folder: Path) -> Iterator[tuple[Running, Running]]:
    """A server with the fast path, and one without."""
    with replaymock("replay", folder) as fast, replaymock("replay", folder, "--no-fast-lane") as slow:
        yield fast, slow


def request(target: bytes, more: bytes = b"", method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    return method + b" " + target + b" HTTP/" + version + b"\r\n" + HOST + more + b"\r\n"


def posted(body: bytes, more: bytes = b"") -> bytes:
    named = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return request(b"/items", named + more, b"POST") + body


MESSAGES = {
    "plain": request(b"/a", CLOSE),
    "browser": request(b"/a", BROWSER + CLOSE),
    "head": request(b"/a", CLOSE, b"HEAD"),
    "coded and accepted": request(b"/coded", b"Accept-Encoding: gzip\r\n" + CLOSE),
    "coded and not accepted": request(b"/coded", CLOSE),
    "own origin": request(b"/link", CLOSE),
    "a strange origin": request(b"/a", b"Origin: https://evil.example\r\n" + CLOSE),
    "no content": request(b"/empty", CLOSE),
    "a query on a plain mock": request(b"/a?b=1&c", CLOSE),
    "pipelined": request(b"/a") + request(b"/b") + request(b"/a", CLOSE),
    "pipelined with a miss between": request(b"/a") + request(b"/none") + request(b"/b", CLOSE),
    "pipelined after the end": request(b"/a", CLOSE) + request(b"/b"),
    "a miss": request(b"/none", CLOSE),
    "another method": request(b"/a", CLOSE + b"Content-Length: 2\r\n", b"POST") + b"{}",
    "a body on get": request(b"/a", CLOSE + b"Content-Length: 2\r\n") + b"{}",
    "a chunked body on get": request(b"/a", CLOSE + b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
    "an own endpoint": request(b"/__replaymock/health", CLOSE),
    "a preflight": request(
        b"/a", b"Origin: http://localhost:1\r\nAccess-Control-Request-Method: PUT\r\n" + CLOSE, b"OPTIONS"
    ),
    "http 1.0": request(b"/a", version=b"1.0"),
    "http 1.0 kept": request(b"/a", b"Connection: keep-alive\r\n", version=b"1.0") + request(b"/b", CLOSE),
    "http 1.0 kept, in capitals": request(b"/a", b"Connection: Keep-Alive\r\n", version=b"1.0") * 2
    + request(b"/b", version=b"1.0"),
    "http 1.0 closed": request(b"/a", CLOSE, version=b"1.0") * 2,
    "http 1.0 with head": request(b"/a", method=b"HEAD", version=b"1.0"),
    "http 1.0 without host": b"GET /link HTTP/1.0\r\n\r\n",
    "http 1.0 twice": request(b"/a", version=b"1.0") * 2,
    "http 1.0 kept among others": request(b"/a", b"Connection: keep-alive, x\r\n", version=b"1.0"),
    "http 1.1 kept": request(b"/a", b"Connection: Keep-Alive\r\n") + request(b"/b", CLOSE),
    "http 0.9": b"GET /a\r\n\r\n",
    "http 1.2": request(b"/a", CLOSE, version=b"1.2"),
    "close twice": request(b"/a", CLOSE * 2),
    "close in capitals": request(b"/a", b"CONNECTION: CLOSE\r\n"),
    "close with spaces": request(b"/a", b"Connection: \t close \t \r\n"),
    "an origin with spaces around": request(b"/a", b"Origin: \t http://localhost:1 \t\r\n" + CLOSE),
    "two origins": request(b"/a", b"Origin: http://localhost:1\r\n" * 2 + CLOSE),
    "a host with spaces around": request(b"/link", CLOSE).replace(b" localhost", b"\t localhost  "),
    "an empty header": request(b"/a", b"X:\r\nAccept-Encoding:\r\n" + CLOSE),
    "coded and refused": request(b"/coded", b"Accept-Encoding: gzip;q=0\r\n" + CLOSE),
    "coded and any": request(b"/coded", b"Accept-Encoding: *\r\n" + CLOSE),
    "coded, in two headers": request(b"/coded", b"Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n" + CLOSE),
    "coded, head": request(b"/coded", b"Accept-Encoding: gzip\r\n" + CLOSE, b"HEAD"),
    "own origin elsewhere": request(b"/link", CLOSE).replace(b"localhost", b"mock.test:99"),
    "own origin, head": request(b"/link", CLOSE, b"HEAD"),
    "conditional": request(b"/a", b"If-None-Match: *\r\nIf-Modified-Since: Sun, 22 Nov 2026 13:00:00 GMT\r\n" + CLOSE),
    "a range": request(b"/a", b"Range: bytes=0-1\r\n" + CLOSE),
    "lines before": b"\r\n\r\n" + request(b"/a", CLOSE),
    "a head at the limit": request(b"/a", b"X: " + b"x" * 65000 + b"\r\n" + CLOSE),
    "a head over the limit": request(b"/a", b"X: " + b"x" * 70000 + b"\r\n" + CLOSE),
    "a target of some length": request(b"/a?" + b"x" * 12000, CLOSE),
    "many headers": request(b"/a", b"X: y\r\n" * 1500 + CLOSE),
    "a control in a header": request(b"/a", b"X: a\x01b\r\n" + CLOSE),
    "a delete in a header": request(b"/a", b"X: a\x7fb\r\n" + CLOSE),
    "a tab in a header": request(b"/a", b"X: a\tb\r\n" + CLOSE),
    "a space in a name": request(b"/a", b"X Y: a\r\n" + CLOSE),
    "no name": request(b"/a", b": a\r\n" + CLOSE),
    "no colon": request(b"/a", b"X\r\n" + CLOSE),
    "a name that is no token": request(b"/a", b"X@Y: a\r\n" + CLOSE),
    "bytes in a name": request(b"/a", b"X\xe9: a\r\n" + CLOSE),
    "a control in the target": request(b"/a\x01", CLOSE),
    "a tab for a space": b"GET\t/a HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "small letters": b"get /a http/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "a space at the end of the line": b"GET /a HTTP/1.1 \r\n" + HOST + CLOSE + b"\r\n",
    "a quote in the target": request(b'/a?"<>`{|}\\^', CLOSE),
    "authority form": request(b"localhost:80", CLOSE),
    "asterisk form": request(b"*", CLOSE),
    "an empty host": request(b"/a", CLOSE).replace(b" localhost", b""),
    "a folded host": request(b"/a", CLOSE).replace(b" localhost", b"\r\n localhost"),
    "no content and kept": request(b"/empty") + request(b"/a", CLOSE),
    "an upgrade": request(b"/a", b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n"),
    "expect": request(b"/a", b"Expect: 100-continue\r\n" + CLOSE),
    "no host": b"GET /a HTTP/1.1\r\n" + CLOSE + b"\r\n",
    "two hosts": request(b"/a", HOST + CLOSE),
    "a strange host": request(b"/a", CLOSE).replace(b"localhost", b"lo cal"),
    "absolute form": request(b"http://localhost/a", CLOSE),
    "a fragment": request(b"/a#b", CLOSE),
    "a folded header": request(b"/a", b"X: a\r\n b\r\n" + CLOSE),
    "a bare carriage return": request(b"/a", b"X: a\rb\r\n" + CLOSE),
    "a nul": request(b"/a", b"X: a\0b\r\n" + CLOSE),
    "a space before the colon": request(b"/a", b"X : a\r\n" + CLOSE),
    "two spaces": request(b" /a", CLOSE),
    "line feeds only": request(b"/a", CLOSE).replace(b"\r\n", b"\n"),
    "bytes that are not ascii": request(b"/caf\xe9", CLOSE),
    "latin-1 in a header": request(b"/a", b"X-Name: caf\xe9\r\n" + CLOSE),
    "a sequence": request(b"/steps", b"Replaymock-Session: s\r\n")
    + request(b"/steps", b"Replaymock-Session: s\r\n" + CLOSE),
    "a write": posted(b'{"a": [1, 2]}', CLOSE),
    "a write that is spelled otherwise": posted(b'{ "a" : [1,2] }', CLOSE),
    "a write that misses": posted(b'{"a": [2, 1]}', CLOSE),
    "a write with a page's headers": posted(b'{"a":[1,2]}', BROWSER + CLOSE),
    "a write between reads": request(b"/items") + posted(b'{"a":[1,2]}') + request(b"/items", CLOSE),
    "a write with a wrong length": posted(b'{"a":[1,2]}', CLOSE).replace(b"Length: ", b"Length: +"),
    "a write with two lengths": posted(b'{"a":[1,2]}', b"Content-Length: 1\r\n" + CLOSE),
    "a write and more": posted(b'{"a":[1,2]}', CLOSE) + b"x" * 9,
    "a delete": request(b"/items", CLOSE, b"DELETE"),
    "a delete with a length": request(b"/items", b"Content-Length: 0\r\n" + CLOSE, b"DELETE"),
    "a sequence of the default session": request(b"/steps") * 3 + request(b"/steps", CLOSE),
    "a session by its base path": request(b"/__replaymock/session/b/steps") * 2
    + request(b"/__replaymock/session/b/steps", CLOSE),
    "a stream": request(b"/events", CLOSE),
    "a stream among others": request(b"/a") + request(b"/events") + request(b"/steps", CLOSE),
    "an unknown method": request(b"/items", CLOSE, b"BREW"),
    "close among others": request(b"/a", b"Connection: close, x-other\r\n"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_fast_path_cannot_be_seen_from_outside(both: tuple[Running, Running], name: str) -> None:
    fast, slow = (exchange(server.port, MESSAGES[name]) for server in both)
    for said in (fast, slow):
        # Tornado's own 400 to what is no HTTP at all has no header whatever.
        heads = re.findall(rb"HTTP/1\.1 [2-5][0-9]{2} [ -~]*\r\n(?!\r\n)", said)
        assert said.count(b"\r\nDate: ") == len(heads)
    fast, slow = undated(fast), undated(slow)
    assert fast.replace(b"%d" % both[0].port, b"PORT") == slow.replace(b"%d" % both[1].port, b"PORT")
    assert bool(fast) == (name != "a head over the limit")


@pytest.mark.parametrize("name", ["plain", "browser", "pipelined", "another method", "a miss"])
def test_a_message_in_small_pieces_is_the_same_message(both: tuple[Running, Running], name: str) -> None:
    for server in both:
        whole = exchange(server.port, MESSAGES[name])
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(MESSAGES[name]), 7):
                connection.sendall(MESSAGES[name][at : at + 7])
                time.sleep(0.001)
            assert undated(_rest(connection)) == undated(whole)


def test_a_connection_is_kept_over_many_requests_and_over_the_change_to_the_server(
    both: tuple[Running, Running],
) -> None:
    for server in both:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            for target, body in [(b"/a", b'{"a": 1}'), (b"/b", b"[2]")] * 5:
                connection.sendall(request(target))
                assert _one(connection).endswith(body)
            connection.sendall(request(b"/a", b"Content-Length: 2\r\n", b"POST") + b"{}")
            assert b" 404 " in _one(connection)
            connection.sendall(request(b"/b"))
            assert _one(connection).endswith(b"[2]")


def test_a_slow_reader_gets_everything_and_holds_nobody_up(both: tuple[Running, Running]) -> None:
    for server in both:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(request(b"/large") * 3 + request(b"/a", CLOSE))
            time.sleep(0.1)
            assert ask(server.url, "GET", "/a").body == b'{"a": 1}'
            received = _rest(connection)
        assert received.count(b"HTTP/1.1 200 OK") == 4
        assert len(received) > 24_000_000
        assert received.endswith(b'{"a": 1}')


def test_requests_on_the_fast_path_are_counted_like_others(both: tuple[Running, Running]) -> None:
    listed = [
        ask(server.url, "GET", "/a").status and ask(server.url, "GET", "/__replaymock/requests") for server in both
    ]
    for answer in listed:
        assert b'"outcome": "hit"' in answer.body
        assert b'"file": "a.json"' in answer.body


def test_an_edit_is_served_to_a_connection_that_is_open(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("1")
    with (
        replaymock("replay", tmp_path) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection,
    ):

        def body() -> bytes:
            connection.sendall(request(b"/a"))
            return _one(connection).rpartition(b"\r\n\r\n")[2]

        assert body() == b"1"
        (tmp_path / "a.json").write_text("22")
        eventually(lambda: body() == b"22", 2)


@pytest.mark.parametrize("options", [{"sequence": "strict"}, {"sequence": "loop"}, {"latency": "10"}])
def test_what_may_change_is_not_served_on_the_fast_path(tmp_path: Path, options: dict[str, str]) -> None:
    (tmp_path / "a.json").write_text("1")
    arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
    with replaymock("replay", tmp_path, *arguments) as server:
        statuses = [ask(server.url, "GET", "/a").status for _ in range(2)]
    assert statuses == ([200, 404] if options.get("sequence") == "strict" else [200, 200])


def test_an_idle_connection_is_closed_and_a_busy_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text("1")
    made = FastPath.__init__
    monkeypatch.setattr(FastPath, "__init__", lambda *given: made(*given[:6], idle_seconds=0.4))
    with running_app(tmp_path) as app:
        port = int(app.url.rpartition(":")[2])
        idle, busy = (socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(2))
        with contextlib.closing(idle), contextlib.closing(busy):
            for _ in range(10):
                busy.sendall(request(b"/a"))
                assert _one(busy)
                time.sleep(0.1)
            assert idle.recv(1) == b""


def test_it_ends_in_order_with_connections_open(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("1")
    with replaymock("replay", tmp_path) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.sendall(request(b"/a"))
            assert _one(connection)
            assert server.stop() == 0
            assert connection.recv(1) == b""
        assert "hits 1" in server.log


def test_a_recorder_has_no_fast_path(tmp_path: Path) -> None:
    upstreams = (parse_upstream("http://127.0.0.1:9"),)
    with running_app(tmp_path / "c", upstreams=upstreams, mode="all") as app:
        assert app.server is not None and app.server.fast_path is None


def _one(connection: socket.socket) -> bytes:
    """One answer with a `Content-Length`, whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _rest(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 20):
            received += piece
    return received


@pytest.mark.parametrize("name", ["constant_answer", "answer_at_once"])
def test_a_fault_on_the_fast_path_is_answered_by_the_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(_request: object) -> None:
        raise ZeroDivisionError

    with running_app(folder) as app:
        monkeypatch.setattr(app.replay.engine, name, fail)
        assert exchange(app.port, MESSAGES["plain"]).startswith(b"HTTP/1.1 200 ")
        assert exchange(app.port, MESSAGES["a delete"]).startswith(b"HTTP/1.1 204 ")
