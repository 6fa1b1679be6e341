"""Which response of a cassette a request gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.replay import sequence
from replaymock.replay.sequence import POLICIES, advance


def play(policy: str, count: int, calls: int) -> list[int | None]:
    after_writes, position, seen = [""] * count, None, []
    for _ in range(calls):
        found = advance(policy, position, after_writes, {})
        seen.append(found)
        position = position if found is None else found
    return seen


@pytest.mark.parametrize(
    ("policy", "seen"),
    [
        ("auto", [0, 1, 2, 2, 2]),
        ("loop", [0, 1, 2, 0, 1]),
        ("strict", [0, 1, 2, None, None]),
        ("first", [0, 0, 0, 0, 0]),
        ("last", [2, 2, 2, 2, 2]),
    ],
)
def test_a_policy_says_what_a_repeated_request_gets(policy: str, seen: list[int | None]) -> None:
    assert play(policy, 3, 5) == seen


@given(st.sampled_from(list(POLICIES)), st.integers(1, 6), st.integers(0, 20))
def test_a_position_is_always_one_of_the_responses(policy: str, count: int, calls: int) -> None:
    assert all(found is None or 0 <= found < count for found in play(policy, count, calls))


@given(st.integers(1, 6), st.integers(0, 20))
def test_auto_never_goes_back_and_ends_at_the_last(count: int, more: int) -> None:
    seen = [found for found in play("auto", count, count + more) if found is not None]
    assert seen == sorted(seen)
    assert seen[-1] == count - 1


@pytest.mark.parametrize("policy", [policy for policy in POLICIES if policy != "strict"])
def test_one_response_is_always_the_answer(policy: str) -> None:
    assert play(policy, 1, 3) == [0, 0, 0]


@pytest.mark.parametrize("policy", ["auto", "loop", "first", "last", "strict"])
def test_a_position_past_the_end_of_an_edited_cassette_is_no_trouble(policy: str) -> None:
    found = advance(policy, 7, ["", ""], {})
    assert found in (None, 0, 1)


AFTER = ["", "POST /items", "POST /items x2"]


@pytest.mark.parametrize(
    ("position", "after_writes", "writes", "served"),
    [
        (None, AFTER, {}, 0),
        (0, AFTER, {}, 0),
        (0, AFTER, {"POST /items": 1}, 1),
        (1, AFTER, {"POST /items": 1}, 1),
        (1, AFTER, {"POST /items": 2}, 2),
        (None, AFTER, {"POST /items": 2}, 2),
        (0, AFTER, {"POST /other": 5}, 0),
        (0, ["", "", "POST /items"], {}, 1),
        (1, ["", "", "POST /items"], {}, 1),
        (2, ["", "", "POST /items", ""], {"POST /items": 1}, 3),
        (0, ["", "DELETE /a", "POST /b"], {"POST /b": 1}, 2),
    ],
)
def test_auto_follows_the_writes_a_response_names(
    position: int | None, after_writes: list[str], writes: dict[str, int], served: int
) -> None:
    assert advance("auto", position, after_writes, writes) == served


@pytest.mark.parametrize(
    ("after", "writes", "met"),
    [
        ("POST /a", {"POST /a": 1}, True),
        ("POST /a", {}, False),
        ("POST /a x3", {"POST /a": 2}, False),
        ("POST /a x3", {"POST /a": 3}, True),
        ("POST /graphql Login x2", {"POST /graphql Login": 2}, True),
        ("POST /x2", {"POST /x2": 1}, True),
    ],
)
def test_an_after_is_met_by_as_many_writes_as_it_says(after: str, writes: dict[str, int], met: bool) -> None:
    assert sequence.is_satisfied(after, writes) is met
