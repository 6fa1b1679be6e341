"""Faults that are injected into responses on purpose, and latency. A fault is a function over the steps of a response.

A new kind needs one such function and one line in the table `KINDS`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from msgspec import Struct

from replaymock.errors import UsageError
from replaymock.http.rendered import Abort, Delay, KeepOpen, RenderedResponse, SendBody, SendFile, Step, steps_of

_PIECES_A_SECOND = 10


class FaultSpec(Struct, frozen=True):
    """One fault: its kind, its number if it takes one, and in how many of a hundred responses it happens."""

    kind: str
    number: int = 0
    percent: float = 100.0

    @property
    def comes_first(self) -> bool:
        """Whether it takes the place of the response, so that the session does not move on."""
        return self.kind in ("status", "reset", "timeout")


def parse_fault(text: str, place: str) -> FaultSpec:
    """A fault from `KIND`, `status:CODE`, `truncate@N` and the like, with `@P%` for some answers only.

    UsageError naming `place`.
    """
    match = _FAULT.fullmatch(text)
    if match is None or match.group("kind") not in KINDS:
        raise UsageError(f"{place} {text!r}: use one of {', '.join(_SPELLINGS)}, with @10% for one answer in ten")
    kind, number = match.group("kind"), match.group("number")
    sign, _ = KINDS[kind]
    if (number is not None) != bool(sign) or (match.group("sign") or "") != sign:
        spelling = next(spelling for spelling in _SPELLINGS if spelling.startswith(kind))
        raise UsageError(f"{place} {text!r}: write it as {spelling}")
    percent = float(match.group("percent") or 100)
    if percent > 100:  # noqa: PLR2004 - all of them
        raise UsageError(f"{place} {text!r}: at most 100%")
    if kind == "status" and not 200 <= int(number) <= 599:  # noqa: PLR2004 - final status codes
        raise UsageError(f"{place} {text!r}: use a status from 200 to 599")
    return FaultSpec(kind, int(number or 0), percent)


def inject(response: RenderedResponse, fault: FaultSpec) -> RenderedResponse:
    """The response with a fault. A `status` changes nothing here, as it is another response altogether."""
    _, apply = KINDS[fault.kind]
    return replace(response, steps=tuple(apply(steps_of(response), fault.number)))


def _reset(_steps: Iterable[Step], _number: int) -> Iterator[Step]:
    yield Abort(reset=True)


def _timeout(_steps: Iterable[Step], _number: int) -> Iterator[Step]:
    yield KeepOpen()


def _truncate(steps: Iterable[Step], number: int) -> Iterator[Step]:
    """The first so many bytes of the body, and the end of the connection."""
    for step in steps:
        if isinstance(step, (SendBody, SendFile)):
            size = len(step.data) if isinstance(step, SendBody) else step.size
            if size > number:
                yield _part(step, 0, number)
                break
            number -= size
        yield step
    else:
        return
    yield Abort()


def _slow(steps: Iterable[Step], number: int) -> Iterator[Step]:
    """No more than so many bytes a second."""
    at_once = max(number // _PIECES_A_SECOND, 1)
    for step in steps:
        if not isinstance(step, (SendBody, SendFile)):
            yield step
            continue
        size = len(step.data) if isinstance(step, SendBody) else step.size
        for start in range(0, size, at_once):
            piece = min(at_once, size - start)
            yield Delay(piece / max(number, 1))
            yield _part(step, start, piece)


def _cut_stream(steps: Iterable[Step], number: int) -> Iterator[Step]:
    """So many events of a stream, and the end of the connection."""
    sent = 0
    for step in steps:
        if isinstance(step, SendBody) and sent == number:
            yield Abort()
            return
        sent += isinstance(step, SendBody)
        yield step


def _part(step: SendBody | SendFile, start: int, size: int) -> Step:
    if isinstance(step, SendBody):
        return SendBody(step.data[start : start + size])
    return SendFile(step.place, size, step.start + start)


_FAULT = re.compile(
    r"(?P<kind>[a-z_]+)(?:(?P<sign>[:@])(?P<number>[0-9]{1,12})(?![0-9.%]))?(?:@(?P<percent>[0-9]{1,3}(?:\.[0-9]+)?)%)?"
)
_SPELLINGS = ("status:503", "reset", "timeout", "truncate@100", "slow@1000", "cut_stream@2")

Apply = Callable[[Iterable[Step], int], Iterable[Step]]

# Each kind with the sign before its number, if it takes one.
KINDS: dict[str, tuple[str, Apply]] = {
    "status": (":", lambda steps, _number: steps),
    "reset": ("", _reset),
    "timeout": ("", _timeout),
    "truncate": ("@", _truncate),
    "slow": ("@", _slow),
    "cut_stream": ("@", _cut_stream),
}


class Latency(Struct, frozen=True):
    """How long a response is held back: between two bounds in seconds, or its recorded time by a factor."""

    low: float = 0.0
    high: float = 0.0
    factor: float = 0.0


class ReplayOverride(Struct, frozen=True):
    """A rule of the configuration: how responses to some requests are played; None where it leaves that as it is."""

    path: str = "/**"
    method: str = ""
    latency: Latency | None = None
    fault: FaultSpec | None = None


def parse_latency(text: str, place: str = "--latency") -> Latency:
    """A latency from `recorded`, `xFACTOR`, milliseconds, or `MIN-MAX` milliseconds. UsageError naming `place`."""
    if text == "recorded":
        return Latency(factor=1.0)
    factor = _FACTOR.fullmatch(text)
    if factor:
        return Latency(factor=float(factor.group(1)))
    bounds = _RANGE.fullmatch(text)
    if not bounds:
        raise UsageError(
            f"{place} {text!r}: use recorded, a factor of that such as x0.5, "
            f"milliseconds such as 200, or a range such as 100-300"
        )
    low = int(bounds.group(1))
    high = int(bounds.group(2) or low)
    if high < low:
        raise UsageError(f"{place} {text!r}: the first bound is above the second")
    return Latency(low / 1000, high / 1000)


_FACTOR = re.compile(r"x([0-9]{1,4}(?:\.[0-9]{1,4})?)")
_RANGE = re.compile(r"([0-9]+)(?:\s*-\s*([0-9]+))?")
