"""Large bodies go from their files to the caller, and cassettes that change unseen are served as they are now."""

import http.client
import itertools
import json
import os
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.factories import JSON
from tests.support.inside import put, running_app, simple
from tests.support.running import ask, eventually, exchange, raw_backend, read_whole, replaymock, reply

SIZE = 3 * 1024 * 1024
BODY = bytes(range(256)) * (SIZE // 256)


@pytest.fixture(scope="module", params=["the lane", "the server"])
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("large") / "c"
    put(folder, "GET.json", {"request": {"path": "/large"}, "responses": [{"file": "large.bin"}]})
    (folder / "large.bin").write_bytes(BODY)
    put(folder, "GET--text.json", {"request": {"path": "/text"}, "responses": [{"file": "text.txt"}]})
    (folder / "text.txt").write_bytes(b"<{{origin}}>" + b"x" * SIZE)
    put(folder, "small.json", "[1]")
    with running_app(folder, fast_lane=request.param == "the lane") as app:
        yield app.port


def test_a_large_body_comes_whole_and_the_connection_goes_on(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path, body in (("/small", b"[1]"), ("/large", BODY), ("/large", BODY), ("/small", b"[1]")):
        connection.request("GET", path)
        got = connection.getresponse()
        assert (got.status, got.getheader("content-length"), got.read() == body) == (200, str(len(body)), True)
    connection.request("HEAD", "/large")
    got = connection.getresponse()
    assert (got.getheader("content-length"), got.getheader("content-type"), got.read()) == (
        str(SIZE),
        "application/octet-stream",
        b"",
    )
    connection.close()


@pytest.mark.parametrize("head", [b"GET /large HTTP/1.0\r\n", b"GET /large HTTP/1.1\r\nConnection: close\r\n"])
def test_a_connection_that_ends_with_a_large_body_ends_after_it(port: int, head: bytes) -> None:
    got = exchange(port, head + b"Host: localhost\r\n\r\n", 10)
    assert got.partition(b"\r\n\r\n")[2] == BODY


def test_origins_in_a_large_text_are_replaced(port: int) -> None:
    got = ask(f"http://localhost:{port}", "GET", "/text")
    assert got.body == f"<http://localhost:{port}>".encode() + b"x" * SIZE


def test_a_file_that_shrinks_while_it_is_sent_cuts_the_answer(tmp_path: Path) -> None:
    size = 64 * 1024 * 1024
    put(tmp_path, "GET.json", {"request": {"path": "/large"}, "responses": [{"file": "large.bin"}]})
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(size)
    with running_app(tmp_path) as app, socket.create_connection(("127.0.0.1", app.port), 10) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = len(connection.recv(100))
        os.truncate(tmp_path / "large.bin", 100)
        while piece := connection.recv(1 << 20):
            got += len(piece)
        assert got < size


@pytest.mark.parametrize("lane", [True, False])
def test_what_changed_since_it_was_loaded_is_served_as_it_is_now(tmp_path: Path, lane: bool) -> None:
    for name in ("edited", "moved", "broken", "gone"):
        put(tmp_path, f"{name}/GET.json", simple(f"/{name}", "before"))
    with running_app(tmp_path, fast_lane=lane) as app:
        for name, now in (
            ("edited", simple("/edited", "now")),
            ("moved", simple("/elsewhere", "now")),
            ("broken", "{"),
        ):
            # At one stroke: the watch may look at any moment, also at half a file.
            put(tmp_path, f".{name}", now).rename(tmp_path / name / "GET.json")
        (tmp_path / "gone/GET.json").unlink()
        got = {name: ask(app.url, "GET", f"/{name}") for name in ("edited", "moved", "broken", "gone", "elsewhere")}
    assert {name: answer.status for name, answer in got.items()} == {
        "edited": 200,
        "moved": 404,
        "broken": 500,
        "gone": 404,
        "elsewhere": 200,
    }
    assert [json.loads(got[name].body) for name in ("edited", "elsewhere")] == ["now", "now"]
    assert got["broken"].json()["code"] == "cassette_invalid"


def test_part_of_a_large_body_is_sent_from_its_file_too(port: int) -> None:
    got = ask(f"http://localhost:{port}", "GET", "/large", [("Range", f"bytes=1000-{SIZE - 2}")])
    assert (got.status, got.body) == (206, BODY[1000:-1])
    assert ask(f"http://localhost:{port}", "GET", "/large", [("Range", f"bytes={SIZE}-")]).status == 416


@pytest.mark.parametrize(("method", "most"), [("GET", 0.6), ("POST", 0.3)])
def test_while_a_large_body_is_searched_others_are_answered(tmp_path: Path, method: str, most: float) -> None:
    large = json.dumps([{"id": at, "token": f"hunter{at}abc"} for at in range(6_000)]).encode()
    sent = large if method == "POST" else None

    def handle(connection: socket.socket) -> None:
        head, _ = read_whole(connection)
        connection.sendall(reply(large if head.startswith(b"GET /large ") else b"[1]"))

    with raw_backend(handle) as backend, replaymock("record", tmp_path, "--upstream", backend) as run:
        moments = [time.monotonic()]
        got = ask(run.url, method, "/large", JSON, sent)
        assert (got.body, got.header("cache-status")) == (b"[1]" if sent else large, "replaymock; fwd=request; stored")
        while not list(tmp_path.glob("large/*.json")):
            moments.append(time.monotonic())
            assert ask(run.url, "GET", "/small").body == b"[1]"
        # Were it searched while nobody is answered, most of the time would go by between two answers.
        waits = [later - earlier for earlier, later in itertools.pairwise(moments)]
        assert max(waits) < sum(waits) * most
        eventually((tmp_path / "small" / "GET.json").exists)
    assert not [file for file in (tmp_path / "large").iterdir() if b"hunter" in file.read_bytes()]
    with running_app(tmp_path) as app:
        assert ask(app.url, method, "/large", JSON, sent).status == 200


def test_while_a_large_request_is_read_on_replay_others_are_answered(tmp_path: Path) -> None:
    body = json.dumps([{"id": at, "token": f"hunter{at}abc"} for at in range(15_000)]).encode()
    put(tmp_path, "large/POST.json", simple("/large", "read", method="POST"))
    put(tmp_path, "small.json", "[1]")
    head = f"POST /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    with running_app(tmp_path) as app, socket.create_connection(("127.0.0.1", app.port), 10) as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        answered = 0
        while not select.select([connection], [], [], 0)[0]:
            assert ask(app.url, "GET", "/small").body == b"[1]"
            answered += 1
        assert connection.recv(1000).endswith(b'\r\n\r\n"read"')
    # Were it read while nobody is answered, two or three would be.
    assert answered > 6
