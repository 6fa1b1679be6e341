"""httpbin asked directly, through `record`, and from its cassettes once it is gone: the same answers."""

import gzip
import json
import re
import socket
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import brotli
import pytest
from backports import zstd

from tests.support.running import Got, ask, raw_backend, read_request, replaymock, reply

# httpbin itself hands bytes to a header of Werkzeug, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Passing bytes as a header value:DeprecationWarning")

Headers = tuple[tuple[str, str], ...]
JSON: Headers = (("Content-Type", "application/json"),)
FORM: Headers = (("Content-Type", "application/x-www-form-urlencoded"),)
PARTS: Headers = (("Content-Type", "multipart/form-data; boundary=xYzZY"),)
OCTETS: Headers = (("Content-Type", "application/octet-stream"),)
MULTIPART = (
    b'--xYzZY\r\nContent-Disposition: form-data; name="title"\r\n\r\nsummer\r\n'
    b'--xYzZY\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\x00\xff\r\n--xYzZY--\r\n"
)
MEGABYTE = bytes(range(256)) * 4096


@dataclass(frozen=True)
class Asked:
    """One request of the story."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes | None = None

    def __str__(self) -> str:
        more = "-".join([value for _, value in self.headers] + ([str(len(self.body))] if self.body else []))
        return f"{self.method} {self.target[:40]} {more[:40]}".strip()


def get(target: str, *headers: tuple[str, str]) -> Asked:
    return Asked("GET", target, headers)


STORED = [
    get("/get"),
    get("/get?a=1&b=2&a=3"),
    get("/get?q=caf%C3%A9&empty=&plus=a+b"),
    Asked("HEAD", "/html"),
    Asked("HEAD", "/image/png"),
    Asked("OPTIONS", "/get"),
    Asked("DELETE", "/delete"),
    Asked("DELETE", "/anything/7", JSON, b'{"why": "old"}'),
    Asked("PATCH", "/patch", JSON, b'{"name": "new"}'),
    Asked("PUT", "/put", (("Content-Type", "text/plain; charset=utf-8"),), "grüße €".encode()),
    Asked("POST", "/post", JSON, '{"a": [1, 2.50, null], "ü": "\\u00e9 \U0001f600"}'.encode()),
    Asked("POST", "/post", JSON, b""),
    Asked("POST", "/post", FORM, b"name=J%C3%BCrgen&tag=a&tag=b&note=1+2"),
    Asked("POST", "/post", PARTS, MULTIPART),
    Asked("POST", "/post", OCTETS, bytes(range(256))),
    Asked("POST", "/post", OCTETS, MEGABYTE),
    Asked("PUT", "/anything/upload?part=1", OCTETS, b"\x00\x01\x02"),
    *(get(f"/status/{status}") for status in (200, 201, 202, 203, 204, 205, 300, 302, 304, 400, 402, 404, 405, 409)),
    *(get(f"/status/{status}") for status in (410, 415, 418, 422, 451)),
    Asked("POST", "/status/201", JSON, b"{}"),
    get("/gzip", ("Accept-Encoding", "gzip")),
    get("/deflate", ("Accept-Encoding", "deflate")),
    get("/brotli", ("Accept-Encoding", "gzip, deflate, br")),
    get("/encoding/utf8"),
    get("/html"),
    get("/xml"),
    get("/json"),
    get("/robots.txt"),
    get("/forms/post"),
    get("/links/5/0"),
    get("/image/png"),
    get("/image/jpeg"),
    get("/image/webp"),
    get("/image/svg"),
    get("/bytes/2048?seed=7"),
    get("/stream-bytes/5000?seed=3&chunk_size=1000"),
    get("/stream/5"),
    get("/drip?duration=0.2&numbytes=4&delay=0"),
    get("/range/1024"),
    get("/base64/SGVsbG8gd8O2cmxk"),
    get("/etag/abc"),
    get("/cache/60"),
    get("/response-headers?X-One=1&X-Two=a&X-Two=b"),
    get("/redirect/2"),
    get("/absolute-redirect/2"),
    get("/relative-redirect/1"),
    get("/redirect-to?url=https%3A%2F%2Felsewhere.example%2Fx&status_code=307"),
    get("/cookies/set?flavour=plain&size=2"),
    get("/cookies/delete?flavour=&size="),
    get("/basic-auth/ann/x1", ("Authorization", "Basic YW5uOngx")),
    get("/user-agent", ("User-Agent", "story/1")),
]
ERRORS = [get("/status/500"), get("/status/503"), get("/status/429"), get("/status/401"), get("/basic-auth/ann/x2")]


@dataclass(frozen=True)
class Story:
    """What each request was answered: directly, while recording, and on replay."""

    direct: dict[Asked, Got]
    recording: dict[Asked, Got]
    replayed: dict[Asked, Got]


@pytest.fixture(scope="module")
def story(httpbin: str, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("httpbin") / "cassettes"
    asked = [*STORED, *ERRORS]
    with raw_backend(_piped_to(httpbin)) as backend:
        direct = {request: _asked(backend, request) for request in asked}
        with replaymock("record", folder, "--upstream", backend) as server:
            recording = {request: _asked(server.url, request) for request in asked}
    with pytest.raises(ConnectionRefusedError):
        ask(backend, "GET", "/get")
    with replaymock("replay", folder) as server:
        replayed = {request: _asked(server.url, request) for request in asked}
    return Story(direct, recording, replayed)


def test_there_are_at_least_forty_five_requests() -> None:
    assert len(set(STORED)) >= 45


@pytest.mark.parametrize("request_", STORED, ids=str)
def test_recording_changes_nothing_the_caller_relies_on(story: Story, request_: Asked) -> None:
    direct, recording = story.direct[request_], story.recording[request_]
    assert (recording.status, recording.reason) == (direct.status, direct.reason)
    assert _headers_that_matter(recording) == _headers_that_matter(direct)
    assert recording.header("content-encoding") == direct.header("content-encoding")
    assert recording.header("cache-status") == "replaymock; fwd=request; stored"
    assert _content(recording) == _content(direct)


@pytest.mark.parametrize("request_", STORED, ids=str)
def test_replay_answers_as_recorded_with_the_backend_gone(story: Story, request_: Asked) -> None:
    recording, replayed = story.recording[request_], story.replayed[request_]
    assert replayed.header("cache-status") == "replaymock; hit"
    assert (replayed.status, replayed.reason) == (recording.status, recording.reason)
    assert _headers_that_matter(replayed) == _headers_that_matter(recording)
    assert replayed.header("content-encoding") == recording.header("content-encoding")
    assert _content(replayed) == _content(recording)


@pytest.mark.parametrize("request_", ERRORS, ids=str)
def test_an_error_reaches_the_caller_and_is_not_recorded(story: Story, request_: Asked) -> None:
    direct, recording = story.direct[request_], story.recording[request_]
    assert (recording.status, recording.body) == (direct.status, direct.body)
    assert recording.header("www-authenticate") == direct.header("www-authenticate")
    assert recording.header("cache-status") == "replaymock; fwd=request"
    assert story.replayed[request_].json()["code"] == "no_match"


def test_a_range_is_recorded_whole_and_replayed_as_asked(httpbin: str, tmp_path: Path) -> None:
    part = (("Range", "bytes=10-19"), ("If-None-Match", "*"))
    assert ask(httpbin, "GET", "/range/64", part[:1]).status == 206
    with replaymock("record", tmp_path / "c", "--upstream", httpbin) as server:
        recording = ask(server.url, "GET", "/range/64", part)
    with replaymock("replay", tmp_path / "c") as server:
        replayed = ask(server.url, "GET", "/range/64", part)
    assert [(got.status, len(got.body)) for got in (recording, replayed)] == [(206, 10), (206, 10)]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_coded_body_is_served_coded_or_plain_as_the_caller_accepts(tmp_path: Path, coding: str) -> None:
    plain = b'{"greeting": "hello, hello, hello"}'
    coded = _ENCODE[coding](plain)
    with (
        raw_backend(_answering(reply(coded, f"Content-Encoding: {coding}"))) as backend,
        replaymock("record", tmp_path / "c", "--upstream", backend) as server,
    ):
        recording = ask(server.url, "GET", "/coded", [("Accept-Encoding", coding)])
    assert (recording.header("content-encoding"), recording.body) == (coding, coded)
    assert '"hello, hello, hello"' in (tmp_path / "c/coded/GET.json").read_text()
    with replaymock("replay", tmp_path / "c") as server:
        accepting = ask(server.url, "GET", "/coded", [("Accept-Encoding", coding)])
        other = ask(server.url, "GET", "/coded")
    assert accepting.header("content-encoding") == coding
    assert _content(accepting) == plain
    assert (other.header("content-encoding"), other.body) == ("", plain)


def _asked(origin: str, request: Asked) -> Got:
    got = ask(origin, request.method, request.target, request.headers, request.body)
    own = origin.encode()
    headers = [(name, value.replace(origin, "{O}")) for name, value in got.headers]
    return Got(got.status, got.reason, headers, got.body.replace(own, b"{O}"))


def _headers_that_matter(got: Got) -> dict[str, list[str]]:
    names = ("content-type", "location", "set-cookie", "etag", "allow", "cache-control", "x-one", "x-two", "link")
    found = {name: got.all(name) for name in names}
    found["set-cookie"] = [_EXPIRES.sub("", value) for value in found["set-cookie"]]
    return found


def _content(got: Got) -> object:
    """The body without content coding; of what httpbin echoes, without the header that names the proxy."""
    body = _DECODE[got.header("content-encoding")](got.body)
    if b'"headers"' not in body:
        return body
    echoed = [json.loads(line) for line in body.splitlines()] if body.count(b'"headers"') > 1 else [json.loads(body)]
    for value in echoed:
        value["headers"].pop("Via", None)
        value["headers"].pop("Connection", None)
    return echoed


def _piped_to(origin: str) -> Callable[[socket.socket], None]:
    """A connection handler that passes everything on to `origin`: a backend that can be taken away."""
    host, _, port = origin.rpartition("//")[2].rpartition(":")

    def handle(caller: socket.socket) -> None:
        with socket.create_connection((host, int(port))) as backend:
            there = threading.Thread(target=_pump, args=(caller, backend), daemon=True)
            there.start()
            _pump(backend, caller)
            there.join(1)

    return handle


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _answering(answer: bytes) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return handle


_EXPIRES = re.compile(r"Expires=[^;]*")
_DECODE = {
    "": lambda data: data,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}
_ENCODE = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}
