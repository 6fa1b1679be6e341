"""Writes files completely or not at all: to a temporary name, flushed, then renamed over the old file.

POSIX rename is atomic, so a reader or a crash sees either version, never half of one. Many files are flushed together,
which costs hardly more than one.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

TEMPORARY_PREFIX = ".replaymock-"


def make_folders(folder: str) -> list[str]:
    """Makes a folder and its parents. Gives the folders in which an entry was added, which have to be flushed."""
    above = os.path.dirname(folder)  # noqa: PTH120 - pathlib would be a tenth of what a recording costs
    changed = []
    try:
        os.mkdir(folder)  # noqa: PTH102
    except FileExistsError:
        return []
    except FileNotFoundError:
        changed = make_folders(above)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder)  # noqa: PTH102
    return [*changed, above or os.curdir]


def make_fit_for_writing(folder: Path) -> None:
    """Removes temporary files that a crash left below a folder. OSError if the folder cannot be written to."""
    for leftover in folder.rglob(f"{TEMPORARY_PREFIX}*"):
        leftover.unlink()
    probe = folder / f"{TEMPORARY_PREFIX}probe"
    probe.write_bytes(b"")
    probe.unlink()


def remove_emptied(folder: Path, root: Path) -> None:
    """Removes a folder and its parents below `root`, as long as they are empty."""
    with contextlib.suppress(OSError):
        while folder != root:
            folder.rmdir()
            folder = folder.parent


class Unreadable(ValueError):
    """Something that is no regular file."""


def read(place: str, most: int) -> tuple[bytes | None, os.stat_result]:
    """The content of a file, None if it has more than `most` bytes, and its status.

    OSError, or Unreadable for anything but a regular file: a pipe would never end. The status is that of the open file,
    so that it belongs to the content.
    """
    try:
        descriptor = os.open(place, _READING)
    except OSError:
        if os.path.exists(place) and not os.path.isfile(place):  # noqa: PTH110, PTH113 - a socket cannot be opened
            raise Unreadable("not a regular file") from None
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("not a regular file")
        return None if status.st_size > most else _whole(descriptor, status.st_size), status
    finally:
        os.close(descriptor)


class FileBatch(Struct, frozen=True):
    """Files of one folder that belong together, by name, in the order in which they are renamed."""

    folder: str
    files: Mapping[str, bytes]


def write_all(batches: Sequence[FileBatch]) -> list[OSError | None]:
    """Writes batches and flushes them together. The error of each, None if all of it is on disk.

    A batch that fails leaves the old files, and does not disturb the others.
    """
    staged = [_StagedBatch(batch) for batch in batches]
    for batch in staged:
        batch.attempt(batch.write)
    _flush_for(staged, lambda batch: batch.temporaries)
    for batch in staged:
        batch.attempt(batch.move)
    _flush_for(staged, lambda batch: batch.folders)
    return [batch.error for batch in staged]


class _StagedBatch:
    """A batch while it is written: first under temporary names, then under its own."""

    def __init__(self, batch: FileBatch) -> None:
        self.error: OSError | None = None
        self.folders: list[str] = []
        self._batch = batch
        beside = f"{batch.folder}/{TEMPORARY_PREFIX}{os.getpid()}-"
        self.temporaries = [beside + name for name in batch.files]

    def attempt(self, action: Callable[[], None]) -> None:
        if self.error is None:
            try:
                action()
            except OSError as error:
                self.fail(error)

    def fail(self, error: OSError) -> None:
        self.error = error
        for temporary in self.temporaries:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108

    def write(self) -> None:
        self.folders = [*make_folders(self._batch.folder), self._batch.folder]
        for temporary, data in zip(self.temporaries, self._batch.files.values(), strict=True):
            _write(temporary, data)

    def move(self) -> None:
        for temporary, name in zip(self.temporaries, self._batch.files, strict=True):
            os.replace(temporary, f"{self._batch.folder}/{name}")  # noqa: PTH105


def _flush_for(staged: list[_StagedBatch], places: Callable[[_StagedBatch], list[str]]) -> None:
    in_progress = [batch for batch in staged if batch.error is None]
    errors = _flush(list(dict.fromkeys(place for batch in in_progress for place in places(batch))))
    for batch in in_progress:
        error = next((errors[place] for place in places(batch) if place in errors), None)
        if error:
            batch.fail(error)


def _flush(places: list[str]) -> dict[str, OSError]:
    """Flushes files and folders; the errors by place. Several at once share a commit of the file system's journal."""
    if len(places) <= _FLUSHED_IN_TURN:
        return _synced(places)
    # In shares, because handing a single place to a thread costs as much as flushing it.
    shares = (places[at::_FLUSHED_AT_ONCE] for at in range(_FLUSHED_AT_ONCE))
    return dict(error for errors in _flushers().map(_synced, shares) for error in errors.items())


def _synced(places: list[str]) -> dict[str, OSError]:
    return {place: error for place in places if (error := _sync(place))}


@lru_cache(maxsize=1)
def _flushers() -> ThreadPoolExecutor:
    """Threads that wait for the disk. They are kept, because starting them takes longer than a flush."""
    return ThreadPoolExecutor(_FLUSHED_AT_ONCE, thread_name_prefix="flusher")


def _sync(place: str) -> OSError | None:
    try:
        descriptor = os.open(place, _FLUSHING)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # Only POSIX can flush folders.
        return None if os.name != "posix" and os.path.isdir(place) else error  # noqa: PTH112
    return None


def _write(place: str, data: bytes) -> None:
    descriptor = os.open(place, _WRITING, 0o666)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        # Starts writing it back, so that the flush later finds most of the work done.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _whole(descriptor: int, size: int) -> bytes:
    """All of an open file, in one call if `size` is right."""
    data = os.read(descriptor, size + 1)
    if len(data) == size:
        return data
    pieces = [data]
    while pieces[-1]:
        pieces.append(os.read(descriptor, _PIECE))
    return b"".join(pieces)


# O_NONBLOCK: opening a pipe that has no writer would block.
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Windows flushes only what is open for writing.
_FLUSHING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) if os.name == "posix" else os.O_RDWR
_FLUSHED_AT_ONCE = 8
_FLUSHED_IN_TURN = 3
_PIECE = 1 << 20
