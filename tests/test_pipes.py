"""The messages between workers and their parent."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from replaymock import pipes
from replaymock.journal import News, Question

NEWS = News({"hit": 2}, ["ä.json"], {"name": ({"reason": "never recorded"}, 3)})


@pytest.mark.parametrize(
    "message",
    [
        pipes.Said("miss", {"nearest": [], "text": "a\nb"}),
        pipes.Noted(NEWS, answers=4, unused=["x.json"]),
        pipes.Noted(News()),
        pipes.Asks(1, Question(reset=True, session="one"), NEWS),
        pipes.Failed("there is no folder"),
    ],
)
def test_what_a_worker_says_arrives_as_it_was_said_in_one_line(message: pipes.FromWorker) -> None:
    line = pipes.line(message)
    assert line.count(b"\n") == 1
    assert pipes.from_worker.decode(line) == message


@pytest.mark.parametrize(
    "message", [pipes.Order("end"), pipes.Tell(2, Question(reset=False, session=None)), pipes.Told(3, NEWS)]
)
def test_what_the_parent_says_arrives_as_it_was_said_in_one_line(message: pipes.FromParent) -> None:
    line = pipes.line(message)
    assert line.count(b"\n") == 1
    assert pipes.from_parent.decode(line) == message


def test_lines_are_found_in_pieces_of_any_size() -> None:
    data = b"one\ntwo\n\nthree\nrest"
    for size in range(1, len(data) + 1):
        lines = pipes.Lines()
        found = [line for at in range(0, len(data), size) for line in lines.feed(data[at : at + size])]
        assert found == [b"one", b"two", b"", b"three"]


def test_the_parent_keeps_what_a_worker_does_not_take_yet_and_loses_nothing() -> None:
    ours, theirs = socket.socketpair()
    link, message = pipes.Link(ours), pipes.Order("x" * 100_000)
    with ours, theirs:
        for _ in range(20):
            link.send(message)
        assert link.unsent
        received = b""
        while len(received) < 20 * len(pipes.line(message)):
            received += theirs.recv(1 << 20)
            link.flush()
        assert received == pipes.line(message) * 20


def test_the_parent_learns_that_a_worker_is_gone_after_what_it_said_last() -> None:
    ours, theirs = socket.socketpair()
    link = pipes.Link(ours)
    with ours:
        assert link.receive() == []
        theirs.sendall(pipes.line(pipes.Failed("so it is")) + b'{"cut')
        theirs.close()
        assert link.receive() == [pipes.Failed("so it is")]
        link.send(pipes.Order("end"))
        assert link.receive() is None


def test_a_worker_keeps_what_its_parent_does_not_take_yet_and_drops_and_counts_events_beyond_a_bound() -> None:
    ours, theirs = socket.socketpair()
    outbox, event = pipes.Outbox(ours), pipes.Said("miss", {"text": "x" * 10_000})
    with ours, theirs:
        kept = 0
        for _ in range(500):
            kept += outbox.send(event)
        assert outbox.is_behind
        assert kept > 300
        assert outbox.send(pipes.Noted(NEWS, answers=1))
        found: list[pipes.FromWorker] = []
        theirs.setblocking(False)
        lines = pipes.Lines()
        while outbox.flush() or not found or not isinstance(found[-1], pipes.Said) or found[-1].event != "dropped":
            found += [pipes.from_worker.decode(line) for line in lines.feed(theirs.recv(1 << 20))]
        *events, noted, dropped = found
        assert events == [event] * len(events)
        assert noted == pipes.Noted(NEWS, answers=1)
        assert dropped == pipes.Said("dropped", {"count": 500 - len(events)})
        assert len(events) * 10_000 < pipes.MOST_UNSENT + 1_000_000
        assert not outbox.send(event)
        assert lines.feed(theirs.recv(1 << 20)) == [pipes.line(event)[:-1]]


def test_a_worker_ends_though_its_parent_stands_still_or_is_gone() -> None:
    ours, theirs = socket.socketpair()
    outbox = pipes.Outbox(ours)
    with ours:
        for _ in range(100):
            outbox.send(pipes.Failed("x" * 10_000))
        outbox.finish(0.1)
        assert outbox.is_behind
        theirs.close()
        outbox.finish(10)
        assert not outbox.is_behind
        assert not outbox.send(pipes.Failed("unheard"))


def test_a_worker_at_its_end_waits_for_a_parent_that_is_slow() -> None:
    ours, theirs = socket.socketpair()
    outbox, message = pipes.Outbox(ours), pipes.Failed("x" * 10_000)
    with ours, theirs, ThreadPoolExecutor(1) as threads:
        for _ in range(100):
            outbox.send(message)
        reading = threads.submit(theirs.recv, 100 * len(pipes.line(message)), socket.MSG_WAITALL)
        outbox.finish(10)
        assert reading.result(10) == pipes.line(message) * 100
