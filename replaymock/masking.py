"""Requests with something hidden that a live request says in the clear: a placeholder stands for any telling value.

A secret that was known by its value when it was recorded is not known to be one on replay, where it is another.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from replaymock.known import is_telling
from replaymock.labels import ANONYMOUS
from replaymock.rewrites import Canonical
from replaymock.targets import readable


def is_masked(stored: Canonical) -> bool:
    """Whether anything in a stored request is hidden."""
    return _IN_PATH in stored.path or ANONYMOUS in repr((stored.query, stored.headers, stored.body))


def covers(stored: Canonical, live: Canonical) -> bool:
    """Whether a live request is the stored one, but for telling values in the places of placeholders."""
    return (
        (stored.method, stored.kind) == (live.method, live.kind)
        and _value(_segments(stored.path), _segments(live.path))
        and _pairs(stored.query, live.query)
        and _pairs(stored.headers, live.headers)
        and _value(stored.body, live.body)
    )


def _segments(path: str) -> list[str]:
    return [readable(segment) for segment in path.split("/")]


def _value(stored: Any, live: Any) -> bool:
    if isinstance(stored, str):
        return isinstance(live, str) and _text(stored, live)
    if isinstance(stored, dict):
        return (
            isinstance(live, dict)
            and stored.keys() == live.keys()
            and all(_value(value, live[name]) for name, value in stored.items())
        )
    if isinstance(stored, tuple):
        return isinstance(live, tuple) and _pairs(stored, live)
    if isinstance(stored, list):
        return (
            isinstance(live, list)
            and len(stored) == len(live)
            and all(_value(one, other) for one, other in zip(stored, live, strict=True))
        )
    return type(stored) is type(live) and bool(stored == live)


def _pairs(stored: Sequence[tuple[str, str | None]], live: Sequence[tuple[str, str | None]]) -> bool:
    """Whether pairs are the same in any order; one that says the same is not given to a placeholder."""
    left = list(live)
    masked = []
    for pair in stored:
        if pair in left:
            left.remove(pair)
        else:
            masked.append(pair)
    for name, value in masked:
        found = next((pair for pair in left if pair[0] == name and _text(value or "", pair[1] or "")), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _text(stored: str, live: str) -> bool:
    if stored == live:
        return True
    match = _pattern(stored).fullmatch(live) if ANONYMOUS in stored else None
    return match is not None and all(value == ANONYMOUS or is_telling(value) for value in match.groups())


@lru_cache(maxsize=1024)
def _pattern(stored: str) -> re.Pattern[str]:
    return re.compile(_ANY.join(map(re.escape, stored.split(ANONYMOUS))))


_IN_PATH = "%7B%7Bredacted%7D%7D"
# No white space: a placeholder never stands for more than one value.
_ANY = r"(\S+?)"
