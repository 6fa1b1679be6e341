"""A secret that was written before it was known to be one is hidden as soon as it is, in files and in their names."""

import contextlib
import json
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replaymock.app import App
from replaymock.proxy.routes import Upstream
from tests.support.credentials import word
from tests.support.inside import Told, put, running_app
from tests.support.running import ask, eventually, raw_backend, read_whole

JSON, XML, TEXT = "application/json", "text/xml", "text/plain"


class Club:
    """A backend that says its member's number in many places before a login tells that it is a secret."""

    def __init__(self) -> None:
        self.number = ""
        self.visits = 0
        self.join(1)

    def join(self, seed: int) -> None:
        self.number, self.visits = word(random.Random(seed), 14), 0

    def handle(self, connection: socket.socket) -> None:
        head, _ = read_whole(connection)
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        self.visits += method == "POST" and target.startswith("/members/")
        media, said = {
            "/whoami": (JSON, json.dumps({"note": f"your number is {self.number}"})),
            "/card": (TEXT, f"{self.number}\n" + "-" * 70_000),
            "/login": (JSON, json.dumps({"token": self.number})),
        }.get(target, (JSON, json.dumps({"visits": self.visits})))
        lines = ["HTTP/1.1 200 OK", f"Content-Type: {media}", f"Content-Length: {len(said)}", "Connection: close"]
        connection.sendall("\r\n".join([*lines, "", said]).encode())

    def visit(self, url: str) -> list[Any]:
        """What a client does; what it was answered."""
        me = f"/members/{self.number}"
        asked = [("GET", "/whoami"), ("GET", "/card"), ("GET", me), ("POST", me), ("GET", me), ("GET", f"{me}/a?b=1")]
        found = [ask(url, method, target).body for method, target in asked]
        found.append(ask(url, "POST", "/soap", [("Content-Type", XML)], f"<a>{self.number}</a>".encode()).body)
        found.append(ask(url, "POST", "/find", [("Content-Type", JSON)], json.dumps([self.number]).encode()).body)
        ask(url, "POST", "/login")
        return [body.decode().replace(self.number, "?") for body in found]


def told_in(folder: Path, secret: str) -> list[str]:
    """The files and folders that hold a secret, or have it in their names."""
    found = []
    for above, folders, files in os.walk(folder):
        for name in folders + files:
            with contextlib.suppress(OSError):  # gone by now, or a folder
                if secret.lower() in name.lower() or secret.encode() in Path(above, name).read_bytes():
                    found.append(str(Path(above, name)))
    return found


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def club() -> Club:
    return Club()


@pytest.fixture
def backend(club: Club) -> Iterator[tuple[Upstream, ...]]:
    with raw_backend(club.handle) as origin:
        yield (Upstream("", origin),)


def test_it_is_hidden_while_recording_goes_on(tmp_path: Path, club: Club, backend: tuple[Upstream, ...]) -> None:
    told = Told()
    with running_app(tmp_path / "c", told, upstreams=backend, mode="all") as app:
        club.visit(app.url)
        eventually(lambda: len(told.events("hidden")) and not told_in(tmp_path / "c", club.number))
        (hidden,) = told.events("hidden")
        assert {"whoami/GET.json", "card/GET.json"} < set(hidden["files"])
        assert all((tmp_path / "c" / file).is_file() for file in hidden["files"])
        assert "members/redacted/GET" in str(hidden["files"]) and "hidden in 7 cassettes" in told.log
        assert club.number.lower() not in ask(app.url, "GET", "/__replaymock/requests").body.decode().lower()
        again = club.visit(app.url)
        assert again[0] == '{"note": "your number is ?"}'
    assert not told_in(tmp_path / "c", club.number)
    (summary,) = told.events("summary")
    assert (summary["unused"], summary["redacted"], summary["redacted_files"]) == (0, 1, 8)


