"""The order in which exchanges are taken."""

from itertools import permutations

import pytest

from replaymock.recording.pipeline import ArrivalOrder, PendingExchange


class Recorder:
    """An order of arrival, and the names of what was recorded so far."""

    def __init__(self) -> None:
        self.order = ArrivalOrder()
        self.recorded: list[str] = []

    def arrive(self, method: str, path: str, session: str = "") -> PendingExchange:
        return self.order.arrive(session, method, path)

    def end(self, pending: PendingExchange, name: str) -> bool:
        return self.order.finish(pending, lambda: self.recorded.append(name))


def test_a_request_on_its_own_is_taken_at_once() -> None:
    recorder = Recorder()
    assert recorder.end(recorder.arrive("GET", "/a"), "a")
    assert recorder.recorded == ["a"]


def test_what_was_asked_after_a_write_is_taken_after_it_though_it_was_answered_first() -> None:
    recorder = Recorder()
    write, read = recorder.arrive("POST", "/a"), recorder.arrive("GET", "/a")
    assert not recorder.end(read, "read")
    assert recorder.end(write, "write")
    assert recorder.recorded == ["write", "read"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_equal_requests_are_taken_as_they_arrived_however_they_were_answered(order: tuple[int, ...]) -> None:
    recorder = Recorder()
    pending = [recorder.arrive("GET", "/a") for _ in range(3)]
    for place in order:
        recorder.end(pending[place], str(place))
    assert recorder.recorded == ["0", "1", "2"]


def test_other_reads_do_not_wait_for_each_other() -> None:
    recorder = Recorder()
    recorder.arrive("GET", "/slow")
    assert recorder.end(recorder.arrive("GET", "/a"), "a")


def test_sessions_do_not_wait_for_each_other() -> None:
    recorder = Recorder()
    recorder.arrive("POST", "/a", "one")
    assert recorder.end(recorder.arrive("GET", "/a", "two"), "a")


def test_a_write_that_comes_to_nothing_lets_the_others_go_on() -> None:
    recorder = Recorder()
    write, read = recorder.arrive("POST", "/a"), recorder.arrive("GET", "/a")
    recorder.end(read, "read")
    recorder.order.abandon(write)
    assert recorder.recorded == ["read"]


def test_who_has_waited_long_enough_does_not_wait_for_a_write_that_never_ends() -> None:
    recorder = Recorder()
    write, read, other = recorder.arrive("POST", "/a"), recorder.arrive("GET", "/a"), recorder.arrive("GET", "/b")
    recorder.end(read, "read")
    recorder.end(other, "other")
    recorder.order.force(read)
    recorder.order.force(read)
    assert recorder.recorded == ["read"]
    recorder.end(write, "write")
    assert recorder.recorded == ["read", "write", "other"]


def test_in_the_end_everything_that_is_over_is_taken_in_order() -> None:
    recorder = Recorder()
    recorder.arrive("POST", "/never")
    for name in "abc":
        recorder.end(recorder.arrive("GET", "/a"), name)
    recorder.order.settle()
    assert recorder.recorded == ["a", "b", "c"]
