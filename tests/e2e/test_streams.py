"""Bodies that take their time, or never come to their end, as they pass through `record`."""

import gzip
import http.client
import itertools
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import Got, ask, asking, raw_backend, read_request, replaymock

GAP = 0.1
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
GZIPPED = b"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n"


PIECES = [b"data: piece %d\n\n" % number for number in range(5)]


@pytest.fixture(scope="module")
def dripping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A recorder before a backend that sends five pieces of the media type its path names, with gaps between."""
    folder = tmp_path_factory.mktemp("dripping") / "c"
    with raw_backend(_drip) as backend, replaymock("record", folder, "--upstream", backend) as server:
        yield server.url


@pytest.mark.parametrize(
    "media_type", ["application/octet-stream", "text/plain", "application/json", "text/event-stream", "text/html"]
)
@pytest.mark.parametrize("coding", ["plain", "coded"])
def test_a_stream_keeps_its_gaps_while_it_is_recorded(dripping: str, media_type: str, coding: str) -> None:
    times, body = _timed(dripping, f"/{coding}/{media_type}")
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert body == b"".join(PIECES)
    assert times[0] < times[-1] - 2 * GAP
    assert len([gap for gap in gaps if gap > GAP / 2]) >= 3


def test_a_stream_with_a_length_is_not_held_either(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(HEAD + b"Content-Type: text/plain\r\nContent-Length: 10\r\n\r\n")
        for _ in range(5):
            connection.sendall(b"ab")
            time.sleep(GAP)

    with raw_backend(handle) as backend, replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        times, body = _timed(server.url, "/plain")
    assert body == b"ababababab"
    assert times[0] < times[-1] - 2 * GAP
    assert len(times) >= 4


def test_the_head_of_an_answer_does_not_wait_for_its_body(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHUNKED + b"Content-Type: text/event-stream\r\n\r\n")
        connection.recv(1)

    with (
        raw_backend(handle) as backend,
        replaymock("record", tmp_path / "c", "--upstream", backend) as server,
        asking(server.url, "GET", "/events", seconds=3) as answer,
    ):
        assert answer.status == 200


CUT: dict[str, bytes] = {
    "a short length": HEAD + b"Content-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nonly this",
    "a short length of text": HEAD + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{}",
    "no last chunk": CHUNKED + b"Content-Type: application/octet-stream\r\n\r\n5\r\nhello\r\n",
    "no last chunk of text": CHUNKED + b"Content-Type: text/plain\r\n\r\n5\r\nhello\r\n",
    "half a chunk": CHUNKED + b"Content-Type: text/plain\r\n\r\n20\r\nhello",
    "a broken chunk": CHUNKED + b"Content-Type: text/plain\r\n\r\n5\r\nhello\r\nzz\r\n",
    "a short coded length": HEAD + GZIPPED + b"Content-Length: 99\r\n\r\n\x1f\x8b\x08",
    "no last chunk, coded": CHUNKED + GZIPPED + b"\r\n3\r\n\x1f\x8b\x08\r\n",
}


@pytest.mark.parametrize("ending", ["closed", "reset", "reset after a while"])
def test_what_upstream_cuts_short_is_cut_short_for_the_caller_and_not_saved(tmp_path: Path, ending: str) -> None:
    answers = dict(enumerate(CUT.values()))

    def handle(connection: socket.socket) -> None:
        number = int(read_request(connection).split(b"/")[1].split(b" ")[0])
        connection.sendall(answers[number])
        if ending == "reset after a while":
            time.sleep(0.1)
        if ending.startswith("reset"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    with raw_backend(handle) as backend, replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        outcomes = {name: _outcome(server.url, f"/{number}") for number, name in enumerate(CUT)}
    assert outcomes == dict.fromkeys(CUT, "cut short")
    assert not list((tmp_path / "c").rglob("*.json"))


def test_a_caller_of_http_1_0_is_told_by_a_reset_that_a_body_is_cut_short(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CUT["no last chunk"])

    with (
        raw_backend(handle) as backend,
        replaymock("record", tmp_path / "c", "--upstream", backend) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection,
    ):
        connection.sendall(b"GET /x HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            while connection.recv(65536):
                pass


def test_links_in_a_coded_chunked_text_become_the_callers_live_and_on_replay(tmp_path: Path) -> None:
    with raw_backend(_linking) as backend, replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        live = [_linked(server.url, target) for target in ("/slow", "/quick")]
        expected = _page(server.url)
    with replaymock("replay", tmp_path / "c") as replaying:
        replayed = [_linked(replaying.url, target) for target in ("/slow", "/quick")]
    assert live == [("gzip", expected)] * 2
    assert replayed == [("gzip", _page(replaying.url))] * 2
    assert "{{origin}}/next" in (tmp_path / "c/slow/GET.json").read_text()


def test_an_origin_split_between_two_pieces_is_still_found(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        host = _host_of(read_request(connection))
        text = b"see http://" + host + b"/a and http://" + host + b"1/b and http://" + host
        connection.sendall(CHUNKED + b"Content-Type: text/plain\r\n\r\n")
        for at in range(len(text)):
            connection.sendall(b"1\r\n" + text[at : at + 1] + b"\r\n")
            time.sleep(0.003)
        connection.sendall(b"0\r\n\r\n")

    with raw_backend(handle) as backend, replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        body = ask(server.url, "GET", "/x").body.decode()
    assert body == f"see {server.url}/a and {backend}1/b and {server.url}"


def _timed(url: str, path: str) -> tuple[list[float], bytes]:
    """When each piece of a body came, in seconds from the request, and the body without content coding."""
    started = time.monotonic()
    times, body = [], b""
    with asking(url, "GET", path, [("Accept-Encoding", "gzip")]) as answer:
        coded = answer.getheader("content-encoding") == "gzip"
        decoder = zlib.decompressobj(31)
        while piece := answer.read1(65536):
            plain = decoder.decompress(piece) if coded else piece
            if plain:
                times.append(time.monotonic() - started)
                body += plain
    return times, body


def _drip(connection: socket.socket) -> None:
    _, coding, media_type = read_request(connection).split(b" ")[1].split(b"/", 2)
    is_coded = coding == b"coded"
    named = b"Content-Encoding: gzip\r\n" if is_coded else b""
    connection.sendall(CHUNKED + b"Content-Type: " + media_type + b"\r\n" + named + b"\r\n")
    encoder = zlib.compressobj(wbits=31)
    for number, piece in enumerate(PIECES):
        time.sleep(GAP if number else 0)
        connection.sendall(_chunk(encoder.compress(piece) + encoder.flush(zlib.Z_SYNC_FLUSH) if is_coded else piece))
    connection.sendall((_chunk(encoder.flush()) if is_coded else b"") + b"0\r\n\r\n")


def _linking(connection: socket.socket) -> None:
    head = read_request(connection)
    coded = gzip.compress(_page(f"http://{_host_of(head).decode()}").encode())
    connection.sendall(CHUNKED + b"Content-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n")
    for at in range(0, len(coded), 20):
        connection.sendall(_chunk(coded[at : at + 20]))
        if b"/slow" in head:
            time.sleep(0.02)
    connection.sendall(b"0\r\n\r\n")


def _page(origin: str) -> str:
    escaped = origin.replace("/", "\\/")
    return f'<a href="{origin}/next">next</a> {{"json": "{escaped}\\/x"}} {origin}'


def _linked(url: str, target: str) -> tuple[str, str]:
    got: Got = ask(url, "GET", target, [("Accept-Encoding", "gzip")])
    return got.header("content-encoding"), gzip.decompress(got.body).decode()


def _outcome(url: str, target: str) -> str:
    try:
        got = ask(url, "GET", target)
    except (http.client.IncompleteRead, http.client.BadStatusLine, ConnectionResetError):
        return "cut short"
    return f"{got.status} {got.body!r}"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _host_of(head: bytes) -> bytes:
    return next(line for line in head.split(b"\r\n") if line.lower().startswith(b"host:"))[5:].strip()
