"""The cassettes of one run: the index that is served, kept in line with the folder while both change.

A cassette that waits to be written is served from memory. Caches of what is made of cassettes subscribe to changes.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from replaymock.cassettes.model import Cassette, RecordedResponse
from replaymock.cassettes.reader import ANY_SIZE
from replaymock.errors import CassetteError
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import Index, IndexEntry, entry_for
from replaymock.matching.matcher import Matcher
from replaymock.storage.folder import CassetteFolder, Unwritable
from replaymock.storage.loader import CassetteSummary, Signature
from replaymock.storage.write_queue import WriteQueue
from replaymock.telemetry.events import Broken, Emit, Recorded, Reloaded, Warned

RETRY_SECONDS = 0.3

Changed = Callable[[Iterable[str]], None]
"""Called with the files whose cassettes have changed."""


class CassetteLibrary:
    """Loads, reloads and saves. `unsaved` is called for each recorded response that cannot be saved, with its file."""

    def __init__(
        self, folder: CassetteFolder, matcher: Matcher, emit: Emit, unsaved: Callable[[str], None] = lambda _: None
    ) -> None:
        self._folder = folder
        self._matcher = matcher
        self._emit = emit
        self._unsaved = unsaved
        self._subscribers: list[Changed] = []
        self._index = Index()
        self._broken: dict[str, CassetteError] = {}
        self._entries: dict[str, tuple[CassetteSummary, IndexEntry]] = {}
        self._pending: dict[str, IndexEntry] = {}
        self._incomparable: dict[str, CassetteSummary] = {}
        self._reported_broken: set[str] = set()
        self._renames: dict[str, str] = {}
        self._queue = WriteQueue(folder, self, emit)

    @property
    def index(self) -> Index:
        """The index in force; a reload replaces it."""
        return self._index

    @property
    def broken(self) -> Mapping[str, CassetteError]:
        """The cassettes that cannot be read, by file name."""
        return self._broken

    @property
    def failed_writes(self) -> int:
        """How many cassettes are not on disk because they could not be written."""
        return self._queue.failed_writes

    @property
    def pending(self) -> Mapping[str, Cassette]:
        """The cassettes that are not on disk yet, or only in an older version, by file."""
        return self._queue.pending

    @property
    def renames(self) -> Mapping[str, str]:
        """The new names of cassettes whose old files are still on disk, by old name."""
        return self._renames

    def subscribe(self, changed: Changed) -> None:
        """Has `changed` called for every change from now on."""
        self._subscribers.append(changed)

    def responses(self, file: str, held: int) -> tuple[RecordedResponse, ...]:
        """The responses of a cassette; empty if its files have changed since they were loaded.

        Bodies of more than `held` bytes may be left in their files.
        """
        pending = self._queue.pending.get(file)
        if pending:
            return pending.responses
        stored = self._entries.get(file)
        cassette = self._folder.cassette(stored[0], held) if stored else None
        return cassette.responses if cassette else ()

    def cassette(self, entry: IndexEntry) -> Cassette:
        """The whole cassette, every body in memory; without responses if its files have changed since."""
        return Cassette(entry.request, self.responses(entry.file, ANY_SIZE))

    def load(self) -> None:
        """Makes a new index of what was read from the folder, reusing the entries of unchanged cassettes."""
        entries, broken, self._incomparable = {}, self._folder.broken, {}
        for summary in self._folder.loaded:
            try:
                entries[summary.file] = self._entry(summary)
            except CassetteError as error:
                broken[summary.file] = error
                self._incomparable[summary.file] = summary
        changed = [file for file, stored in self._entries.items() if entries.get(file) is not stored]
        self._entries, self._broken = entries, broken
        in_force = {file: entry for file, (_, entry) in entries.items()} | self._pending
        self._index = Index(entry for file, entry in in_force.items() if file not in self._renames)
        self._notify(changed)
        messages = {str(error) for error in broken.values()}
        for message in sorted(messages - self._reported_broken):
            self._emit(Broken(message))
        self._reported_broken = messages

    def look_for(self, files: Iterable[str]) -> bool:
        """Loads again if one of these files is new or changed. True if it did.

        So a request need not wait for the watch, which may also have seen a file half written.
        """
        missing = (file for file in files if file not in self._index.entries)
        if not any(self._folder.has_news_of(file, self._summary(file)) for file in missing):
            return False
        self.rescan()
        return True

    def look_again(self, file: str) -> None:
        """Reads the files of a cassette again and loads, after they turned out to have changed."""
        self._folder.look_again(file)
        self._load_again()

    def rescan(self) -> None:
        """Scans the folder, loads again and reports that."""
        self._folder.scan()
        self._load_again()

    async def watch(self) -> None:
        """Loads again whenever the folder changes, until cancelled. Errors are reported once; the watch goes on."""
        failed = ""
        while True:
            try:
                if failed:
                    self.load()
                async for _ in self._folder.watch():
                    self._load_again()
            except Exception as error:
                message = f"a fault in replaymock while reading {self._folder.folder}: {type(error).__name__}: {error}"
                if message != failed:
                    self._emit(Warned(message))
                failed = message
                await asyncio.sleep(RETRY_SECONDS)

    def put(self, file: str, cassette: Cassette, canonical: CanonicalRequest | None = None) -> IndexEntry:
        """Serves a cassette from now on, and queues it for writing; its index entry. `canonical` is its request."""
        before = self._index.entries.get(file)
        if before and before.request is cassette.request:
            canonical = before.canonical
        entry = self._pending[file] = entry_for(file, cassette, self._matcher, canonical=canonical)
        self._index.add(entry)
        self._queue.put(file, cassette)
        self._notify([file])
        return entry

    def remove_recorded(self) -> dict[str, Cassette]:
        """Removes the recorded cassettes from disk, and gives them by file. Those written by hand stay."""
        removed = {}
        for summary in self._folder.loaded:
            cassette = None if summary.is_handwritten else self._folder.cassette(summary)
            if cassette:
                removed[summary.file] = cassette
                self._folder.remove(summary.file)
        return removed

    def rename(self, old: str, new: str) -> None:
        """Stops serving a cassette under its old name. The old file is removed by `remove_renamed`."""
        self._index.drop(old)
        self._renames[old] = new
        self._notify([old])

    def remove_renamed(self) -> None:
        """Removes the old files of renamed cassettes whose new files are written."""
        pending = self._queue.pending
        for old, new in list(self._renames.items()):
            if old in pending or new in pending:
                continue
            if self._folder.has(new):
                self._folder.remove(old)
                self._entries.pop(old, None)
            del self._renames[old]

    async def flush(self) -> None:
        """Waits until everything is written, retrying failed writes once. Nothing may be put after that."""
        await self._queue.flush()

    def written(self, file: str, cassette: Cassette, signature: Signature, *, is_latest: bool) -> None:
        """Called when a cassette was written. If it `is_latest`, it is read from disk from now on."""
        summary = self._folder.mark_saved(file, cassette, signature)
        if is_latest:
            self._entries[file] = (summary, self._pending.pop(file))
            self._notify([file])
        self._emit(Recorded(file))

    def unwritable(self, file: str, cassette: Cassette, error: Unwritable) -> Cassette | None:
        """Called when a cassette could not be read again. The rest of it, or None if that is on disk already."""
        for reason in error.reasons:
            request = f"{cassette.request.method} {cassette.request.path}"
            self._emit(Warned(f"{request}: not saved, it could not be read again: {reason}"))
            self._unsaved(file)
        rest, stored = error.rest, self._entries.get(file)
        if rest is None or (stored and self._folder.cassette(stored[0]) == rest):
            return None
        self._pending[file] = entry_for(file, rest, self._matcher, canonical=self._pending[file].canonical)
        return rest

    def lost(self, files: Iterable[str]) -> None:
        """Called when versions in memory were given up: serves what is on disk again."""
        for file in files:
            if file not in self._queue.pending:
                self._pending.pop(file, None)
        self.load()

    def _load_again(self) -> None:
        self.load()
        self._emit(Reloaded(len(self._index)))

    def _notify(self, files: Iterable[str]) -> None:
        for changed in self._subscribers:
            changed(files)

    def _summary(self, file: str) -> CassetteSummary | None:
        stored = self._entries.get(file)
        return stored[0] if stored else self._incomparable.get(file)

    def _entry(self, summary: CassetteSummary) -> tuple[CassetteSummary, IndexEntry]:
        stored = self._entries.get(summary.file)
        if stored and stored[0] is summary:
            return stored
        return summary, comparable_entry(summary, self._folder, self._matcher)


def comparable_entry(summary: CassetteSummary, folder: CassetteFolder, matcher: Matcher) -> IndexEntry:
    """The index entry of a cassette. CassetteError if its request cannot be compared with others."""
    try:
        request = summary.request
        canonical = matcher.canonical(request.to_request(), request.known_body())
        return IndexEntry(
            summary.file, request, canonical, summary.is_plain, summary.is_handwritten, summary.after_writes
        )
    except Exception as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else type(error).__name__
        shown = folder.shown(summary.file)
        raise CassetteError(shown, 1, 1, f"its request cannot be compared with others: {reason}") from error
