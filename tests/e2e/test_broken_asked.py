"""A cassette that cannot be read and is asked for is a miss: it fails the run that was to have none."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.inside import Told, put, running_app, simple
from tests.support.running import ask, eventually, replaymock
from tests.support.sockets import opening

# The file, what it holds, and what asks for it; of all but the last the file is named after the request.
BROKEN: dict[str, tuple[str, Any, str, str]] = {
    "a plain mock": ("broken.json", '{"items": [1, 2,]}', "GET", "/broken"),
    "no JSON": ("api/items/GET.json", "{", "GET", "/api/items"),
    "an unknown field": ("api/GET.json", {"request": {"path": "/api"}, "responses": [{"staus": 200}]}, "GET", "/api"),
    "a missing body": (
        "logo.png/GET.json",
        {"request": {"path": "/logo.png"}, "responses": [{"file": "GET.body.png"}]},
        "GET",
        "/logo.png",
    ),
    "half a body": (
        "list/GET.json",
        {"request": {"path": "/list"}, "responses": [{"file": "half.json", "layout": "compact"}]},
        "GET",
        "/list",
    ),
    "a merge conflict": ("api/POST.json", "<<<<<<< HEAD\n{}\n", "POST", "/api"),
    "asked for by HEAD": ("page/GET.json", "{", "HEAD", "/page"),
    "a folder outside": (
        "out/GET.json",
        {"request": {"path": "/out"}, "responses": [{"file": "../../secret.bin"}]},
        "GET",
        "/out",
    ),
    "a name of its own": (
        "gifts/GET--for-ann.json",
        {"request": {"path": "/users/{id}/gifts"}, "responses": [{"json": 1, "text": "two"}]},
        "GET",
        "/users/7/gifts",
    ),
}


def folder_with(folder: Path, *stories: str) -> Path:
    put(folder, "good/GET.json", simple("/good", 1))
    put(folder, "list/half.json", "[1, 2")
    for story in stories:
        file, content, _, _ = BROKEN[story]
        put(folder, file, content)
    return folder


@pytest.mark.parametrize("story", BROKEN)
def test_it_is_answered_by_its_fault_and_counted_and_told_as_a_miss(tmp_path: Path, story: str) -> None:
    file, _, method, target = BROKEN[story]
    told = Told()
    with running_app(folder_with(tmp_path, story), told) as app:
        answers = [ask(app.url, method, target) for _ in range(2)]
        misses = ask(app.url, "GET", "/__replaymock/misses").json()["misses"]
        requests = ask(app.url, "GET", "/__replaymock/requests").json()["requests"]
    assert [answer.status for answer in answers] == [500, 500]
    if method != "HEAD":
        assert (answers[0].json()["code"], answers[0].json()["file"]) == ("cassette_invalid", f"{tmp_path}/{file}")
    [miss] = misses
    assert (miss["count"], miss["reason"]) == (2, "cassette invalid")
    assert miss["hint"].startswith(f"mend {tmp_path}/{file}:")
    assert [request["outcome"] for request in requests] == ["miss", "miss"]
    assert told.events("summary")[0]["misses"] == 2
    assert [event["reason"] for event in told.events("miss")] == ["cassette invalid"]
    assert f"miss: {method} {target}: cassette invalid" in told.log


@pytest.mark.parametrize("workers", [1, 2])
def test_it_fails_the_run_that_was_to_have_no_miss_if_it_is_asked_for(tmp_path: Path, workers: int) -> None:
    folder_with(tmp_path, *BROKEN)
    ends = {}
    asked = ["a plain mock", "a missing body"] if workers > 1 else ["a plain mock", "half a body", "a name of its own"]
    stories = {"none": ("", "", "GET", "/good"), **{story: BROKEN[story] for story in asked}}
    for story, (_, _, method, target) in stories.items():
        with replaymock("replay", tmp_path, "--fail-on-miss", "--workers", str(workers)) as server:
            ask(server.url, method, target)
            ends[story] = server.stop(), "misses 1" in server.log
    assert ends.pop("none") == (0, False)
    assert ends == dict.fromkeys(ends, (1, True))


@pytest.mark.parametrize(
    "content",
    [
        "{",
        {"request": {"path": "/ws"}, "responses": [{"messages": [{"from": "client", "file": "none.bin"}]}]},
        {"request": {"path": "/ws"}, "responses": [{"messages": [{"from": "robot", "text": "x"}]}]},
        {
            "request": {"path": "/ws"},
            "responses": [{"messages": [{"from": "server", "close": 1000}, {"from": "server", "text": "x"}]}],
        },
    ],
)
def test_a_websocket_that_cannot_be_read_is_a_miss_as_well(tmp_path: Path, content: Any) -> None:
    put(tmp_path, "ws/GET--websocket-49b1bea4.json", content)
    told = Told()
    with running_app(tmp_path, told) as app:
        assert refused(app.port)
    assert told.events("summary")[0]["misses"] == 1
    assert told.events("miss")[0]["reason"] == "cassette invalid"


def refused(port: int) -> bool:
    """Whether a request for a WebSocket is answered by the fault of its cassette."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(opening("/ws"))
        return connection.recv(65536).startswith(b"HTTP/1.1 500 ")


