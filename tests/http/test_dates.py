"""Moments, read and written again in the spelling they had."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http import dates

moments = st.datetimes(datetime(1, 2, 1), datetime(9998, 12, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def in_seconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


@given(moments, zones, st.sampled_from(["seconds", "milliseconds", "microseconds"]), st.sampled_from("T "))
def test_a_date_and_time_in_iso_8601_is_the_moment_it_says(
    moment: datetime, zone: timezone, precision: str, separator: str
) -> None:
    text = moment.astimezone(zone).isoformat(separator, precision)
    found = dates.iso_date(text)
    assert found is not None
    assert (found.seconds, found.spell(found.seconds)) == (in_seconds(moment), text)


@given(moments, st.integers(-(10**9), 10**9))
def test_a_moved_date_says_the_moved_moment_and_moves_back(moment: datetime, by: int) -> None:
    text = moment.isoformat(timespec="milliseconds")
    found = dates.iso_date(text)
    assert found is not None
    moved = found.spell(found.seconds + by)
    if moved is not None:
        there = dates.iso_date(moved)
        assert there is not None
        assert datetime.fromisoformat(moved) - datetime.fromisoformat(text) == timedelta(seconds=by)
        assert (there.seconds - by, there.spell(there.seconds - by)) == (found.seconds, text)


@given(moments.filter(lambda moment: moment.year > 1000))
def test_an_http_date_is_the_moment_it_says(moment: datetime) -> None:
    text = format_datetime(moment.replace(microsecond=0), usegmt=True)
    found = dates.http_date(text)
    assert found is not None
    assert (found.seconds, found.spell(found.seconds)) == (in_seconds(moment), text)
    assert parsedate_to_datetime(dates.spell_http(found.seconds)) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "in_366_days"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Tue, 07 Nov 1995 08:49:37 GMT"),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "Tuesday, 07-Nov-95 08:49:37 GMT"),
        ("Sun, 06-Nov-1994 08:49:37 GMT", "Tue, 07-Nov-1995 08:49:37 GMT"),
        ("Sun Nov  6 08:49:37 1994", "Tue Nov  7 08:49:37 1995"),
        ("Wed Nov 30 08:49:37 1994", "Fri Dec  1 08:49:37 1995"),
        ("Tue, 5 Nov 2024 01:02:03 +0200", "Thu, 6 Nov 2025 01:02:03 +0200"),
        ("05 Nov 2024 01:02:03 UTC", "06 Nov 2025 01:02:03 UTC"),
        ("2023-02-28", "2024-02-29"),
        ("2023-02-28T12:30Z", "2024-02-29T12:30Z"),
        ("2023-02-28 12:30:11,5 +0530", "2024-02-29 12:30:11,5 +0530"),
        ("2023-02-28T00:30:11.000250-07", "2024-02-29T00:30:11.000250-07"),
        ("2023-12-31T23:59:59", "2024-12-31T23:59:59"),
        ("2023-02-28 10:00:00 UTC", "2024-02-29 10:00:00 UTC"),
    ],
)
def test_each_spelling_is_kept(text: str, in_366_days: str) -> None:
    found = dates.read(text)
    assert found is not None
    assert found.spell(found.seconds) == text
    assert found.spell(found.seconds + 366 * dates.DAY) == in_366_days


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023",
        "2023-02-29",
        "2023-13-01",
        "2023-01-01T24:00:00Z",
        "2023-01-01T10:60:00Z",
        "2023-01-01T10:00:60Z",
        "2023-01-01T10:00.5Z",
        "2023-01-01T10:00:00Zulu",
        "1.2.3",
        "0000-01-01",
        "Tue, 31 Feb 2023 00:00:00 GMT",
        "Tue, 05 Nov 2024",
        "٢٠٢٣-٠١-٠١",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert dates.read(text) is None


@pytest.mark.parametrize(
    ("digits", "seconds", "later"),
    [
        ("1700000000", 1_700_000_000, "1700000010"),
        ("1700000000123", 1_700_000_000, "1700000010123"),
        ("1700000000123456", 1_700_000_000, "1700000010123456"),
        ("1700000000.250", 1_700_000_000, "1700000010.250"),
    ],
)
def test_digits_since_1970_keep_their_unit_and_their_fraction(digits: str, seconds: int, later: str) -> None:
    found = dates.epoch(digits)
    assert found is not None
    assert (found.seconds, found.spell(found.seconds + 10)) == (seconds, later)


@pytest.mark.parametrize("digits", ["3600", "17000000001", "0700000000", "-1700000000", "1.7e9", "1700000000x"])
def test_other_numbers_count_something_else(digits: str) -> None:
    assert dates.epoch(digits) is None


def test_a_moment_that_a_spelling_cannot_say_has_none() -> None:
    for text, seconds in (("9999-12-31", 10**12), ("Sunday, 06-Nov-94 08:49:37 GMT", 10**10), ("9999999999", 10**10)):
        found = dates.read(text) or dates.epoch(text)
        assert found is not None
        assert found.spell(seconds) is None
