"""Cassettes on their way to the disk: one thread writes them, together all that came in while it was busy.

What the disk did not take is kept as far as there is room for it, and tried again: in turns, as soon as another could
be written, and at the end. What could not be read again, if it was written, is given up.
"""

import asyncio
import itertools
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from replaymock.cassettes.model import Cassette
from replaymock.cassettes.writer import dump
from replaymock.storage.folder import CassetteFolder, Illegible
from replaymock.storage.loader import Signature
from replaymock.telemetry.events import Emit, Warned

MOST_PAUSE_SECONDS = 0.1
MOST_AT_ONCE = 256
"""How many cassettes are written together."""
AGAIN_SECONDS = 1.0
"""How often one of the cassettes that could not be written is tried again."""
BUDGET = 64 * 1024 * 1024
"""How many bytes of cassettes that could not be written are kept."""


class WriteOutcomes(Protocol):
    """Learns what became of cassettes that were to be written."""

    def written(self, file: str, cassette: Cassette, signature: Signature, *, is_latest: bool) -> None:
        """A cassette is on the disk, and nothing newer waits if it `is_latest`."""

    def illegible(self, file: str, cassette: Cassette, error: Illegible) -> Cassette | None:
        """A cassette could not be read again; what is to be written instead, if anything."""

    def lost(self, files: list[str]) -> None:
        """What is in these files, or is not, is served from now on: newer cassettes are given up."""


class WriteQueue:
    """Writes cassettes into a folder, the newest of each file."""

    def __init__(self, folder: CassetteFolder, outcomes: WriteOutcomes, emit: Emit) -> None:
        self._folder = folder
        self._outcomes = outcomes
        self._emit = emit
        self._pending: dict[str, Cassette] = {}
        self._waiting: dict[str, Cassette] = {}
        self._failed = FailedWrites()
        self._tried_again: set[str] = set()
        self._reported_failures: set[str] = set()
        self._retry_timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._pause: asyncio.TimerHandle | None = None
        self._is_ending = False
        self._writing: asyncio.Future[list[Signature | Exception]] | None = None
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    @property
    def failed_writes(self) -> int:
        """How many cassettes are not on the disk because they could not be written."""
        return len(self._failed)

    @property
    def pending(self) -> Mapping[str, Cassette]:
        """The cassettes that are not on the disk yet, or not in their newest version, by file."""
        return self._pending

    def put(self, file: str, cassette: Cassette) -> None:
        """Has a cassette written, at once or with all that wait by then."""
        self._pending[file] = cassette
        self._folder.begin_saving(file)
        self._failed.drop(file)
        self._waiting[file] = cassette
        self._write()

    async def flush(self) -> None:
        """Waits until everything is written, tries once more what could not be, and takes no more."""
        self._is_ending = True
        self._end_pause()
        await self._settled()
        self._wait_again()
        self._write()
        await self._settled()
        if self._retry_timer:
            self._retry_timer.cancel()
        self._writer.shutdown()

    async def _settled(self) -> None:
        while self._writing:
            await asyncio.wait({self._writing})
            # Its result is still on its way, and then what waited for it is written.
            await asyncio.sleep(0)

    def _write(self) -> None:
        """Has what waits written, unless it is not yet time; a newer cassette took the place of an older."""
        if self._writing or self._pause or not self._waiting:
            return
        batch = list(itertools.islice(self._waiting.items(), MOST_AT_ONCE))
        for file, _ in batch:
            del self._waiting[file]
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        self._writing = loop.run_in_executor(self._writer, self._folder.save_all, batch)
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
        lost = [file for (file, cassette), outcome in results if not self._note(file, cassette, outcome)]
        if lost:
            self._outcomes.lost(lost)
        self._look_after_failed()
        if self._is_ending:
            self._write()
            return
        # As long as it took: half the time is left to requests, and more is written together.
        loop = asyncio.get_running_loop()
        self._pause = loop.call_later(min(loop.time() - self._began, MOST_PAUSE_SECONDS), self._end_pause)

    def _end_pause(self) -> None:
        if self._pause:
            self._pause.cancel()
        self._pause = None
        self._write()

    def _note(self, file: str, cassette: Cassette, outcome: Signature | BaseException) -> bool:
        """Takes note of what became of a cassette; False where the newest one of its file is given up."""
        is_latest = self._pending[file] is cassette
        if isinstance(outcome, Illegible):
            return not is_latest or self._replace_illegible(file, cassette, outcome)
        if isinstance(outcome, BaseException):
            self._report_failure(file, outcome)
            if not is_latest or self._failed.keep(file, cassette, size_of(file, cassette)):
                return True
            self._forget(file)
            return False
        if is_latest:
            self._forget(file)
        self._outcomes.written(file, cassette, outcome, is_latest=is_latest)
        return True

    def _replace_illegible(self, file: str, cassette: Cassette, error: Illegible) -> bool:
        """Has what is left of a cassette that could not be read again written. False, as the rest is given up."""
        rest = self._outcomes.illegible(file, cassette, error)
        if rest is None:
            self._forget(file)
        else:
            self._pending[file] = self._waiting[file] = rest
        return False

    def _forget(self, file: str) -> None:
        del self._pending[file]
        self._folder.end_saving(file)

    def _wait_again(self, most: int | None = None) -> None:
        """Has cassettes that could not be written wait for another try."""
        for file, cassette in self._failed.take(most):
            self._tried_again.add(file)
            self._waiting[file] = cassette

    def _write_one_again(self) -> None:
        self._wait_again(1)
        self._write()

    def _look_after_failed(self) -> None:
        """Tries one of them after a while, and says so when there are none left."""
        loop = asyncio.get_running_loop()
        if self._failed:
            if self._retry_timer is None or self._retry_timer.when() <= loop.time():
                self._retry_timer = loop.call_later(AGAIN_SECONDS, self._write_one_again)
        elif self._reported_failures and not self._waiting:
            self._reported_failures.clear()
            self._emit(Warned("what could not be written before is written now"))

    def _report_failure(self, file: str, error: BaseException) -> None:
        reason = getattr(error, "strerror", None) or str(error)
        if reason in self._reported_failures:
            return
        self._reported_failures.add(reason)
        what = f"cannot write {self._folder.folder}/{file}: {reason}"
        self._emit(Warned(f"{what}; the caller was answered all the same, and it is tried again"))