def test_a_websocket_that_cannot_be_read_fails_the_run_of_several_workers(tmp_path: Path) -> None:
    put(tmp_path, "ws/GET--mine.json", {"request": {"path": "/ws"}, "responses": [{"messages": [{"from": "nobody"}]}]})
    with replaymock("replay", tmp_path, "--fail-on-miss", "--workers", "2") as server:
        assert refused(server.port)
        assert (server.stop(), "misses 1" in server.log) == (1, True)


def shrink(file: Path) -> None:
    os.truncate(file, 100)


def test_a_body_that_falls_short_while_it_is_sent_fails_the_run(tmp_path: Path) -> None:
    put(tmp_path, "large/GET.json", {"request": {"path": "/large"}, "responses": [{"file": "large.bin"}]})
    with (tmp_path / "large/large.bin").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with replaymock("replay", tmp_path, "--fail-on-miss") as server:
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connection.recv(100)
            shrink(tmp_path / "large/large.bin")
            while connection.recv(1 << 20):
                pass
        server.wait_for_log("large/GET.json: the file of its body was shorter than promised")
        assert server.stop() == 1


@pytest.mark.parametrize("lane", [True, False])
@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: put(folder, "a/GET.json", "{"),
        lambda folder: (folder / "a/GET.body.json").unlink(),
        lambda folder: (folder / "a/GET.body.json").write_text("[1, 2"),
    ],
    ids=["the cassette", "its body is gone", "half its body"],
)
def test_what_breaks_while_it_is_served_is_a_miss_from_then_on(
    tmp_path: Path, harm: Callable[[Path], Any], lane: bool
) -> None:
    response = {"file": "GET.body.json", "layout": "compact", "headers": {"content-type": "application/json"}}
    put(tmp_path, "a/GET.body.json", "[1, 2, 3]")
    put(tmp_path, "a/GET.json", {"request": {"path": "/a"}, "responses": [response]})
    told = Told()
    with running_app(tmp_path, told, fast_lane=lane) as app:
        assert ask(app.url, "GET", "/a").body == b"[1,2,3]"
        harm(tmp_path)
        eventually(lambda: ask(app.url, "GET", "/a").status == 500)
    assert told.events("summary")[0]["misses"] == 1


def test_another_cassette_does_not_step_in_for_one_that_goes_before_it(tmp_path: Path) -> None:
    put(tmp_path, "users/_id_/GET.json", simple("/users/{id}", "anybody"))
    put(tmp_path, "users/7/GET.json", "{")
    put(tmp_path, "items.json", "[1]")
    put(tmp_path, "items/GET.json", '{"request": {"path": "/items"}, "responses": [{"status": 1}]}')
    with running_app(tmp_path) as app:
        got = {target: ask(app.url, "GET", target).status for target in ("/users/6", "/users/7", "/items")}
        put(tmp_path, "users/7/GET.json", simple("/users/7", "ann"))
        eventually(lambda: ask(app.url, "GET", "/users/7").status == 200)
    assert got == {"/users/6": 200, "/users/7": 500, "/items": 500}