@pytest.mark.parametrize("mode", ["all", "rewrite", "new"])
def test_recording_again_with_another_changes_nothing_and_a_third_is_answered(
    tmp_path: Path, club: Club, backend: tuple[Upstream, ...], mode: str
) -> None:
    for seed, chosen in ((1, "all"), (2, mode)):
        club.join(seed)
        with running_app(tmp_path / "c", upstreams=backend, mode=chosen) as app:
            live = club.visit(app.url)
        assert told_in(tmp_path / "c", club.number) == []
        before = before if seed == 2 else files_in(tmp_path / "c")  # noqa: F821 - of the first run
    assert files_in(tmp_path / "c") == before
    club.join(3)
    with running_app(tmp_path / "c", fail_on_miss=True) as app:
        played = club.visit(app.url)
    assert played[2:] == live[2:] and app.replay.engine.journal.counts["miss"] == 0


def test_what_was_answered_from_a_cassette_still_is_once_it_is_renamed(
    tmp_path: Path, club: Club, backend: tuple[Upstream, ...]
) -> None:
    told = Told()
    with running_app(tmp_path, told, upstreams=backend, mode="new") as app:
        me = f"/members/{club.number}"
        for method, target in (("GET", me), ("POST", "/login"), ("GET", me)):
            ask(app.url, method, target)
        eventually(lambda: told.events("hidden") and not told_in(tmp_path, club.number))
        assert "members/redacted/GET" in ask(app.url, "GET", me).header("replaymock-cassette")
    assert app.replay.engine.journal.counts == {"recorded": 2, "hit": 2}


def test_what_an_earlier_run_wrote_is_hidden_and_what_a_hand_wrote_is_told_of(
    tmp_path: Path, club: Club, backend: tuple[Upstream, ...]
) -> None:
    note = f"call {club.number}"
    put(tmp_path, "notes.json", {"note": note})
    responses = [{"json": [note], "recorded_at": "2026-11-22T13:00:00Z"}]
    put(tmp_path, "calls/GET.json", {"request": {"path": "/calls"}, "responses": responses})
    told = Told()
    with running_app(tmp_path, told, upstreams=backend, mode="all") as app:
        ask(app.url, "POST", "/login")
    assert told_in(tmp_path, club.number) == [str(tmp_path / "notes.json")]
    assert "notes.json: holds a secret of this recording" in told.log and club.number not in told.log


def test_two_that_are_one_by_then_are_kept_in_one(tmp_path: Path, club: Club, backend: tuple[Upstream, ...]) -> None:
    with running_app(tmp_path, upstreams=backend, mode="all") as app:
        for seed in (1, 2):
            club.join(seed)
            ask(app.url, "GET", f"/members/{club.number}")
            ask(app.url, "POST", f"/members/{club.number}")
        for seed in (1, 2):
            club.join(seed)
            ask(app.url, "POST", "/login")
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.glob("members/*/*")) == sorted(
        file for file in app.replay.engine.index.entries if file.startswith("members")
    )
    assert len(app.replay.engine.index.entries) == 3
    assert not any(told_in(tmp_path, word(random.Random(seed), 14)) for seed in (1, 2))


def test_the_old_one_stays_while_the_new_one_cannot_be_written(
    tmp_path: Path, club: Club, backend: tuple[Upstream, ...]
) -> None:
    def ended(app: App) -> bool:
        return any("members/redacted" in file for file in app.replay.engine.index.entries)

    with running_app(tmp_path, upstreams=backend, mode="all") as app:
        old = f"members/{club.number.lower()}"
        ask(app.url, "GET", f"/members/{club.number}")
        eventually(lambda: list(tmp_path.glob("members/*/*.json")))
        put(tmp_path, "members/redacted", "in the way of a folder")
        ask(app.url, "POST", "/login")
        eventually(lambda: ended(app))
        assert len(list((tmp_path / "members").glob("*/*.json"))) == 1
        assert app.replay.engine.index.entries.keys() >= {"login/POST.json"}
        (tmp_path / "members/redacted").unlink()
        eventually(lambda: not told_in(tmp_path, club.number))
        assert not (tmp_path / old).exists() and len(list((tmp_path / "members").glob("redacted/*"))) == 1