class FailedWrites:
    """Cassettes by file, the one that was tried longest ago first; and the files whose cassettes are given up."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._room: float = budget
        self._kept: dict[str, tuple[Cassette, float]] = {}
        self._lost: set[str] = set()

    def __len__(self) -> int:
        """How many cassettes are not on the disk, kept or not."""
        return len(self._kept) + len(self._lost)

    def keep(self, file: str, cassette: Cassette, size: float) -> bool:
        """Keeps a cassette of so many bytes, unless there is no room for it; whether it did."""
        self.drop(file)
        if size > self._room:
            self._lost.add(file)
            return False
        self._room -= size
        self._kept[file] = (cassette, size)
        return True

    def drop(self, file: str) -> None:
        """Forgets what there was of a file: it is written, or another is on its way."""
        self._lost.discard(file)
        if file in self._kept:
            self._room += self._kept.pop(file)[1]

    def take(self, most: int | None = None) -> Iterator[tuple[str, Cassette]]:
        """The cassettes that are kept, as many as wanted; they are another's care from then on."""
        for file in list(self._kept)[:most]:
            cassette, _ = self._kept[file]
            self.drop(file)
            yield file, cassette


def size_of(file: str, cassette: Cassette) -> float:
    """How many bytes a cassette would be on the disk; no number is enough for one that cannot be written down."""
    try:
        return sum(map(len, dump(cassette, file).values()))
    except Exception:
        return math.inf
