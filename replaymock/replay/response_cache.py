"""Responses in memory, ready to be rendered: read when first needed, and kept up to a number of bytes.

Bodies count, and what was rendered from them. The cassette that was used least recently is dropped first.
"""

from collections import OrderedDict
from typing import Protocol

from replaymock.cassettes.model import RecordedResponse
from replaymock.http.headers import Headers
from replaymock.matching.index import IndexEntry
from replaymock.replay.renderer import RenderOptions, ResponseRenderer, provenance, renderers

CAPACITY = 64 * 1024 * 1024
"""How many bytes are kept in memory."""

STREAMED_FROM = 1024 * 1024
"""Larger bodies are sent from their files, unless something in them has to be replaced."""


class ResponseSource(Protocol):
    """Reads the responses of cassettes."""

    def responses(self, file: str, held: int) -> tuple[RecordedResponse, ...]:
        """The responses of a cassette; empty if its files have changed since they were loaded.

        Bodies of more than `held` bytes may be left in their files.
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

    def current(self, entry: IndexEntry) -> list[ResponseRenderer]:
        """The responses of an entry, as `get`; those whose bodies stay in files of their own are read again."""
        for renderer in self._renderers.get(entry.file, ()):
            if renderer.recorded.sidecar:
                self.drop(entry.file)
                break
        return self.get(entry)

    def get(self, entry: IndexEntry) -> list[ResponseRenderer]:
        """The responses of an entry; empty if its files have changed since they were loaded."""
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

    def provenance(self, entry: IndexEntry, position: int) -> Headers:
        """The headers that name the cassette of a response, and its position."""
        return provenance(entry.file, position, len(entry.after_writes), self._options)

    def drop(self, file: str) -> None:
        """Drops the responses of a file, because its cassette has changed."""
        self._renderers.pop(file, None)
        self.bytes_used -= self._sizes.pop(file, 0)

    def _weigh(self, file: str) -> None:
        """Updates the size of a file's responses, and drops others if that is too much."""
        cached = self._renderers.get(file)
        if cached is None:
            return
        size = sum(renderer.size for renderer in cached)
        self.bytes_used += size - self._sizes.get(file, 0)
        self._sizes[file] = size
        while self.bytes_used > self._capacity and len(self._renderers) > 1:
            self.drop(next(iter(self._renderers)))
