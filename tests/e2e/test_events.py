"""Streams of events: recorded as readable events, and replayed event by event."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from replaymock.proxy.routes import parse_upstream
from replaymock.replay.faults import Latency
from tests.support.inside import Told, put, running_app
from tests.support.running import ask, asking, cassettes, eventually, raw_backend, read_whole

GAP = 0.08
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %b\r\n\r\n"
TICKS = [b'id: %d\nevent: tick\ndata: {"price":%d}\n\n' % (number, number) for number in range(1, 4)]
LINES = [b'{"n":%d}\n' % number for number in range(3)]
# As chat completions are streamed: one choice, its delta in pieces, and a last line that is no JSON.
CHAT = [
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n'
    % word
    for word in (b"Hel", b"lo", b"!")
] + [b"data: [DONE]\n\n"]
STREAMS = {
    "/ticks": (b"text/event-stream", TICKS),
    "/lines": (b"application/x-ndjson", LINES),
    "/chat": (b"text/event-stream; charset=utf-8", CHAT),
}


def handle(connection: socket.socket) -> None:
    head, _ = read_whole(connection)
    path = head.split(b" ")[1].decode()
    if path == "/endless":
        connection.sendall(HEAD % b"text/event-stream")
        while True:
            connection.sendall(TICKS[0])
            time.sleep(0.01)
    media_type, pieces = STREAMS[path]
    connection.sendall(HEAD % media_type)
    for piece in pieces:
        time.sleep(GAP)
        connection.sendall(piece)


@pytest.fixture
def backend() -> Iterator[str]:
    with raw_backend(handle) as origin:
        yield origin


def timed(url: str, path: str) -> tuple[list[bytes], list[float]]:
    """The pieces of an answer as they come, and when, in seconds since its head."""
    pieces, times = [], []
    with asking(url, "POST" if path == "/chat" else "GET", path) as answer:
        began = time.perf_counter()
        while piece := answer.read1(65536):
            pieces.append(piece)
            times.append(time.perf_counter() - began)
    return pieces, times


@pytest.mark.parametrize("path", STREAMS)
def test_the_same_events_come_at_the_same_gaps_from_record_and_from_replay(
    tmp_path: Path, backend: str, path: str
) -> None:
    with running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), mode="all") as app:
        live, live_times = timed(app.url, path)
    with running_app(tmp_path / "c", latency=Latency(factor=1)) as app:
        played, times = timed(app.url, path)
    assert live == played == STREAMS[path][1]
    gaps = [[later - earlier for earlier, later in pairwise(each)] for each in (live_times, times)]
    # Of the middle one: a busy machine may well hold one of them up.
    assert median(abs(recorded - replayed) for recorded, replayed in zip(*gaps, strict=True)) < GAP * 0.8
    [cassette] = cassettes(tmp_path / "c").values()
    assert len(cassette["responses"][0]["events"]) == len(live)


def test_a_stream_is_readable_in_its_cassette_and_its_second_recording_changes_nothing(
    tmp_path: Path, backend: str
) -> None:
    written = []
    for _ in range(2):
        with running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), mode="all") as app:
            timed(app.url, "/ticks")
        written.append((tmp_path / "c/ticks/GET.json").read_bytes())
    events = json.loads(written[0])["responses"][0]["events"]
    assert [(event["id"], event["event"], event["data"]) for event in events][1] == ("2", "tick", {"price": 2})
    assert all(event["delay_ms"] >= GAP * 500 for event in events)
    assert written[0] == written[1]


def test_without_latency_events_come_at_once(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a/GET.json",
        {"request": {"path": "/a"}, "responses": [{"events": [{"data": n, "delay_ms": 3000} for n in range(3)]}]},
    )
    with running_app(tmp_path) as app:
        got = ask(app.url, "GET", "/a")
    assert got.body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert (got.header("content-type"), got.header("content-length")) == ("text/event-stream", "")


def test_a_caller_goes_on_after_the_last_event_it_saw(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a/GET.json",
        {"request": {"path": "/a"}, "responses": [{"events": [{"id": str(n), "data": n} for n in range(3)]}]},
    )
    with running_app(tmp_path) as app:
        assert ask(app.url, "GET", "/a", [("Last-Event-ID", "0")]).body == b"id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n"


def test_a_stream_its_caller_leaves_is_kept_up_to_there(tmp_path: Path, backend: str) -> None:
    with running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), mode="all") as app:
        with asking(app.url, "GET", "/endless") as answer:
            assert answer.read(len(TICKS[0])) == TICKS[0]
        kept = eventually(lambda: cassettes(tmp_path / "c").get("endless/GET.json"))["responses"][0]
    assert kept["truncated"] is True
    assert kept["events"][0]["data"] == {"price": 1} and all("text" not in event for event in kept["events"])


def test_a_truncated_stream_is_held_open_on_replay(tmp_path: Path) -> None:
    response = {"events": [{"data": "x"}], "truncated": True}
    put(tmp_path, "a/GET.json", {"request": {"path": "/a"}, "responses": [response]})
    with running_app(tmp_path) as app, asking(app.url, "GET", "/a", seconds=0.3) as answer:
        assert answer.read(9) == b"data: x\n\n"
        with pytest.raises(TimeoutError):
            answer.read(1)


@pytest.mark.parametrize(
    ("bound", "said"), [({"max_stream_time": 0.2}, "--max-stream-time"), ({"max_body": 2000}, "--max-body")]
)
def test_an_endless_stream_is_kept_as_far_as_a_bound_and_says_so(
    tmp_path: Path, backend: str, bound: dict[str, Any], said: str
) -> None:
    told = Told()
    with running_app(tmp_path / "c", told, upstreams=(parse_upstream(backend),), mode="all", **bound) as app:
        with asking(app.url, "GET", "/endless") as answer:
            assert len(answer.read(4000)) == 4000
            time.sleep(0.3)
            assert answer.read(100)  # the caller still gets the rest
        kept = eventually(lambda: cassettes(tmp_path / "c").get("endless/GET.json"))["responses"][0]
    assert kept["truncated"] is True and kept["events"]
    assert said in told.log


def test_a_coded_stream_is_kept_readable_with_its_gaps(tmp_path: Path) -> None:
    def coded(connection: socket.socket) -> None:
        read_whole(connection)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Type: text/event-stream\r\n\r\n"
        )
        for tick in TICKS:
            time.sleep(GAP)
            connection.sendall(gzip.compress(tick))

    with (
        raw_backend(coded) as backend,
        running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), mode="all") as app,
    ):
        ask(app.url, "GET", "/ticks", [("Accept-Encoding", "gzip")])
    events = cassettes(tmp_path / "c")["ticks/GET.json"]["responses"][0]["events"]
    assert [event["data"] for event in events] == [{"price": 1}, {"price": 2}, {"price": 3}]
    assert all(event["delay_ms"] >= GAP * 500 for event in events)


def test_a_long_body_keeps_where_it_paused(tmp_path: Path) -> None:
    def slowly(connection: socket.socket) -> None:
        read_whole(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Type: application/octet-stream\r\n\r\nabc")
        time.sleep(0.15)
        connection.sendall(b"def")

    with (
        raw_backend(slowly) as backend,
        running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), mode="all") as app,
    ):
        ask(app.url, "GET", "/a")
    [pause] = cassettes(tmp_path / "c")["a/GET.json"]["responses"][0]["pauses"]
    assert pause["at"] == 3 and pause["ms"] >= 100
    with running_app(tmp_path / "c", latency=Latency(factor=1)) as app:
        assert timed(app.url, "/a")[0] == [b"abc", b"def"]
