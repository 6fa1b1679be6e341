"""Files written whole or not at all: beside their place, flushed to the disk, and moved over the old one.

POSIX rename is atomic, so a reader or a crash meets either version and never half of one.
"""

import os
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
