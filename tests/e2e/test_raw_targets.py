"""What arrives upstream is byte for byte what was sent, and each of the odd requests replays as itself."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import ask, exchange, raw_backend, read_whole, replaymock, reply

# No two of these are the same request.
TARGETS = [
    "/",
    "//",
    "//x",
    "/x",
    "/x/",
    "/X",
    "/a/b",
    "/a%2Fb",
    "/a/../b",
    "/b",
    "/a/./b",
    "/a//b",
    "/zz%zz",
    "/zz%25zz",
    "/50%",
    "/sp%20ace",
    "/plus+plus",
    "/semi;a=b",
    "/caf%C3%A9",
    "/caf%E9",
    '/quote"s',
    "/back\\slash",
    "/pipe|hat^tick`",
    "/curly{id}",
    "/star*",
    "/http://elsewhere/x",
    "/q",
    "/q?a&a=&=b",
    "/q?a",
    "/q?a=",
    "/q?=b",
    "/q?a=1&a=2",
    "/q?a=1%262",
    "/q?%zz",
    "/q?a=%zz",
    "/q?x=%00",
    "/q?x=%C3%A9",
    "/q?x=%E9",
    "/q?a=b?c",
    "/q?a=b/../c",
    "/.json",
    "/con/aux.json",
    "/GET.json",
    "/__replaymockish",
]
METHODS = ["GET", "POST", "PURGE", "M-SEARCH", "PROPFIND", "get", "X!#$%&'*+-.^_`|~9"]


class Log:
    """A backend that keeps the bytes of each request and answers with its number."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []

    def handle(self, connection: socket.socket) -> None:
        head, body = read_whole(connection)
        self.heads.append(head)
        self.bodies.append(body)
        connection.sendall(reply(b'{"number":%d}' % len(self.heads)))

    def fields(self, number: int) -> list[tuple[bytes, bytes]]:
        """The header fields of a request as they came."""
        lines = self.heads[number].split(b"\r\n")[1:]
        return [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def backend(log: Log) -> Iterator[str]:
    with raw_backend(log.handle) as origin:
        yield origin


def test_every_target_arrives_as_sent_and_replays_as_itself(backend: str, log: Log, tmp_path: Path) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        recorded = {target: ask(server.url, "GET", target).body for target in TARGETS}
    assert [head.split(b"\r\n")[0] for head in log.heads] == [f"GET {target} HTTP/1.1".encode() for target in TARGETS]
    assert len(set(recorded.values())) == len(TARGETS)
    with replaymock("replay", tmp_path / "c") as server:
        replayed = {target: ask(server.url, "GET", target) for target in TARGETS}
    assert {target: got.header("cache-status") for target, got in replayed.items()} == dict.fromkeys(
        TARGETS, "replaymock; hit"
    )
    assert {target: got.body for target, got in replayed.items()} == recorded


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ("/only?", "/only"),
        ("/none", "/none?"),
        ("/h%2fx", "/h%2Fx"),
        ("/%7euser", "/~user"),
        ("/o?b=2&a=1", "/o?a=1&b=2"),
        ("/o?x=%41", "/o?x=A"),
        ("/o?x=a+b", "/o?x=a%20b"),
    ],
)
def test_two_spellings_of_one_request_are_one(folder_of_spellings: str, sent: str, asked: str) -> None:
    got = ask(folder_of_spellings, "GET", asked)
    assert (got.header("cache-status"), got.json()) == ("replaymock; hit", {"sent": sent})


@pytest.fixture(scope="module")
def folder_of_spellings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("spellings") / "c"

    def handle(connection: socket.socket) -> None:
        target = read_whole(connection)[0].split(b" ")[1]
        connection.sendall(reply(b'{"sent":"%b"}' % target))

    with raw_backend(handle) as backend, replaymock("record", folder, "--upstream", backend) as server:
        for target in ("/only?", "/none", "/h%2fx", "/%7euser", "/o?b=2&a=1", "/o?x=%41", "/o?x=a+b"):
            ask(server.url, "GET", target)
    with replaymock("replay", folder) as server:
        yield server.url


