"""How a response joins those that are stored of its cassette, and when two responses say the same."""

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Raw

from replaymock.cassettes.model import RecordedResponse
from replaymock.http import bodies, event_stream, json_tokens, jwt, media_types
from replaymock.http.headers import Headers, media_type
from replaymock.http.selectors import Selector
from replaymock.http.status import ERROR_STATUSES
from replaymock.http.websocket_messages import TEXT, Message
from replaymock.matching.redacted_match import covers_pairs, covers_text
from replaymock.recording.extent import goes_further, is_open, side_by_side
from replaymock.redaction.placeholders import ANONYMOUS
from replaymock.redaction.redactor import normalize_placeholders
from replaymock.replay.sequence import Writes, satisfied
from replaymock.replay.time_shift import MOVING, without_expiry


def merge_response(
    stored: tuple[RecordedResponse, ...],
    cursor: int,
    recorded: RecordedResponse,
    writes: Writes,
    volatile: Sequence[Selector] = (),
    doubt: int = 0,
) -> tuple[tuple[RecordedResponse, ...], int]:
    """Stored responses with the next one of this run, and the position of that one.

    `cursor` is the position of the response this run saw before, -1 at first; it may be further on by `doubt`. An equal
    response changes nothing, unless it is stored as coming after a write that was not made in this run; a different one
    replaces the stored ones from there on; an error never replaces a good one. What is `volatile` makes none differ.
    The beginning of a stored one is equal to it; more than is stored of one takes its place.
    """
    cursor = min(cursor, len(stored) - 1)
    position = min(cursor + doubt, len(stored) - 1) + 1
    if (at := _place(stored, cursor, position, recorded, writes, volatile)) is not None:
        return renewed(stored, at, recorded), at
    if position < len(stored):
        if recorded.status in ERROR_STATUSES and stored[position].status not in ERROR_STATUSES:
            return stored, cursor
        recorded = _with_known_headers(stored[position], recorded)
    return (*stored[:position], recorded if position else replace(recorded, after="")), position


def doubt_left(
    stored: tuple[RecordedResponse, ...],
    cursor: int,
    last: int,
    recorded: RecordedResponse,
    writes: Writes,
    volatile: Sequence[Selector],
) -> int:
    """By how much a run may be further on than `cursor`, up to `last`, where `recorded` was joined at `cursor`.

    What a client left early may have been the beginning of any of several.
    """
    if not is_open(recorded):
        return 0
    beyond = range(min(last, len(stored) - 1), cursor, -1)
    return next((at - cursor for at in beyond if holds(stored[at], recorded, writes, volatile)), 0)


def _place(
    stored: tuple[RecordedResponse, ...],
    cursor: int,
    last: int,
    recorded: RecordedResponse,
    writes: Writes,
    volatile: Sequence[Selector],
) -> int | None:
    """Where in the stored ones, from `cursor` to `last`, a response is; first where it tells nothing new."""
    news = None
    for at in range(max(cursor, 0), min(last + 1, len(stored))):
        found = stored[at]
        if not is_same_response(found, recorded, volatile) or (at != cursor and not satisfied(found.after, writes)):
            continue
        if not goes_further(recorded, found):
            return at
        if news is None and not (at == cursor and recorded.after):  # or what is more may be the doing of the write
            news = at
    return news


def renewed(stored: tuple[RecordedResponse, ...], at: int, recorded: RecordedResponse) -> tuple[RecordedResponse, ...]:
    """Stored responses of which the one at a position is said by `recorded`, whichever of the two goes further."""
    known = stored[at]
    if not goes_further(recorded, known):
        return stored
    return (*stored[:at], replace(_with_known_headers(known, recorded), after=known.after), *stored[at + 1 :])


def gathered(
    stored: tuple[RecordedResponse, ...], more: Sequence[RecordedResponse], volatile: Sequence[Selector] = ()
) -> tuple[RecordedResponse, ...]:
    """Stored responses with those of others that they do not say behind them, each as far as either goes."""
    count = len(stored)
    for recorded in more:
        at = next((at for at in range(count) if is_same_response(stored[at], recorded, volatile)), None)
        stored = (*stored, recorded) if at is None else renewed(stored, at, recorded)
    return stored


def holds(
    stored: RecordedResponse, recorded: RecordedResponse, writes: Writes, volatile: Sequence[Selector] = ()
) -> bool:
    """Whether a stored response is what was recorded now, and a replay of this run would have come to it by now."""
    return is_same_response(stored, recorded, volatile) and satisfied(stored.after, writes)


def is_same_response(stored: RecordedResponse, recorded: RecordedResponse, volatile: Sequence[Selector] = ()) -> bool:
    """Whether two responses say the same, whenever and however slowly they said it, and whatever secrets they held.

    Of what one of them is only the beginning, that is as far as this one goes. What is hidden in the
    stored one need not be known to be secret by now: it is any telling value then. A moment of expiry in JSON says how
    far it lies from the recording, which replay keeps. What is `volatile` says nothing, nor whether it is there.
    """
    stored, recorded = side_by_side(stored, recorded)
    return _same(stored, recorded) or (
        bool(volatile) and _same(drop_volatile(stored, volatile), drop_volatile(recorded, volatile))
    )


def says_all(stored: RecordedResponse, recorded: RecordedResponse, volatile: Sequence[Selector] = ()) -> bool:
    """Whether a stored response says the same, and goes as far."""
    return is_same_response(stored, recorded, volatile) and not goes_further(recorded, stored)


def without_moving_parts(
    stored: RecordedResponse, recorded: RecordedResponse
) -> tuple[RecordedResponse, RecordedResponse]:
    """Both without what moves with every recording."""
    first, second = map(_lasting, _without_equal_ages(stored, recorded))
    return first, second


