"""Requests with something hidden that a live request says in the clear: a placeholder stands for any telling value.

A secret that was known by its value when it was recorded is not known to be one on replay, where it is another.
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
    """Whether anything in a stored request is hidden."""
    return _IN_PATH in stored.path or ANONYMOUS in repr((stored.query, stored.headers, stored.body, stored.text))


class RedactedShape(Struct, frozen=True):
    """Where a stored request holds placeholders: in which segments of its path, and under which names of its query."""

    segments: frozenset[int]
    names: frozenset[str]

    def of(self, request: CanonicalRequest) -> Key:
        """What a request has elsewhere in its target: one that is covered has the same."""
        segments = enumerate(request.path.split("/"))
        elsewhere = tuple("" if at in self.segments else segment for at, segment in segments)
        query = tuple(pair for pair in request.query if pair[0] not in self.names)
        return request.method, request.kind, elsewhere, query


def redacted_shape(stored: CanonicalRequest) -> RedactedShape:
    """Where a stored request holds placeholders."""
    segments = enumerate(stored.path.split("/"))
    names = (name for name, value in stored.query if ANONYMOUS in (value or ""))
    return RedactedShape(frozenset(at for at, segment in segments if _IN_PATH in segment), frozenset(names))


def matches_redacted(stored: CanonicalRequest, live: CanonicalRequest) -> bool:
    """Whether a live request is the stored one, but for telling values in the places of placeholders."""
    return (
        (stored.method, stored.kind) == (live.method, live.kind)
        and _value(_segments(stored.path), _segments(live.path))
        and covers_pairs(stored.query, live.query)
        and covers_pairs(stored.headers, live.headers)
        and (_value(stored.body, live.body) or _long_text(stored.text, live.text))
    )


def covers_text(stored: str, live: str) -> bool:
    """Whether a text is the stored one, but for telling values in the places of placeholders.

    Each value ends where what is stored after it first begins, so that no text takes long to compare.
    """
    if stored == live or ANONYMOUS not in stored:
        return stored == live
    first, *between, last = stored.split(ANONYMOUS)
    if not (live.startswith(first) and live.endswith(last)):
        return False
    at = len(first)
    for piece in filter(None, between):  # placeholders side by side stand for one value
        end = _end_of_value(live, at, piece)
        if end < 0:
            return False
        at = end + len(piece)
    return _is_hideable(live[at : len(live) - len(last)])


def covers_pairs(stored: Sequence[tuple[str, str | None]], live: Sequence[tuple[str, str | None]]) -> bool:
    """Whether pairs are the stored ones in any order; one that says the same is not given to a placeholder."""
    left = list(live)
    masked = []
    for pair in stored:
        if pair in left:
            left.remove(pair)
        else:
            masked.append(pair)
    for name, value in masked:
        found = next((pair for pair in left if pair[0] == name and covers_text(value or "", pair[1] or "")), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _segments(path: str) -> list[str]:
    return [readable(segment) for segment in path.split("/")]


def _value(stored: Any, live: Any) -> bool:
    if isinstance(stored, str):
        return isinstance(live, str) and covers_text(stored, live)
    if isinstance(stored, dict):
        return (
            isinstance(live, dict)
            and stored.keys() == live.keys()
            and all(_value(value, live[name]) for name, value in stored.items())
        )
    if isinstance(stored, tuple):
        return isinstance(live, tuple) and covers_pairs(stored, live)
    if isinstance(stored, list):
        return (
            isinstance(live, list)
            and len(stored) == len(live)
            and all(_value(one, other) for one, other in zip(stored, live, strict=True))
        )
    return type(stored) is type(live) and bool(stored == live)


def _long_text(stored: str, live: str) -> bool:
    return bool(stored) and covers_text(stored, live)


def _end_of_value(live: str, at: int, piece: str) -> int:
    """Where a value that begins at a position ends, before a piece of text; -1 where there is none."""
    limit = at + LONGEST + len(piece)
    end = live.find(piece, at, limit)
    for _ in range(_MOST_ENDS):
        if end < 0 or _is_hideable(live[at:end]):
            return end
        end = live.find(piece, end + 1, limit)
    return -1


def _is_hideable(value: str) -> bool:
    return value == ANONYMOUS or is_distinctive(value)


# How often what ends a value may stand in the value itself.
_MOST_ENDS = 256
_IN_PATH = "%7B%7Bredacted%7D%7D"
