"""The order in which exchanges are taken."""

from itertools import permutations

import pytest

from replaymock.recording.pipeline import ArrivalOrder, PendingExchange


class Taking:
    """Turns, and the names of what was taken so far."""

    def __init__(self) -> None:
        self.turns = ArrivalOrder()
        self.taken: list[str] = []

    def arrive(self, method: str, path: str, session: str = "") -> PendingExchange:
        return self.turns.arrive(session, method, path)

    def end(self, turn: PendingExchange, name: str) -> bool:
        return self.turns.finish(turn, lambda: self.taken.append(name))


def test_a_request_on_its_own_is_taken_at_once() -> None:
    taking = Taking()
    assert taking.end(taking.arrive("GET", "/a"), "a")
    assert taking.taken == ["a"]


def test_what_was_asked_after_a_write_is_taken_after_it_though_it_was_answered_first() -> None:
    taking = Taking()
    write, read = taking.arrive("POST", "/a"), taking.arrive("GET", "/a")
    assert not taking.end(read, "read")
    assert taking.end(write, "write")
    assert taking.taken == ["write", "read"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_equal_requests_are_taken_as_they_arrived_however_they_were_answered(order: tuple[int, ...]) -> None:
    taking = Taking()
    turns = [taking.arrive("GET", "/a") for _ in range(3)]
    for place in order:
        taking.end(turns[place], str(place))
    assert taking.taken == ["0", "1", "2"]


def test_other_reads_do_not_wait_for_each_other() -> None:
    taking = Taking()
    taking.arrive("GET", "/slow")
    assert taking.end(taking.arrive("GET", "/a"), "a")


def test_sessions_do_not_wait_for_each_other() -> None:
    taking = Taking()
    taking.arrive("POST", "/a", "one")
    assert taking.end(taking.arrive("GET", "/a", "two"), "a")


def test_a_write_that_comes_to_nothing_lets_the_others_go_on() -> None:
    taking = Taking()
    write, read = taking.arrive("POST", "/a"), taking.arrive("GET", "/a")
    taking.end(read, "read")
    taking.turns.abandon(write)
    assert taking.taken == ["read"]


def test_who_has_waited_long_enough_does_not_wait_for_a_write_that_never_ends() -> None:
    taking = Taking()
    write, read, other = taking.arrive("POST", "/a"), taking.arrive("GET", "/a"), taking.arrive("GET", "/b")
    taking.end(read, "read")
    taking.end(other, "other")
    taking.turns.force(read)
    taking.turns.force(read)
    assert taking.taken == ["read"]
    taking.end(write, "write")
    assert taking.taken == ["read", "write", "other"]


def test_in_the_end_everything_that_is_over_is_taken_in_order() -> None:
    taking = Taking()
    taking.arrive("POST", "/never")
    for name in "abc":
        taking.end(taking.arrive("GET", "/a"), name)
    taking.turns.settle()
    assert taking.taken == ["a", "b", "c"]
