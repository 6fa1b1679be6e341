"""Several processes that are one server: on one port, ended, reloaded and asked as one."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.inside import put, simple
from tests.support.running import Running, ask, eventually, replaymock, run


def a_folder(folder: Path) -> Path:
    put(folder, "a.json", {"a": 1})
    put(folder, "b.json", {"b": 1})
    put(folder, "never.json", {})
    put(folder, "steps/GET.json", simple("/steps", 1, 2, 3))
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """One run by two workers for the stories that leave it as it is."""
    folder = a_folder(tmp_path_factory.mktemp("workers"))
    with replaymock("replay", folder, "--workers", "2") as running:
        yield running, folder


def asked(connection: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str) -> Any:
    """The status of an answer where it is not 200, otherwise its JSON."""
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    return json.loads(body) if answer.status == 200 else answer.status


@contextlib.contextmanager
def each_worker(server: Running, count: int = 2) -> Iterator[dict[int, http.client.HTTPConnection]]:
    """A connection to every worker, by the worker's process."""
    found: dict[int, http.client.HTTPConnection] = {}
    opened: list[http.client.HTTPConnection] = []

    def look() -> bool:
        opened.append(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10))
        found.setdefault(asked(opened[-1], "/__replaymock/ready")["pid"], opened[-1])
        return len(found) == count

    try:
        eventually(look)
        yield found
    finally:
        for connection in opened:
            connection.close()


