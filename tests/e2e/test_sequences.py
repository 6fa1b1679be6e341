"""Answers that change without a write: polling, limits, pages of a list."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from replaymock.config.settings import parse_statuses
from replaymock.proxy.routes import parse_upstream
from tests.support.inside import put, running_app, simple
from tests.support.running import Got, ask, raw_backend, read_whole, reply

SCRIPTS: dict[str, list[tuple[str, object]]] = {
    "/job": [("200 OK", "pending"), ("200 OK", "pending"), ("200 OK", "done"), ("200 OK", "done")],
    "/limited": [("429 Too Many Requests", "later"), ("200 OK", "now")],
    "/page": [("200 OK", [number, number + 1]) for number in range(0, 8, 2)],
    "/one?key=a": [("200 OK", "a1"), ("200 OK", "a2")],
    "/one?key=b": [("200 OK", "b1"), ("200 OK", "b2")],
}


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Path]:
    """Every script recorded to its end, the keys in turn."""
    asked: Counter[str] = Counter()

    def handle(connection: socket.socket) -> None:
        target = read_whole(connection)[0].split(b" ")[1].decode()
        status, value = SCRIPTS[target][asked[target]]
        asked[target] += 1
        more = ("Retry-After: 7",) if status.startswith("429") else ()
        connection.sendall(reply(json.dumps(value).encode(), *more, status=status))

    settings = {"mode": "all", "statuses": parse_statuses("429")}
    with raw_backend(handle) as backend, running_app(tmp_path, upstreams=(parse_upstream(backend),), **settings) as app:
        for turn in range(4):
            for target, script in SCRIPTS.items():
                if turn < len(script):
                    ask(app.url, "GET", target)
    yield tmp_path


def served(folder: Path, target: str, times: int) -> list[Got]:
    with running_app(folder) as app:
        return [ask(app.url, "GET", target) for _ in range(times)]


def test_polling_comes_to_its_end_and_stays_there(recorded: Path) -> None:
    assert [got.json() for got in served(recorded, "/job", 4)] == ["pending", "done", "done", "done"]


def test_polling_written_by_hand_takes_as_many_calls_as_it_says(tmp_path: Path) -> None:
    put(tmp_path, "job/GET.json", simple("/job", "pending", "pending", "done"))
    assert [got.json() for got in served(tmp_path, "/job", 5)] == ["pending", "pending", "done", "done", "done"]


def test_a_limit_is_met_once_and_says_when_to_come_back(recorded: Path) -> None:
    limited, fine, again = served(recorded, "/limited", 3)
    assert (limited.status, limited.header("retry-after")) == (429, "7")
    assert [(got.status, got.json()) for got in (fine, again)] == [(200, "now")] * 2


def test_pages_of_one_url_come_in_their_order(recorded: Path) -> None:
    assert [got.json() for got in served(recorded, "/page", 5)] == [[0, 1], [2, 3], [4, 5], [6, 7], [6, 7]]


def test_two_keys_never_disturb_each_other(recorded: Path) -> None:
    with running_app(recorded) as app:
        seen = [ask(app.url, "GET", f"/one?key={key}").json() for key in "aabbab"]
    assert seen == ["a1", "a2", "b1", "b2", "a2", "b2"]