def _same(stored: RecordedResponse, recorded: RecordedResponse) -> bool:
    first, second = without_moving_parts(stored, recorded)
    return first == second or _covers(first, second)


def _with_known_headers(stored: RecordedResponse, recorded: RecordedResponse) -> RecordedResponse:
    """The new response with the stored spelling of each header that says the same: a diff shows what changed.

    Not so the dates at which something ends: on replay they are told by how far they lie from `recorded_at`.
    """
    known = {_known_header(*pair): pair for pair in stored.headers}
    return replace(recorded, headers=tuple(known.get(_known_header(*pair), pair) for pair in recorded.headers))


def _known_header(name: str, value: str) -> tuple[str, str]:
    return (name, normalize_placeholders(value)) if name in MOVING else _lasting_header(name, value)


def _lasting_header(name: str, value: str) -> tuple[str, str]:
    return name, _DATE.sub("", normalize_placeholders(jwt.without_fresh_claims(value, normalize_placeholders)))


def _without_equal_ages(
    stored: RecordedResponse, recorded: RecordedResponse
) -> tuple[RecordedResponse, RecordedResponse]:
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


def _lasting(recorded: RecordedResponse) -> RecordedResponse:
    headers = tuple(sorted(_lasting_header(*pair) for pair in recorded.headers))
    # What both sides said at the same time crosses on its way, in another order each time: only each side's own counts.
    by_side = sorted(recorded.messages, key=lambda message: message.sender)
    messages = tuple(replace(message, data=_nameless(message.data), delay_ms=0) for message in by_side)
    body = _nameless(recorded.body)
    found = replace(recorded, headers=headers, body=body, messages=messages, after="", recorded_at="", elapsed_ms=0)
    return replace(found, pauses=())


def _covers(stored: RecordedResponse, recorded: RecordedResponse) -> bool:
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
    if b"{{redacted" not in data and jwt.MARK.encode() not in data:
        return data
    return normalize_placeholders(jwt.without_fresh_claims(data.decode("latin-1"), normalize_placeholders)).encode(
        "latin-1", "replace"
    )


_SLACK = 5
"""By how many seconds two backends' clocks, and the time they take to answer, may make an expiry differ."""

_HIDDEN = ANONYMOUS.encode()
# HTTP dates (RFC 9110 section 5.6.7), in `Expires`, `Last-Modified` and cookies, move with every recording.
_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2}[ -][A-Z][a-z]{2}[ -][0-9]{2,4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


def drop_volatile(recorded: RecordedResponse, selectors: Sequence[Selector]) -> RecordedResponse:
    """A response, as far as it is compared, without what the selectors name.

    `header:NAME` takes headers out, also by a pattern; `json:PATH` what is there in JSON, and in the JSON of each event
    and message; `value:REGEX` what fits in the values of headers, and in text.
    """
    by_kind = {kind: [one for one in selectors if one.kind == kind] for kind in ("header", "json", "value")}
    expressions = [re.compile(selector.name) for selector in by_kind["value"]]
    media = media_type(recorded.headers)
    body = recorded.body
    if by_kind["json"] and not recorded.encoded:
        body = _body(media, body, by_kind["json"])
    if media_types.is_textual(media) and not recorded.encoded:
        body = _text(body, expressions)
    headers = _headers(recorded.headers, by_kind["header"], expressions)
    messages = tuple(_message(message, by_kind["json"], expressions) for message in recorded.messages)
    return replace(recorded, headers=headers, body=body, messages=messages)


def _headers(headers: Headers, named: Sequence[Selector], expressions: Sequence[re.Pattern[str]]) -> Headers:
    left = (pair for pair in headers if not any(fnmatchcase(pair[0], selector.name) for selector in named))
    return tuple((name, _cut(value, expressions)) for name, value in left)


def _message(message: Message, paths: Sequence[Selector], expressions: Sequence[re.Pattern[str]]) -> Message:
    if message.kind != TEXT:
        return message
    data = _json(message.data, paths) if message.data.lstrip()[:1] in (b"{", b"[") else message.data
    return replace(message, data=_text(data, expressions))


def _body(media: str, body: bytes, paths: Sequence[Selector]) -> bytes:
    if media_types.is_json(media):
        return _json(body, paths)
    stream = event_stream.encode(media, body) if event_stream.is_stream(media) else None
    if stream is None:
        return body
    left = tuple({name: _data(value, paths) for name, value in event.items()} for event in stream.events)
    return event_stream.decode(media, event_stream.Events(left, stream.layout))


def _data(value: Any, paths: Sequence[Selector]) -> Any:
    return Raw(_json(bytes(value), paths) or b"null") if isinstance(value, Raw) else value


def _json(data: bytes, paths: Sequence[Selector]) -> bytes:
    """JSON without what is at the paths, in the layout it has; nothing if that is all, and what is no JSON as it is."""
    try:
        value = json_tokens.parse(data)
        text = data.decode("utf-8")
    except ValueError:
        return data
    places = {place for selector in paths for place in selector.find(value)}
    if () in places:
        return b""
    left = json_tokens.remove_paths(text, places).encode("utf-8")
    found = bodies.encode("application/json", data)
    return bodies.apply_layout(left, found.layout) if isinstance(found, bodies.Json) else left


def _text(data: bytes, expressions: Sequence[re.Pattern[str]]) -> bytes:
    if not expressions:
        return data
    return _cut(data.decode("utf-8", "surrogateescape"), expressions).encode("utf-8", "surrogateescape")


def _cut(text: str, expressions: Sequence[re.Pattern[str]]) -> str:
    for expression in expressions:
        text = expression.sub("", text)
    return text
