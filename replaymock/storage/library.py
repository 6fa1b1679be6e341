"""The cassettes of one run: the folder, and the index that is kept in line with it while both are written to.

A cassette that is being saved is served from memory meanwhile. Whoever keeps something that was made of a cassette
subscribes to be told of changes.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from replaymock.cassettes.model import Cassette, RecordedResponse
from replaymock.cassettes.reader import ANY_SIZE
from replaymock.errors import CassetteError
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.index import Index, IndexEntry, entry_for
from replaymock.matching.matcher import Matcher
from replaymock.storage.folder import CassetteFolder, Illegible
from replaymock.storage.loader import CassetteSummary, Signature
from replaymock.storage.write_queue import WriteQueue
from replaymock.telemetry.events import Broken, Emit, Recorded, Reloaded, Warned

RETRY_SECONDS = 0.3

Changed = Callable[[Iterable[str]], None]
"""Learns that the cassettes of these files have changed, or that others are in force."""


class CassetteLibrary:
    """Loads, reloads and saves. `unkept` learns of each recorded response that could not be kept, by its file."""

    def __init__(
        self, folder: CassetteFolder, matcher: Matcher, emit: Emit, unkept: Callable[[str], None] = lambda _: None
    ) -> None:
        self._folder = folder
        self._matcher = matcher
        self._emit = emit
        self._unkept = unkept
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
        """How many cassettes are not on the disk because they could not be written."""
        return self._queue.failed_writes

    @property
    def pending(self) -> Mapping[str, Cassette]:
        """The cassettes that are not on the disk yet, or not as they are served, by file."""
        return self._queue.pending

    @property
    def renames(self) -> Mapping[str, str]:
        """The new names of cassettes whose old files are still on the disk."""
        return self._renames

    def subscribe(self, changed: Changed) -> None:
        """Tells of every change from now on."""
        self._subscribers.append(changed)

    def responses(self, file: str, held: int) -> tuple[RecordedResponse, ...]:
        """The responses of a cassette; none where its file no longer is what was loaded.

        Bodies of more than `held` bytes may stay in files of their own.
        """
        pending = self._queue.pending.get(file)
        if pending:
            return pending.responses
        stored = self._entries.get(file)
        cassette = self._folder.cassette(stored[0], held) if stored else None
        return cassette.responses if cassette else ()

    def cassette(self, entry: IndexEntry) -> Cassette:
        """All of a cassette, every body in memory; without responses where its file no longer is what was loaded."""
        return Cassette(entry.request, self.responses(entry.file, ANY_SIZE))

    def load(self) -> None:
        """Makes a new index of what the folder has now, reusing the entries of unchanged cassettes."""
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
        self._tell(changed)
        messages = {str(error) for error in broken.values()}
        for message in sorted(messages - self._reported_broken):
            self._emit(Broken(message))
        self._reported_broken = messages

    def look_for(self, files: Iterable[str]) -> bool:
        """Loads again if one of these files is new, or no longer broken as it was; whether it did.

        So nobody waits for the watch, or for it to look again at a file that it saw half written.
        """
        missing = (file for file in files if file not in self._index.entries)
        if not any(self._folder.has_news_of(file, self._summary(file)) for file in missing):
            return False
        self.rescan()
        return True

    def look_again(self, file: str) -> None:
        """Loads again because the files of a cassette are no longer what they were."""
        self._folder.look_again(file)
        self._load_again()

    def rescan(self) -> None:
        """Loads again, and says so."""
        self._folder.scan()
        self._load_again()

    async def watch(self) -> None:
        """Loads again whenever the folder changes, for ever; a fault is told of once, and the watch begins anew."""
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
        """Serves a cassette from now on, and has it written; its entry. `canonical` is its request, if known."""
        before = self._index.entries.get(file)
        if before and before.request is cassette.request:
            canonical = before.canonical
        entry = self._pending[file] = entry_for(file, cassette, self._matcher, canonical=canonical)
        self._index.add(entry)
        self._queue.put(file, cassette)
        self._tell([file])
        return entry

    def remove_recorded(self) -> dict[str, Cassette]:
        """Removes from the disk what was recorded, and gives it by file; what was written by hand stays."""
        removed = {}
        for summary in self._folder.loaded:
            cassette = None if summary.by_hand else self._folder.cassette(summary)
            if cassette:
                removed[summary.file] = cassette
                self._folder.remove(summary.file)
        return removed

    def rename(self, old: str, new: str) -> None:
        """Serves a cassette no longer under its old name, which stays on the disk until the new one is there."""
        self._index.drop(old)
        self._renames[old] = new
        self._tell([old])

    def remove_renamed(self) -> None:
        """Removes the old files of renamed cassettes, as far as the new ones are on the disk."""
        pending = self._queue.pending
        for old, new in list(self._renames.items()):
            if old in pending or new in pending:
                continue
            if self._folder.has(new):
                self._folder.remove(old)
                self._entries.pop(old, None)
            del self._renames[old]

    async def flush(self) -> None:
        """Waits until everything is written, tries once more what could not be, and takes no more."""
        await self._queue.flush()

    def written(self, file: str, cassette: Cassette, signature: Signature, *, is_latest: bool) -> None:
        """Learns that a cassette is on the disk, and from now on is read from there if it `is_latest`."""
        summary = self._folder.mark_saved(file, cassette, signature)
        if is_latest:
            self._entries[file] = (summary, self._pending.pop(file))
            self._tell([file])
        self._emit(Recorded(file))

    def illegible(self, file: str, cassette: Cassette, error: Illegible) -> Cassette | None:
        """Learns that a cassette could not be read again; what is left of it, unless that is what the disk has."""
        for reason in error.reasons:
            request = f"{cassette.request.method} {cassette.request.path}"
            self._emit(Warned(f"{request}: not saved, it could not be read again: {reason}"))
            self._unkept(file)
        rest, stored = error.rest, self._entries.get(file)
        if rest is None or (stored and self._folder.cassette(stored[0]) == rest):
            return None
        self._pending[file] = entry_for(file, rest, self._matcher, canonical=self._pending[file].canonical)
        return rest

    def lost(self, files: Iterable[str]) -> None:
        """Serves what the disk has, as the next exchange is written then."""
        for file in files:
            if file not in self._queue.pending:
                self._pending.pop(file, None)
        self.load()

    def _load_again(self) -> None:
        self.load()
        self._emit(Reloaded(len(self._index)))

    def _tell(self, files: Iterable[str]) -> None:
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
    """The entry of a cassette that was read. CassetteError if its request cannot be compared with others."""
    try:
        request = summary.request
        canonical = matcher.canonical(request.to_request(), request.known_body())
        return IndexEntry(summary.file, request, canonical, summary.plain, summary.by_hand, summary.afters)
    except Exception as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else type(error).__name__
        shown = folder.shown(summary.file)
        raise CassetteError(shown, 1, 1, f"its request cannot be compared with others: {reason}") from error
