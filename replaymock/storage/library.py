"""The cassettes of one run: the folder, and the index that is kept in line with it while both are written to.

A cassette that is being saved is served from memory meanwhile; one writer thread saves them, together all that came in
while it was busy. One that could not be written is served from memory as well, and tried again: in turns, as soon as
another could be written, and at the end. One that could not be read again is given up, and not served any more either.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from replaymock.cassettes.model import Cassette, RecordedResponse
from replaymock.errors import CassetteError
from replaymock.matching.index import Index, IndexEntry, RenderOptions, held_entry
from replaymock.matching.matcher import Matcher
from replaymock.replay.response_cache import ResponseCache
from replaymock.storage.folder import CassetteFolder, Illegible
from replaymock.storage.loader import CassetteSummary, Signature
from replaymock.storage.unsaved import FailedWrites, size_of
from replaymock.telemetry.console import counted
from replaymock.telemetry.journal import Report

if TYPE_CHECKING:
    from replaymock.recording.cassette_builder import CassetteBuilder

RETRY_SECONDS = 0.3
MOST_REST_SECONDS = 0.1
MOST_AT_ONCE = 256
"""How many cassettes are written together."""
AGAIN_SECONDS = 1.0
"""How often one of the cassettes that could not be written is tried again."""

Use = Callable[[Index, dict[str, CassetteError]], None]
"""Takes the index to serve from now on, and the cassettes that could not be read, by file name."""


class CassetteLibrary:
    """Loads, reloads and saves."""

    def __init__(
        self, store: CassetteFolder, matcher: Matcher, serving: RenderOptions, report: Report, use: Use
    ) -> None:
        self._store = store
        self._matcher = matcher
        self._serving = serving
        self._report = report
        self._use = use
        self.retired: set[str] = set()
        self.unkept: Callable[[str], None] = lambda _file: None
        self._index = Index()
        self._shelf = ResponseCache(self._read)
        self._entries: dict[str, tuple[CassetteSummary, IndexEntry]] = {}
        self._saving: dict[str, tuple[Cassette, IndexEntry]] = {}
        self._unfit: dict[str, CassetteSummary] = {}
        self._told_broken: set[str] = set()
        self._waiting: dict[str, Cassette] = {}
        self._unsaved = FailedWrites()
        self._tried_again: set[str] = set()
        self._told_failures: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._rest: asyncio.TimerHandle | None = None
        self._ending = False
        self._writing: asyncio.Future[list[Signature | Exception]] | None = None
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    @property
    def failed_writes(self) -> int:
        """How many cassettes are not on the disk because they could not be written."""
        return len(self._unsaved)

    @property
    def saving(self) -> dict[str, Cassette]:
        """The cassettes that are not on the disk yet, or not as they are served."""
        return {file: cassette for file, (cassette, _) in self._saving.items()}

    def load(self) -> None:
        """Makes a new index of what the store has now but for the `retired`, reusing entries of unchanged cassettes."""
        kept, broken, self._unfit = {}, self._store.broken, {}
        for loaded in self._store.loaded:
            try:
                kept[loaded.file] = self._entry(loaded)
            except CassetteError as error:
                broken[loaded.file] = error
                self._unfit[loaded.file] = loaded
        for file, known in self._entries.items():
            if kept.get(file) is not known:
                self._shelf.drop(file)
        self._entries = kept
        served = {file: entry for file, (_, entry) in (kept | self._saving).items() if file not in self.retired}
        self._index = Index(served.values())
        self._use(self._index, broken)
        messages = {str(error) for error in broken.values()}
        for message in sorted(messages - self._told_broken):
            self._report("broken", {"message": message})
        self._told_broken = messages

    def look_for(self, files: Iterable[str]) -> bool:
        """Loads again if one of these files is new, or no longer broken as it was; whether it did.

        So nobody waits for the watch, or for it to look again at a file that it saw half written.
        """
        missing = (file for file in files if file not in self._index.entries)
        if not any(self._store.has_news_of(file, self._loaded(file)) for file in missing):
            return False
        self.rescan()
        return True

    def _loaded(self, file: str) -> CassetteSummary | None:
        known = self._entries.get(file)
        return known[0] if known else self._unfit.get(file)

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

    def empty(self, recording: "CassetteBuilder") -> None:
        """Removes what was recorded; what was written by hand stays. Equal responses come back byte for byte."""
        for loaded in self._store.loaded:
            cassette = None if loaded.by_hand else self._store.cassette(loaded)
            if cassette:
                recording.remember(loaded.file, cassette)
                self._store.remove(loaded.file)

    def remove(self, file: str) -> None:
        """Removes a cassette that is no longer in the index."""
        self._store.remove(file)
        self._entries.pop(file, None)
        self._shelf.drop(file)

    def save(self, file: str, cassette: Cassette) -> None:
        """Has a cassette that is in the index already written to the disk, at once or with all that wait by then."""
        self._saving[file] = (cassette, self._index.entries[file])
        self._store.being_saved.add(file)
        self._unsaved.drop(file)
        self._waiting[file] = cassette
        self._write()

    async def flush(self) -> None:
        """Waits until everything is written, tries once more what could not be, and takes no more."""
        self._ending = True
        self._go_on()
        await self._settled()
        self._wait_again()
        self._write()
        await self._settled()
        if self._timer:
            self._timer.cancel()
        self._writer.shutdown()

    async def _settled(self) -> None:
        while self._writing:
            await asyncio.wait({self._writing})
            # Its result is still on its way, and then what waited for it is written.
            await asyncio.sleep(0)

    def _load_again(self) -> None:
        self.load()
        count = len(self._index)
        self._report("reloaded", {"cassettes": count, "text": f"reloaded: {counted(count)}"})

    def _write(self) -> None:
        """Has what waits written, unless it is not yet time; a newer cassette took the place of an older."""
        if self._writing or self._rest or not self._waiting:
            return
        batch = list(itertools.islice(self._waiting.items(), MOST_AT_ONCE))
        for file, _ in batch:
            del self._waiting[file]
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        self._writing = loop.run_in_executor(self._writer, self._store.save_all, batch)
        self._writing.add_done_callback(lambda done: self._written(batch, done))

    def _written(self, batch: list[tuple[str, Cassette]], done: "asyncio.Future[list[Signature | Exception]]") -> None:
        self._writing = None
        error = done.exception()
        outcomes = [error] * len(batch) if error else done.result()
        results = list(zip(batch, outcomes, strict=True))
        written = [file for (file, _), outcome in results if not isinstance(outcome, BaseException)]
        if written:
            self._wait_again(None if self._tried_again.intersection(written) else 1)
        self._tried_again.difference_update(file for file, _ in batch)
        given_up = [self._saved(file, cassette, outcome) for (file, cassette), outcome in results]
        if any(given_up):
            self.load()  # what the disk will not have is not served either, so that the next exchange is written
        self._look_after_unsaved()
        if self._ending:
            self._write()
            return
        # As long as it took: half the time is left to requests, and more is written together.
        loop = asyncio.get_running_loop()
        self._rest = loop.call_later(min(loop.time() - self._began, MOST_REST_SECONDS), self._go_on)

    def _go_on(self) -> None:
        if self._rest:
            self._rest.cancel()
        self._rest = None
        self._write()

    def _wait_again(self, most: int | None = None) -> None:
        """Has cassettes that could not be written wait for another try."""
        for file, cassette in self._unsaved.take(most):
            self._tried_again.add(file)
            self._waiting[file] = cassette

    def _write_one_again(self) -> None:
        self._wait_again(1)
        self._write()

    def _look_after_unsaved(self) -> None:
        """Tries one of them after a while, and says so when there are none left."""
        loop = asyncio.get_running_loop()
        if self._unsaved:
            if self._timer is None or self._timer.when() <= loop.time():
                self._timer = loop.call_later(AGAIN_SECONDS, self._write_one_again)
        elif self._told_failures and not self._waiting:
            self._told_failures.clear()
            self._report("warning", {"message": "what could not be written before is written now"})

    def _saved(self, file: str, cassette: Cassette, outcome: Signature | BaseException) -> bool:
        """Takes note of what became of a cassette; whether the one that is served will not be on the disk."""
        is_latest = self._saving[file][0] is cassette
        if isinstance(outcome, Illegible):
            return is_latest and self._give_up(file, outcome)
        if isinstance(outcome, BaseException):
            self._tell_failure(file, outcome)
            if not is_latest or self._unsaved.keep(file, cassette, size_of(file, cassette)):
                return False
        entry = self._saving.pop(file)[1] if is_latest else None
        if is_latest:
            self._store.being_saved.discard(file)
        if isinstance(outcome, BaseException):
            return True
        loaded = self._store.learn(file, cassette, outcome)
        if entry:
            self._shelf.drop(file)
            self._entries[file] = (loaded, entry)
            entry.settle(self._shelf)
        self._report("recorded", {"file": file})
        return False

    def _give_up(self, file: str, illegible: Illegible) -> bool:
        """Takes note of what could not be read again; what is left is written, unless it is what the disk has."""
        cassette, entry = self._saving.pop(file)
        for reason in illegible.reasons:
            asked = f"{cassette.request.method} {cassette.request.path}"
            self._report("warning", {"message": f"{asked}: not saved, it could not be read again: {reason}"})
            self.unkept(file)
        rest, known = illegible.rest, self._entries.get(file)
        if rest is None or (known and self._store.cassette(known[0]) == rest):
            self._store.being_saved.discard(file)
            return True
        self._saving[file] = rest, held_entry(file, rest, entry.canonical, self._serving)
        self._waiting[file] = rest
        return True

    def _tell_failure(self, file: str, error: BaseException) -> None:
        reason = getattr(error, "strerror", None) or str(error)
        if reason in self._told_failures:
            return
        self._told_failures.add(reason)
        what = f"cannot write {self._store.folder}/{file}: {reason}"
        self._report("warning", {"message": f"{what}; the caller was answered all the same, and it is tried again"})

    def _entry(self, loaded: CassetteSummary) -> tuple[CassetteSummary, IndexEntry]:
        known = self._entries.get(loaded.file)
        if known and known[0] is loaded:
            return known
        entry = checked_entry(loaded, self._store, self._matcher, self._serving)
        entry.settle(self._shelf)
        return loaded, entry

    def _read(self, file: str, held: int) -> tuple[RecordedResponse, ...]:
        known = self._entries.get(file)
        cassette = self._store.cassette(known[0], held) if known else None
        return cassette.responses if cassette else ()


def checked_entry(
    loaded: CassetteSummary, store: CassetteFolder, matcher: Matcher, serving: RenderOptions
) -> IndexEntry:
    """The entry of a cassette that was read, without its responses. CassetteError if it can have none."""
    try:
        request = loaded.request
        canonical = matcher.canonical(request.to_request(), request.known_body())
        return IndexEntry(loaded.file, request, canonical, loaded.plain, loaded.by_hand, loaded.afters, serving)
    except Exception as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else type(error).__name__
        raise CassetteError(
            store.shown(loaded.file), 1, 1, f"its request cannot be compared with others: {fault}"
        ) from error
