"""The whole construction: from settings to a server that answers, and to its orderly end."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from replaymock.errors import UsageError
from replaymock.proxy.routes import Upstream
from replaymock.replay.faults import Latency
from tests.support.inside import Told, put, running_app, simple
from tests.support.running import ask, eventually, exchange, raw_backend, read_request, replaymock, reply

GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_it_is_ready_when_it_listens_and_the_cassettes_are_loaded(tmp_path: Path) -> None:
    put(tmp_path, "a.json", {"a": 1})
    told, place = Told(), tmp_path / "ready"
    with running_app(tmp_path, told, ready_file=str(place)) as app:
        ready = json.loads(place.read_text())
        assert ready == {"event": "ready", "url": app.url, "port": app.port, "pid": ready["pid"], "cassettes": 1}
        assert told.events("ready") == [ready]
        assert f"replaymock replay ready: http://localhost:{app.port} (1 cassette)" in told.log
    assert not place.exists()


def test_a_ready_file_of_an_earlier_run_is_gone_before_this_one_can_fail(tmp_path: Path) -> None:
    place = put(tmp_path, "ready", "{}")
    with pytest.raises(UsageError, match="there is no folder"), running_app(tmp_path / "none", ready_file=str(place)):
        pass
    assert not place.exists()


def test_a_ready_file_that_cannot_be_written_ends_the_run_and_frees_the_port(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        missing = str(tmp_path / "none/ready")
        with pytest.raises(UsageError, match="--ready-file"), running_app(tmp_path, port=port, ready_file=missing):
            pass


@pytest.mark.parametrize(
    ("host", "shown", "warned"),
    [("127.0.0.1", "127.0.0.1", False), ("::1", "[::1]", False), ("0.0.0.0", "0.0.0.0", True)],
)
def test_the_url_is_one_to_open_and_a_wide_address_is_warned_of(
    tmp_path: Path, host: str, shown: str, warned: bool
) -> None:
    told = Told()
    with running_app(tmp_path, told, host=host) as app:
        assert app.url == f"http://{shown}:{app.port}"
    assert ("whoever can reach this machine" in told.log) is warned


def test_a_reload_keeps_the_position_of_what_did_not_change(tmp_path: Path) -> None:
    put(tmp_path, "steps/GET.json", simple("/steps", 1, 2, 3))
    with running_app(tmp_path) as app:
        assert [ask(app.url, "GET", "/steps").json() for _ in range(2)] == [1, 2]
        entry = app.replay.engine.index.entries["steps/GET.json"]
        put(tmp_path, "other.json", {})
        eventually(lambda: "other.json" in app.replay.engine.index.entries)
        assert app.replay.engine.index.entries["steps/GET.json"] is entry
        assert ask(app.url, "GET", "/steps").json() == 3


def test_edits_are_served_and_a_removed_file_is_a_miss(tmp_path: Path) -> None:
    place = put(tmp_path, "a.json", {"a": 1})
    with running_app(tmp_path) as app:
        assert ask(app.url, "GET", "/a").json() == {"a": 1}
        put(tmp_path, "a.json", {"a": 2})
        eventually(lambda: ask(app.url, "GET", "/a").json() == {"a": 2})
        place.unlink()
        eventually(lambda: ask(app.url, "GET", "/a").status == 404)


def test_a_file_broken_again_after_it_was_mended_is_told_again(tmp_path: Path) -> None:
    told = Told()
    with running_app(tmp_path, told) as app:
        for count in (1, 2):
            put(tmp_path, "a.json", "{")
            eventually(lambda count=count: len(told.events("broken")) == count)
            put(tmp_path, "a.json", {"good": count})
            eventually(lambda: not app.replay.engine.lookup.broken)
    assert told.log.count("a.json:1:") == 2


def test_rewriting_removes_what_was_recorded_and_keeps_what_was_written_by_hand(tmp_path: Path) -> None:
    put(tmp_path, "old/GET.json", simple("/old", 1, recorded_at="2026-11-22T13:00:00Z"))
    put(tmp_path, "hand/GET.json", simple("/hand", 1))
    put(tmp_path, "mock.json", [])
    with running_app(tmp_path, upstreams=(Upstream("", "http://127.0.0.1:9"),), mode="rewrite"):
        assert sorted(file.as_posix() for file in tmp_path.rglob("*.json")) == [
            (tmp_path / "hand/GET.json").as_posix(),
            (tmp_path / "mock.json").as_posix(),
        ]


def test_the_summary_counts_what_happened(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply(b'{"token": "s3cr3t-of-the-test"}'))

    put(tmp_path, "never.json", {})
    told = Told()
    with (
        raw_backend(handle) as origin,
        running_app(tmp_path, told, upstreams=(Upstream("", origin),), mode="new") as app,
    ):
        for _ in range(3):
            ask(app.url, "GET", "/a")
    (summary,) = told.events("summary")
    assert summary == {"event": "summary", "requests": 3, "hits": 2, "misses": 0, "recorded": 1} | {
        "unchanged": 0,
        "unused": 1,
        "redacted": 1,
        "redacted_files": 1,
        "failed_writes": 0,
    }
    assert "replaymock: hits 2, misses 0, recorded 1, unused 1, redacted 1 in 1 cassette\n" in told.log


def test_what_is_in_flight_is_finished_while_no_more_is_accepted(tmp_path: Path) -> None:
    put(tmp_path, "a.json", {"a": 1})
    answers: list[bytes] = []
    with running_app(tmp_path, latency=Latency(0.4, 0.4)) as app:
        port = app.port
        client = threading.Thread(target=lambda: answers.append(exchange(port, GET % b"/a")))
        client.start()
        eventually(lambda: app.replay.engine.journal.counts["hit"])
    client.join(5)
    assert b'"a": 1' in answers[0]
    with pytest.raises(ConnectionRefusedError):
        exchange(port, GET % b"/a")


def test_a_second_signal_does_not_wait_for_what_is_in_flight(tmp_path: Path) -> None:
    put(tmp_path, "a.json", {})
    with (
        replaymock("replay", tmp_path, "--latency", "30000", "-v") as server,
        socket.create_connection(("127.0.0.1", server.port)) as connection,
    ):
        connection.sendall(GET % b"/a")
        server.wait_for_log("GET     /a")
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: _refused(server.port))
        started = time.monotonic()
        assert server.stop(signal.SIGINT) == 0
        assert time.monotonic() - started < 3
        assert "hits 1" in server.log


def test_a_signal_that_comes_twice_in_one_breath_loses_nothing(tmp_path: Path) -> None:
    put(tmp_path, "a.json", {})
    with replaymock("replay", tmp_path, "--fail-on-miss") as server:
        ask(server.url, "GET", "/missing")
        server.process.send_signal(signal.SIGINT)
        assert server.stop(signal.SIGTERM) == 1
        assert "misses 1" in server.log


def _refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False


def test_sighup_looks_at_the_folder_again_and_goes_on(tmp_path: Path) -> None:
    put(tmp_path, "a.json", {})
    with replaymock("replay", tmp_path) as server:
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("reloaded: 1 cassette")
        assert ask(server.url, "GET", "/a").status == 200
        assert server.stop() == 0


def test_replay_does_not_even_load_what_could_open_a_connection_out(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys; from tests.support.inside import *\n"
        "async def main():\n"
        f"    async with App(Settings(cassettes={str(tmp_path)!r}, port=0), Told().console.emit).running(): pass\n"
        "asyncio.run(main()); print(sorted({'httpx', 'httpcore', 'replaymock.proxy.upstreams'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
