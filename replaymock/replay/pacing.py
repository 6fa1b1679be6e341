"""The pace of a response: the pauses it had when it was recorded, replayed, stretched or left out."""

from dataclasses import replace

from replaymock.cassettes.model import RecordedResponse
from replaymock.http.rendered import Delay, RenderedResponse, SendBody, SendHead, Step


def at_pace(response: RenderedResponse, recorded: RecordedResponse, factor: float) -> RenderedResponse:
    """The response with its recorded delays, each multiplied by `factor`; with 0, without delays.

    The delay before the head is the recorded time without the pauses in the body. A stream keeps its steps in any case.
    """
    first = max(recorded.elapsed_ms - sum(milliseconds for _, milliseconds in recorded.pauses), 0)
    steps = response.steps
    if factor and not steps and (first or recorded.pauses):
        steps = (SendHead(), *_pieces(response.body, recorded))
    if not steps:
        return response
    if not factor:
        return replace(response, steps=tuple(step for step in steps if not isinstance(step, Delay)))
    scaled = (Delay(step.seconds * factor) if isinstance(step, Delay) else step for step in steps)
    return replace(response, steps=(Delay(first / 1000 * factor), *scaled))


def _pieces(body: bytes, recorded: RecordedResponse) -> list[Step]:
    """A body cut at its pauses. If its length is not the recorded one, the cuts are as near as possible."""
    steps: list[Step] = []
    start = 0
    for at, milliseconds in recorded.pauses:
        end = min(max(at, start), len(body))
        steps += [SendBody(body[start:end]), Delay(milliseconds / 1000)]
        start = end
    return [*steps, SendBody(body[start:])]
