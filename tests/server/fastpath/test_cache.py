"""Ready answers: what is kept, and that it is never more than the budget."""

from itertools import count

from replaymock.http.rendered import JOINED_BYTES
from replaymock.server.fastpath.cache import ReadyResponse, ReadyResponses, ready
from replaymock.telemetry.journal import ServedRequest

SERVED = ServedRequest("GET", "/a", 200, "hit", "a/GET.json", 0.0)


def an_answer(size: int = 10) -> ReadyResponse:
    return ready(b"head", b"x" * size, SERVED, closes=False)


def test_a_head_is_known_from_the_start_and_once_there_is_less_room_when_it_came_twice() -> None:
    known = ReadyResponses(budget=80_000)
    known.offer(b"first", an_answer(10_000))
    assert known.get(b"first") == an_answer(10_000)
    known.offer(b"second", an_answer())
    assert known.get(b"second") is None
    known.offer(b"second", an_answer())
    assert known.get(b"second")


def test_heads_that_never_come_again_take_little_room() -> None:
    known = ReadyResponses(budget=800_000)
    for number in range(10_000):
        known.offer(b"X-Request-Id: %d" % number, an_answer())
    # Beside those of the beginning, some share the byte that tells them apart.
    assert len(known) < 500


def test_nothing_is_known_of_another_index() -> None:
    known = ReadyResponses()
    known.offer(b"head", an_answer())
    known.forget()
    assert known.get(b"head") is None
    known.offer(b"head", an_answer())
    assert known.get(b"head")


def test_the_budget_is_kept_and_what_is_asked_in_turn_is_still_known_in_part() -> None:
    known, heads = ReadyResponses(budget=100_000), [b"%d" % number for number in range(100)]
    hits = 0
    for number, head in zip(range(1000), (head for _ in count() for head in heads), strict=False):
        if known.get(head):
            hits += number > 500
        else:
            known.offer(head, an_answer(1000))
        assert len(known) < 66
    assert hits > 50


def test_a_small_body_follows_its_head_and_a_large_one_is_shared() -> None:
    small, large = b"x" * JOINED_BYTES, b"x" * (JOINED_BYTES + 1)
    assert ready(b"line\nrest", small, SERVED, closes=False) == ReadyResponse(
        b"line\n", b"rest" + small, b"", SERVED, closes=False, is_simple=True
    )
    shared = ready(b"head", large, SERVED, closes=False)
    assert shared.body is large
    assert not shared.is_simple
    assert not ready(b"head", small, SERVED, closes=True).is_simple


def test_what_was_seen_is_forgotten_before_everything_looks_seen() -> None:
    known = ReadyResponses(budget=800_000, places=64)
    for number in range(1000):
        known.offer(b"%d" % number, an_answer())
    assert len(known) < 600
