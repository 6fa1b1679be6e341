"""Moments as they are spelled in messages: HTTP dates, ISO 8601, seconds since 1970. Moved, they keep their spelling.

Nothing here asks what time it is now.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from msgspec import Struct

DAY = 86_400


class Timestamp(Struct, frozen=True):
    """A moment in seconds since 1970, and its spelling for another one; None where that spelling cannot say it.

    A day (`2026-11-22`) is its midnight and can be moved to another midnight only.
    """

    seconds: int
    spell: Callable[[int], str | None]
    is_day: bool = False


def read(text: str) -> Timestamp | None:
    """The moment that a whole text spells as an HTTP date or in ISO 8601; None where it spells none."""
    return http_date(text) or iso_date(text)


def http_date(text: str) -> Timestamp | None:
    """An HTTP date (RFC 9110 section 5.6.7) in any of its three forms, or as cookies and mails spell them."""
    match = _HTTP.fullmatch(text) or _ASCTIME.fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    seconds = _instant(_full_year(parts["year"]), _MONTHS.index(parts["month"]) + 1, int(parts["day"]), parts["clock"])
    if seconds is None:
        return None
    zone = parts.get("zone") or "GMT"
    offset = 0 if zone.isalpha() else int(f"{zone[0]}1") * _hours_and_minutes(zone[1:])

    def spell(moment: int) -> str | None:
        return _spell_http(parts, moment + offset)

    return Timestamp(seconds - offset, spell)


def iso_date(text: str) -> Timestamp | None:
    """A date, or a date and time with or without seconds, fraction and zone (RFC 3339, ISO 8601 extended format).

    A time without zone is taken as UTC.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, separator, clock, rest, zone = match.groups("")
    seconds = _instant(int(year), int(month), int(day), clock or "00:00:00")
    if seconds is None:
        return None
    sign = zone.strip()[:1]
    offset = int(f"{sign}1") * _hours_and_minutes(zone.strip()[1:]) if sign in ("+", "-") else 0

    def spell(moment: int) -> str | None:
        day = _date(moment + offset)
        if day is None:
            return None
        in_day = (moment + offset) % DAY
        return day.isoformat() + separator + _clock(in_day)[: len(clock)] + rest + zone

    return Timestamp(seconds - offset, spell, is_day=not clock)


def epoch(text: str) -> Timestamp | None:
    """Digits that count seconds since 1970, or thousandths, millionths or billionths of them; with any fraction."""
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    digits, fraction = match.groups("")
    length = len(digits)
    unit: int = 10 ** (length - _DIGITS_OF_SECONDS)
    seconds, below = divmod(int(digits), unit)

    def spell(moment: int) -> str | None:
        moved = str(moment * unit + below)
        return moved + fraction if len(moved) == length and moment > 0 else None

    return Timestamp(seconds, spell)


def spell_http(seconds: int) -> str:
    """Seconds since 1970 as the HTTP date that is to be sent (RFC 9110 section 5.6.7)."""
    day = _date(seconds) or _FIRST_DAY
    return f"{_weekday(seconds)[:3]}, {day.day:02} {_MONTHS[day.month - 1]} {day.year:04} {_clock(seconds % DAY)} GMT"


def _spell_http(parts: dict[str, str], face: int) -> str | None:
    """The face of clock and calendar in the form that `parts` were read from."""
    day = _date(face)
    if day is None:
        return None
    year = f"{day.year:04}" if len(parts["year"]) == len("1970") else f"{day.year % 100:02}"
    if _full_year(year) != day.year:
        return None
    name = _weekday(face) if len(parts["weekday"] or "") > len("Sun") else _weekday(face)[:3]
    month, clock = _MONTHS[day.month - 1], _clock(face % DAY)
    if "gap" not in parts:
        number = f"{day.day:02}" if parts["day"].startswith("0") else f"{day.day:2}"
        return f"{name} {month} {number} {clock} {year}"
    number = str(day.day) if len(parts["day"]) == 1 else f"{day.day:02}"
    start = f"{name}{parts['comma']}" if parts["weekday"] else ""
    gap = parts["gap"]
    return f"{start}{number}{gap}{month}{gap}{year} {clock} {parts['zone']}"


def _instant(year: int, month: int, day: int, clock: str) -> int | None:
    """Seconds since 1970 of a face of calendar and clock; None where there is no such day or time."""
    hour, minute, second, *_ = (*map(int, clock.split(":")), 0)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp())


def _date(seconds: int) -> date | None:
    """The day of a moment; None outside of the years 1 to 9999."""
    try:
        return date.fromordinal(seconds // DAY + _FIRST_ORDINAL)
    except (ValueError, OverflowError):
        return None


def _weekday(seconds: int) -> str:
    """The name of a moment's weekday, in any year."""
    return _WEEKDAYS[(seconds // DAY + _THURSDAY) % 7]


def _clock(in_day: int) -> str:
    return f"{in_day // 3600:02}:{in_day // 60 % 60:02}:{in_day % 60:02}"


def _full_year(year: str) -> int:
    """A year of two digits is one from 1970 to 2069 (RFC 6265 section 5.1.1)."""
    number = int(year)
    if len(year) != 2:  # noqa: PLR2004 - digits
        return number
    return number + (1900 if number >= 70 else 2000)  # noqa: PLR2004 - the year


def _hours_and_minutes(offset: str) -> int:
    digits = offset.replace(":", "")
    return int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60


_WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split()
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_THURSDAY = 4
_FIRST_DAY = date(1970, 1, 1)
_FIRST_ORDINAL = _FIRST_DAY.toordinal()
_DIGITS_OF_SECONDS = 10
_WEEKDAY = "(?:Sun(?:day)?|Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?)"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_HTTP = re.compile(
    rf"(?:(?P<weekday>{_WEEKDAY})(?P<comma>,? ))?(?P<day>[0-9]{{1,2}})(?P<gap>[ -]){_MONTH}(?P=gap)"
    r"(?P<year>[0-9]{4}|[0-9]{2}) (?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2}) (?P<zone>GMT|UTC|[+-][0-9]{4})"
)
_ASCTIME = re.compile(
    rf"(?P<weekday>Sun|Mon|Tue|Wed|Thu|Fri|Sat) {_MONTH} (?P<day>[ 0-9][0-9]) "
    r"(?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2}) (?P<year>[0-9]{4})"
)
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:([T ])([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)((?<=:[0-9]{2}:[0-9]{2})[.,][0-9]+)?"
    r"( ?(?:[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_EPOCH = re.compile(r"((?:[1-9][0-9]{9})(?:[0-9]{3}){0,3})(\.[0-9]+)?")
