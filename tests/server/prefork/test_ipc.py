"""The messages between workers and their parent."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from replaymock.server.prefork import ipc
from replaymock.telemetry.events import Dropped, MissOccurred, Ready, Warned
from replaymock.telemetry.journal import BroadcastQuestion, JournalDelta

NEWS = JournalDelta({"hit": 2}, ["ä.json"], {"name": ({"reason": "never recorded"}, 3)})


@pytest.mark.parametrize(
    "message",
    [
        ipc.EventMessage(MissOccurred("differs", "a\nb", {"path": "/ä"}, [{"file": "x"}], "A hint.", "here")),
        ipc.EventMessage(Ready("http://localhost:1", 1, 2, 3, folder="c", upstreams=("to http://a.test",))),
        ipc.DeltaMessage(NEWS, answers=4, unused=["x.json"]),
        ipc.DeltaMessage(JournalDelta()),
        ipc.QueryMessage(1, BroadcastQuestion(reset=True, session="one"), NEWS),
        ipc.Failed("there is no folder"),
    ],
)
def test_what_a_worker_says_arrives_as_it_was_said_in_one_line(message: ipc.FromWorker) -> None:
    line = ipc.encode_line(message)
    assert line.count(b"\n") == 1
    assert ipc.from_worker.decode(line) == message


@pytest.mark.parametrize(
    "message",
    [ipc.Order("end"), ipc.QueryRequest(2, BroadcastQuestion(reset=False, session=None)), ipc.QueryReply(3, NEWS)],
)
def test_what_the_parent_says_arrives_as_it_was_said_in_one_line(message: ipc.FromParent) -> None:
    line = ipc.encode_line(message)
    assert line.count(b"\n") == 1
    assert ipc.from_parent.decode(line) == message


def test_lines_are_found_in_pieces_of_any_size() -> None:
    data = b"one\ntwo\n\nthree\nrest"
    for size in range(1, len(data) + 1):
        lines = ipc.LineSplitter()
        found = [line for at in range(0, len(data), size) for line in lines.feed(data[at : at + size])]
        assert found == [b"one", b"two", b"", b"three"]


def test_the_parent_keeps_what_a_worker_does_not_take_yet_and_loses_nothing() -> None:
    ours, theirs = socket.socketpair()
    link, message = ipc.Link(ours), ipc.Order("x" * 100_000)
    with ours, theirs:
        for _ in range(20):
            link.send(message)
        assert link.unsent
        received = b""
        while len(received) < 20 * len(ipc.encode_line(message)):
            received += theirs.recv(1 << 20)
            link.flush()
        assert received == ipc.encode_line(message) * 20


def test_the_parent_learns_that_a_worker_is_gone_after_what_it_said_last() -> None:
    ours, theirs = socket.socketpair()
    link = ipc.Link(ours)
    with ours:
        assert link.receive() == []
        theirs.sendall(ipc.encode_line(ipc.Failed("so it is")) + b'{"cut')
        theirs.close()
        assert link.receive() == [ipc.Failed("so it is")]
        link.send(ipc.Order("end"))
        assert link.receive() is None


def test_a_worker_keeps_what_its_parent_does_not_take_yet_and_drops_and_counts_events_beyond_a_bound() -> None:
    ours, theirs = socket.socketpair()
    outbox, event = ipc.Outbox(ours), ipc.EventMessage(Warned("x" * 10_000))
    with ours, theirs:
        kept = 0
        for _ in range(500):
            kept += outbox.send(event)
        assert outbox.is_behind
        assert kept > 300
        assert outbox.send(ipc.DeltaMessage(NEWS, answers=1))
        found: list[ipc.FromWorker] = []
        theirs.setblocking(False)
        lines = ipc.LineSplitter()
        while (
            outbox.flush()
            or not found
            or not isinstance(found[-1], ipc.EventMessage)
            or found[-1].event.name != "dropped"
        ):
            found += [ipc.from_worker.decode(line) for line in lines.feed(theirs.recv(1 << 20))]
        *events, noted, dropped = found
        assert events == [event] * len(events)
        assert noted == ipc.DeltaMessage(NEWS, answers=1)
        assert dropped == ipc.EventMessage(Dropped(500 - len(events)))
        assert len(events) * 10_000 < ipc.MOST_UNSENT + 1_000_000
        assert not outbox.send(event)
        assert lines.feed(theirs.recv(1 << 20)) == [ipc.encode_line(event)[:-1]]


def test_a_worker_ends_though_its_parent_stands_still_or_is_gone() -> None:
    ours, theirs = socket.socketpair()
    outbox = ipc.Outbox(ours)
    with ours:
        for _ in range(100):
            outbox.send(ipc.Failed("x" * 10_000))
        outbox.finish(0.1)
        assert outbox.is_behind
        theirs.close()
        outbox.finish(10)
        assert not outbox.is_behind
        assert not outbox.send(ipc.Failed("unheard"))


def test_a_worker_at_its_end_waits_for_a_parent_that_is_slow() -> None:
    ours, theirs = socket.socketpair()
    outbox, message = ipc.Outbox(ours), ipc.Failed("x" * 10_000)
    with ours, theirs, ThreadPoolExecutor(1) as threads:
        for _ in range(100):
            outbox.send(message)
        reading = threads.submit(theirs.recv, 100 * len(ipc.encode_line(message)), socket.MSG_WAITALL)
        outbox.finish(10)
        assert reading.result(10) == ipc.encode_line(message) * 100