def test_header_values_arrive_in_order_and_byte_for_byte(backend: str, log: Log, tmp_path: Path) -> None:
    sent = [
        ("X-Twice", "one"),
        ("x-latin", "caf\xe9 \xff"),
        ("X-Twice", "two, three"),
        ("X-Twice", ""),
        ("Cookie", "a=1; b=2"),
        ("Cookie", "c=3"),
        ("Authorization", "Basic YTpi"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("User-Agent", ""),
    ]
    with replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        assert ask(server.url, "GET", "/h", sent).status == 200
    arrived = log.fields(0)
    for name in {name.lower() for name, _ in sent}:
        there = [value for key, value in arrived if key.lower() == name.encode()]
        assert there == [value.encode("latin-1") for key, value in sent if key.lower() == name]
    extra = {key.lower() for key, _ in arrived} - {name.lower().encode() for name, _ in sent}
    assert extra <= {b"host", b"via", b"accept-encoding"}


def test_host_is_upstreams_via_is_added_and_hop_by_hop_ends_here(backend: str, log: Log, tmp_path: Path) -> None:
    sent = [
        ("Connection", "close, X-Private, TE"),
        ("X-Private", "1"),
        ("TE", "trailers"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("Proxy-Authorization", "Basic YTpi"),
        ("Upgrade", "h2c"),
        ("Via", "1.0 before"),
        ("Accept-Encoding", "gzip, compress, br;q=0.5"),
    ]
    with replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        assert ask(server.url, "GET", "/h", sent).status == 200
    arrived = {name.lower(): value for name, value in log.fields(0)}
    assert arrived[b"host"] == backend.removeprefix("http://").encode()
    assert arrived[b"via"].startswith(b"1.0 before, 1.1 replaymock")
    assert [item.strip() for item in arrived[b"accept-encoding"].split(b",")] == [b"gzip", b"br;q=0.5"]
    gone = {b"x-private", b"te", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"upgrade"}
    assert not gone & set(arrived)


def test_odd_methods_arrive_as_sent_and_replay_apart(backend: str, log: Log, tmp_path: Path) -> None:
    with replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        recorded = {method: ask(server.url, method, "/m").body for method in METHODS}
    assert [head.split(b" ")[0].decode() for head in log.heads] == METHODS
    with replaymock("replay", tmp_path / "c") as server:
        replayed = {method: ask(server.url, method, "/m").body for method in METHODS}
    assert replayed == recorded


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_request_body_arrives_byte_for_byte_in_its_own_framing(
    backend: str, log: Log, tmp_path: Path, framing: str
) -> None:
    body = bytes(range(256)) * 20
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:1000], body[1000:])) + b"0\r\n\r\n"
    head = "Content-Length: 5120" if framing == "length" else "Transfer-Encoding: chunked"
    with replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        request = f"POST /up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{head}\r\n\r\n".encode()
        answer = exchange(server.port, request + (body if framing == "length" else pieces))
    assert answer.startswith(b"HTTP/1.1 200 ")
    if framing == "length":
        assert log.bodies[0] == body
    else:
        assert b"transfer-encoding: chunked" in log.heads[0].lower()
        assert b"content-length" not in log.heads[0].lower()
        assert _unchunked(log.bodies[0]) == body


@pytest.mark.parametrize(
    "request_",
    [
        b"GET http://elsewhere.example/x HTTP/1.1\r\nHost: localhost\r\n",
        b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: localhost\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /x#part HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /x HTTP/1.1\r\n",
        b"GET /x HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: +1\r\n",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n",
    ],
)
def test_another_form_or_broken_framing_is_refused_with_nothing_sent_on(
    recording: tuple[int, Log], request_: bytes
) -> None:
    port, log = recording
    answer = exchange(port, request_ + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert log.heads == []


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Log]]:
    log = Log()
    folder = tmp_path_factory.mktemp("refused") / "c"
    with raw_backend(log.handle) as backend, replaymock("record", folder, "--upstream", backend) as server:
        yield server.port, log


def _unchunked(data: bytes) -> bytes:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        body += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]
    return body
