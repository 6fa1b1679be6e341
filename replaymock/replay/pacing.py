"""The pace of a response: where it paused when it was recorded, and its recorded times stretched or left out."""

from dataclasses import replace

from replaymock.cassettes.model import RecordedResponse
from replaymock.http.rendered import Delay, RenderedResponse, SendBody, SendHead, Step


def at_pace(answer: RenderedResponse, recorded: RecordedResponse, factor: float) -> RenderedResponse:
    """The answer in its recorded times, each by `factor`; by 0 without any, and still piece by piece if it is a stream.

    What came before the head is what remains of the whole time once the pauses in the body are taken off.
    """
    first = max(recorded.elapsed_ms - sum(milliseconds for _, milliseconds in recorded.pauses), 0)
    steps = answer.steps
    if factor and not steps and (first or recorded.pauses):
        steps = (SendHead(), *_pieces(answer.body, recorded))
    if not steps:
        return answer
    if not factor:
        return replace(answer, steps=tuple(step for step in steps if not isinstance(step, Delay)))
    scaled = (Delay(step.seconds * factor) if isinstance(step, Delay) else step for step in steps)
    return replace(answer, steps=(Delay(first / 1000 * factor), *scaled))


def _pieces(body: bytes, recorded: RecordedResponse) -> list[Step]:
    """A body cut where it paused; with a body that is not as long as the recorded one, as near as can be."""
    found: list[Step] = []
    start = 0
    for at, milliseconds in recorded.pauses:
        end = min(max(at, start), len(body))
        found += [SendBody(body[start:end]), Delay(milliseconds / 1000)]
        start = end
    return [*found, SendBody(body[start:])]
