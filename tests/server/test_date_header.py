"""The date of answers."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from replaymock.server.date_header import DatedStatusLines, date_line


def age(line: bytes) -> timedelta:
    return datetime.now(UTC) - parsedate_to_datetime(line.decode().removeprefix("Date: "))


def test_the_date_is_that_of_now() -> None:
    assert timedelta(0) <= age(date_line()) < timedelta(seconds=5)


def test_a_status_line_with_its_date_is_made_once_and_forgotten_when_the_second_is_over() -> None:
    async def story() -> None:
        starts = DatedStatusLines(asyncio.get_running_loop())
        line = b"HTTP/1.1 200 OK\r\n"
        made = starts.make(line)
        assert made.startswith(line)
        assert age(made[len(line) : -2]) < timedelta(seconds=5)
        assert starts.get(line) in (made, None)
        deadline = time.monotonic() + 5
        while starts.get(line) and time.monotonic() < deadline:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.02)
        assert starts.get(line) is None

    asyncio.run(story())


def test_a_head_without_a_status_line_of_its_own_gets_no_date() -> None:
    async def story() -> bytes:
        return DatedStatusLines(asyncio.get_running_loop()).make(b"")

    assert asyncio.run(story()) == b""
