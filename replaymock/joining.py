"""How a response joins those that are stored of its cassette, and when two responses say the same."""

import re
from collections.abc import Sequence
from dataclasses import replace

from replaymock import jwts
from replaymock.cassette import Recorded
from replaymock.masking import covers_pairs, covers_text
from replaymock.messages import Message
from replaymock.redaction import ANONYMOUS, forget_names
from replaymock.rewrites import Selector
from replaymock.sequence import Writes, satisfied
from replaymock.shifting import MOVING, without_expiry
from replaymock.volatile import without

ERROR_STATUSES = frozenset((401, 403, 429, *range(500, 600)))


def join(
    stored: tuple[Recorded, ...], cursor: int, recorded: Recorded, writes: Writes, volatile: Sequence[Selector] = ()
) -> tuple[tuple[Recorded, ...], int]:
    """Stored responses with the next one of this run, and the position of that one.

    `cursor` is the position of the response this run saw before, -1 at first. An equal response changes nothing, unless
    it is stored as coming after a write that was not made in this run; a different one replaces the stored ones from
    there on; an error never replaces a good one. What is `volatile` makes none differ.
    """
    cursor = min(cursor, len(stored) - 1)
    if cursor >= 0 and same(stored[cursor], recorded, volatile):
        return stored, cursor
    position = cursor + 1
    if position < len(stored):
        if holds(stored[position], recorded, writes, volatile):
            return stored, position
        if recorded.status in ERROR_STATUSES and stored[position].status not in ERROR_STATUSES:
            return stored, cursor
        recorded = _with_known_headers(stored[position], recorded)
    return (*stored[:position], recorded if position else replace(recorded, after="")), position


def holds(stored: Recorded, recorded: Recorded, writes: Writes, volatile: Sequence[Selector] = ()) -> bool:
    """Whether a stored response is what was recorded now, and a replay of this run would have come to it by now."""
    return same(stored, recorded, volatile) and satisfied(stored.after, writes)


def same(stored: Recorded, recorded: Recorded, volatile: Sequence[Selector] = ()) -> bool:
    """Whether two responses say the same, whenever and however slowly they said it, and whatever secrets they held.

    Of two streams that went on when recording them ended, that is as far as both have come. What is hidden in the
    stored one need not be known to be secret by now: it is any telling value then. A moment of expiry in JSON says how
    far it lies from the recording, which replay keeps. What is `volatile` says nothing, nor whether it is there.
    """
    return _same(stored, recorded) or (bool(volatile) and _same(without(stored, volatile), without(recorded, volatile)))


def lasting(stored: Recorded, recorded: Recorded) -> tuple[Recorded, Recorded]:
    """Both without what moves with every recording."""
    first, second = map(_lasting, _without_equal_ages(stored, recorded))
    return first, second


def _same(stored: Recorded, recorded: Recorded) -> bool:
    first, second = lasting(stored, recorded)
    if stored.truncated and recorded.truncated:
        size = min(len(first.body), len(second.body))
        first, second = (replace(each, body=each.body[:size]) for each in (first, second))
    return first == second or _covers(first, second)


def _with_known_headers(stored: Recorded, recorded: Recorded) -> Recorded:
    """The new response with the stored spelling of each header that says the same: a diff shows what changed.

    Not so the dates at which something ends: on replay they are told by how far they lie from `recorded_at`.
    """
    known = {_known_header(*pair): pair for pair in stored.headers}
    return replace(recorded, headers=tuple(known.get(_known_header(*pair), pair) for pair in recorded.headers))


def _known_header(name: str, value: str) -> tuple[str, str]:
    return (name, forget_names(value)) if name in MOVING else _lasting_header(name, value)


def _lasting_header(name: str, value: str) -> tuple[str, str]:
    return name, _DATE.sub("", forget_names(jwts.comparable(value, forget_names)))


def _without_equal_ages(stored: Recorded, recorded: Recorded) -> tuple[Recorded, Recorded]:
    """Both without their moments of expiry if each is the same, or as far from the recording; else as they are."""
    if stored.body == recorded.body:
        return stored, recorded
    first, moments = without_expiry(stored.headers, stored.body, stored.recorded_at)
    if not moments:
        return stored, recorded
    second, others = without_expiry(recorded.headers, recorded.body, recorded.recorded_at)
    if len(moments) != len(others) or not all(map(_as_far, moments, others)):
        return stored, recorded
    return replace(stored, body=first), replace(recorded, body=second)


def _as_far(one: tuple[str, int], other: tuple[str, int]) -> bool:
    return one[0] == other[0] or abs(one[1] - other[1]) <= _SLACK


def _lasting(recorded: Recorded) -> Recorded:
    headers = tuple(sorted(_lasting_header(*pair) for pair in recorded.headers))
    # What both sides said at the same time crosses on its way, in another order each time: only each side's own counts.
    by_side = sorted(recorded.messages, key=lambda message: message.sender)
    messages = tuple(replace(message, data=_nameless(message.data), delay_ms=0) for message in by_side)
    body = _nameless(recorded.body)
    found = replace(recorded, headers=headers, body=body, messages=messages, after="", recorded_at="", elapsed_ms=0)
    return replace(found, pauses=())


def _covers(stored: Recorded, recorded: Recorded) -> bool:
    """Whether two lasting responses differ in telling values only, in the places of placeholders."""
    return (
        replace(stored, headers=(), body=b"", messages=()) == replace(recorded, headers=(), body=b"", messages=())
        and len(stored.messages) == len(recorded.messages)
        and covers_pairs(stored.headers, recorded.headers)
        and _covers_data(stored.body, recorded.body)
        and all(map(_covers_message, stored.messages, recorded.messages))
    )


def _covers_message(stored: Message, recorded: Message) -> bool:
    return replace(stored, data=b"") == replace(recorded, data=b"") and _covers_data(stored.data, recorded.data)


def _covers_data(stored: bytes, recorded: bytes) -> bool:
    if stored == recorded or _HIDDEN not in stored:
        return stored == recorded
    return covers_text(stored.decode("latin-1"), recorded.decode("latin-1"))


def _nameless(data: bytes) -> bytes:
    if b"{{redacted" not in data and jwts.MARK.encode() not in data:
        return data
    return forget_names(jwts.comparable(data.decode("latin-1"), forget_names)).encode("latin-1", "replace")


_SLACK = 5
"""By how many seconds two backends' clocks, and the time they take to answer, may make an expiry differ."""

_HIDDEN = ANONYMOUS.encode()
# HTTP dates (RFC 9110 section 5.6.7), in `Expires`, `Last-Modified` and cookies, move with every recording.
_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2}[ -][A-Z][a-z]{2}[ -][0-9]{2,4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")
