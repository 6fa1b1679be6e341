"""Matches a live request against a stored one with redacted values: a placeholder matches any distinctive value.

A secret that was recognised by its value when recorded has another value on replay, which nothing marks as secret.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from replaymock.http.uri import readable
from replaymock.matching.canonical import CanonicalRequest
from replaymock.redaction.known_secrets import LONGEST, is_distinctive
from replaymock.redaction.placeholders import ANONYMOUS

Key = tuple[Any, ...]


def has_placeholder(stored: CanonicalRequest) -> bool:
    """Whether a stored request has any redacted value."""
    return _PLACEHOLDER in stored.path or ANONYMOUS in repr((stored.query, stored.headers, stored.body, stored.text))


class RedactedShape(Struct, frozen=True):
    """Where a stored request has placeholders: the numbers of path segments, and the names in its query."""

    segments: frozenset[int]
    names: frozenset[str]

    def of(self, request: CanonicalRequest) -> Key:
        """The parts of a request's target outside the placeholders. They are equal for requests that match."""
        segments = enumerate(request.path.split("/"))
        elsewhere = tuple("" if at in self.segments else segment for at, segment in segments)
        query = tuple(pair for pair in request.query if pair[0] not in self.names)
        return request.method, request.kind, elsewhere, query


def redacted_shape(stored: CanonicalRequest) -> RedactedShape:
    """Where a stored request has placeholders."""
    segments = enumerate(stored.path.split("/"))
    names = (name for name, value in stored.query if ANONYMOUS in (value or ""))
    return RedactedShape(frozenset(at for at, segment in segments if _PLACEHOLDER in segment), frozenset(names))


def matches_redacted(stored: CanonicalRequest, live: CanonicalRequest) -> bool:
    """Whether a live request equals the stored one, apart from distinctive values where that has placeholders."""
    return (
        (stored.method, stored.kind) == (live.method, live.kind)
        and _value_matches(_segments(stored.path), _segments(live.path))
        and pairs_match(stored.query, live.query)
        and pairs_match(stored.headers, live.headers)
        and (_value_matches(stored.body, live.body) or _long_text_matches(stored.text, live.text))
    )


def text_matches(stored: str, live: str) -> bool:
    """Whether a text equals the stored one, apart from distinctive values where that has placeholders.

    Each value ends where the stored text after it first occurs, so that comparing takes linear time.
    """
    if stored == live or ANONYMOUS not in stored:
        return stored == live
    first, *between, last = stored.split(ANONYMOUS)
    if not (live.startswith(first) and live.endswith(last)):
        return False
    start = len(first)
    for piece in filter(None, between):  # adjacent placeholders stand for one value
        end = _end_of_value(live, start, piece)
        if end < 0:
            return False
        start = end + len(piece)
    return _can_be_hidden(live[start : len(live) - len(last)])


def pairs_match(stored: Sequence[tuple[str, str | None]], live: Sequence[tuple[str, str | None]]) -> bool:
    """Whether pairs equal the stored ones in any order. Equal pairs are matched first, then placeholders."""
    remaining = list(live)
    unmatched = []
    for pair in stored:
        if pair in remaining:
            remaining.remove(pair)
        else:
            unmatched.append(pair)
    for name, value in unmatched:
        match = next((pair for pair in remaining if pair[0] == name and text_matches(value or "", pair[1] or "")), None)
        if match is None:
            return False
        remaining.remove(match)
    return not remaining


def _segments(path: str) -> list[str]:
    return [readable(segment) for segment in path.split("/")]


def _value_matches(stored: Any, live: Any) -> bool:
    if isinstance(stored, str):
        return isinstance(live, str) and text_matches(stored, live)
    if isinstance(stored, dict):
        return (
            isinstance(live, dict)
            and stored.keys() == live.keys()
            and all(_value_matches(value, live[name]) for name, value in stored.items())
        )
    if isinstance(stored, tuple):
        return isinstance(live, tuple) and pairs_match(stored, live)
    if isinstance(stored, list):
        return (
            isinstance(live, list)
            and len(stored) == len(live)
            and all(_value_matches(value, other) for value, other in zip(stored, live, strict=True))
        )
    return type(stored) is type(live) and bool(stored == live)


def _long_text_matches(stored: str, live: str) -> bool:
    return bool(stored) and text_matches(stored, live)


def _end_of_value(live: str, start: int, piece: str) -> int:
    """The end of a value that starts at `start` and is followed by `piece`; -1 if there is none."""
    limit = start + LONGEST + len(piece)
    end = live.find(piece, start, limit)
    for _ in range(_MOST_ENDS):
        if end < 0 or _can_be_hidden(live[start:end]):
            return end
        end = live.find(piece, end + 1, limit)
    return -1


def _can_be_hidden(value: str) -> bool:
    return value == ANONYMOUS or is_distinctive(value)


# How often the text after a value may occur in the value itself.
_MOST_ENDS = 256
_PLACEHOLDER = "%7B%7Bredacted%7D%7D"
