"""Files written whole or not at all: beside their place, flushed to the disk, and moved over the old one.

POSIX rename is atomic, so a reader or a crash meets either version and never half of one.
"""

import os
import stat
from pathlib import Path

TEMPORARY_PREFIX = ".replaymock-"


def make_folders(folder: Path) -> None:
    """Makes a folder and those above it, and flushes their names to the disk."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        sync_folder(new.parent)


class Unreadable(ValueError):
    """A file that is not read, whatever is in it."""


def read(place: str, most: int) -> tuple[bytes, os.stat_result]:
    """What a file holds, and what it was like when it was opened. OSError, or Unreadable before anything is read.

    A pipe would never end, a huge file would take the memory. Asked of the open file, so both are of one moment.
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
        if status.st_size > most:
            raise Unreadable(f"larger than {most} bytes")
        return _whole(descriptor, status.st_size), status
    finally:
        os.close(descriptor)


def write(place: Path, data: bytes) -> None:
    """Writes a file; what was there stays if that fails. OSError."""
    temporary = place.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-{place.name}"
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Flushes the names in a folder to the disk."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
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
_PIECE = 1 << 20
