"""Which response of a cassette a request gets: functions from the position of a session to the next one.

The policy `auto` goes to the last response whose `after` names a write that the session has made; else one step on,
but not to a response that waits for a write.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from replaymock.matching import graphql
from replaymock.matching.canonical import CanonicalRequest

Writes = Mapping[str, int]
"""How often a session has made each write, by the name of the write."""

WRITE_METHODS = frozenset(("POST", "PUT", "PATCH", "DELETE"))


def advance(policy: str, position: int | None, after_writes: Sequence[str], writes: Writes) -> int | None:
    """The position of the response to serve, counted from 0; None when a strict sequence is exhausted.

    `position` is that of the response served last, None before the first; `after_writes` has one entry a response.
    """
    return POLICIES[policy](position, after_writes, writes)


def is_satisfied(after: str, writes: Writes) -> bool:
    """Whether a session has made the write in `after` as often as it says (`POST /items x2`); True if empty."""
    if not after:
        return True
    counted = _COUNTED.fullmatch(after)
    name, count = (counted.group(1), int(counted.group(2))) if counted else (after, 1)
    return writes.get(name, 0) >= count


def _auto(position: int | None, after_writes: Sequence[str], writes: Writes) -> int | None:
    here = -1 if position is None else min(position, len(after_writes) - 1)
    for candidate in range(len(after_writes) - 1, max(here, 0), -1):
        if after_writes[candidate] and is_satisfied(after_writes[candidate], writes):
            return candidate
    following = here + 1
    return following if following < len(after_writes) and (following == 0 or not after_writes[following]) else here


def _loop(position: int | None, after_writes: Sequence[str], _writes: Writes) -> int | None:
    return 0 if position is None else (position + 1) % len(after_writes)


def _strict(position: int | None, after_writes: Sequence[str], _writes: Writes) -> int | None:
    following = 0 if position is None else position + 1
    return following if following < len(after_writes) else None


def _first(_position: int | None, _after_writes: Sequence[str], _writes: Writes) -> int | None:
    return 0


def _last(_position: int | None, after_writes: Sequence[str], _writes: Writes) -> int | None:
    return len(after_writes) - 1


_COUNTED = re.compile(r"(.*) x([0-9]+)")

POLICIES: dict[str, Callable[[int | None, Sequence[str], Writes], int | None]] = {
    "auto": _auto,
    "loop": _loop,
    "strict": _strict,
    "first": _first,
    "last": _last,
}

_ERRORS = 400


def write_name(request: CanonicalRequest, path: str, status: int) -> str:
    """The name of the write that a request made, or empty if it made none.

    `path` is that of its cassette, `status` that of its response: errors are no writes, nor are GraphQL queries. The
    name of a mutation ends with its operation.
    """
    if request.method not in WRITE_METHODS or status >= _ERRORS:
        return ""
    if request.kind != "json":
        return f"{request.method} {path}"
    if graphql.is_read(request.body):
        return ""
    return f"{request.method} {path} {graphql.operation_name(request.body)}".rstrip()
