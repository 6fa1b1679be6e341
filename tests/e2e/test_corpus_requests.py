"""Every request of the corpus, sent to a recorder and to replays on both roads: refused by all, or served by all."""

import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from replaymock.proxy.routes import parse_upstream
from tests.support.corpus.requests import BROKEN_BODIES, GONE, HOSTILE, LEGAL, TOO_LARGE, get
from tests.support.inside import Told, put, running_app
from tests.support.running import ask, raw_backend, read_whole, reply

Row = tuple[str, bytes, str]

WAITING = (GONE, "413")
"""Verdicts on what is not whole: a caller who stays would be waited for. Else the end would be noticed, too."""


class Counting:
    """A backend that knows who connected, and what was asked."""

    def __init__(self) -> None:
        self.connections = 0
        self.lines: list[str] = []

    def handle(self, connection: socket.socket) -> None:
        self.connections += 1
        head, _ = read_whole(connection)
        self.lines.append(head.partition(b"\r\n")[0].decode("latin-1"))
        connection.sendall(reply(b'{"good": 1}'))


@contextlib.contextmanager
def recording(folder: Path, told: Told | None = None) -> Iterator[tuple[int, Counting]]:
    """A recorder into a folder, and the backend behind it."""
    backend = Counting()
    with (
        raw_backend(backend.handle) as origin,
        running_app(folder, told, mode="all", upstreams=(parse_upstream(origin),)) as app,
    ):
        yield app.port, backend


@pytest.fixture(scope="module")
def replays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Two replays of a few good answers: with the fast lane, and without it."""
    folder = tmp_path_factory.mktemp("replayed")
    put(folder, "a.json", {})
    put(folder, "up/POST.json", {"request": {"method": "POST", "path": "/up", "text": "x"}, "responses": [{"json": 1}]})
    with running_app(folder) as fast, running_app(folder, fast_lane=False) as slow:
        yield fast.port, slow.port


def answered(port: int, data: bytes, *, ends: bool = False) -> bytes:
    """What comes back; what cannot be sent any more was not wanted. `ends` says that nothing else will ever come."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, contextlib.suppress(ConnectionError):
        received = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            received += piece
    return received


def status(answer: bytes) -> str:
    """The status of the last answer."""
    return answer.rpartition(b"HTTP/1.1 ")[2][:3].decode() if answer else ""


def statuses(port: int, rows: list[Row]) -> dict[str, str]:
    """What each request of a table is answered, many at a time."""
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda row: status(answered(port, row[1], ends=row[2] in WAITING)), rows)
        return dict(zip([name for name, *_ in rows], answers, strict=True))


def verdicts(rows: list[Row]) -> dict[str, str]:
    return {name: verdict for name, _, verdict in rows}


def test_what_is_hostile_is_refused_with_nothing_opened_upstream_and_nothing_saved(tmp_path: Path) -> None:
    with recording(tmp_path / "c") as (port, backend):
        assert statuses(port, HOSTILE) == verdicts(HOSTILE)
        assert (backend.connections, backend.lines) == (0, [])
        assert not list((tmp_path / "c").rglob("*.json"))
        assert ask(f"http://127.0.0.1:{port}", "GET", "/good").json() == {"good": 1}
        assert backend.lines == ["GET /good HTTP/1.1"]


def test_a_body_that_breaks_off_or_is_damaged_is_not_saved(tmp_path: Path) -> None:
    with recording(tmp_path / "c") as (port, _):
        assert statuses(port, BROKEN_BODIES) == verdicts(BROKEN_BODIES)
        assert statuses(port, [(name, data, GONE) for name, data, _ in TOO_LARGE]) == dict.fromkeys(
            verdicts(TOO_LARGE), GONE
        )
        assert ask(f"http://127.0.0.1:{port}", "GET", "/good").json() == {"good": 1}
    assert [file.parent.name for file in (tmp_path / "c").rglob("*.json")] == ["good"]


def test_both_roads_of_a_replay_refuse_what_a_recorder_refuses(replays: tuple[int, int]) -> None:
    for port in replays:
        rows = HOSTILE + TOO_LARGE + BROKEN_BODIES
        assert statuses(port, rows) == verdicts(rows)
        assert ask(f"http://127.0.0.1:{port}", "GET", "/a").status == 200


def test_what_is_odd_but_legal_arrives_as_sent_is_saved_and_replays(tmp_path: Path) -> None:
    with recording(tmp_path / "c") as (port, backend):
        assert statuses(port, LEGAL) == {name: "206" if name.startswith("a range") else "200" for name, *_ in LEGAL}
    assert sorted(backend.lines) == sorted(f"{line} HTTP/1.1" for *_, line in LEGAL)
    assert [place.name for place in tmp_path.iterdir()] == ["c"]
    with running_app(tmp_path / "c") as fast, running_app(tmp_path / "c", fast_lane=False) as slow:
        for app in (fast, slow):
            answers = {name: answered(app.port, data) for name, data, _ in LEGAL}
            assert [
                name for name, answer in answers.items() if b"\r\nCache-Status: replaymock; hit\r\n" not in answer
            ] == []


@pytest.mark.parametrize("target", ["/caf\xe9", "/a\x85b"])
def test_raw_bytes_past_ascii_in_a_target_are_never_sent_on(
    tmp_path: Path, replays: tuple[int, int], target: str
) -> None:
    with recording(tmp_path / "c") as (port, backend):
        assert status(answered(port, get(f"GET {target} HTTP/1.1"))) == "400"
        assert backend.connections == 0
    assert [status(answered(port, get(f"GET {target} HTTP/1.1"))) for port in replays] == ["404", "404"]


def test_the_corpus_is_no_smaller_than_it_was_meant_to_be() -> None:
    rows = [*HOSTILE, *TOO_LARGE, *BROKEN_BODIES, *LEGAL]
    assert len(HOSTILE) >= 180
    assert len(LEGAL) >= 80
    assert len({name for name, *_ in rows}) == len({data for _, data, _ in rows}) == len(rows)
