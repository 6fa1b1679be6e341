"""When a worker is started again, and when that is in vain. The stories are in tests/e2e/test_workers.py."""

import socket

import pytest

from replaymock.server.prefork import ipc
from replaymock.server.prefork.worker_slot import (
    DEATHS_SECONDS,
    MOST_DEATHS,
    WorkerSlot,
    how_it_ended,
    pause_before_restart,
)


def test_a_first_death_is_mended_at_once_and_each_further_one_later() -> None:
    pauses = [pause_before_restart([0.0] * count, 1.0) for count in range(1, MOST_DEATHS + 1)]
    assert pauses[0] == 0
    assert pauses == sorted(set(pauses), key=float)
    assert sum(map(float, pauses)) < DEATHS_SECONDS / 2


def test_too_many_deaths_in_a_short_time_are_the_end() -> None:
    assert pause_before_restart([0.0] * (MOST_DEATHS + 1), 1.0) is None


def test_deaths_of_long_ago_do_not_count() -> None:
    deaths = [float(moment) for moment in range(MOST_DEATHS)]
    now = DEATHS_SECONDS + MOST_DEATHS
    assert pause_before_restart([*deaths, now], now) == 0


@pytest.mark.parametrize(
    ("code", "said"), [(-9, "was ended by SIGKILL"), (-11, "was ended by SIGSEGV"), (2, "ended with exit code 2")]
)
def test_the_end_of_a_process_is_put_in_words(code: int, said: str) -> None:
    assert how_it_ended(code) == said


def test_a_slot_is_in_use_while_it_has_a_process_or_will_have_one() -> None:
    ours, theirs = socket.socketpair()
    slot = WorkerSlot([])
    with ours, theirs:
        slot.fill(7, ipc.Link(ours))
        slot.mark_ready()
        slot.mark_failed("no room")
        assert (slot.is_in_use, slot.is_ready, slot.failure) == (True, True, "no room")
        slot.empty()
        assert (slot.is_in_use, slot.is_ready, slot.link, slot.failure) == (False, False, None, "no room")
        slot.plan_restart(3.0)
        assert (slot.is_in_use, slot.is_due(2.9), slot.is_due(3.0)) == (True, False, True)
        slot.cancel_restart()
        assert (slot.is_in_use, slot.is_due(3.0)) == (False, False)
        slot.plan_restart(3.0)
        slot.fill(8, ipc.Link(ours))
        assert (slot.is_due(3.0), slot.failure) == (False, "")


def test_a_slot_counts_its_deaths() -> None:
    slot = WorkerSlot([])
    pauses = [slot.pause_after_death(float(moment)) for moment in range(MOST_DEATHS + 1)]
    assert pauses[0] == 0 and pauses[-1] is None
    assert slot.deaths == MOST_DEATHS + 1
    assert slot.pause_after_death(DEATHS_SECONDS + MOST_DEATHS) == 0
