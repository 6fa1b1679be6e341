"""The cassettes of one run: the folder, and the index that is kept in line with it while both are written to.

A cassette that is being saved is served from memory meanwhile; one writer thread saves
them, together all that came in while it was busy.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from replaymock.cassette import Cassette
from replaymock.errors import CassetteError
from replaymock.files import Loaded, Signature
from replaymock.index import Entry, Index, Serving, entry_for
from replaymock.journal import Report
from replaymock.matching import Matcher
from replaymock.store import Store

if TYPE_CHECKING:
    from replaymock.recording import Recording

RETRY_SECONDS = 0.3
MOST_AT_ONCE = 256
"""How many cassettes are written together."""

Use = Callable[[Index, dict[str, CassetteError]], None]
"""Takes the index to serve from now on, and the cassettes that could not be read, by file name."""


class Library:
    """Loads, reloads and saves."""

    def __init__(self, store: Store, matcher: Matcher, serving: Serving, report: Report, use: Use) -> None:
        self.failed_writes = 0
        self._store = store
        self._matcher = matcher
        self._serving = serving
        self._report = report
        self._use = use
        self._index = Index()
        self._broken: frozenset[str] = frozenset()
        self._entries: dict[str, tuple[Cassette, Entry]] = {}
        self._saving: dict[str, tuple[Cassette, Entry]] = {}
        self._told_broken: set[str] = set()
        self._waiting: dict[str, Cassette] = {}
        self._writing: asyncio.Future[list[Signature | Exception]] | None = None
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    def load(self) -> None:
        """Makes a new index of what the store has now, reusing the entries of unchanged cassettes."""
        kept, broken = {}, self._store.broken
        for loaded in self._store.loaded:
            try:
                kept[loaded.file] = self._entry(loaded)
            except CassetteError as error:
                broken[loaded.file] = error
        self._entries = kept | self._saving
        self._index = Index(entry for _, entry in self._entries.values())
        self._broken = frozenset(broken)
        self._use(self._index, broken)
        messages = {str(error) for error in broken.values()}
        for message in sorted(messages - self._told_broken):
            self._report("broken", {"message": message})
        self._told_broken = messages

    def look_for(self, files: Iterable[str]) -> bool:
        """Loads again if one of these files is new, so that nobody waits for the watch; whether it did."""
        unseen = [file for file in files if file not in self._index.entries and file not in self._broken]
        if not any(self._store.has(file) for file in unseen):
            return False
        self.rescan()
        return True

    def rescan(self) -> None:
        """Loads again, and says so."""
        self._store.scan()
        self._load_again()

    async def watch(self) -> None:
        """Loads again whenever the folder changes, for ever; a fault is told of once, and the watch begins anew."""
        failed = ""
        while True:
            try:
                if failed:
                    self.load()
                async for _ in self._store.watch():
                    self._load_again()
            except Exception as error:
                message = f"a fault in replaymock while reading {self._store.folder}: {type(error).__name__}: {error}"
                if message != failed:
                    self._report("warning", {"message": message})
                failed = message
                await asyncio.sleep(RETRY_SECONDS)

    def empty(self, recording: "Recording") -> None:
        """Removes what was recorded; what was written by hand stays. Equal responses come back byte for byte."""
        for loaded in self._store.loaded:
            if any(recorded.recorded_at for recorded in loaded.cassette.responses):
                recording.remember(loaded.file, loaded.cassette)
                self._store.remove(loaded.file)

    def save(self, file: str, cassette: Cassette) -> None:
        """Has a cassette that is in the index already written to the disk, at once or with all that wait by then."""
        self._saving[file] = (cassette, self._index.entries[file])
        self._store.being_saved.add(file)
        self._waiting[file] = cassette
        self._write()

    async def flush(self) -> None:
        """Waits until everything is written, and takes no more."""
        while self._writing:
            await asyncio.wait({self._writing})
            # Its result is still on its way, and then what waited for it is written.
            await asyncio.sleep(0)
        self._writer.shutdown()

    def _load_again(self) -> None:
        self.load()
        count = len(self._index)
        self._report("reloaded", {"cassettes": count, "text": f"reloaded: {counted(count)}"})

    def _write(self) -> None:
        """Has what waits written, unless something is being written; a newer cassette took the place of an older."""
        if self._writing or not self._waiting:
            return
        batch = list(itertools.islice(self._waiting.items(), MOST_AT_ONCE))
        for file, _ in batch:
            del self._waiting[file]
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(self._writer, self._store.save_all, batch)
        self._writing.add_done_callback(lambda done: self._written(batch, done))

    def _written(self, batch: list[tuple[str, Cassette]], done: "asyncio.Future[list[Signature | Exception]]") -> None:
        self._writing = None
        error = done.exception()
        outcomes = [error] * len(batch) if error else done.result()
        failed = [self._saved(*saved, outcome) for saved, outcome in zip(batch, outcomes, strict=True)]
        if any(failed):
            self.load()  # what the disk does not have is not served either, so that the next exchange is written
        self._write()

    def _saved(self, file: str, cassette: Cassette, outcome: Signature | BaseException) -> bool:
        """Takes note of what became of a cassette; whether the one that is served is not on the disk."""
        latest = self._saving[file][0] is cassette
        if latest and not isinstance(outcome, BaseException):
            self._entries[file] = self._saving[file]
        if latest:
            del self._saving[file]
            self._store.being_saved.discard(file)
        if not isinstance(outcome, BaseException):
            self._store.learn(file, cassette, outcome)
            self._report("recorded", {"file": file})
            return False
        self.failed_writes += 1
        if self.failed_writes == 1:
            reason = getattr(outcome, "strerror", None) or str(outcome)
            message = f"cannot write {self._store.folder}/{file}: {reason}; the caller was answered all the same"
            self._report("warning", {"message": message})
        return latest

    def _entry(self, loaded: Loaded) -> tuple[Cassette, Entry]:
        known = self._entries.get(loaded.file)
        if known and known[0] is loaded.cassette:
            return known
        shown = self._store.shown(loaded.file)
        return loaded.cassette, checked_entry(loaded, shown, self._matcher, self._serving)


def checked_entry(loaded: Loaded, shown: str, matcher: Matcher, serving: Serving) -> Entry:
    """The entry of a cassette that was read; CassetteError, by the name it is `shown` under, if it can have none."""
    try:
        return entry_for(loaded.file, loaded.cassette, plain=loaded.plain, matcher=matcher, serving=serving)
    except Exception as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else type(error).__name__
        raise CassetteError(shown, 1, 1, f"its request cannot be compared with others: {fault}") from error


def counted(cassettes: int) -> str:
    """A number of cassettes in words."""
    return f"{cassettes} cassette" if cassettes == 1 else f"{cassettes} cassettes"
