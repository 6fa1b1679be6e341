"""Changes JSON text token by token: values are replaced in place, every other byte stays (RFC 8259)."""

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
    """Replaces strings, numbers and literals in valid JSON text.

    `visit(path, token)` gets the object keys and array positions from the root, and the token as written.
    `visit_key(token)` gets each key. Both return the new token, or None to keep the old one.
    """
    out: list[str] = []
    copied_to = 0
    for start, end, path in iter_tokens(text):
        token = None
        if path is not None:
            token = visit(path, text[start:end])
        elif visit_key:
            token = visit_key(text[start:end])
        if token is not None:
            out += [text[copied_to:start], token]
            copied_to = end
    return "".join([*out, text[copied_to:]]) if out else text


def offset_of(text: str, place: Sequence[Step]) -> int:
    """The byte offset of the first value at or below a place; 0 if there is none, or the text is not JSON."""
    steps = list(place)
    try:
        for start, _, path in _values(text):
            if path[: len(steps)] == steps:
                return len(text[:start].encode("utf-8", "surrogatepass"))
    except (IndexError, ValueError):
        return 0  # the text stops being JSON
    return offset_of(text, place[:-1]) if place else 0


def remove_paths(text: str, places: Container[tuple[Step, ...]]) -> str:
    """Removes the members and elements at these places from valid JSON text, and all white space between tokens."""
    out: list[str] = []
    path: list[Step] = []
    is_followed: list[bool] = []  # for each open container: whether it has a member that stays
    removed_depth = 0  # the depth of the place being removed; 0 if there is none
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
        if path and not removed_depth and (kind == _KEY or (kind != _CLOSING and isinstance(path[-1], int))):
            if tuple(path) in places:
                removed_depth = len(path)
            else:
                out.append("," if is_followed[-1] else "")
                is_followed[-1] = True
        if not removed_depth:
            out.append(token)
        if kind == _OPENING:
            path.append(0 if match.group() == "[" else "")
            is_followed.append(False)
        elif kind != _KEY and removed_depth == len(path):
            removed_depth = 0
    return "".join(out)


def string_value(token: str) -> str | None:
    """The value of a string token; None for any other token."""
    if token[0] != '"':
        return None
    return token[1:-1] if "\\" not in token else _unescaped(token)


def _unescaped(token: str) -> str:
    value: str = json.loads(token, strict=False)
    return value


def string_token(value: str, like: str) -> str:
    """Writes a string as a token. It is escaped to ASCII if the token it replaces was ASCII."""
    return json.dumps(value, ensure_ascii=like.isascii())


def parse(text: str | bytes) -> Any:
    """Parses JSON. Equal numbers compare equal, and large ones keep every digit. ValueError if invalid."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    if _depth_is_over(text, MOST_LEVELS):
        raise ValueError("nested too deeply")
    try:
        return json.loads(text, parse_float=_number, parse_int=_integer, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def is_valid(text: str) -> bool:
    """Whether `parse` accepts a text."""
    if _depth_is_over(text, MOST_LEVELS):
        return False
    try:
        # Numbers are not converted: only validity matters.
        json.loads(text, parse_float=len, parse_int=len, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def canonical(value: Any) -> str:
    """Writes a parsed value in one spelling: keys sorted, no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _depth_is_over(text: str, limit: int) -> bool:
    """Whether arrays and objects nest deeper than `limit`. Most texts have too few brackets for that."""
    if text.count("[") + text.count("{") <= limit:
        return False
    brackets = _NO_BRACKETS.sub("", _STRING.sub("", text)).translate(_SQUARE)
    for _ in range(limit):
        # Each round removes the innermost level.
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
    """Yields the start, end and path of each value of valid JSON text, and of each key with None as path.

    The path is one list that changes with each step: copy it to keep it.
    """
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
    """1.0 becomes 1, and 1.10 becomes 1.1. A number that a float cannot hold stays as its digits."""
    try:
        exact = Decimal(text)
    except InvalidOperation:  # the exponent is too large for Decimal
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
# An unterminated string extends to the end of the text. Else every quote in it would be tried as a beginning.
_TOKEN = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+"?+)(\s*:)?|([{\[])|([}\]])|(,)|([^\s{}\[\],:"]++)', re.DOTALL)
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SQUARE = str.maketrans("{}", "[]")
_NO_BRACKETS = re.compile(r"[^\[\]{}]+")
_MOST_DIGITS = 400
MOST_LEVELS = 200
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
