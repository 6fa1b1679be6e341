"""How a response is merged into the stored ones of its cassette, and when two responses count as the same."""

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
from replaymock.matching.redacted_match import pairs_match, text_matches
from replaymock.recording.extent import cut_to_common, goes_further, is_open
from replaymock.redaction.placeholders import ANONYMOUS
from replaymock.redaction.redactor import normalize_placeholders
from replaymock.replay.sequence import Writes, is_satisfied
from replaymock.replay.time_shift import MOVING, without_expiry


def merge_response(
    stored: tuple[RecordedResponse, ...],
    cursor: int,
    recorded: RecordedResponse,
    writes: Writes,
    volatile: Sequence[Selector] = (),
    doubt: int = 0,
) -> tuple[tuple[RecordedResponse, ...], int]:
    """The stored responses with the next one of this run merged in, and the position of that one.

    `cursor` is the position of the response before it, -1 at first; up to `doubt` positions further are possible, too.
    - The same response changes nothing, unless the stored one needs a write that this run did not make.
    - A different one replaces the stored one and all after it; but an error never replaces a good response.
    - One that was cut short is the same as a stored one that begins so; one that goes further takes its place.
    Differences in what is `volatile` do not count.
    """
    cursor = min(cursor, len(stored) - 1)
    position = min(cursor + doubt, len(stored) - 1) + 1
    if (at := _matching_position(stored, cursor, position, recorded, writes, volatile)) is not None:
        return extended(stored, at, recorded), at
    if position < len(stored):
        if recorded.status in ERROR_STATUSES and stored[position].status not in ERROR_STATUSES:
            return stored, cursor
        recorded = _with_stored_headers(stored[position], recorded)
    return (*stored[:position], recorded if position else replace(recorded, after="")), position


def doubt_left(
    stored: tuple[RecordedResponse, ...],
    cursor: int,
    last: int,
    recorded: RecordedResponse,
    writes: Writes,
    volatile: Sequence[Selector],
) -> int:
    """How many positions past `cursor`, up to `last`, a run may be after `recorded` was merged at `cursor`.

    0 unless `recorded` was cut short: then it may have been the beginning of any of several responses.
    """
    if not is_open(recorded):
        return 0
    beyond = range(min(last, len(stored) - 1), cursor, -1)
    return next((at - cursor for at in beyond if is_reached(stored[at], recorded, writes, volatile)), 0)


def _matching_position(
    stored: tuple[RecordedResponse, ...],
    cursor: int,
    last: int,
    recorded: RecordedResponse,
    writes: Writes,
    volatile: Sequence[Selector],
) -> int | None:
    """The position from `cursor` to `last` of a stored response that is the same; first one that goes as far."""
    longer = None
    for at in range(max(cursor, 0), min(last + 1, len(stored))):
        candidate = stored[at]
        if not is_same_response(candidate, recorded, volatile) or (
            at != cursor and not is_satisfied(candidate.after, writes)
        ):
            continue
        if not goes_further(recorded, candidate):
            return at
        # After a write, what goes further may be another response, which the write caused.
        if longer is None and not (at == cursor and recorded.after):
            longer = at
    return longer


def extended(stored: tuple[RecordedResponse, ...], at: int, recorded: RecordedResponse) -> tuple[RecordedResponse, ...]:
    """The stored responses, with `recorded` in the place of the same one at a position if it goes further."""
    current = stored[at]
    if not goes_further(recorded, current):
        return stored
    longer = replace(_with_stored_headers(current, recorded), after=current.after)
    return (*stored[:at], longer, *stored[at + 1 :])


def with_missing(
    stored: tuple[RecordedResponse, ...], more: Sequence[RecordedResponse], volatile: Sequence[Selector] = ()
) -> tuple[RecordedResponse, ...]:
    """The stored responses, then those of `more` that are not among them; of the same one, what goes further."""
    count = len(stored)
    for recorded in more:
        at = next((at for at in range(count) if is_same_response(stored[at], recorded, volatile)), None)
        stored = (*stored, recorded) if at is None else extended(stored, at, recorded)
    return stored


def is_reached(
    stored: RecordedResponse, recorded: RecordedResponse, writes: Writes, volatile: Sequence[Selector] = ()
) -> bool:
    """Whether a stored response is the same as `recorded`, and a replay with these writes would have come to it."""
    return is_same_response(stored, recorded, volatile) and is_satisfied(stored.after, writes)


def is_same_response(stored: RecordedResponse, recorded: RecordedResponse, volatile: Sequence[Selector] = ()) -> bool:
    """Whether two responses are the same but for dates, pace, secrets and what is `volatile`.

    If one was cut short, only that much is compared. A placeholder in the stored one matches any distinctive value,
    which need not be known as a secret yet. A time of expiry in JSON is compared by its distance from the recording,
    since replay keeps that.
    """
    stored, recorded = cut_to_common(stored, recorded)
    return _same(stored, recorded) or (
        bool(volatile) and _same(drop_volatile(stored, volatile), drop_volatile(recorded, volatile))
    )


def is_full_match(stored: RecordedResponse, recorded: RecordedResponse, volatile: Sequence[Selector] = ()) -> bool:
    """Whether a stored response is the same as `recorded`, and goes as far."""
    return is_same_response(stored, recorded, volatile) and not goes_further(recorded, stored)


def without_moving_parts(
    stored: RecordedResponse, recorded: RecordedResponse
) -> tuple[RecordedResponse, RecordedResponse]:
    """Both without what differs in every recording: dates, pace, ordinals of placeholders, fresh claims of JWTs."""
    first, second = map(_comparable, _without_equal_expiry(stored, recorded))
    return first, second


