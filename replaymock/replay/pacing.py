"""The pace of a response: where it paused when it was recorded, and its recorded times stretched or left out."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from replaymock.cassettes.model import Recorded
from replaymock.http import event_stream
from replaymock.http.event_stream import Pauses
from replaymock.http.rendered import Answer, Begin, Send, Step, Wait

SHORTEST_MS = 50
"""Pauses in a body that is no stream of events are kept from so many milliseconds on."""


def pauses_in(
    media_type: str, arrivals: Pauses, sent: bytes, stored: bytes, decoded_size: Callable[[int], int]
) -> Pauses:
    """Where a stored body paused, from how much of it had arrived when.

    `sent` is what arrived, without its coding, and `decoded_size` tells how much of it so many coded bytes make.
    """
    is_stream = event_stream.is_stream(media_type)
    if not is_stream and all(later - earlier < SHORTEST_MS for (_, earlier), (_, later) in pairwise(arrivals)):
        return ()
    arrived = tuple((decoded_size(size), moment) for size, moment in arrivals)
    if is_stream:
        return event_stream.moved(media_type, sent, stored, event_stream.pauses_of(media_type, sent, arrived))
    return tuple(
        (min(size, len(stored)), later - earlier)
        for (size, earlier), (_, later) in pairwise(arrived)
        if later - earlier >= SHORTEST_MS
    )


def at_pace(answer: Answer, recorded: Recorded, factor: float) -> Answer:
    """The answer in its recorded times, each by `factor`; by 0 without any, and still piece by piece if it is a stream.

    What came before the head is what remains of the whole time once the pauses in the body are taken off.
    """
    first = max(recorded.elapsed_ms - sum(milliseconds for _, milliseconds in recorded.pauses), 0)
    steps = answer.steps
    if factor and not steps and (first or recorded.pauses):
        steps = (Begin(), *_pieces(answer.body, recorded))
    if not steps:
        return answer
    if not factor:
        return replace(answer, steps=tuple(step for step in steps if not isinstance(step, Wait)))
    scaled = (Wait(step.seconds * factor) if isinstance(step, Wait) else step for step in steps)
    return replace(answer, steps=(Wait(first / 1000 * factor), *scaled))


def _pieces(body: bytes, recorded: Recorded) -> list[Step]:
    """A body cut where it paused; with a body that is not as long as the recorded one, as near as can be."""
    found: list[Step] = []
    start = 0
    for at, milliseconds in recorded.pauses:
        end = min(max(at, start), len(body))
        found += [Send(body[start:end]), Wait(milliseconds / 1000)]
        start = end
    return [*found, Send(body[start:])]
