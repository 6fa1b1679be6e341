"""The `Date` of responses (RFC 9110 section 6.6.1), formatted once a second."""

import asyncio
import time
from functools import lru_cache

from replaymock.http.dates import spell_http


def date_line() -> bytes:
    """A header line that says what time it is, without its line end."""
    return _spelled(int(time.time()))


class DatedStatusLines:
    """Status lines with the `Date` after them; kept until the second is over in which they were made."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._kept: dict[bytes, bytes] = {}
        self.get = self._kept.get

    def make(self, line: bytes) -> bytes:
        """A status line, with its line end, and a `Date` after it; nothing for no line."""
        if not self._kept:
            # While nothing is asked for, nothing needs to be woken.
            self._loop.call_later(1 - time.time() % 1, self._kept.clear)
        dated_line = self._kept[line] = line + date_line() + b"\r\n" if line else b""
        return dated_line


@lru_cache(maxsize=2)
def _spelled(second: int) -> bytes:
    return b"Date: " + spell_http(second).encode("ascii")
