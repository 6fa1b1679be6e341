"""Streams that their client leaves: the beginning of what is stored changes nothing, and more takes its place."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from replaymock.app import App
from replaymock.config.config_file import read
from replaymock.matching.matcher import Matcher
from replaymock.proxy.routes import parse_upstream
from replaymock.storage.audit.check import check
from tests.support.inside import running_app
from tests.support.running import ask, asking, cassettes, eventually, raw_backend, read_whole
from tests.support.sockets import socket_backend
from tests.support.websocket_clients import as_client

CHUNKED = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nContent-Type: %b\r\n\r\n"
PIECES = 6
TIMED = {"/sse": b'"at": %d, "n"', "/ndjson": b'"at":%d,"n"'}
KINDS: dict[str, tuple[bytes, bytes]] = {
    "/sse": (b"text/event-stream", b'id: %d\ndata: {"n": %d}\n\n'),
    "/sse-text": (b"text/event-stream; charset=utf-8", b"event: tick\ndata: %d of\ndata: %d\n\n"),
    "/ndjson": (b"application/x-ndjson", b'{"id":%d,"n":%d}\n'),
    "/jsonl": (b"application/jsonl", b'{"id": %d, "n": %d}\n'),
    "/json": (b"application/json", b"[%d,%d]  "),
    "/text": (b"text/plain", b"line %d of a long text, number %d\n"),
    "/bytes": (b"application/octet-stream", b"\x00%d\xff%d"),
}
EVENTS = ("/sse", "/sse-text", "/ndjson", "/jsonl")


def piece(path: str, number: int, salt: int = 0) -> bytes:
    return KINDS[path][1] % (number, number + salt)


class Backend:
    """Sends six pieces of a stream, and the later ones only when a gate is open; `salts` tells streams apart."""

    def __init__(self) -> None:
        self.salts: Iterator[int] = iter(())
        self.times = False

    def handle(self, connection: socket.socket) -> None:
        head, _ = read_whole(connection)
        path = head.split(b" ")[1].decode()
        if path not in KINDS:
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        salt = next(self.salts, 0)
        connection.sendall(CHUNKED % KINDS[path][0])
        for number in range(PIECES):
            data = piece(path, number, salt)
            if self.times:
                data = data.replace(b'"n"', TIMED[path] % time.perf_counter_ns())
            connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
            time.sleep(0.03)
        connection.sendall(b"0\r\n\r\n")


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def origin(backend: Backend) -> Iterator[str]:
    with raw_backend(backend.handle) as found:
        yield found


def recording(folder: Path, origin: str, mode: str = "all", **more: Any) -> Any:
    return running_app(folder, more.pop("told", None), upstreams=(parse_upstream(origin),), mode=mode, **more)


def leave(app: App, path: str, pieces: int) -> None:
    """Asks for a stream, and leaves it after so many pieces of it; all of them is its end."""
    told = app.replay.engine.journal.total
    with asking(app.url, "GET", path) as answer:
        size = sum(len(piece(path, number)) for number in range(pieces))
        got = answer.read(size) if pieces < PIECES else answer.read()
    assert got
    if path in EVENTS or pieces >= PIECES:
        eventually(lambda: app.replay.engine.journal.total > told)
    else:
        time.sleep(0.1)


def outcomes(app: App) -> list[str]:
    return [request["outcome"] for request in app.replay.engine.journal.requests()]


def committed(folder: Path) -> None:
    for line in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@example.test", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *line], cwd=folder, check=True)


def changed(folder: Path) -> str:
    """What `git status` says of a folder."""
    found = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True)
    return found.stdout


@pytest.mark.parametrize("mode", ["all", "new", "rewrite"])
@pytest.mark.parametrize("path", KINDS)
def test_what_is_left_earlier_than_before_changes_nothing(tmp_path: Path, origin: str, path: str, mode: str) -> None:
    with recording(tmp_path, origin) as app:
        leave(app, path, PIECES)
    committed(tmp_path)
    for pieces in (1, 3, PIECES - 1):
        with recording(tmp_path, origin, mode) as app:
            leave(app, path, pieces)
            leave(app, path, PIECES)
            leave(app, path, pieces)
            if mode == "all" and path in EVENTS:
                assert outcomes(app) == ["unchanged"] * 3
        assert changed(tmp_path) == ""
    with running_app(tmp_path) as app:
        whole = b"".join(piece(path, number) for number in range(PIECES))
        assert [ask(app.url, "GET", path).body for _ in range(3)] == [whole] * 3


@pytest.mark.parametrize("path", ["/json", "/text", "/bytes"])
def test_what_is_no_stream_of_events_and_left_is_not_kept_in_part(tmp_path: Path, origin: str, path: str) -> None:
    with recording(tmp_path, origin) as app:
        leave(app, path, 2)
        leave(app, path, PIECES)
    [response] = cassettes(tmp_path)[f"{path[1:]}/GET.json"]["responses"]
    assert "truncated" not in response


@pytest.mark.parametrize("mode", ["all", "rewrite"])
@pytest.mark.parametrize("path", EVENTS)
def test_of_what_was_left_more_takes_the_place_and_less_does_not(
    tmp_path: Path, origin: str, path: str, mode: str
) -> None:
    kept = []
    for pieces in (2, 4, 3, PIECES, 2):
        with recording(tmp_path, origin, mode) as app:
            leave(app, path, pieces)
        [response] = cassettes(tmp_path)[f"{path[1:]}/GET.json"]["responses"]
        kept.append((len(response["events"]), response.get("truncated", False)))
    assert kept[0][1] and kept[0][0] in (2, 3)
    assert kept[1][1] and kept[1][0] >= 4 and kept[2] == kept[1]
    assert kept[3:] == [(PIECES, False)] * 2
    assert check(tmp_path, Matcher()) == []


@pytest.mark.parametrize("path", EVENTS)
def test_in_one_run_what_is_left_and_asked_for_again_is_one_answer(tmp_path: Path, origin: str, path: str) -> None:
    with recording(tmp_path, origin) as app:
        for pieces in (1, 3, 1, PIECES, 2, PIECES):
            leave(app, path, pieces)
        assert outcomes(app)[3:] == ["recorded", "unchanged", "unchanged"]
    [response] = cassettes(tmp_path)[f"{path[1:]}/GET.json"]["responses"]
    assert (len(response["events"]), "truncated" in response) == (PIECES, False)
    with running_app(tmp_path) as app:
        assert len(ask(app.url, "GET", path).body) > 0


@pytest.mark.parametrize(
    ("order", "told"), [((0, 1), ["recorded", "recorded"]), ((1, 0), ["recorded", "forwarded"])], ids=["first", "last"]
)
def test_where_only_gaps_are_filled_a_beginning_is_one(
    tmp_path: Path, origin: str, order: tuple[int, int], told: list[str]
) -> None:
    """Two ask at once for what is not there yet: the one that leaves early, first or last, and one that stays."""
    with recording(tmp_path, origin, "new") as app:
        with contextlib.ExitStack() as leaving, contextlib.ExitStack() as staying:
            first, second = ([leaving, staying][who] for who in order)
            asked = {stack: stack.enter_context(asking(app.url, "GET", "/sse")) for stack in (first, second)}
            assert asked[leaving].read(1)
            leaving.close()
            assert asked[staying].read()
        eventually(lambda: outcomes(app) == told)
    [response] = cassettes(tmp_path)["sse/GET.json"]["responses"]
    assert (len(response["events"]), "truncated" in response) == (PIECES, False)


def test_a_sequence_goes_on_behind_what_is_left_early(tmp_path: Path, backend: Backend, origin: str) -> None:
    backend.salts = iter([100, 200, 300])
    with recording(tmp_path, origin) as app:
        for _ in range(3):
            leave(app, "/sse", PIECES)
    committed(tmp_path)
    for left in ([2, PIECES, PIECES], [PIECES, 1, PIECES], [1, 2, 3], [PIECES, PIECES, 1]):
        backend.salts = iter([100, 200, 300])
        with recording(tmp_path, origin) as app:
            for pieces in left:
                leave(app, "/sse", pieces)
        assert changed(tmp_path) == "", left
    backend.salts = iter([100, 200, 400])
    with recording(tmp_path, origin) as app:
        for pieces in (1, 1, PIECES):
            leave(app, "/sse", pieces)
    first = [response["events"][0]["data"]["n"] for response in cassettes(tmp_path)["sse/GET.json"]["responses"]]
    assert first == [100, 200, 400]


@pytest.mark.parametrize("path", ["/sse", "/ndjson"])
def test_what_says_nothing_in_its_events_says_nothing_in_a_beginning(
    tmp_path: Path, backend: Backend, origin: str, path: str
) -> None:
    backend.times = True
    rules = read('[record]\nvolatile = ["json:$.at"]\n', "here")
    with recording(tmp_path, origin, file=rules) as app:
        leave(app, path, PIECES)
    committed(tmp_path)
    for pieces in (1, 4):
        with recording(tmp_path, origin, file=rules) as app:
            leave(app, path, pieces)
            assert outcomes(app) == ["unchanged"]
        assert changed(tmp_path) == ""


def test_another_stream_is_another_answer_though_it_is_left_early(
    tmp_path: Path, backend: Backend, origin: str
) -> None:
    backend.salts = iter([0, 50])
    with recording(tmp_path, origin) as app:
        leave(app, "/sse", PIECES)
        leave(app, "/sse", 2)
        assert outcomes(app) == ["recorded", "recorded"]
    assert len(cassettes(tmp_path)["sse/GET.json"]["responses"]) == 2


def test_a_stream_that_is_left_before_its_first_event_is_whole_waits_on_replay_as_well(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        read_whole(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hal")
        connection.recv(1)

    with raw_backend(handle) as origin, recording(tmp_path, origin) as app:
        with asking(app.url, "GET", "/slow") as answer:
            assert answer.read(4) == b"data"
        eventually(lambda: cassettes(tmp_path))
    with running_app(tmp_path) as app, asking(app.url, "GET", "/slow", seconds=0.3) as answer:
        assert answer.getheader("content-type") == "text/event-stream"
        with pytest.raises(TimeoutError):
            answer.read(1)


async def ticking(connection: ServerConnection) -> None:
    """Answers each question, and tells two more things after that."""
    async for question in connection:
        for what in ("answer", "more", "and more"):
            await connection.send(json.dumps({"to": question, "is": what}))
        if question == "end":
            await connection.close(4000, "done")


def conversing(app: App, *questions: str, heard: int = 3) -> None:
    """Asks these questions, and leaves once it has heard so much of the answer to the last one."""
    told = app.replay.engine.journal.total

    async def client(connection: Any) -> None:
        for place, question in enumerate(questions, 1):
            await connection.send(question)
            for _ in range(3 if place < len(questions) else heard):
                await connection.recv()
        if questions[-1:] == ("end",) and heard == 3:
            await connection.wait_closed()

    as_client(app.url, client)
    eventually(lambda: app.replay.engine.journal.total > told)


TALKS: list[tuple[tuple[str, ...], int]] = [
    ((), 0),
    (("a",), 0),
    (("a",), 1),
    (("a",), 3),
    (("a", "b"), 2),
    (("a", "b", "end"), 1),
]


@pytest.mark.parametrize("mode", ["all", "new", "rewrite"])
def test_a_conversation_that_is_left_earlier_than_before_changes_nothing(tmp_path: Path, mode: str) -> None:
    with socket_backend(ticking) as origin:
        with recording(tmp_path, origin) as app:
            conversing(app, "a", "b", "end")
        committed(tmp_path)
        for questions, heard in TALKS:
            with recording(tmp_path, origin, mode) as app:
                conversing(app, *questions, heard=heard)
            assert changed(tmp_path) == "", (questions, heard)
    shutil.rmtree(tmp_path / ".git")
    with running_app(tmp_path) as app:
        conversing(app, "a", "b", "end")


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_more_of_a_conversation_takes_the_place_of_its_beginning(tmp_path: Path, mode: str) -> None:
    with socket_backend(ticking) as origin:
        for questions, heard in (*TALKS, (("a", "b", "end"), 3), (("a",), 3)):
            with recording(tmp_path, origin, mode) as app:
                conversing(app, *questions, heard=heard)
            [response] = cassettes(tmp_path)["ws/GET--websocket-49b1bea4.json"]["responses"]
    assert response["messages"][-1]["close"] == 4000
    assert len(response["messages"]) == 13


def test_another_conversation_is_another_answer(tmp_path: Path) -> None:
    with socket_backend(ticking) as origin, recording(tmp_path, origin) as app:
        conversing(app, "a", "b")
        conversing(app, "a", "c")
        conversing(app, "a", "c", "end")
        conversing(app, "a", "c")
    assert len(cassettes(tmp_path)["ws/GET--websocket-49b1bea4.json"]["responses"]) == 2
