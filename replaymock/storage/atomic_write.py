"""Files written whole or not at all: beside their place, flushed to the disk, and moved over the old one.

Many are flushed together, for that costs hardly more than one.

POSIX rename is atomic, so a reader or a crash meets either version and never half of one.
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
    """Makes a folder and those above it; the folders whose names have changed by that, which are to be flushed."""
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
    """Clears what a crash left in a folder and below. OSError if that fails, or nothing can be written there."""
    for left_over in folder.rglob(f"{TEMPORARY_PREFIX}*"):
        left_over.unlink()
    probe = folder / f"{TEMPORARY_PREFIX}probe"
    probe.write_bytes(b"")
    probe.unlink()


def remove_emptied(folder: Path, root: Path) -> None:
    """Removes a folder, and those above it as far as `root`, where nothing is in them any more."""
    with contextlib.suppress(OSError):
        while folder != root:
            folder.rmdir()
            folder = folder.parent


class Unreadable(ValueError):
    """A file that is not read, whatever is in it."""


def read(place: str, most: int) -> tuple[bytes | None, os.stat_result]:
    """What a file holds, None for more than `most` bytes, and what it was like when it was opened.

    OSError, or Unreadable: a pipe would never end. Asked of the open file, so both are of one moment.
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
    """Files of one folder that belong together, by name, in the order in which they take their places."""

    folder: str
    files: Mapping[str, bytes]


def write_all(writings: Sequence[FileBatch]) -> list[OSError | None]:
    """Writes files and flushes them together; what went wrong with each writing, None where all of it is on the disk.

    A writing that fails leaves what was there, and the others alone.
    """
    drafts = [_StagedBatch(writing) for writing in writings]
    for draft in drafts:
        draft.attempt(draft.write)
    _flush_for(drafts, lambda draft: draft.temporaries)
    for draft in drafts:
        draft.attempt(draft.move)
    _flush_for(drafts, lambda draft: draft.folders)
    return [draft.error for draft in drafts]


class _StagedBatch:
    """A writing on its way: first beside its places, then in them."""

    def __init__(self, writing: FileBatch) -> None:
        self.error: OSError | None = None
        self.folders: list[str] = []
        self._writing = writing
        beside = f"{writing.folder}/{TEMPORARY_PREFIX}{os.getpid()}-"
        self.temporaries = [beside + name for name in writing.files]

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
        self.folders = [*make_folders(self._writing.folder), self._writing.folder]
        for temporary, data in zip(self.temporaries, self._writing.files.values(), strict=True):
            _write(temporary, data)

    def move(self) -> None:
        for temporary, name in zip(self.temporaries, self._writing.files, strict=True):
            os.replace(temporary, f"{self._writing.folder}/{name}")  # noqa: PTH105


def _flush_for(drafts: list[_StagedBatch], places: Callable[[_StagedBatch], list[str]]) -> None:
    going_on = [draft for draft in drafts if draft.error is None]
    errors = _flush(list(dict.fromkeys(place for draft in going_on for place in places(draft))))
    for draft in going_on:
        error = next((errors[place] for place in places(draft) if place in errors), None)
        if error:
            draft.fail(error)


def _flush(places: list[str]) -> dict[str, OSError]:
    """Has files and folders on the disk; the errors by place. A journal takes several at once in one go."""
    if len(places) <= _FLUSHED_IN_TURN:
        return _synced(places)
    # By the share and not one by one, as handing over a place costs as much as having it flushed.
    shares = (places[at::_FLUSHED_AT_ONCE] for at in range(_FLUSHED_AT_ONCE))
    return dict(error for errors in _flushers().map(_synced, shares) for error in errors.items())


def _synced(places: list[str]) -> dict[str, OSError]:
    return {place: error for place in places if (error := _sync(place))}


@lru_cache(maxsize=1)
def _flushers() -> ThreadPoolExecutor:
    """Threads that wait for the disk; kept, as making them takes longer than a flush."""
    return ThreadPoolExecutor(_FLUSHED_AT_ONCE, thread_name_prefix="flusher")


def _sync(place: str) -> OSError | None:
    try:
        descriptor = os.open(place, _FLUSHING)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # Only POSIX has names of folders flushed.
        return None if os.name != "posix" and os.path.isdir(place) else error  # noqa: PTH112
    return None


def _write(place: str, data: bytes) -> None:
    descriptor = os.open(place, _WRITING, 0o666)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        # Starts the writing of it, so that its flush later finds most of the work done.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _whole(descriptor: int, size: int) -> bytes:
    """All of an open file; its size spares a second call, as long as it is right."""
    data = os.read(descriptor, size + 1)
    if len(data) == size:
        return data
    pieces = [data]
    while pieces[-1]:
        pieces.append(os.read(descriptor, _PIECE))
    return b"".join(pieces)


# Not waiting: a pipe that nobody writes to would hold the opening up.
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Windows flushes only what is open for writing.
_FLUSHING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) if os.name == "posix" else os.O_RDWR
_FLUSHED_AT_ONCE = 8
_FLUSHED_IN_TURN = 3
_PIECE = 1 << 20
