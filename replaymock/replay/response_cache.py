"""Responses in memory: read from their cassette when they are first asked for, and kept while there is room.

What takes room are bodies and the answers made of them. The cassette that was used least recently goes first.
"""

from collections import OrderedDict
from collections.abc import Callable

from replaymock.cassettes.model import RecordedResponse
from replaymock.replay.renderer import ResponseRenderer

ROOM = 64 * 1024 * 1024
"""How many bytes are kept."""

STREAMED_FROM = 1024 * 1024
"""Larger bodies stay in files of their own, unless something in them has to be replaced."""

Read = Callable[[str, int], tuple[RecordedResponse, ...]]
"""From a file, and the most bytes of a sidecar to take into memory, to the responses.

None where the file no longer is what was loaded.
"""

Prepare = Callable[[tuple[RecordedResponse, ...]], list[ResponseRenderer]]


class ResponseCache:
    """The responses of cassettes, by file, made ready to be served."""

    def __init__(self, read: Read, room: int = ROOM) -> None:
        self.taken = 0
        self._read = read
        self._room = room
        self._last = ""
        self._found: OrderedDict[str, list[ResponseRenderer]] = OrderedDict()
        self._sizes: dict[str, int] = {}

    def open(self, file: str, prepare: Prepare) -> list[ResponseRenderer]:
        """The responses of a file, as `get`; if bodies stay in files of their own, looked at anew."""
        found = self._found.get(file)
        if found and any(prepared.recorded.sidecar for prepared in found):
            self.drop(file)
        return self.get(file, prepare)

    def get(self, file: str, prepare: Prepare) -> list[ResponseRenderer]:
        """The responses of a file; none where it no longer is what was loaded."""
        if file != self._last:
            self._weigh(self._last)
            self._last = file
        found = self._found.get(file)
        if found is None:
            found = prepare(self._read(file, STREAMED_FROM))
            if found:
                self._found[file] = found
                self._weigh(file)
        else:
            self._found.move_to_end(file)
        return found

    def whole(self, file: str) -> tuple[RecordedResponse, ...]:
        """The responses of a file, however large, all of them in memory."""
        found = self._found.get(file)
        if found and not any(prepared.recorded.sidecar for prepared in found):
            return tuple(prepared.recorded for prepared in found)
        return self._read(file, _ANY_SIZE)

    def drop(self, file: str) -> None:
        """Forgets the responses of a file."""
        self._found.pop(file, None)
        self.taken -= self._sizes.pop(file, 0)

    def _weigh(self, file: str) -> None:
        """Takes note of how large a file's responses are by now, and makes room if that is too much."""
        found = self._found.get(file)
        if found is None:
            return
        size = sum(prepared.size for prepared in found)
        self.taken += size - self._sizes.get(file, 0)
        self._sizes[file] = size
        while self.taken > self._room and len(self._found) > 1:
            self.drop(next(iter(self._found)))


_ANY_SIZE = 1 << 62
