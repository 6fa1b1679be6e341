"""Moves the times in a recorded response by its age, and moves them back where a client sends them.

No function here reads a clock: a `Shift` says when the response was recorded and when it is served.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from urllib.parse import quote

from msgspec import Struct

from replaymock.http import dates, json_tokens, jwt, media_types
from replaymock.http.dates import DAY
from replaymock.http.headers import Headers, media_type
from replaymock.http.messages import Request
from replaymock.http.uri import readable

MOST_BYTES = 256 * 1024
"""Bodies larger than this stay as they were recorded."""

_MOST_YEARS = 20 * 366 * DAY
_MOST_SWAPS = 10_000


def _forget(_now: str, _recorded: str) -> None:
    return None


class Shift(Struct, frozen=True):
    """How far the times of one response move: from `recorded_at` to `now`, both in seconds since 1970.

    In JSON, times of expiry move; with `all_json` all values that are recognised as times. `swapped` is called with
    each text that moved in a place clients may send back: as it is now, and as it was recorded.
    """

    recorded_at: int
    now: int
    all_json: bool = False
    swapped: Callable[[str, str], None] = _forget

    def time(self, text: str) -> str | None:
        """A date, moved; None if the text is none, or a date too far from the recording."""
        moment = dates.read(text)
        return self._moved(text, moment) if moment else None

    def number(self, digits: str) -> str | None:
        """Digits that count from 1970, moved; None as for `time`."""
        moment = dates.epoch(digits)
        return self._moved(digits, moment) if moment else None

    def end(self, text: str) -> str:
        """The HTTP date at which something ends, moved. One that was past when it was recorded stays as it is."""
        moment = dates.http_date(text)
        if moment is None or moment.seconds <= self.recorded_at:
            return text
        return moment.spell(moment.seconds + self.now - self.recorded_at) or text

    def _moved(self, text: str, moment: dates.Timestamp) -> str | None:
        if abs(moment.seconds - self.recorded_at) > _MOST_YEARS:
            return None
        by = self.now - self.recorded_at
        if moment.is_day:
            # What was today's date stays today's.
            by = (self.now // DAY - self.recorded_at // DAY) * DAY
        moved = moment.spell(moment.seconds + by)
        return moved if moved != text else None


def shifted(headers: Headers, body: bytes, shift: Shift) -> tuple[Headers, bytes]:
    """The headers and the decoded body of a response with their times moved. Validators stay."""
    moved = tuple((name, _header(name.lower(), value, shift)) for name, value in headers)
    media = media_type(headers)
    if not body or len(body) > MOST_BYTES or not media_types.is_textual(media):
        return moved, body
    # Any charset in which times are found contains ASCII; the other bytes come back as they were.
    text = jwt.replace_times(body.decode("latin-1"), shift.number, shift.swapped).encode("latin-1")
    if media_types.is_json(media) and (shift.all_json or _MAY_EXPIRE.search(text)):
        text = _json(text, shift)
    return moved, text


def without_expiry(headers: Headers, body: bytes, recorded_at: str) -> tuple[bytes, tuple[tuple[str, int], ...]]:
    """A JSON body with the digits and letters of each time of expiry replaced by 0; and these times.

    Each is given as it was, with the seconds from the recording to it. The body as it is, and none, if no time in it
    would be moved on replay.
    """
    moment = dates.iso_date(recorded_at)
    if moment is None or len(body) > MOST_BYTES or not media_types.is_json(media_type(headers)):
        return body, ()
    expiries: list[tuple[str, int]] = []
    left = _replaced(body, partial(_form, moment.seconds, expiries)) if _MAY_EXPIRE.search(body) else body
    return left, tuple(expiries) if left != body else ()


def _form(recorded_at: int, expiries: list[tuple[str, int]], path: Sequence[str | int], token: str) -> str | None:
    if not is_expiry(_named(path)):
        return None
    text = json_tokens.string_value(token) if token.startswith('"') else token
    moment = text and ((token.startswith('"') and dates.read(text)) or dates.epoch(text))
    if not moment or abs(moment.seconds - recorded_at) > _MOST_YEARS:
        return None
    start = recorded_at // DAY * DAY if moment.is_day else recorded_at
    expiries.append((token, moment.seconds - start))
    return _RUNS.sub("0", token)


@lru_cache(maxsize=4096)
def is_expiry(name: str) -> bool:
    """Whether a JSON key so named, in any spelling, holds the moment at which something begins or ceases to be good."""
    words = _words(name)
    return bool(words) and (words[-1] in _CLAIMS or bool(_EXPIRY.fullmatch("".join(words))))


@lru_cache(maxsize=4096)
def is_time(name: str) -> bool:
    """Whether a number under a JSON key so named may count from 1970."""
    words = _words(name)
    while len(words) > 1 and words[-1] in _UNITS:
        words.pop()
    return bool(words) and not _TIMES.isdisjoint((words[-1], words[-1].removesuffix("s")))


class IssuedValues:
    """Values that clients got in the place of recorded ones, the latest few thousand."""

    def __init__(self, most: int = _MOST_SWAPS) -> None:
        self._recorded: dict[str, str] = {}
        self._most = most

    def remember(self, now: str, recorded: str) -> None:
        """Remembers a text as it is served, and as it was recorded."""
        self._recorded.pop(now, None)
        self._recorded[now] = recorded
        if len(self._recorded) > self._most:
            del self._recorded[next(iter(self._recorded))]

    def to_recorded(self, request: Request) -> Request:
        """The request with each issued value as it was recorded; the same object if it has none.

        Only whole values are replaced: path segments, parameters, form fields, and strings and numbers in JSON.
        """
        if not self._recorded:
            return request
        path, question, query = request.target.partition("?")
        target = "/".join(map(self._segment, path.split("/"))) + question + self._pairs(query)
        body = self._body(request)
        if target == request.target and body == request.body:
            return request
        return replace(request, target=target, body=body)

    def _segment(self, segment: str) -> str:
        recorded = self._recorded.get(readable(segment))
        return segment if recorded is None else quote(recorded, safe=":@+,;=$&!'()*")

    def _pairs(self, encoded: str) -> str:
        return "&".join(map(self._pair, encoded.split("&")))

    def _pair(self, item: str) -> str:
        name, equals, value = item.partition("=")
        # A plus is a space, unless a client forgot to encode it; then the recorded one was not encoded either.
        for spelling, safe in ((value.replace("+", " "), ""), (value, "+")):
            recorded = self._recorded.get(readable(spelling))
            if equals and recorded is not None:
                return f"{name}={quote(recorded, safe=safe)}"
        return item

    def _body(self, request: Request) -> bytes:
        body, media = request.body, media_type(request.headers)
        if not body or len(body) > MOST_BYTES:
            return body
        if media == media_types.FORM_TYPE:
            return self._pairs(body.decode("latin-1")).encode("latin-1")
        return _replaced(body, self._token) if media_types.is_json(media) else body

    def _token(self, _path: Sequence[str | int], token: str) -> str | None:
        value = json_tokens.string_value(token)
        recorded = self._recorded.get(token if value is None else value)
        return recorded if recorded is None or value is None else json_tokens.string_token(recorded, token)


class TimeShifter:
    """Moves the times of responses to those of its clock, and remembers the issued values.

    In JSON, times of expiry move, or all times with `all_json`.
    """

    def __init__(self, clock: Callable[[], float], *, all_json: bool = False) -> None:
        self.issued = IssuedValues()
        self._clock = clock
        self._all_json = all_json

    def now(self) -> int:
        """The current second, since 1970."""
        return int(self._clock())

    def is_time_dependent(self, headers: Headers, body: bytes, recorded_at: str) -> bool:
        """Whether a response has a time that moves; never if it does not say when it was recorded."""
        moment = dates.iso_date(recorded_at)
        if moment is None:
            return False
        shift = Shift(moment.seconds, moment.seconds + 366 * DAY, self._all_json)
        return shifted(headers, body, shift) != (headers, body)

    def moved(self, headers: Headers, body: bytes, recorded_at: str, now: int) -> tuple[Headers, bytes]:
        """Headers and body with their times moved to `now`, in seconds since 1970."""
        moment = dates.iso_date(recorded_at)
        if moment is None:
            return headers, body
        return shifted(headers, body, Shift(moment.seconds, now, self._all_json, self.issued.remember))


def _header(name: str, value: str, shift: Shift) -> str:
    if name in _ENDS:
        return shift.end(value)
    if name == "set-cookie":
        value = _COOKIE_EXPIRES.sub(lambda match: match.group(1) + shift.end(match.group(2)), value)
    return jwt.replace_times(value, shift.number, shift.swapped)


def _json(body: bytes, shift: Shift) -> bytes:
    return _replaced(body, partial(_member, shift))


def _replaced(body: bytes, visit: json_tokens.Visit) -> bytes:
    """JSON with some values replaced; what is no JSON comes back as it is."""
    try:
        return json_tokens.replace_values(body.decode("utf-8"), visit).encode("utf-8")
    except (IndexError, ValueError):
        return body


def _member(shift: Shift, path: Sequence[str | int], token: str) -> str | None:
    """A value of JSON, moved if its name and its own spelling say that it is a time."""
    name = _named(path)
    ends = is_expiry(name)
    counts = ends or (shift.all_json and is_time(name))
    if token.startswith('"'):
        value = json_tokens.string_value(token) if ends or shift.all_json else None
        moved = None if value is None else shift.time(value) or (shift.number(value) if counts else None)
        if value is None or moved is None:
            return None
        shift.swapped(moved, value)
        return json_tokens.string_token(moved, token)
    moved = shift.number(token) if counts else None
    if moved is not None:
        shift.swapped(moved, token)
    return moved


def _named(path: Sequence[str | int]) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_RUNS = re.compile(r"[0-9]+|[A-Za-z]+")
_ENDS = ("expires", "retry-after")
MOVING = frozenset((*_ENDS, "set-cookie"))
"""The headers that hold dates which move, by their lower-case names."""
_COOKIE_EXPIRES = re.compile(r"(;\s*+expires\s*+=\s*+)([^;]*[^;\s])", re.IGNORECASE)
_CLAIMS = frozenset(("exp", "nbf", "iat"))
_EXPIRY = re.compile(
    r"(?:.*expir(?:es?|y|ed|ation)|issuedat|authtime|notbefore|notafter|.*valid(?:until|till|through|thru|from|to))"
    r"(?:at|on|date|time|stamp|ts|utc|unix|epoch|ms|millis)*"
)
_MAY_EXPIRE = re.compile(rb"exp|nbf|iat|not.?before|not.?after|valid|issued|auth", re.IGNORECASE)
_TIMES = frozenset(
    (
        "at on time timestamp ts date datetime created updated modified deleted published since until seen start end "
        "when now epoch exp nbf iat"
    ).split()
)
_UNITS = frozenset("s sec seconds ms millis milliseconds us micros ns nanos utc gmt unix epoch".split())
