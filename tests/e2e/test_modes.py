"""What `record` and `replay` are told: modes, sequences, latency, misses, signals, events, and where settings are."""

import json
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import Running, ask, cassettes, eventually, raw_backend, read_whole, replaymock, reply, run


class Script:
    """A backend that gives each path its answers in turn, the last one again and again, and counts."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}
        self.asked: list[str] = []

    def say(self, path: str, *values: Any) -> None:
        """What `path` is answered from now on; a number is a status, anything else a JSON body."""
        self.answers[path] = list(values)

    def handle(self, connection: socket.socket) -> None:
        method, target, _ = read_whole(connection)[0].split(b"\r\n")[0].decode().split(" ")
        self.asked.append(f"{method} {target}")
        left = self.answers.get(target.partition("?")[0], ["default"])
        value = left.pop(0) if len(left) > 1 else left[0]
        is_status = isinstance(value, int)
        body = b"" if method == "HEAD" else json.dumps({"status": value} if is_status else value).encode()
        connection.sendall(reply(body, status=f"{value} Told" if is_status else "200 OK"))


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def backend(script: Script) -> Iterator[str]:
    with raw_backend(script.handle) as origin:
        yield origin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "c"


def record(folder: Path, backend: str, paths: Sequence[str], *options: str) -> list[Any]:
    """Records GETs of these paths in a run of their own; what they were answered."""
    with replaymock("record", folder, "--upstream", backend, *options) as server:
        return [ask(server.url, "GET", path).json() for path in paths]


def stored(folder: Path, name: str = "x/GET.json") -> list[Any]:
    """The bodies a cassette holds."""
    return [response["json"] for response in json.loads((folder / name).read_text())["responses"]]


def a_sequence(folder: Path, path: str, *values: Any, **more: Any) -> None:
    place = folder / path[1:] / "GET.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    responses = [{"json": value} for value in values]
    place.write_text(json.dumps({"version": 1, "request": {"path": path}, "responses": responses, **more}))


def test_different_answers_to_one_request_are_kept_in_order_equal_ones_once(
    script: Script, backend: str, folder: Path
) -> None:
    script.say("/x", "pending", "pending", "pending", "done", "done", "pending")
    record(folder, backend, ["/x"] * 7)
    assert stored(folder) == ["pending", "done", "pending"]


def test_a_second_run_renews_from_the_first_difference_on(script: Script, backend: str, folder: Path) -> None:
    script.say("/x", "a", "b", "c")
    record(folder, backend, ["/x"] * 3)
    script.say("/x", "a", "B")
    record(folder, backend, ["/x"] * 2)
    assert stored(folder) == ["a", "B"]


def test_a_run_that_stops_half_way_leaves_the_tail(script: Script, backend: str, folder: Path) -> None:
    script.say("/x", "a", "b", "c")
    record(folder, backend, ["/x"] * 3)
    before = (folder / "x/GET.json").read_bytes()
    script.say("/x", "a", "b")
    record(folder, backend, ["/x"] * 2)
    assert (folder / "x/GET.json").read_bytes() == before


def test_mode_new_serves_hits_and_forwards_and_records_misses(script: Script, backend: str, folder: Path) -> None:
    script.say("/x", "old")
    record(folder, backend, ["/x"])
    script.say("/x", "new")
    script.asked.clear()
    assert record(folder, backend, ["/x", "/y", "/y", "/x"], "--mode", "new") == ["old", "default", "default", "old"]
    assert script.asked == ["GET /y"]
    assert stored(folder) == ["old"]
    assert stored(folder, "y/GET.json") == ["default"]


def test_mode_new_says_of_each_answer_where_it_is_from(backend: str, folder: Path) -> None:
    with replaymock("record", folder, "--upstream", backend, "--mode", "new") as server:
        answers = [ask(server.url, "GET", "/x") for _ in range(2)]
    assert [got.header("cache-status") for got in answers] == ["replaymock; fwd=uri-miss; stored", "replaymock; hit"]


def test_mode_rewrite_removes_what_was_recorded_and_leaves_what_was_written_by_hand(
    script: Script, backend: str, folder: Path
) -> None:
    record(folder, backend, ["/x", "/gone"])
    (folder / "plain.json").write_text('{"by": "hand"}')
    a_sequence(folder, "/hand", "mine")
    record(folder, backend, ["/x"], "--mode", "rewrite")
    assert set(cassettes(folder)) == {"x/GET.json", "plain.json", "hand/GET.json"}


def test_a_query_in_another_order_is_the_same_request(backend: str, folder: Path) -> None:
    record(folder, backend, ["/x?a=1&b=2", "/x?b=2&a=1"])
    assert len(cassettes(folder)) == 1


def test_only_and_skip_choose_what_is_recorded(backend: str, folder: Path) -> None:
    chosen = ("--only", "/api/**", "--skip", "/api/private/*")
    answers = record(folder, backend, ["/api/x", "/api/private/x", "/other"], *chosen)
    assert answers == ["default"] * 3
    assert list(cassettes(folder)) == ["api/x/GET.json"]


def test_a_cassette_is_on_disk_while_recording_goes_on(backend: str, folder: Path) -> None:
    with replaymock("record", folder, "--upstream", backend) as server:
        ask(server.url, "GET", "/x")
        eventually((folder / "x/GET.json").exists, 1)
        server.process.kill()
        server.process.wait()
    assert stored(folder) == ["default"]
    assert "text eol=lf" in (folder / ".gitattributes").read_text()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("auto", ["a", "b", "c", "c", "c"]),
        ("loop", ["a", "b", "c", "a", "b"]),
        ("strict", ["a", "b", "c", "exhausted", "exhausted"]),
        ("first", ["a"] * 5),
        ("last", ["c"] * 5),
    ],
)
def test_a_repeated_request_gets_what_the_sequence_policy_says(folder: Path, policy: str, expected: list[str]) -> None:
    a_sequence(folder, "/x", "a", "b", "c")
    with replaymock("replay", folder, "--sequence", policy) as server:
        answers = [ask(server.url, "GET", "/x") for _ in range(5)]
        given = [got.json() if got.status == 200 else got.json()["reason"] for got in answers]
        assert ask(server.url, "POST", "/__replaymock/reset").status == 200
        again = ask(server.url, "GET", "/x").json()
    assert given == expected
    assert again == expected[0]
    assert answers[0].header("replaymock-sequence") == ("3/3" if policy == "last" else "1/3")


def test_sessions_have_their_own_positions_and_are_rewound_apart(folder: Path) -> None:
    a_sequence(folder, "/x", "a", "b", "c")
    ann, bob = [("Replaymock-Session", "ann")], [("Replaymock-Session", "bob")]
    with replaymock("replay", folder) as server:
        for who in (ann, ann, bob, []):
            last = ask(server.url, "GET", "/x", who).json()
        assert last == "a"
        ask(server.url, "POST", "/__replaymock/reset", ann)
        assert [ask(server.url, "GET", "/x", who).json() for who in (ann, bob, [])] == ["a", "b", "b"]


def test_head_falls_back_to_get_and_moves_nothing(folder: Path) -> None:
    a_sequence(folder, "/x", "first", "second")
    with replaymock("replay", folder) as server:
        heads = [ask(server.url, "HEAD", "/x") for _ in range(3)]
        got = ask(server.url, "GET", "/x")
    assert [(head.status, head.body) for head in heads] == [(200, b"")] * 3
    assert heads[0].header("content-length") == str(len(got.body))
    assert got.json() == "first"


@pytest.mark.parametrize(("latency", "low", "high"), [("200", 0.2, 1.2), ("100-150", 0.1, 1.1)])
def test_latency_holds_each_answer_back(folder: Path, latency: str, low: float, high: float) -> None:
    a_sequence(folder, "/x", 1)
    with replaymock("replay", folder, "--latency", latency) as server:
        taken = [_seconds(server) for _ in range(3)]
    assert all(low <= seconds < high for seconds in taken), taken


def test_recorded_latency_is_what_the_backend_took(folder: Path) -> None:
    def handle(connection: socket.socket) -> None:
        read_whole(connection)
        time.sleep(0.6)
        connection.sendall(reply(b"1"))

    with raw_backend(handle) as backend:
        record(folder, backend, ["/x"])
    with replaymock("replay", folder, "--latency", "recorded") as server:
        assert _seconds(server) >= 0.6
    with replaymock("replay", folder) as server:
        assert _seconds(server) < 0.6


def test_a_miss_has_the_status_asked_for_and_fails_the_run(folder: Path) -> None:
    a_sequence(folder, "/x", 1)
    with replaymock("replay", folder, "--miss-status", "501", "--fail-on-miss") as server:
        got = ask(server.url, "GET", "/y", [("Origin", "http://localhost:3000")])
        assert (got.status, got.json()["code"], got.json()["status"]) == (501, "no_match", 501)
        assert got.header("access-control-allow-origin") == "http://localhost:3000"
        assert server.stop() == 1


def test_without_a_miss_the_run_does_not_fail(folder: Path) -> None:
    a_sequence(folder, "/x", 1)
    with replaymock("replay", folder, "--fail-on-miss") as server:
        assert ask(server.url, "GET", "/x").status == 200
        assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_a_summary(folder: Path, number: int) -> None:
    a_sequence(folder, "/x", 1)
    a_sequence(folder, "/unused", 1)
    with replaymock("replay", folder) as server:
        for path in ("/x", "/x", "/nowhere"):
            ask(server.url, "GET", path)
        assert server.stop(number) == 0
    for words in ("hits 2", "misses 1", "unused 1"):
        assert words in server.log.splitlines()[-1]


def test_what_is_in_flight_is_answered_before_it_ends(folder: Path) -> None:
    a_sequence(folder, "/x", "late")
    with replaymock("replay", folder, "--latency", "600") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as caller:
            caller.sendall(b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            eventually(lambda: _waits(server))
            server.process.send_signal(signal.SIGTERM)
            received = b""
            while piece := caller.recv(65536):
                received += piece
        assert received.endswith(b'"late"')
        assert server.process.wait(10) == 0


def test_a_second_signal_ends_it_at_once(folder: Path) -> None:
    a_sequence(folder, "/x", "late")
    with (
        replaymock("replay", folder, "--latency", "8000") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as caller,
    ):
        caller.sendall(b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eventually(lambda: _waits(server))
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: _refuses(server.port))
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(5)
    assert time.monotonic() - started < 4


def test_events_are_json_lines_on_stdout(backend: str, folder: Path) -> None:
    with replaymock("record", folder, "--upstream", backend, "--json") as server:
        ask(server.url, "GET", "/x")
        ask(server.url, "GET", "/x?token=hush")
        server.stop()
        assert server.process.stdout is not None
        events = [json.loads(line) for line in server.process.stdout]
    ready, summary = events[0], events[-1]
    expected = {"event": "ready", "url": server.url, "port": server.port, "pid": server.process.pid, "cassettes": 0}
    assert {name: ready[name] for name in expected} == expected
    assert (summary["event"], summary["recorded"], summary["redacted"]) == ("summary", 2, 1)
    requests = [(event["method"], event["status"], event["outcome"]) for event in events if event["event"] == "request"]
    assert requests == [("GET", 200, "recorded")] * 2
    assert "hush" not in json.dumps(events)


def test_settings_come_from_flag_then_variable_then_own_file_then_project(tmp_path: Path) -> None:
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "below").mkdir()
    project, own = tmp_path / "pyproject.toml", tmp_path / "replaymock.toml"
    found = []
    given: list[tuple[dict[str, str], tuple[str, ...]]] = [({}, ())] * 3
    given += [({"REPLAYMOCK_MISS_STATUS": "412"}, ()), ({"REPLAYMOCK_MISS_STATUS": "412"}, ("--miss-status", "413"))]
    for step, (env, flags) in enumerate(given):
        if step == 1:
            project.write_text("[tool.replaymock]\nmiss_status = 410\n")
        if step == 2:
            own.write_text("miss_status = 411\n")
        with replaymock("replay", tmp_path / "cassettes", *flags, cwd=tmp_path / "below", env=env) as server:
            found.append(ask(server.url, "GET", "/none").status)
    assert found == [404, 410, 411, 412, 413]


def test_a_url_and_a_folder_may_be_given_as_they_stand(backend: str, folder: Path) -> None:
    with replaymock("record", folder, backend) as server:
        assert ask(server.url, "GET", "/x").status == 200
        eventually(lambda: cassettes(folder))
    with replaymock("replay", None, str(folder)) as server:
        assert "hit" in ask(server.url, "GET", "/x").header("cache-status")


def test_a_variable_can_give_every_kind_of_option(backend: str, folder: Path) -> None:
    env = {
        "REPLAYMOCK_UPSTREAM": f"/api={backend} {backend}",
        "REPLAYMOCK_HEADER": "X-One: 1 and more\nX-Two: 2",
        "REPLAYMOCK_NO_CORS": "true",
        "REPLAYMOCK_MODE": "new",
    }
    with replaymock("record", folder, env=env) as server:
        answers = [ask(server.url, "GET", "/api/x") for _ in range(2)]
    assert [got.header("cache-status").split("=")[-1] for got in answers] == ["uri-miss; stored", "replaymock; hit"]
    assert not answers[0].header("access-control-allow-origin")


def test_a_configured_folder_is_taken_from_where_its_file_is(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    a_sequence(tmp_path / "mocks", "/x", 1)
    (tmp_path / "replaymock.toml").write_text('cassettes = "mocks"\n')
    ended = run("ls", "--json", cwd=tmp_path / "below")
    assert ended.returncode == 0, ended.stderr
    assert [row["file"] for row in json.loads(ended.stdout)] == ["x/GET.json"]


def test_replay_opens_no_connection_whatever_it_is_asked(backend: str, script: Script, folder: Path) -> None:
    record(folder, backend, ["/x"])
    script.asked.clear()
    with replaymock("replay", folder) as server:
        for path in ("/x", "/y", f"/{backend}/x", "//" + backend.removeprefix("http://")):
            ask(server.url, "GET", path, [("Host-Override", backend)])
    assert script.asked == []


def _seconds(server: Running) -> float:
    started = time.monotonic()
    assert ask(server.url, "GET", "/x").status == 200
    return time.monotonic() - started


def _waits(server: Running) -> bool:
    """Whether the last request has been taken."""
    return any(event["target"] == "/x" for event in ask(server.url, "GET", "/__replaymock/requests").json()["requests"])


def _refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False
