"""Responses in memory, ready to be rendered: read when they are first asked for, and kept while there is room.

What takes room are bodies and the answers made of them. The cassette that was used least recently goes first.
"""

from collections import OrderedDict
from typing import Protocol

from replaymock.cassettes.model import RecordedResponse
from replaymock.http.headers import Headers
from replaymock.matching.index import IndexEntry
from replaymock.replay.renderer import RenderOptions, ResponseRenderer, provenance, renderers

CAPACITY = 64 * 1024 * 1024
"""How many bytes are kept."""

STREAMED_FROM = 1024 * 1024
"""Larger bodies stay in files of their own, unless something in them has to be replaced."""


class ResponseSource(Protocol):
    """Where the responses of cassettes come from."""

    def responses(self, file: str, held: int) -> tuple[RecordedResponse, ...]:
        """The responses of a cassette; none where its file no longer is what was loaded.

        Bodies of more than `held` bytes may stay in files of their own.
        """


class ResponseCache:
    """The responses of cassettes; `drop` must be called whenever a cassette changes."""

    def __init__(self, source: ResponseSource, options: RenderOptions, capacity: int = CAPACITY) -> None:
        self.bytes_used = 0
        self._source = source
        self._options = options
        self._capacity = capacity
        self._last = ""
        self._renderers: OrderedDict[str, list[ResponseRenderer]] = OrderedDict()
        self._sizes: dict[str, int] = {}

    def is_at_hand(self, entry: IndexEntry) -> bool:
        """Whether the responses of an entry can be had: not where its files are no longer what they were.

        Where bodies stay in files of their own, these are looked at anew.
        """
        cached = self._renderers.get(entry.file)
        if cached and any(renderer.recorded.sidecar for renderer in cached):
            self.drop(entry.file)
        return bool(self.get(entry))

    def get(self, entry: IndexEntry) -> list[ResponseRenderer]:
        """The responses of an entry; none where its file no longer is what was loaded."""
        file = entry.file
        if file != self._last:
            self._weigh(self._last)
            self._last = file
        cached = self._renderers.get(file)
        if cached is not None:
            self._renderers.move_to_end(file)
            return cached
        loaded = renderers(entry, self._source.responses(file, STREAMED_FROM), self._options)
        if loaded:
            self._renderers[file] = loaded
            self._weigh(file)
        return loaded

    def is_whole(self, entry: IndexEntry) -> bool:
        """Whether each response is written at once: none is a stream, a conversation or a large file."""
        return all(renderer.is_whole for renderer in self.get(entry))

    def provenance(self, entry: IndexEntry, position: int) -> Headers:
        """What an answer says of the cassette it is from."""
        return provenance(entry.file, position, len(entry.afters), self._options)

    def drop(self, file: str) -> None:
        """Forgets the responses of a file, as its cassette has changed."""
        self._renderers.pop(file, None)
        self.bytes_used -= self._sizes.pop(file, 0)

    def _weigh(self, file: str) -> None:
        """Takes note of how large a file's responses are by now, and makes room if that is too much."""
        cached = self._renderers.get(file)
        if cached is None:
            return
        size = sum(renderer.size for renderer in cached)
        self.bytes_used += size - self._sizes.get(file, 0)
        self._sizes[file] = size
        while self.bytes_used > self._capacity and len(self._renderers) > 1:
            self.drop(next(iter(self._renderers)))
