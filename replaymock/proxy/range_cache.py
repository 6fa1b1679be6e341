"""What a recorder remembers of wholes that clients ask for in parts, so that no part costs all of it again.

The last ones by their entity tags, those that are too large to be kept, and the parts that came one by one.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import AsyncIterator

from msgspec import Struct

from replaymock.http.conditional import OK, is_strong, refresh_headers, without_checksums
from replaymock.http.headers import FRAMING, Headers, get, without
from replaymock.http.messages import StreamingResponse

TOO_LARGE = "as all of it is larger than --max-body"
UNMEASURED = "as the backend does not say how large all of it is"


class Remembered(Struct):
    """A whole that was kept: its answer as it came, and the strong entity tag that tells it from any other.

    `digest` is of the body, once it was needed.
    """

    tag: str
    reason: str
    headers: Headers
    body: bytes
    digest: bytes = b""

    def confirmed(self, not_modified: StreamingResponse) -> StreamingResponse:
        """The whole again, as a 304 says that it still is the same."""
        self.digest = self.digest or hashlib.sha256(self.body).digest()
        headers = refresh_headers(self.headers, not_modified.headers)
        return StreamingResponse(OK, self.reason, headers, _one(self.body), self.body, self.digest)


class Wholes:
    """The wholes of one run by their targets; at most `limit` bytes are remembered."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[str, Remembered] = OrderedDict()
        self._apart: OrderedDict[str, str] = OrderedDict()
        self._coming: dict[str, str] = {}

    def known(self, target: str) -> Remembered | None:
        """The whole that was last kept of a target."""
        remembered = self._known.get(target)
        if remembered:
            self._known.move_to_end(target)
        return remembered

    def remember(self, target: str, live: StreamingResponse, body: bytes) -> None:
        """Takes note of a whole that was kept, where it can be told from any other."""
        tag = get(live.headers, "etag").strip()
        self._known.pop(target, None)
        if is_strong(tag) and len(body) <= self._limit:
            self._known[target] = Remembered(tag, live.reason, live.headers, body, live.digest)
            _shrink(self._known, self._limit)

    def why_apart(self, target: str) -> str:
        """Why no part of a target can be cut from its whole; empty where it can."""
        return self._apart.get(target, "")

    def note_size(self, target: str, size: int | None) -> None:
        """Takes note of how large a whole is, None for one whose end did not come soon enough to tell."""
        if size is not None and self._apart.get(target) != UNMEASURED:
            self._apart.pop(target, None)
        if size is None or size > self._limit:
            self._apart[target] = UNMEASURED if size is None else TOO_LARGE
            if len(self._apart) > _MOST_APART:
                self._apart.popitem(last=False)

    def is_coming(self, target: str, headers: Headers) -> bool:
        """Whether the whole with these headers is on its way to be kept already; if it is not, it is from now on."""
        tag = get(headers, "etag").strip()
        if is_strong(tag) and self._coming.get(target) == tag:
            return True
        self._coming[target] = tag
        return False

    def came(self, target: str) -> None:
        """Learns that a whole is on its way no more."""
        self._coming.pop(target, None)


class _Assembly:
    """Parts of one representation, put where they belong."""

    def __init__(self, tag: str, total: int) -> None:
        self.tag = tag
        self.body = bytearray(total)
        self._gaps = [(0, total)]

    def put(self, start: int, data: bytes) -> None:
        end = start + len(data)
        self.body[start:end] = data
        left = [(first, last) for gap in self._gaps for first, last in _around(*gap, start, end)]
        self._gaps = [(first, last) for first, last in left if first < last]

    @property
    def is_whole(self) -> bool:
        return not self._gaps


class Parts:
    """Parts that came one by one, until they make a whole (RFC 9110 section 15.3.7.3); within `limit` bytes in all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: OrderedDict[str, _Assembly] = OrderedDict()

    def join(self, target: str, headers: Headers, data: bytes) -> tuple[Headers, bytes] | None:
        """The head and body of a whole, once a 206 is the last part of it to come.

        Only parts under one strong entity tag are of one whole.
        """
        place = _PLACE.fullmatch(get(headers, "content-range"))
        tag = get(headers, "etag").strip()
        start, last, total = (int(number) for number in place.groups()) if place else (0, -1, 0)
        if not is_strong(tag) or last + 1 - start != len(data) or not last < total <= self._limit:
            return None
        assembly = self._open.pop(target, None)
        if assembly is None or assembly.tag != tag or len(assembly.body) != total:
            assembly = _Assembly(tag, total)
        assembly.put(start, data)
        if not assembly.is_whole:
            self._open[target] = assembly
            _shrink(self._open, self._limit)
            return None
        return without(without_checksums(headers), ("content-range", *FRAMING)), bytes(assembly.body)


def total_of(headers: Headers) -> int:
    """The size of the whole that a part says it is of; 0 where it does not."""
    place = _PLACE.fullmatch(get(headers, "content-range"))
    return int(place.group(3)) if place else 0


def _around(first: int, last: int, start: int, end: int) -> list[tuple[int, int]]:
    """What is left of a gap beside a part."""
    return [(first, min(last, start)), (max(first, end), last)] if start < last and first < end else [(first, last)]


def _shrink(held: "OrderedDict[str, Remembered] | OrderedDict[str, _Assembly]", limit: int) -> None:
    """Lets the oldest go until the rest fits."""
    sizes = [len(one.body) for one in held.values()]
    taken = sum(sizes)
    for size in sizes:
        if taken <= limit:
            return
        held.popitem(last=False)
        taken -= size


async def _one(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


_MOST_APART = 1000
_PLACE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
