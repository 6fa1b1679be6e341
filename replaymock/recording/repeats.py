"""What was last taken into each cassette, so that the same response again is known by its digest.

Nearly everything is unchanged when a backend is recorded again: then nothing is decoded, redacted or compared.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from replaymock.http.headers import Headers, is_unstored
from replaymock.http.messages import Exchange


@dataclass(slots=True)
class _Last:
    """The entry of a cassette as it was left, None until it is known; the position reached in it; what had come."""

    entry: object | None
    cursor: int
    digest: bytes


class Repeats:
    """The last response of each cassette in this run."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}

    def is_one(self, file: str, entry: object, cursor: int, digest: bytes) -> bool:
        """Whether taking a response into a cassette, from a position, would leave both as they are.

        So it is when the same response has brought this very entry to this position: `joining.join` stays there, also
        with an error that it lets go. What is loaded or saved anew has another entry.
        """
        last = self._last.get(file)
        return last is not None and last.entry is entry and last.cursor == cursor and last.digest == digest

    def remember(self, file: str, entry: object | None, cursor: int, digest: bytes) -> None:
        """Takes note that the response with this digest left a cassette at a position."""
        self._last[file] = _Last(entry, cursor, digest)

    def served(self, file: str, entry: object) -> None:
        """Learns the entry of a cassette that was changed."""
        last = self._last.get(file)
        if last and last.entry is None:
            last.entry = entry


def digest_of(exchange: Exchange) -> bytes:
    """A SHA-256 of all in a live response that has a say in what is stored of it; its pace has none."""
    response = exchange.response
    said = repr((response.status, response.reason, exchange.truncated, _saying(response.headers)))
    found = hashlib.sha256(said.encode("utf-8", "surrogatepass"))
    found.update(exchange.digest or hashlib.sha256(response.body).digest())
    return found.digest()


def _saying(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if not _says_nothing(pair[0]))


@lru_cache(maxsize=1024)
def _says_nothing(name: str) -> bool:
    """Whether a header as sent is never stored, nor decides what else is."""
    return is_unstored(name.lower()) and name.lower() not in _DECIDING


# `Connection` names headers that are not stored; a recorded answer to HEAD keeps its `Content-Length`.
_DECIDING = frozenset(("connection", "content-length"))
