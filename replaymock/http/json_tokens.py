"""JSON text token by token: values are replaced in place, every other byte stays as it was (RFC 8259)."""

import json
import math
import re
from collections.abc import Callable, Container, Iterator, Sequence
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
    for start, end, path in iter_tokens(text):
        token = None
        if path is not None:
            token = visit(path, text[start:end])
        elif visit_key:
            token = visit_key(text[start:end])
        if token is not None:
            out += [text[kept_from:start], token]
            kept_from = end
    return "".join([*out, text[kept_from:]]) if out else text


def offset_of(text: str, place: Sequence[Step]) -> int:
    """The byte offset of the first value at or below a place in JSON text; 0 when there is none, or no JSON."""
    wanted = list(place)
    try:
        for start, _, path in _values(text):
            if path[: len(wanted)] == wanted:
                return len(text[:start].encode("utf-8", "surrogatepass"))
    except (IndexError, ValueError):
        return 0  # the text stops being JSON
    return offset_of(text, place[:-1]) if place else 0


def remove_paths(text: str, places: Container[tuple[Step, ...]]) -> str:
    """Valid JSON text without the members and elements at some places, and without white space between its tokens."""
    out: list[str] = []
    path: list[Step] = []
    is_followed: list[bool] = []  # of each open container, whether something of it was kept
    leaving = 0  # how deep what is left out lies; 0 where nothing is
    for match in _TOKEN.finditer(text):
        kind, token = match.lastindex, match.group()
        if kind == _COMMA:
            path[-1] = path[-1] if isinstance(path[-1], str) else path[-1] + 1
            continue
        if kind == _CLOSING:
            path.pop()
            is_followed.pop()
        elif kind == _KEY:
            token = match.group(1) + ":"
            path[-1] = string_value(match.group(1)) or ""
        if path and not leaving and (kind == _KEY or (kind != _CLOSING and isinstance(path[-1], int))):
            if tuple(path) in places:
                leaving = len(path)
            else:
                out.append("," if is_followed[-1] else "")
                is_followed[-1] = True
        if not leaving:
            out.append(token)
        if kind == _OPENING:
            path.append(0 if match.group() == "[" else "")
            is_followed.append(False)
        elif kind != _KEY and leaving == len(path):
            leaving = 0
    return "".join(out)


def string_value(token: str) -> str | None:
    """What a string token says; None for any other token."""
    if token[0] != '"':
        return None
    return token[1:-1] if "\\" not in token else _unescaped(token)


def _unescaped(token: str) -> str:
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


def is_valid(text: str) -> bool:
    """Whether `parse` takes a text."""
    if _depth_is_over(text, MOST_LEVELS):
        return False
    try:
        # What the numbers are is not asked.
        json.loads(text, parse_float=len, parse_int=len, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def canonical(value: Any) -> str:
    """One text for all spellings of a parsed value: keys sorted, no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _depth_is_over(text: str, limit: int) -> bool:
    """Whether arrays and objects nest deeper than `limit`; few brackets cannot, so most texts are only counted."""
    if text.count("[") + text.count("{") <= limit:
        return False
    brackets = _NO_BRACKETS.sub("", _STRING.sub("", text)).translate(_SQUARE)
    for _ in range(limit):
        # Each round takes the innermost level away.
        shorter = brackets.replace("[]", "")
        if len(shorter) == len(brackets):
            break
        brackets = shorter
    return bool(brackets) and _deepest(brackets) > limit


def _deepest(brackets: str) -> int:
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket == "[" else -1
        deepest = max(deepest, depth)
    return deepest


def _values(text: str) -> Iterator[tuple[int, int, list[Step]]]:
    return ((start, end, path) for start, end, path in iter_tokens(text) if path is not None)


def iter_tokens(text: str) -> Iterator[tuple[int, int, list[Step] | None]]:
    """Where each value of valid JSON text is, with its path, which changes as one goes on, and each key, with None."""
    path: list[Step] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastindex
        if kind == _KEY:
            start, end = match.span(1)
            path[-1] = string_value(text[start:end]) or ""
            yield start, end, None
        elif kind in (_TEXT, _LITERAL):
            yield match.start(), match.end(), path
        elif kind == _COMMA:
            position = path[-1]
            if isinstance(position, int):
                path[-1] = position + 1
        elif kind == _OPENING:
            path.append("" if match.group() == "{" else 0)
        else:
            path.pop()


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


_TEXT, _KEY, _OPENING, _CLOSING, _COMMA, _LITERAL = range(1, 7)
# A string that nothing ends goes on to the end: else each quote in it would be tried as its beginning.
_TOKEN = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+"?+)(\s*:)?|([{\[])|([}\]])|(,)|([^\s{}\[\],:"]++)', re.DOTALL)
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SQUARE = str.maketrans("{}", "[]")
_NO_BRACKETS = re.compile(r"[^\[\]{}]+")
_MOST_DIGITS = 400
MOST_LEVELS = 200
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
