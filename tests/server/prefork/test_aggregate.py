"""What several workers say, told once; queries of one to all others."""

import pytest

from replaymock.server.prefork.aggregate import RELOAD_SECONDS, BroadcastQueries, EventAggregator
from replaymock.telemetry.events import Broken, Dropped, Event, MissOccurred, Reloaded, ServedRequest, Warned


class Heard:
    """An aggregator, and what it told."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.aggregator = EventAggregator(self.told.append)

    def say(self, worker: int, event: Event, now: float = 0.0) -> None:
        self.aggregator.add(worker, event, now)


def a_miss(path: str, *near: str) -> MissOccurred:
    nearest = [{"file": file} for file in near]
    return MissOccurred("never recorded", "record it", {"path": path}, nearest, "Record it.")


@pytest.mark.parametrize("event", [Warned, Broken])
def test_what_every_worker_says_is_told_once(event: type[Warned] | type[Broken]) -> None:
    heard = Heard()
    for worker in (1, 2, 3):
        heard.say(worker, event("a.json:1:1: no JSON"))
        heard.say(worker, event("b.json:1:1: no JSON"))
    assert heard.told == [event("a.json:1:1: no JSON"), event("b.json:1:1: no JSON")]


def test_what_one_worker_says_again_is_told_again_and_once() -> None:
    heard = Heard()
    for _ in range(3):
        heard.say(1, Broken("a.json:1:1: no JSON"))
        heard.say(2, Broken("a.json:1:1: no JSON"))
    assert len(heard.told) == 3


def test_a_worker_that_was_started_again_repeats_nothing_that_was_told() -> None:
    heard = Heard()
    for worker in (1, 2, 3):
        heard.say(worker, Warned("it is warm"))
    assert len(heard.told) == 1


def test_an_equal_miss_is_told_once_whatever_was_near_it_by_then() -> None:
    heard = Heard()
    heard.say(1, a_miss("/x"))
    heard.say(2, a_miss("/x", "new"))
    heard.say(2, a_miss("/y"))
    assert heard.told == [a_miss("/x"), a_miss("/y")]


def test_every_request_is_told() -> None:
    heard = Heard()
    for worker in (1, 2, 1):
        heard.say(worker, ServedRequest("GET", "/x", 200, "hit", "x.json", 1.0))
    assert len(heard.told) == 3


def test_a_reload_is_told_once_all_have_done_it() -> None:
    heard = Heard()
    assert heard.aggregator.settle_reload({1, 2}, 0.0) is None
    heard.say(1, Reloaded(3))
    assert heard.aggregator.settle_reload({1, 2}, 0.5) == RELOAD_SECONDS - 0.5
    heard.say(1, Reloaded(4))
    heard.say(2, Reloaded(5))
    assert heard.aggregator.settle_reload({1, 2}, 0.6) is None
    assert heard.told == [Reloaded(5)]


def test_a_reload_does_not_wait_for_ever_for_a_worker_that_saw_no_change() -> None:
    heard = Heard()
    heard.say(1, Reloaded(3), now=10.0)
    assert heard.aggregator.settle_reload({1, 2}, 10.0 + RELOAD_SECONDS) is None
    assert len(heard.told) == 1


def test_a_question_is_settled_when_the_last_has_answered_or_left() -> None:
    queries = BroadcastQueries()
    one, other = queries.open(1, 70, {2, 3}), queries.open(2, 80, {1, 3})
    queries.answered(2, one)
    assert queries.take_settled() == []
    queries.worker_left(3)
    assert queries.take_settled() == [(1, 70)]
    queries.answered(1, other)
    assert queries.take_settled() == [(2, 80)]
    assert queries.take_settled() == []


def test_a_question_without_anyone_to_ask_is_settled_and_an_answer_to_none_changes_nothing() -> None:
    queries = BroadcastQueries()
    queries.answered(2, 0)
    queries.open(1, 70, set())
    assert queries.take_settled() == [(1, 70)]


def test_what_each_worker_could_not_tell_is_told_of_each() -> None:
    heard = Heard()
    for worker in (1, 2):
        heard.say(worker, Dropped(7))
    assert heard.told == [Dropped(7)] * 2
