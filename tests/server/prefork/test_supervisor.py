"""When a worker is started again, and when that is in vain. The stories are in features/test_workers.py."""

import pytest

from replaymock.server.prefork.supervisor import DEATHS_SECONDS, MOST_DEATHS, how_it_ended, pause_before_restart


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
