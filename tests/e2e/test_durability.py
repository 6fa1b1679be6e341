"""Whatever happens to the disk or to the process: callers are answered, and cassettes are whole."""

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from replaymock.app import App
from replaymock.proxy.routes import parse_upstream
from replaymock.storage import atomic_write, write_queue
from tests.support.inside import Told, running_app
from tests.support.running import ask, cassettes, eventually, raw_backend, read_request, replaymock, reply, run

LIVES = int(os.environ.get("REPLAYMOCK_TEST_LIVES", "12"))
"""How often a recorder is killed; a continuous integration job says 100."""


@pytest.mark.timeout(300)
def test_a_recorder_killed_at_any_moment_leaves_whole_cassettes_and_what_it_announced(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "tests.support.killing"]
    lives = [
        subprocess.Popen([*line, str(tmp_path / f"c{seed}"), str(LIVES // 2), str(seed)], stdout=subprocess.PIPE)
        for seed in (1, 2)
    ]
    told = [json.loads(life.communicate(timeout=280)[0] or b"{}") for life in lives]
    assert [life.returncode for life in lives] == [0, 0]
    assert sum(each["lives"] for each in told) == LIVES
    assert sum(each["announced"] for each in told) > 10
    assert not any(each["warned"] for each in told)
    for folder in tmp_path.iterdir():
        with running_app(folder, upstreams=(parse_upstream("http://127.0.0.1:9"),), mode="new"):
            assert not list(folder.rglob(".replaymock-*"))


class Disk:
    """The `os` of replaymock's disk, in which one function fails for as long as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failing: Callable[[str, Any], int] = lambda _name, _place: 0
        names = {name: getattr(os, name) for name in dir(os)}
        guarded = {name: self._guarded(name) for name in ("open", "write", "fsync", "replace", "mkdir")}
        monkeypatch.setattr(atomic_write, "os", SimpleNamespace(**{**names, **guarded}))

    def _guarded(self, name: str) -> Callable[..., Any]:
        def call(place: Any, *arguments: Any) -> Any:
            number = self.failing(name, place)
            if number:
                raise OSError(number, os.strerror(number))
            return getattr(os, name)(place, *arguments)

        return call


@contextlib.contextmanager
def counting_backend() -> Iterator[str]:
    """A backend whose every answer is another one."""
    count = 0

    def handle(connection: socket.socket) -> None:
        nonlocal count
        while read_request(connection):
            count += 1
            connection.sendall(reply(b'{"n": %d}' % count).replace(b"Connection: close\r\n", b""))

    with raw_backend(handle) as origin:
        yield origin


@contextlib.contextmanager
def recording(folder: Path, told: Told) -> Iterator[App]:
    with (
        counting_backend() as origin,
        running_app(folder, told, upstreams=(parse_upstream(origin),), mode="all") as app,
    ):
        yield app


def is_folder(place: Any) -> bool:
    return Path(f"/proc/self/fd/{place}").is_dir()


@pytest.mark.parametrize(
    ("function", "number", "fits"),
    [
        ("open", errno.EMFILE, lambda _place: True),
        ("open", errno.EROFS, lambda place: atomic_write.TEMPORARY_PREFIX in str(place)),
        ("write", errno.ENOSPC, lambda _place: True),
        ("write", errno.EIO, lambda _place: True),
        ("fsync", errno.EIO, lambda place: not is_folder(place)),
        ("fsync", errno.ENOSPC, lambda place: not is_folder(place)),
        ("replace", errno.EIO, lambda _place: True),
        ("mkdir", errno.ENOSPC, lambda _place: True),
    ],
)
def test_when_the_disk_fails_callers_are_answered_and_all_is_written_once_it_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int, fits: Callable[[Any], bool]
) -> None:
    monkeypatch.setattr(write_queue, "AGAIN_SECONDS", 0.05)
    faulty, told = Disk(monkeypatch), Told()
    with recording(tmp_path / "c", told) as app:
        ask(app.url, "GET", "/old")
        eventually(lambda: told.events("recorded"))
        before = (tmp_path / "c/old/GET.json").read_bytes()
        faulty.failing = lambda name, place: number if name == function and fits(place) else 0
        live = [ask(app.url, "GET", name).json()["n"] for name in ("/old", "/new", "/newer")]
        message = eventually(lambda: [event["message"] for event in told.events("warning")])
        if function != "mkdir":  # which only new folders need
            assert (tmp_path / "c/old/GET.json").read_bytes() == before
        assert live == [2, 3, 4]
        faulty.failing = lambda _name, _place: 0
        eventually(lambda: "what could not be written before is written now" in told.log)
    assert [said.partition(": ")[2].partition(";")[0] for said in message] == [os.strerror(number)]
    assert told.events("summary")[0]["failed_writes"] == 0
    written = {file: found["responses"][-1]["json"]["n"] for file, found in cassettes(tmp_path / "c").items()}
    assert written == {"old/GET.json": 2, "new/GET.json": 3, "newer/GET.json": 4}
    assert not list(tmp_path.rglob(f"{atomic_write.TEMPORARY_PREFIX}*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "replaymock-test", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_full_disk_costs_no_answer_and_no_cassette_is_lost_once_there_is_space(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "AGAIN_SECONDS", 0.05)
    filler, told = small_disk / "filler", Told()
    filler.write_bytes(bytes(900_000))
    with recording(small_disk / "c", told) as app:
        bodies = [ask(app.url, "GET", f"/items/{number}").json() for number in range(60)]
        eventually(lambda: "No space left on device" in told.log)
        assert len(bodies) == 60
        filler.unlink()
        eventually(lambda: len(told.events("recorded")) == 60)
    assert told.log.count("cannot write") == 1
    written = cassettes(small_disk / "c")
    assert [written[f"items/{number}/GET.json"]["responses"][0]["json"] for number in range(60)] == bodies
    assert not list(small_disk.rglob(f"{atomic_write.TEMPORARY_PREFIX}*"))


def test_a_disk_that_stays_full_ends_the_run_with_2_and_the_count(small_disk: Path) -> None:
    folder = small_disk / "c"
    (small_disk / "filler").write_bytes(bytes(900_000))
    with counting_backend() as origin, replaymock("record", folder, "--upstream", origin) as server:
        answers = [ask(server.url, "GET", f"/items/{number}").status for number in range(60)]
        assert answers == [200] * 60
        server.wait_for_log("No space left on device")
        assert server.stop() == 2
        written = cassettes(folder)
        assert f"failed writes {60 - len(written)}" in server.log
    assert 0 < len(written) < 60
    assert run("check", str(folder)).returncode == 0