def is_alive(process: int) -> bool:
    """Whether a process runs: one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_both_workers_serve_on_one_port_and_neither_is_the_process_that_was_started(
    server: tuple[Running, Path],
) -> None:
    running, _ = server
    with each_worker(running) as workers:
        assert [asked(connection, "/a") for connection in workers.values()] == [{"a": 1}, {"a": 1}]
        assert running.process.pid not in workers
    assert running.log.count("replay ready") == 1
    assert "(4 cassettes; 2 workers, each with its own positions in sequences)" in running.log


def test_a_reset_reaches_every_worker_before_it_is_answered(server: tuple[Running, Path]) -> None:
    with each_worker(server[0]) as workers:
        first, second = workers.values()
        for _ in range(3):
            asked(first, "/__replaymock/reset", "POST")
            assert [asked(first, "/steps"), asked(first, "/steps"), asked(second, "/steps")] == [1, 2, 1]
            asked(second, "/__replaymock/reset", "POST")
            assert [asked(first, "/steps"), asked(second, "/steps")] == [1, 1]


def test_any_worker_tells_the_misses_and_the_unused_of_all(server: tuple[Running, Path]) -> None:
    with each_worker(server[0]) as workers:
        first, second = workers.values()
        assert [asked(first, "/missing"), asked(second, "/missing"), asked(second, "/missing")] == [404] * 3
        for connection in workers.values():
            misses = asked(connection, "/__replaymock/misses")["misses"]
            assert [(miss["request"]["path"], miss["count"]) for miss in misses] == [("/missing", 3)]
        asked(first, "/a")
        assert "b.json" in asked(first, "/__replaymock/unused")["unused"]
        asked(second, "/b")
        assert {"a.json", "b.json"}.isdisjoint(asked(first, "/__replaymock/unused")["unused"])
    assert server[0].log.count("miss: GET /missing") == 1


def test_each_worker_shows_the_page_and_tells_what_it_answers(server: tuple[Running, Path]) -> None:
    with each_worker(server[0]) as workers:
        for connection in workers.values():
            connection.request("GET", "/__replaymock/", headers={"Host": "localhost"})
            assert "<title>replaymock</title>" in connection.getresponse().read().decode()
        for connection in workers.values():
            connection.request("GET", "/__replaymock/events", headers={"Host": "localhost"})
            told = connection.getresponse()
            assert (told.getheader("Content-Type"), told.readline()) == ("text/event-stream", b"retry: 1000\n")
            connection.close()


def test_a_page_of_another_origin_resets_no_worker(server: tuple[Running, Path]) -> None:
    running, _ = server
    with each_worker(running) as workers:
        first, second = workers.values()
        asked(first, "/__replaymock/reset", "POST")
        asked(second, "/steps")
        assert asked(first, "/__replaymock/reset", "POST", Origin="http://evil.example") == 403
        assert asked(second, "/steps") == 2


def test_an_edit_and_a_broken_file_reach_every_worker_and_are_told_once(server: tuple[Running, Path]) -> None:
    running, folder = server
    before = running.log.count("reloaded")
    with each_worker(running) as workers:
        put(folder, "b.json", {"b": 2})
        eventually(lambda: [asked(connection, "/b") for connection in workers.values()] == [{"b": 2}] * 2)
        eventually(lambda: running.log.count("reloaded") == before + 1)
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: running.log.count("reloaded") == before + 2)
        place = put(folder, "c/GET.json", "{")
        eventually(lambda: [asked(connection, "/c") for connection in workers.values()] == [500] * 2)
    assert running.log.count(f"{place}:1:") == 1


def test_a_worker_that_is_killed_is_started_again_while_the_port_stays_open_and_its_counts_stay(tmp_path: Path) -> None:
    with replaymock("replay", a_folder(tmp_path), "--workers", "2", "--fail-on-miss") as running:
        with each_worker(running) as workers:
            (first, connection), (second, other) = workers.items()
            assert [asked(other, "/b"), asked(other, "/missing")] == [{"b": 1}, 404]
            assert asked(connection, "/__replaymock/misses")["misses"]
            os.kill(second, signal.SIGKILL)
        for _ in range(20):
            assert ask(running.url, "GET", "/a").status == 200
        with each_worker(running) as workers:
            assert first in workers
            assert second not in workers
            assert not any("b.json" in asked(each, "/__replaymock/unused")["unused"] for each in workers.values())
        assert f"a worker (pid {second}) was ended by SIGKILL; it is started again" in running.log
        assert running.stop() == 1
        assert running.log.count("replaymock: hits 21, misses 1, unused 2\n") == 1


def test_workers_that_die_again_and_again_end_the_run(tmp_path: Path) -> None:
    with replaymock("replay", a_folder(tmp_path), "--workers", "2") as running:
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
        _, doomed = seen = list(map(int, children.read_text().split()))
        for _ in range(5):
            os.kill(doomed, signal.SIGKILL)
            (doomed,) = eventually(lambda: set(map(int, children.read_text().split())).difference(seen))
            seen.append(doomed)
        os.kill(doomed, signal.SIGKILL)
        assert running.process.wait(10) == 2
        assert running.log.count("it is started again") == 5
        assert "that was the 6th time in 10 seconds" in running.log.splitlines()[-1]
        assert not any(map(is_alive, seen))


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with replaymock("replay", a_folder(tmp_path), "--workers", "2") as running:
        with each_worker(running) as workers:
            running.process.kill()
            running.process.wait()
        eventually(lambda: not any(map(is_alive, workers)))


def test_an_interrupt_of_the_whole_group_ends_it_in_order(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "replaymock", "replay", "--cassettes", str(a_folder(tmp_path)), "--port", "0"]
    with subprocess.Popen(
        [*line, "--workers", "2", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert (ready["event"], ready["pid"], ready["workers"]) == ("ready", process.pid, 2)
        ask(ready["url"], "GET", "/a")
        assert json.loads(process.stdout.readline())["event"] == "request"
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=10)
        (summary,) = map(json.loads, out.splitlines())
        assert (summary["event"], summary["hits"], summary["unused"]) == ("summary", 1, 3)
        assert (process.returncode, err.count(b"\n")) == (0, 2)


def test_a_second_signal_does_not_wait_for_what_the_workers_have_in_flight(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    with (
        replaymock("replay", folder, "--latency", "30000", "-v", "--workers", "2") as running,
        socket.create_connection(("127.0.0.1", running.port)) as connection,
    ):
        connection.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        running.wait_for_log("GET     /a")
        running.process.send_signal(signal.SIGTERM)
        eventually(lambda: _refused(running.port))
        assert running.process.poll() is None
        running.process.send_signal(signal.SIGINT)
        eventually(lambda: running.process.poll() is not None)
        assert (running.process.returncode, "hits 1" in running.log) == (0, True)


def test_a_port_that_is_taken_is_named_also_when_workers_have_it(server: tuple[Running, Path], tmp_path: Path) -> None:
    running, _ = server
    taken = run("replay", "--cassettes", str(tmp_path), "--port", str(running.port), "--workers", "2")
    assert (taken.returncode, taken.stderr.count("\n")) == (2, 1)
    assert f"cannot listen on localhost port {running.port}" in taken.stderr


def test_what_keeps_every_worker_from_starting_is_said_once(tmp_path: Path) -> None:
    failed = run("replay", "--cassettes", str(tmp_path / "none"), "--port", "0", "--workers", "3")
    assert (failed.returncode, failed.stderr.count("there is no folder"), failed.stderr.count("\n")) == (2, 1, 1)


def _refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False
