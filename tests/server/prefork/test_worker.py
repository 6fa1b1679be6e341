"""One worker, spoken to as its parent would, in a thread of the test."""

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from replaymock.app import App
from replaymock.config.settings import Settings
from replaymock.server.listener import bind
from replaymock.server.prefork import ipc
from replaymock.server.prefork.worker import ParentConnection, Worker
from replaymock.telemetry.journal import BroadcastQuestion, JournalDelta
from tests.support.inside import put, simple
from tests.support.running import eventually


class Parent:
    """The other end of a worker's line, and a client of the worker."""

    def __init__(self, end: socket.socket, port: int, ended: "Future[None]") -> None:
        self.link = ipc.Link(end)
        self.ended = ended
        self._port = port
        self._heard: list[ipc.FromWorker] = []

    def hears(self, kind: type) -> Any:
        """The next message of one kind."""

        def look() -> list[ipc.FromWorker]:
            self._heard += self.link.receive() or []
            return [message for message in self._heard if isinstance(message, kind)]

        found = eventually(look)[0]
        self._heard.remove(found)
        return found

    def asks(self, path: str, method: str = "GET") -> Any:
        """A worker's answer as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        connection.request(method, path)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Parent]:
    put(tmp_path, "a.json", {"a": 1})
    put(tmp_path, "b.json", {"b": 1})
    put(tmp_path, "steps/GET.json", simple("/steps", 1, 2, 3))
    ours, theirs = socket.socketpair()
    sockets = bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]

    async def work() -> None:
        settings = Settings(cassettes=str(tmp_path), host="127.0.0.1")
        worker = Worker(lambda emit: App(settings, emit, wants_requests=False), lambda _event: None)
        worker.prepare()
        await worker.run(sockets, ParentConnection(theirs))

    with ThreadPoolExecutor(2) as threads, ours, theirs:
        found = Parent(ours, port, threads.submit(asyncio.run, work()))
        assert found.hears(ipc.EventMessage).event.name == "ready"
        yield found
        if not found.ended.done():
            found.link.send(ipc.Order("end"))
            found.ended.result(10)


def test_it_tells_what_it_noted_as_it_goes_and_what_was_not_used_at_its_end(parent: Parent) -> None:
    parent.asks("/a")
    parent.asks("/missing")
    assert parent.hears(ipc.EventMessage).event.name == "miss"
    told = parent.hears(ipc.DeltaMessage)
    assert (told.delta.counts, told.delta.used, told.unused) == ({"hit": 1, "miss": 1}, ["a.json"], None)
    parent.asks("/b")
    parent.link.send(ipc.Order("end"))
    told = parent.hears(ipc.DeltaMessage)
    assert (told.delta.counts, told.delta.used, told.unused) == ({"hit": 1}, ["b.json"], ["steps/GET.json"])


def test_it_answers_the_question_of_another_with_what_it_noted_and_resets_if_that_is_asked(parent: Parent) -> None:
    assert [parent.asks("/steps"), parent.asks("/steps")] == [1, 2]
    parent.link.send(ipc.QueryRequest(7, BroadcastQuestion(reset=True, session=None)))
    told = parent.hears(ipc.DeltaMessage)
    assert (told.answers, told.delta.used) == (7, ["steps/GET.json"])
    assert parent.asks("/steps") == 1


def test_its_own_endpoints_wait_for_what_all_others_noted(parent: Parent) -> None:
    parent.asks("/a")
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(parent.asks, "/__replaymock/unused")
        asked = parent.hears(ipc.QueryMessage)
        assert (asked.question, asked.delta.used) == (BroadcastQuestion(reset=False, session=None), ["a.json"])
        parent.link.send(ipc.QueryReply(asked.number, JournalDelta({"hit": 2}, ["a.json", "b.json"])))
        assert answer.result(10) == {"unused": ["steps/GET.json"]}


def test_it_looks_at_the_folder_again_when_it_is_told_to(parent: Parent) -> None:
    parent.link.send(ipc.Order("reload"))
    assert parent.hears(ipc.EventMessage).event.name == "reloaded"


def test_it_ends_when_the_parent_is_gone(parent: Parent) -> None:
    parent.link.end.close()
    parent.ended.result(10)


def test_it_answers_while_its_parent_does_not_read_and_says_what_could_not_be_told(parent: Parent) -> None:
    for number in range(1500):
        assert parent.asks(f"/missing/{number}{'x' * 300}")["code"] == "no_match"
    told = 0
    parent.asks("/a")
    while (event := parent.hears(ipc.EventMessage).event).name != "dropped":
        told += event.name == "miss"
    assert 0 < told == 1500 - event.count
    parent.link.send(ipc.Order("end"))
    noted = [parent.hears(ipc.DeltaMessage)]
    while noted[-1].unused is None:
        noted.append(parent.hears(ipc.DeltaMessage))
    assert sum(told.delta.counts.get("miss", 0) for told in noted) == 1500
