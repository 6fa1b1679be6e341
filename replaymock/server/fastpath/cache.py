"""Ready responses by request head, byte for byte as it came, within a budget of memory."""

from msgspec import Struct

from replaymock.http.rendered import JOINED_BYTES, split
from replaymock.telemetry.events import ServedRequest

BUDGET = 256 * 1024 * 1024
"""How many bytes of ready responses are kept; enough for 100,000 of about 1 KiB."""

_OVERHEAD = 512
PLACES = 1 << 19
"""The size of the table of heads that were seen, a byte for each hash."""


class ReadyResponse(Struct, frozen=True):
    """The bytes of a response: `start`, then a `Date` unless that is empty, then `wire`, then a shared `body`."""

    start: bytes
    wire: bytes
    body: bytes
    served: ServedRequest
    closes: bool
    is_simple: bool


def ready(head: bytes, body: bytes, served: ServedRequest, *, closes: bool) -> ReadyResponse:
    """A response in ready bytes. A large body is not copied behind its head, but shared with the renderer."""
    start, rest = split(head)
    if len(body) <= JOINED_BYTES:
        return ReadyResponse(start, rest + body, b"", served, closes, not closes)
    return ReadyResponse(start, rest, body, served, closes, is_simple=False)


class ReadyResponses:
    """The ready answers, and which heads came before.

    A head that carries a number of its own, as tracing adds one, comes once and would only fill the memory: past a part
    of the budget, a head must come twice.
    """

    def __init__(self, budget: int = BUDGET, places: int = PLACES) -> None:
        self._kept: dict[bytes, ReadyResponse] = {}
        self._size = 0
        self._budget = budget
        self._seen = bytearray(places)
        self._seen_count = 0
        self.get = self._kept.get

    def __len__(self) -> int:
        return len(self._kept)

    def forget(self) -> None:
        """Forgets every answer: the index is another one."""
        self._kept.clear()
        self._size = 0

    def offer(self, head: bytes, answer: ReadyResponse) -> None:
        """Keeps an answer while there is much room, then if its head was seen before, as a byte for its hash tells."""
        place = hash(head) % len(self._seen)
        if self._size > self._budget // 8 and not self._seen[place]:
            self._see(place)
            return
        self._size += _size(head, answer)
        self._kept[head] = answer
        if self._size > self._budget:
            self._thin_out()

    def _see(self, place: int) -> None:
        self._seen_count += 1
        if self._seen_count > len(self._seen) // 2:
            self._seen = bytearray(len(self._seen))
            self._seen_count = 1
        self._seen[place] = 1

    def _thin_out(self) -> None:
        """Drops every other answer: of more than there is room for, asked for in turn, the oldest is wanted next."""
        for head in list(self._kept)[::2]:
            self._size -= _size(head, self._kept.pop(head))


def _size(head: bytes, answer: ReadyResponse) -> int:
    return len(head) + len(answer.wire) + len(answer.body) + _OVERHEAD
