"""The `Date` of responses (RFC 9110 section 6.6.1), formatted once a second."""

import asyncio
import time
from functools import lru_cache

from replaymock.http.dates import spell_http


def date_line() -> bytes:
    """The header line with the current time, without a line end."""
    return _spelled(int(time.time()))


class DatedStatusLines:
    """Status lines followed by the `Date`, cached until the current second is over."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lines: dict[bytes, bytes] = {}
        self.get = self._lines.get

    def make(self, line: bytes) -> bytes:
        """A status line with its line end, followed by a `Date`; empty for an empty line."""
        if not self._lines:
            # Only planned while there is something to clear, so that an idle process is never woken.
            self._loop.call_later(1 - time.time() % 1, self._lines.clear)
        dated_line = self._lines[line] = line + date_line() + b"\r\n" if line else b""
        return dated_line


@lru_cache(maxsize=2)
def _spelled(second: int) -> bytes:
    return b"Date: " + spell_http(second).encode("ascii")
