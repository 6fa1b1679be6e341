"""JSON text token by token: values are replaced in place, every other byte stays as it was (RFC 8259)."""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any

Step = str | int
Visit = Callable[[Sequence[Step], str], str | None]
VisitKey = Callable[[str], str | None]


def replace_values(text: str, visit: Visit, visit_key: VisitKey | None = None) -> str:
    """Valid JSON text with each string, number and literal value that `visit` answers for replaced.

    `visit(path, token)` gets the path of object keys and array positions from the root, and the token as it stands;
    `visit_key(token)` gets each key; None leaves it.
    """
    out: list[str] = []
    kept_from = 0
    for start, end, path in _members(text):
        token = None
        if path is not None:
            token = visit(path, text[start:end])
        elif visit_key:
            token = visit_key(text[start:end])
        if token is not None:
            out += [text[kept_from:start], token]
            kept_from = end
    return "".join([*out, text[kept_from:]]) if out else text


def position(text: str, place: Sequence[Step]) -> int:
    """The byte offset of the first value at or below a place in JSON text; 0 when there is none, or no JSON."""
    wanted = list(place)
    try:
        for start, _, path in _values(text):
            if path[: len(wanted)] == wanted:
                return len(text[:start].encode("utf-8", "surrogatepass"))
    except (IndexError, ValueError):
        return 0  # the text stops being JSON
    return position(text, place[:-1]) if place else 0


def string_value(token: str) -> str | None:
    """What a string token says; None for any other token."""
    if not token.startswith('"'):
        return None
    value: str = json.loads(token, strict=False)
    return value


def string_token(value: str, like: str) -> str:
    """A string as a token, escaped to ASCII when the token it stands for was pure ASCII."""
    return json.dumps(value, ensure_ascii=like.isascii())


def parse(text: str | bytes) -> Any:
    """JSON as Python values in which equal numbers are equal and big ones keep every digit. ValueError if invalid."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    if _depth_is_over(text, MOST_LEVELS):
        raise ValueError("nested too deeply")
    try:
        return json.loads(text, parse_float=_number, parse_int=_integer, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def canonical(value: Any) -> str:
    """One text for all spellings of a parsed value: keys sorted, no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _depth_is_over(text: str, limit: int) -> bool:
    """Whether arrays and objects nest deeper than `limit`; few brackets cannot, so most texts are only counted."""
    if text.count("[") + text.count("{") <= limit:
        return False
    depth = deepest = 0
    for match in _TOKEN.finditer(text):
        first = match.group()[0]
        depth += (first in "[{") - (first in "]}")
        deepest = max(deepest, depth)
    return deepest > limit


class _Frame:
    """An object or array that is open: in an object the next string may be a key."""

    __slots__ = ("expects_key", "is_object")

    def __init__(self, is_object: bool) -> None:
        self.is_object = is_object
        self.expects_key = is_object


def _values(text: str) -> Iterator[tuple[int, int, list[Step]]]:
    return ((start, end, path) for start, end, path in _members(text) if path is not None)


def _members(text: str) -> Iterator[tuple[int, int, list[Step] | None]]:
    """Where each value is, with its path, and each key, with None."""
    frames: list[_Frame] = []
    path: list[Step] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        first = token[0]
        if first in "{[":
            frames.append(_Frame(first == "{"))
            path.append("" if first == "{" else 0)
        elif first in "}]":
            frames.pop()
            path.pop()
        elif first == ",":
            _next_member(frames[-1], path)
        elif first == ":":
            frames[-1].expects_key = False
        elif frames and frames[-1].expects_key:
            path[-1] = json.loads(token)
            yield match.start(), match.end(), None
        else:
            yield match.start(), match.end(), path.copy()


def _next_member(frame: _Frame, path: list[Step]) -> None:
    frame.expects_key = frame.is_object
    position = path[-1]
    if isinstance(position, int):
        path[-1] = position + 1


def _number(text: str) -> int | float | str:
    """1.0 is 1, 1.10 is 1.1; what a float cannot hold is kept as its digits."""
    try:
        exact = Decimal(text)
    except InvalidOperation:  # an exponent beyond all reckoning
        return text
    if exact.is_zero():
        return 0
    if exact.adjusted() < _MOST_DIGITS and exact == exact.to_integral_value():
        return int(exact)
    nearest = float(text)
    if math.isfinite(nearest) and Decimal(repr(nearest)) == exact:
        return nearest
    return str(exact.normalize(_EXACT))


def _integer(text: str) -> int | str:
    return int(text) if len(text) < _MOST_DIGITS else text


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_TOKEN = re.compile(r'[{}\[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+')
_MOST_DIGITS = 400
MOST_LEVELS = 200
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
