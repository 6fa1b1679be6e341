"""Writes cassettes in a thread: while it is busy, new ones are collected, and then written together.

What could not be written is kept in memory up to a limit, and retried: one after another, as soon as another write
succeeds, and at the end. A cassette that could not be read again after writing is given up.
"""

import asyncio
import itertools
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from replaymock.cassettes.model import Cassette
from replaymock.cassettes.writer import dump
from replaymock.storage.folder import CassetteFolder, Unwritable
from replaymock.storage.loader import Signature
from replaymock.telemetry.events import Emit, Warned

MOST_PAUSE_SECONDS = 0.1
MOST_AT_ONCE = 256
"""How many cassettes are written together, at most."""
AGAIN_SECONDS = 1.0
"""The time between two retries, each of one cassette that could not be written."""
BUDGET = 64 * 1024 * 1024
"""How many bytes of cassettes that could not be written are kept in memory."""


class WriteOutcomes(Protocol):
    """What a write queue calls with the outcomes."""

    def written(self, file: str, cassette: Cassette, signature: Signature, *, is_latest: bool) -> None:
        """A cassette is on disk; no newer version waits if it `is_latest`."""

    def unwritable(self, file: str, cassette: Cassette, error: Unwritable) -> Cassette | None:
        """A cassette could not be read again. Gives what is to be written instead, if anything."""

    def lost(self, files: list[str]) -> None:
        """The newest versions of these files are given up; what is on disk is to be served."""


class WriteQueue:
    """Writes cassettes into a folder, the newest version of each."""

    def __init__(self, folder: CassetteFolder, outcomes: WriteOutcomes, emit: Emit) -> None:
        self._folder = folder
        self._outcomes = outcomes
        self._emit = emit
        self._pending: dict[str, Cassette] = {}
        self._waiting: dict[str, Cassette] = {}
        self._failed = FailedWrites()
        self._retried: set[str] = set()
        self._reported_failures: set[str] = set()
        self._retry_timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._pause: asyncio.TimerHandle | None = None
        self._is_ending = False
        self._writing: asyncio.Future[list[Signature | Exception]] | None = None
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    @property
    def failed_writes(self) -> int:
        """How many cassettes are not on disk because they could not be written."""
        return len(self._failed)

    @property
    def pending(self) -> Mapping[str, Cassette]:
        """The cassettes that are not on disk yet, or only in an older version, by file."""
        return self._pending

    def put(self, file: str, cassette: Cassette) -> None:
        """Queues a cassette for writing, in the place of an older version."""
        self._pending[file] = cassette
        self._folder.begin_saving(file)
        self._failed.drop(file)
        self._waiting[file] = cassette
        self._write()

    async def flush(self) -> None:
        """Waits until everything is written, retrying failed writes once. Nothing may be put after that."""
        self._is_ending = True
        self._end_pause()
        await self._settled()
        self._requeue()
        self._write()
        await self._settled()
        if self._retry_timer:
            self._retry_timer.cancel()
        self._writer.shutdown()

    async def _settled(self) -> None:
        while self._writing:
            await asyncio.wait({self._writing})
            # Lets `_written` run, which may start the next write.
            await asyncio.sleep(0)

    def _write(self) -> None:
        """Starts writing what waits, unless a write or the pause after one is going on."""
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
            self._requeue(None if self._retried.intersection(written) else 1)
        self._retried.difference_update(file for file, _ in batch)
        lost = [file for (file, cassette), outcome in results if not self._handle(file, cassette, outcome)]
        if lost:
            self._outcomes.lost(lost)
        self._plan_retry()
        if self._is_ending:
            self._write()
            return
        # A pause as long as the write: half the time is left to requests, and more is written together.
        loop = asyncio.get_running_loop()
        self._pause = loop.call_later(min(loop.time() - self._began, MOST_PAUSE_SECONDS), self._end_pause)

    def _end_pause(self) -> None:
        if self._pause:
            self._pause.cancel()
        self._pause = None
        self._write()

    def _handle(self, file: str, cassette: Cassette, outcome: Signature | BaseException) -> bool:
        """Handles the outcome of one write. False if the newest version of the file is given up."""
        is_latest = self._pending[file] is cassette
        if isinstance(outcome, Unwritable):
            return not is_latest or self._replace_unwritable(file, cassette, outcome)
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

    def _replace_unwritable(self, file: str, cassette: Cassette, error: Unwritable) -> bool:
        """Queues the rest of a cassette that could not be read again. Always False, as that version is given up."""
        rest = self._outcomes.unwritable(file, cassette, error)
        if rest is None:
            self._forget(file)
        else:
            self._pending[file] = self._waiting[file] = rest
        return False

    def _forget(self, file: str) -> None:
        del self._pending[file]
        self._folder.end_saving(file)

    def _requeue(self, most: int | None = None) -> None:
        """Queues cassettes that could not be written, at most so many, for another try."""
        for file, cassette in self._failed.take(most):
            self._retried.add(file)
            self._waiting[file] = cassette

    def _retry_one(self) -> None:
        self._requeue(1)
        self._write()

    def _plan_retry(self) -> None:
        """Plans a retry if there are failed writes, and reports it when there are none any more."""
        loop = asyncio.get_running_loop()
        if self._failed:
            if self._retry_timer is None or self._retry_timer.when() <= loop.time():
                self._retry_timer = loop.call_later(AGAIN_SECONDS, self._retry_one)
        elif self._reported_failures and not self._waiting:
            self._reported_failures.clear()
            self._emit(Warned("what could not be written before is written now"))

    def _report_failure(self, file: str, error: BaseException) -> None:
        reason = getattr(error, "strerror", None) or str(error)
        if reason in self._reported_failures:
            return
        self._reported_failures.add(reason)
        what = f"cannot write {self._folder.folder}/{file}: {reason}"
        self._emit(Warned(f"{what}; the client was answered all the same, and it is tried again"))


class FailedWrites:
    """Cassettes that could not be written, by file, the one tried longest ago first; and files that were given up."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._bytes_left: float = budget
        self._cassettes: dict[str, tuple[Cassette, float]] = {}
        self._lost: set[str] = set()

    def __len__(self) -> int:
        """How many cassettes are not on disk, whether they are kept or given up."""
        return len(self._cassettes) + len(self._lost)

    def keep(self, file: str, cassette: Cassette, size: float) -> bool:
        """Keeps a cassette of so many bytes. False, and nothing kept, if that would exceed the budget."""
        self.drop(file)
        if size > self._bytes_left:
            self._lost.add(file)
            return False
        self._bytes_left -= size
        self._cassettes[file] = (cassette, size)
        return True

    def drop(self, file: str) -> None:
        """Forgets a file, as it is written or a newer version is queued."""
        self._lost.discard(file)
        if file in self._cassettes:
            self._bytes_left += self._cassettes.pop(file)[1]

    def take(self, most: int | None = None) -> Iterator[tuple[str, Cassette]]:
        """Removes and gives cassettes that are kept, at most so many."""
        for file in list(self._cassettes)[:most]:
            cassette, _ = self._cassettes[file]
            self.drop(file)
            yield file, cassette


def size_of(file: str, cassette: Cassette) -> float:
    """How many bytes a cassette would have on disk; infinity if it cannot be written at all."""
    try:
        return sum(map(len, dump(cassette, file).values()))
    except Exception:
        return math.inf
