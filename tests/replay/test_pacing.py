"""The pace of an answer."""

import pytest

from replaymock.http.rendered import Delay, RenderedResponse, SendBody, SendHead, Step, frame
from replaymock.recording.response_capture import pauses_in
from replaymock.replay.pacing import at_pace
from tests.support.factories import recorded

BODY = b"0123456789"
WHOLE = frame(200, "OK", (), BODY)
STREAM = RenderedResponse(
    200, b"", BODY, (SendHead(), Delay(0.04), SendBody(b"01234"), Delay(0.1), SendBody(b"56789")), is_streamed=True
)


def steps(answer: RenderedResponse, factor: float, elapsed: int, *pauses: tuple[int, int]) -> tuple[Step, ...]:
    return at_pace(answer, recorded(answer.body, elapsed_ms=elapsed, pauses=pauses), factor).steps


def test_without_a_pace_an_answer_is_written_at_once_and_a_stream_piece_by_piece() -> None:
    assert steps(WHOLE, 0, 300, (5, 100)) == ()
    assert steps(STREAM, 0, 300) == (SendHead(), SendBody(b"01234"), SendBody(b"56789"))


def test_a_body_is_cut_where_it_paused() -> None:
    assert steps(WHOLE, 2, 300, (2, 100), (7, 50)) == (
        Delay(0.3),
        SendHead(),
        SendBody(b"01"),
        Delay(0.2),
        SendBody(b"23456"),
        Delay(0.1),
        SendBody(b"789"),
    )


def test_a_stream_keeps_its_pieces_and_waits_before_its_head_for_what_is_left() -> None:
    assert steps(STREAM, 0.5, 240, (0, 40), (5, 100)) == (
        Delay(0.05),
        SendHead(),
        Delay(0.02),
        SendBody(b"01234"),
        Delay(0.05),
        SendBody(b"56789"),
    )


def test_an_answer_that_took_no_time_takes_none() -> None:
    assert steps(WHOLE, 1, 0) == ()


@pytest.mark.parametrize("at", [0, 10, 99])
def test_a_pause_anywhere_leaves_the_body_as_it_is(at: int) -> None:
    found = steps(WHOLE, 1, 100, (at, 10), (5, 10))
    assert b"".join(step.data for step in found if isinstance(step, SendBody)) == BODY


def test_pauses_of_a_body_are_kept_where_they_are_long() -> None:
    arrivals = ((3, 0), (5, 49), (8, 99), (10, 400))
    assert pauses_in("text/plain", arrivals, BODY, BODY, lambda size: size) == ((5, 50), (8, 301))
    assert pauses_in("text/plain", arrivals, BODY, b"012345", lambda size: size) == ((5, 50), (6, 301))
    assert pauses_in("text/plain", arrivals[:2], BODY, BODY, lambda size: size) == ()


def test_pauses_of_a_stream_are_those_before_its_events_as_they_are_stored() -> None:
    sent, stored = b"data: secret\n\ndata: b\n\n", b"data: {{redacted:x}}\n\ndata: b\n\n"
    arrivals = ((7, 40), (12, 160))
    assert pauses_in("text/event-stream", arrivals, sent, stored, lambda size: 2 * size) == ((0, 40), (22, 120))