def _same(stored: RecordedResponse, recorded: RecordedResponse) -> bool:
    first, second = without_moving_parts(stored, recorded)
    return first == second or _covers(first, second)


def _with_stored_headers(stored: RecordedResponse, recorded: RecordedResponse) -> RecordedResponse:
    """The new response with the stored spelling of each header that is the same, so that a diff shows real changes.

    Dates at which something ends are not taken over: replay moves them by their distance from `recorded_at`.
    """
    before = {_header_identity(*pair): pair for pair in stored.headers}
    return replace(recorded, headers=tuple(before.get(_header_identity(*pair), pair) for pair in recorded.headers))


def _header_identity(name: str, value: str) -> tuple[str, str]:
    return (name, normalize_placeholders(value)) if name in MOVING else _comparable_header(name, value)


def _comparable_header(name: str, value: str) -> tuple[str, str]:
    return name, _DATE.sub("", normalize_placeholders(jwt.without_fresh_claims(value, normalize_placeholders)))


def _without_equal_expiry(
    stored: RecordedResponse, recorded: RecordedResponse
) -> tuple[RecordedResponse, RecordedResponse]:
    """Both without their times of expiry if these are equal, or equally far from the recording; else as they are."""
    if stored.body == recorded.body:
        return stored, recorded
    first, moments = without_expiry(stored.headers, stored.body, stored.recorded_at)
    if not moments:
        return stored, recorded
    second, others = without_expiry(recorded.headers, recorded.body, recorded.recorded_at)
    if len(moments) != len(others) or not all(map(_is_same_expiry, moments, others)):
        return stored, recorded
    return replace(stored, body=first), replace(recorded, body=second)


def _is_same_expiry(first: tuple[str, int], second: tuple[str, int]) -> bool:
    return first[0] == second[0] or abs(first[1] - second[1]) <= _SLACK


def _comparable(recorded: RecordedResponse) -> RecordedResponse:
    headers = tuple(sorted(_comparable_header(*pair) for pair in recorded.headers))
    # Messages that cross on their way come in another order each time: only the order of each side counts.
    by_side = sorted(recorded.messages, key=lambda message: message.sender)
    messages = tuple(replace(message, data=_without_ordinals(message.data), delay_ms=0) for message in by_side)
    body = _without_ordinals(recorded.body)
    content = replace(recorded, headers=headers, body=body, messages=messages, after="", recorded_at="", elapsed_ms=0)
    return replace(content, pauses=())


def _covers(stored: RecordedResponse, recorded: RecordedResponse) -> bool:
    """Whether two such responses differ only in distinctive values, where the stored one has placeholders."""
    return (
        replace(stored, headers=(), body=b"", messages=()) == replace(recorded, headers=(), body=b"", messages=())
        and len(stored.messages) == len(recorded.messages)
        and pairs_match(stored.headers, recorded.headers)
        and _covers_data(stored.body, recorded.body)
        and all(map(_covers_message, stored.messages, recorded.messages))
    )


def _covers_message(stored: Message, recorded: Message) -> bool:
    return replace(stored, data=b"") == replace(recorded, data=b"") and _covers_data(stored.data, recorded.data)


def _covers_data(stored: bytes, recorded: bytes) -> bool:
    if stored == recorded or _HIDDEN not in stored:
        return stored == recorded
    return text_matches(stored.decode("latin-1"), recorded.decode("latin-1"))


def _without_ordinals(data: bytes) -> bytes:
    if b"{{redacted" not in data and jwt.MARK.encode() not in data:
        return data
    return normalize_placeholders(jwt.without_fresh_claims(data.decode("latin-1"), normalize_placeholders)).encode(
        "latin-1", "replace"
    )


_SLACK = 5
"""By how many seconds a time of expiry may differ, because of clocks and of the time it takes to answer."""

_HIDDEN = ANONYMOUS.encode()
# HTTP dates (RFC 9110 section 5.6.7), in `Expires`, `Last-Modified` and cookies, move with every recording.
_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2}[ -][A-Z][a-z]{2}[ -][0-9]{2,4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


def drop_volatile(recorded: RecordedResponse, selectors: Sequence[Selector]) -> RecordedResponse:
    """A response without what the selectors name, for comparing only.

    `header:NAME` removes headers, also by a pattern; `json:PATH` values in JSON bodies, events and messages;
    `value:REGEX` what matches in the values of headers and in text.
    """
    by_kind = {
        kind: [selector for selector in selectors if selector.kind == kind] for kind in ("header", "json", "value")
    }
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
    return tuple((name, _without_matches(value, expressions)) for name, value in left)


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
    """JSON without the values at the paths, its layout kept; empty if that is all of it. Other data stays as it is."""
    try:
        value = json_tokens.parse(data)
        text = data.decode("utf-8")
    except ValueError:
        return data
    places = {place for selector in paths for place in selector.find(value)}
    if () in places:
        return b""
    left = json_tokens.remove_paths(text, places).encode("utf-8")
    whole = bodies.encode("application/json", data)
    return bodies.apply_layout(left, whole.layout) if isinstance(whole, bodies.Json) else left


def _text(data: bytes, expressions: Sequence[re.Pattern[str]]) -> bytes:
    if not expressions:
        return data
    return _without_matches(data.decode("utf-8", "surrogateescape"), expressions).encode("utf-8", "surrogateescape")


def _without_matches(text: str, expressions: Sequence[re.Pattern[str]]) -> str:
    for expression in expressions:
        text = expression.sub("", text)
    return text
