"""The cassettes of one run: the folder, and the index that is kept in line with it while both are written to.

A cassette that is being saved is served from memory meanwhile; one writer thread saves
them, together all that came in while it was busy.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from replaymock.cassette import Cassette, Recorded
from replaymock.errors import CassetteError
from replaymock.files import Loaded, Signature
from replaymock.index import Entry, Index, Serving
from replaymock.journal import Report
from replaymock.matching import Matcher
from replaymock.shelf import Shelf
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
        self._shelf = Shelf(self._read)
        self._entries: dict[str, tuple[Loaded, Entry]] = {}
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
        for file, known in self._entries.items():
            if kept.get(file) is not known:
                self._shelf.drop(file)
        self._entries = kept
        saving = {file: entry for file, (_, entry) in self._saving.items()}
        self._index = Index(({file: entry for file, (_, entry) in kept.items()} | saving).values())
        self._use(self._index, broken)
        messages = {str(error) for error in broken.values()}
        for message in sorted(messages - self._told_broken):
            self._report("broken", {"message": message})
        self._told_broken = messages

    def look_for(self, files: Iterable[str]) -> bool:
        """Loads again if one of these files is new, or no longer broken as it was; whether it did.

        So nobody waits for the watch, or for it to look again at a file that it saw half written.
        """
        if not any(self._store.has_news_of(file) for file in files if file not in self._index.entries):
            return False
        self.rescan()
        return True

    def look_again(self, file: str) -> None:
        """Loads again because the files of a cassette are no longer what they were."""
        self._store.look_again(file)
        self._load_again()

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
            cassette = None if loaded.by_hand else self._store.cassette(loaded)
            if cassette:
                recording.remember(loaded.file, cassette)
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
        entry = self._saving.pop(file)[1] if latest else None
        if latest:
            self._store.being_saved.discard(file)
        if not isinstance(outcome, BaseException):
            loaded = self._store.learn(file, cassette, outcome)
            if entry:
                self._shelf.drop(file)
                self._entries[file] = (loaded, entry)
                entry.settle(self._shelf)
            self._report("recorded", {"file": file})
            return False
        self.failed_writes += 1
        if self.failed_writes == 1:
            reason = getattr(outcome, "strerror", None) or str(outcome)
            message = f"cannot write {self._store.folder}/{file}: {reason}; the caller was answered all the same"
            self._report("warning", {"message": message})
        return latest

    def _entry(self, loaded: Loaded) -> tuple[Loaded, Entry]:
        known = self._entries.get(loaded.file)
        if known and known[0] is loaded:
            return known
        entry = checked_entry(loaded, self._store, self._matcher, self._serving)
        entry.settle(self._shelf)
        return loaded, entry

    def _read(self, file: str, held: int) -> tuple[Recorded, ...]:
        known = self._entries.get(file)
        cassette = self._store.cassette(known[0], held) if known else None
        return cassette.responses if cassette else ()


def checked_entry(loaded: Loaded, store: Store, matcher: Matcher, serving: Serving) -> Entry:
    """The entry of a cassette that was read, without its responses. CassetteError if it can have none."""
    try:
        request = loaded.request
        canonical = matcher.canonical(request.to_request(), request.known_body())
        return Entry(loaded.file, request, canonical, loaded.plain, loaded.by_hand, loaded.afters, serving)
    except Exception as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else type(error).__name__
        raise CassetteError(
            store.shown(loaded.file), 1, 1, f"its request cannot be compared with others: {fault}"
        ) from error


def counted(cassettes: int) -> str:
    """A number of cassettes in words."""
    return f"{cassettes} cassette" if cassettes == 1 else f"{cassettes} cassettes"
