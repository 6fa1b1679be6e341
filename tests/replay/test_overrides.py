"""How cassettes are played."""

from random import Random

import pytest

from replaymock.errors import RequestRefused
from replaymock.http.cors import CorsPolicy
from replaymock.http.rendered import Delay, RenderedResponse, SendHead
from replaymock.replay.faults import Latency, ReplayOverride, parse_fault
from replaymock.replay.overrides import BehaviorResolver, ReplayOptions, ResponseBehavior
from replaymock.replay.renderer import ResponseRenderer
from tests.support.factories import a_request, recorded

RESPONSE = ResponseRenderer(recorded(elapsed_ms=250), (), CorsPolicy())


def played(latency: Latency, method: str = "GET", times: int = 1) -> list[RenderedResponse]:
    resolver = BehaviorResolver(ReplayOptions(), CorsPolicy(), Random(0))
    return [resolver.render(a_request(method, "/a"), RESPONSE, ResponseBehavior(latency)) for _ in range(times)]


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
    assert isinstance(wait, Delay) and low <= wait.seconds <= high
    assert slow.steps[1] == SendHead()
    assert (slow.wire, plain.steps) == (plain.wire, ())
    assert len({answer.steps for answer in played(latency, times=5)}) == (1 if low == high else 5)


def test_head_is_held_back_like_get_and_has_no_body() -> None:
    answer = played(Latency(0.2, 0.2), "HEAD")[0]
    assert answer.body == b"" and answer.steps[0] == Delay(0.2)


@pytest.mark.parametrize(
    ("sequence", "responses", "stays"), [("auto", 1, True), ("auto", 2, False), ("strict", 1, False), ("last", 2, True)]
)
def test_what_stays_is_what_every_request_gets(sequence: str, responses: int, stays: bool) -> None:
    assert ReplayOptions(sequence=sequence).is_constant(responses) is stays


def manner(
    options: ReplayOptions, *headers: tuple[str, str], method: str = "GET", path: str = "/api/a"
) -> ResponseBehavior:
    return BehaviorResolver(options, CorsPolicy(), Random(0)).behavior(a_request(method, path, headers))


SLOW, RESET = Latency(1.0, 1.0), parse_fault("reset", "")


def test_the_last_rule_that_fits_directs_an_answer() -> None:
    options = ReplayOptions(
        latency=Latency(0.1, 0.1),
        overrides=(ReplayOverride("/api/**", latency=SLOW), ReplayOverride("/api/a", "POST", fault=RESET)),
    )
    assert manner(options) == ResponseBehavior(SLOW)
    assert manner(options, method="POST") == ResponseBehavior(SLOW, RESET)
    assert manner(options, path="/other") == ResponseBehavior(Latency(0.1, 0.1))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("replaymock-fault=reset", ResponseBehavior(fault=RESET)),
        (
            'respond-async, replaymock-latency="1000"; x=1, replaymock-fault="status:503@50%"',
            ResponseBehavior(SLOW, parse_fault("status:503@50%", "")),
        ),
        ("return=minimal", ResponseBehavior()),
    ],
)
def test_a_request_says_how_it_prefers_to_be_answered(value: str, found: ResponseBehavior) -> None:
    assert manner(ReplayOptions(), ("Prefer", value)) == found


def test_a_preference_that_is_not_understood_is_refused() -> None:
    with pytest.raises(RequestRefused, match="replaymock-fault 'boom'"):
        manner(ReplayOptions(), ("Prefer", "replaymock-fault=boom"))


def test_faults_of_a_seed_are_the_same_in_every_run() -> None:
    found = ResponseBehavior(fault=parse_fault("status:503@30%", ""))

    def run(seed: int) -> list[bool]:
        resolver = BehaviorResolver(ReplayOptions(), CorsPolicy(), Random(seed))
        return [resolver.replacement(a_request(), found) is not None for _ in range(200)]

    assert run(1) == run(1) != run(2)
    assert 30 < sum(run(1)) < 90
