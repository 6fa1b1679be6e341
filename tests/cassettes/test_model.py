"""The cassette and the file it is written as; what is written is what is read."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.cassettes.reader import load
from replaymock.cassettes.writer import dump
from replaymock.http import bodies, event_stream
from replaymock.http.headers import Headers
from replaymock.http.status import standard_reason
from tests.support import strategies
from tests.support.factories import JSON, a_cassette, beside, recorded

FILE = "api/GET.json"

# What recording makes of a response: sorted lower-case headers, any body, any status.
stored_headers: st.SearchStrategy[Headers] = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "etag", "set-cookie", "x-tag", "vary"]),
        st.sampled_from(
            ["application/json", "text/html; charset=latin-1", "image/png", "a=1", "", "\xe9", "text/plain"]
        ),
    ),
    max_size=5,
).map(lambda pairs: tuple(sorted(pairs, key=lambda pair: pair[0])))
responses = st.builds(
    RecordedResponse,
    status=st.sampled_from([200, 201, 302, 404, 418, 599]),
    reason=st.sampled_from(["OK", "Created", "", "Custom", "\xe9"]),
    headers=stored_headers.filter(lambda headers: any(name == "content-type" for name, _ in headers)),
    body=st.binary(max_size=40)
    | strategies.json_bodies
    | st.just(b"x" * 70_000)
    | st.just(b"[" + b"1," * 40_000 + b"1]"),
    rewrite=st.booleans(),
    encoded=st.booleans(),
    pauses=st.sampled_from([(), ((10, 60), (20, 5000))]),
    after=st.sampled_from(["", "POST /items", "POST /items x2"]),
    recorded_at=st.just("2026-11-22T13:00:00Z"),
    elapsed_ms=st.integers(0, 9999),
)

SSE = "text/event-stream"
pieces = st.sampled_from(["data: x\n\n", 'id: 1\ndata: {"a": 1}\n\n', "data: é\n\n", ": c\r\n\r\n", "data: cut"])


def a_stream(pieces: list[str], milliseconds: int, truncated: bool) -> RecordedResponse:
    data = "".join(pieces).encode()
    pauses = event_stream.pauses_of(SSE, data, tuple((at, at * milliseconds) for at in range(1, len(data) + 1)))
    headers = (("content-type", SSE),)
    return recorded(data, 200, headers, pauses=pauses, truncated=truncated, recorded_at="2026-11-22T13:00:00Z")


streams = st.builds(a_stream, st.lists(pieces, max_size=5), st.integers(0, 3), st.booleans())
responses |= streams


@settings(max_examples=200)
@given(st.lists(responses, min_size=1, max_size=3))
def test_what_is_written_is_what_is_read(found: list[RecordedResponse]) -> None:
    cassette = Cassette(CassetteRequest("GET", "/api"), tuple(found))
    files = dump(cassette, FILE)
    assert load(FILE, files["GET.json"], beside(files)) == cassette


@given(st.lists(responses, min_size=1, max_size=2))
def test_writing_what_was_read_gives_the_same_bytes(found: list[RecordedResponse]) -> None:
    files = dump(Cassette(CassetteRequest("GET", "/api"), tuple(found)), FILE)
    assert dump(load(FILE, files["GET.json"], beside(files)), FILE) == files


@given(st.lists(responses, min_size=1, max_size=2))
def test_a_file_is_indented_utf_8_with_line_feeds_and_a_final_newline(found: list[RecordedResponse]) -> None:
    text = dump(Cassette(CassetteRequest("GET", "/api"), tuple(found)), FILE)["GET.json"].decode()
    assert text.endswith("}\n") and not text.endswith("\n\n") and "\r" not in text
    assert text.startswith('{\n  "version": 1,\n  "request": {\n    "method": "GET",\n')


def test_small_bodies_are_inside_and_large_or_binary_ones_beside() -> None:
    text, large, binary = (
        recorded(b'{"a":1}'),
        recorded(b'"' + b"x" * 70_000 + b'"'),
        recorded(b"\x00\x01", headers=(("content-type", "image/png"),)),
    )
    files = dump(a_cassette("/api", text, large, binary), FILE)
    assert list(files) == ["GET.2.body.json", "GET.3.body.png", "GET.json"]
    assert files["GET.3.body.png"] == b"\x00\x01"


def test_the_order_of_members_is_fixed() -> None:
    cassette = a_cassette("/items", recorded(recorded_at="2026-11-22T13:00:00Z", elapsed_ms=41, after="POST /items"))
    content = json.loads(dump(cassette, FILE)["GET.json"])
    assert list(content) == ["version", "request", "responses"]
    assert list(content["responses"][0]) == ["after", "status", "headers", "json", "recorded_at", "elapsed_ms"]


@pytest.mark.parametrize(("status", "reason"), [(200, "OK"), (404, "Not Found"), (599, ""), (799, "")])
def test_standard_reasons(status: int, reason: str) -> None:
    assert standard_reason(status) == reason


def test_a_template_stands_for_many_paths() -> None:
    assert CassetteRequest("GET", "/users/{id}").is_template
    assert not CassetteRequest("GET", "/users/7").is_template


def test_a_body_that_was_not_kept_is_known_by_its_digest() -> None:
    request = CassetteRequest("POST", "/a", body=bodies.Digest("00ff", 9))
    assert request.to_request().body == b""
    assert request.known_body() == ("bytes", "00ff")
    assert CassetteRequest("POST", "/a", headers=JSON, body=bodies.Json(b"1")).known_body() is None
