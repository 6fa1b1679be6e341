"""How cassettes are played."""

from random import Random

import pytest

from replaymock.answer import Answer, Begin, Wait
from replaymock.cors import Cors
from replaymock.playing import Player, Playing
from replaymock.settings import Latency
from tests.factories import a_cassette, a_request, recorded
from tests.inside import an_entry

ENTRY = an_entry(a_cassette("/a", recorded(elapsed_ms=250)))


def played(latency: Latency, method: str = "GET", times: int = 1) -> list[Answer]:
    player = Player(Playing(latency=latency), Cors(), Random(0))
    return [player.answer(a_request(method, "/a"), ENTRY, 0) for _ in range(times)]


@pytest.mark.parametrize(
    ("latency", "low", "high"),
    [
        (Latency(0.2, 0.2), 0.2, 0.2),
        (Latency(0.1, 0.3), 0.1, 0.3),
        (Latency(factor=1), 0.25, 0.25),
        (Latency(factor=2), 0.5, 0.5),
    ],
)
def test_latency_is_a_wait_before_the_very_same_answer(latency: Latency, low: float, high: float) -> None:
    slow, plain = played(latency)[0], played(Latency())[0]
    wait = slow.steps[0]
    assert isinstance(wait, Wait) and low <= wait.seconds <= high
    assert slow.steps[1] == Begin()
    assert (slow.wire, plain.steps) == (plain.wire, ())
    assert len({answer.steps for answer in played(latency, times=5)}) == (1 if low == high else 5)


def test_head_is_held_back_like_get_and_has_no_body() -> None:
    answer = played(Latency(0.2, 0.2), "HEAD")[0]
    assert answer.body == b"" and answer.steps[0] == Wait(0.2)


@pytest.mark.parametrize(
    ("sequence", "responses", "stays"), [("auto", 1, True), ("auto", 2, False), ("strict", 1, False), ("last", 2, True)]
)
def test_what_stays_is_what_every_request_gets(sequence: str, responses: int, stays: bool) -> None:
    assert Playing(sequence=sequence).stays(responses) is stays
