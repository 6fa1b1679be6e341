"""Every bad backend of the corpus behind one recorder: what its caller sees, what is kept, and that it goes on."""

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from replaymock.proxy.routes import parse_upstream
from tests.support.corpus.upstreams import MOST, UPSTREAMS
from tests.support.inside import Told, running_app
from tests.support.running import exchange, raw_backend, read_request


@contextlib.contextmanager
def recording(folder: Path, told: Told) -> Iterator[int]:
    """A recorder of a backend that gives the answer whose number is asked for, and then leaves."""

    def handle(connection: socket.socket) -> None:
        number = int(read_request(connection).split(b" ")[1].rpartition(b"/")[2])
        connection.sendall(UPSTREAMS[number][1])

    with raw_backend(handle) as backend:
        settings = {"mode": "all", "upstreams": (parse_upstream(backend),), "max_body": MOST, "connect_timeout": 5.0}
        with running_app(folder, told, **settings) as app:
            yield app.port


def seen(port: int, number: int) -> str:
    """What a caller sees of an answer."""
    accepted = "Accept-Encoding: gzip, deflate, br, zstd"
    received = exchange(
        port, f"GET /{number} HTTP/1.1\r\nHost: localhost\r\n{accepted}\r\nConnection: close\r\n\r\n".encode()
    )
    head, _, body = received.partition(b"\r\n\r\n")
    status = head[9:12].decode()
    if b"\r\nContent-Type: application/problem+json" in head:
        return f"{status} {json.loads(body)['code']}"
    length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
    is_whole = len(body) == int(length[1]) if length else body.endswith(b"0\r\n\r\n") or status in ("204", "304")
    return status if is_whole else f"{status} cut"


def kept(folder: Path, number: int) -> str:
    """The form in which the answer is kept."""
    file = folder / str(number) / "GET.json"
    if not file.exists():
        return ""
    (response,) = json.loads(file.read_bytes())["responses"]
    if response.get("encoded"):
        return "coded"
    return next((form for form in ("json", "text", "file", "events") if form in response), "empty")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str], str]]:
    """The folder after all of them were recorded, what their callers saw, and the log."""
    folder, told = tmp_path_factory.mktemp("upstreams") / "c", Told()
    with recording(folder, told) as port, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: seen(port, number), range(len(UPSTREAMS))))
    yield folder, found, told.log


def test_the_caller_sees_a_problem_a_cut_or_what_was_sent(recorded: tuple[Path, list[str], str]) -> None:
    names = [name for name, *_ in UPSTREAMS]
    assert dict(zip(names, recorded[1], strict=True)) == {name: verdict for name, _, verdict, _ in UPSTREAMS}


def test_only_what_is_whole_and_bounded_is_kept(recorded: tuple[Path, list[str], str]) -> None:
    found = {name: kept(recorded[0], number) for number, (name, *_) in enumerate(UPSTREAMS)}
    assert found == {name: form for name, *_, form in UPSTREAMS}


def test_what_is_kept_is_replayed(recorded: tuple[Path, list[str], str]) -> None:
    folder, told = recorded[0], Told()
    with running_app(folder, told) as app:
        found = {name: seen(app.port, number) for number, (name, *_) in enumerate(UPSTREAMS)}
    assert told.events("broken") == []
    assert found == {name: status if form else "404 no_match" for name, _, status, form in UPSTREAMS}


def test_what_is_not_kept_for_its_size_is_told(recorded: tuple[Path, list[str], str]) -> None:
    assert "not saved, its content decodes to more than --max-body" in recorded[2]
    assert "not saved, larger than --max-body" in recorded[2]


def test_the_recorder_goes_on_after_each(tmp_path: Path) -> None:
    """One after the other over the same connections, each between two good answers."""
    good = next(number for number, (name, *_) in enumerate(UPSTREAMS) if name == "the same length twice")
    small = [number for number, (_, data, *_) in enumerate(UPSTREAMS) if len(data) < 10_000]
    with recording(tmp_path / "c", Told()) as port:
        for number in small[::4]:
            seen(port, number)
            assert seen(port, good) == "200"


def test_the_corpus_is_no_smaller_than_it_was_meant_to_be() -> None:
    assert len({name for name, *_ in UPSTREAMS}) == len({data for _, data, *_ in UPSTREAMS}) == len(UPSTREAMS) >= 110
