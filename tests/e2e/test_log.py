"""A log that cannot be written: requests are answered all the same, and a run ends as it would have."""

import contextlib
import http.client
import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.inside import put
from tests.support.running import START_SECONDS, ask, cassettes, eventually, raw_backend, read_request, reply, run

LONG = "x" * 300  # about as much of a target as is told
LINE = [sys.executable, "-m", "replaymock"]
KINDS = ([], ["--json"], ["--workers", "2"], ["--workers", "2", "--json"])


@dataclass
class Logging:
    """A run whose streams are the test's own."""

    process: "subprocess.Popen[bytes]"
    port: int

    def miss(self, times: int, start: int = 0, long: str = "") -> None:
        """Asks for what is not there; each miss is told of."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for number in range(start, start + times):
            connection.request("GET", f"/miss/{number}{long}")
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (404, True)
        connection.close()

    def hit(self, times: int) -> None:
        """Asks for what is there, as fast as can be; each answer is told of where requests are."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            asked = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
            for _ in range(times // 100):
                connection.sendall(asked * 100)
                found = b""
                while found.count(b"HTTP/1.1 200 OK") < 100 or not found.rstrip().endswith(b"}"):
                    found += connection.recv(65536)

    def end(self) -> int:
        """The exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


@contextlib.contextmanager
def logging(
    folder: Path, arguments: Sequence[str], redirect: str = "", command: str = "replay", **streams: Any
) -> Iterator[Logging]:
    """The real command, its streams as given, or as the shell redirects them."""
    ready = folder.parent / "ready.json"
    line = [*LINE, command, "--cassettes", str(folder), "--port", "0"]
    line += ["--ready-file", str(ready), *arguments]
    given = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **streams}
    process = subprocess.Popen(["sh", "-c", f'exec "$0" "$@" {redirect}', *line], **given)
    try:
        eventually(lambda: ready.exists() or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, f"it ended by {process.returncode}"
        yield Logging(process, json.loads(ready.read_text())["port"])
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "cassettes", "a.json", {"a": 1})
    return tmp_path / "cassettes"


@pytest.mark.parametrize("arguments", KINDS)
def test_pipes_that_nobody_reads_stop_nothing(folder: Path, arguments: list[str]) -> None:
    with logging(folder, arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        server.miss(200, long=LONG)
        assert ask(f"http://127.0.0.1:{server.port}", "GET", "/a").status == 200
        assert server.end() == 0


@pytest.mark.parametrize("redirect", ["2>/dev/full", ">/dev/full", "2>&-", ">&-", ">&- 2>&- <&-", ">/dev/full 2>&1"])
@pytest.mark.parametrize("arguments", KINDS)
def test_streams_that_take_nothing_stop_nothing(folder: Path, arguments: list[str], redirect: str) -> None:
    with logging(folder, [*arguments, "--fail-on-miss"], redirect) as server:
        server.miss(30)
        assert ask(f"http://127.0.0.1:{server.port}", "GET", "/a").status == 200
        assert server.end() == 1


@pytest.mark.parametrize("arguments", KINDS)
def test_readers_that_are_gone_stop_nothing(folder: Path, arguments: list[str]) -> None:
    with logging(folder, arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        for stream in (server.process.stdout, server.process.stderr):
            assert stream
            stream.close()
        server.miss(30)
        assert server.end() == 0


@pytest.mark.parametrize("arguments", [[], ["--workers", "2"]])
def test_a_terminal_that_is_held_stops_nothing(folder: Path, arguments: list[str]) -> None:
    ours, theirs = pty.openpty()
    with logging(folder, [*arguments, "--verbose"], stdout=theirs, stderr=theirs) as server:
        server.miss(200, long=LONG)
        assert os.get_blocking(theirs)
        assert server.end() == 0
    os.close(ours)
    os.close(theirs)


def test_a_recorder_records_whether_its_log_is_read_or_not(folder: Path) -> None:
    with (
        raw_backend(lambda connection: connection.sendall(reply(read_request(connection)))) as backend,
        logging(
            folder,
            ["--upstream", backend, "--verbose", "--json"],
            command="record",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as server,
    ):
        for number in range(200):
            assert ask(f"http://127.0.0.1:{server.port}", "GET", f"/{number}?{LONG}").status == 200
        assert server.end() == 0
    assert len(cassettes(folder)) == 201


@pytest.mark.parametrize("arguments", [["--verbose"], ["--json"]])
def test_a_late_reader_gets_the_first_lines_how_many_are_missing_and_the_summary(
    folder: Path, arguments: list[str]
) -> None:
    with logging(folder, arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        server.hit(12_000)
        server.process.send_signal(signal.SIGTERM)
        out, err = server.process.communicate(timeout=15)
        assert server.process.returncode == 0
    ready, *told, notice, summary = (out if out else err).decode().splitlines()
    assert "ready" in ready
    assert all("/a" in line for line in told)
    if out:
        assert json.loads(notice) == {"event": "dropped", "count": 12_000 - len(told)}
        assert json.loads(summary)["hits"] == 12_000
    else:
        missing = f"{12_000 - len(told)} lines are missing in this log"
        assert notice == f"warning: {missing}, which could not be written in time"
        assert summary == "replaymock: hits 12000, misses 0, unused 0"


def test_a_reader_that_comes_back_is_told_what_it_missed_and_then_all_that_follows(folder: Path) -> None:
    with logging(folder, ["--json"], stdout=subprocess.PIPE) as server:
        server.hit(12_000)
        assert server.process.stdout
        events = [json.loads(server.process.stdout.readline())]
        while events[-1]["event"] != "dropped":
            events.append(json.loads(server.process.stdout.readline()))
        server.miss(3, start=1000)
        following = [json.loads(server.process.stdout.readline()) for _ in range(6)]
        assert [event["request"]["path"] for event in following if event["event"] == "miss"] == [
            f"/miss/{number}" for number in (1000, 1001, 1002)
        ]
    assert events[0]["event"] == "ready"
    assert len(events) - 2 + events[-1]["count"] == 12_000


def test_stderr_tells_at_the_end_what_stdout_did_not_take(folder: Path) -> None:
    with logging(folder, ["--json"], ">/dev/full", stderr=subprocess.PIPE) as server:
        server.hit(12_000)
        server.process.send_signal(signal.SIGTERM)
        told = server.process.communicate(timeout=15)[1].decode().splitlines()
    assert told[1:] == [
        "replaymock: hits 12000, misses 0, unused 0",
        "warning: 12002 lines are missing in stdout, which could not be written in time",
    ]


def test_nothing_is_lost_where_it_is_read(folder: Path) -> None:
    with logging(folder, ["--json"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        server.miss(300)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.stdout
        told = server.process.stdout.read().decode().splitlines()
    assert [line for line in told if line.startswith("miss: ")] == [
        f"miss: GET /miss/{number}: never recorded" for number in range(300)
    ]
    events = [json.loads(line)["event"] for line in told if line.startswith("{")]
    assert (events.count("miss"), events.count("request"), events[0], events[-1]) == (300, 300, "ready", "summary")
    assert told.index("replaymock: hits 0, misses 300, unused 1") == len(told) - 1


@pytest.mark.parametrize("more", [[], ["--workers", "2"]])
def test_a_ready_file_that_cannot_be_written_is_an_error_and_a_device_stays_one(folder: Path, more: list[str]) -> None:
    place = folder.parent / "full"
    place.symlink_to("/dev/full")  # a link is what a faulty program would replace here, and no device of this machine
    ended = run("replay", "--cassettes", str(folder), "--port", "0", "--ready-file", str(place), *more)
    assert ended.returncode == 2
    assert ended.stderr == f"replaymock: error: --ready-file {place}: cannot be written: No space left on device\n"
    assert place.is_char_device()


def test_what_is_ready_is_told_on_stdout_where_that_is_asked_for(folder: Path) -> None:
    place = folder.parent / "stdout"
    place.symlink_to("/dev/stdout")
    line = [*LINE, "replay", "--cassettes", str(folder), "--port", "0", "--ready-file", str(place)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["event"] == "ready"
        process.terminate()
        assert process.wait(15) == 0
    assert place.is_symlink()


@pytest.mark.parametrize("arguments", [["replay", "--no-such"], ["no-such"], ["ls", "--json"], ["replay", "--port=x"]])
def test_what_is_wrong_with_a_line_has_its_exit_code_wherever_it_is_told(folder: Path, arguments: list[str]) -> None:
    line = " ".join(["exec", sys.executable, "-m", "replaymock", *arguments])
    ended = subprocess.run(["sh", "-c", f"{line} >/dev/full 2>/dev/full"], cwd=folder.parent, check=False)
    assert ended.returncode == 2


def test_a_result_stands_where_what_is_said_beside_it_cannot_be_written(folder: Path) -> None:
    line = f"exec {sys.executable} -m replaymock check {folder} 2>/dev/full"
    assert subprocess.run(["sh", "-c", line], check=False).returncode == 0
    assert run("check", str(folder)).stderr == "every cassette is fine\n"
