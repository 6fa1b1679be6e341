"""One recorder a folder: a lock that the system takes back when its holder is gone, however it went.

It is on the folder itself (flock), so that nothing of it lies in the folder, whoever the other user is. On Windows it
is on a file in the system's folder for temporary files, and where a file system knows no locks, nothing is refused. A
note in that folder says who holds it; it is for people only, and may be missing or wrong. Another folder made at the
same place is another folder.
"""

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path

import msgspec

from replaymock.errors import UsageError

if sys.platform == "win32":
    import msvcrt

    def _lock_file(file: Path) -> int:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            os.close(descriptor)
            raise BlockingIOError from None
        return descriptor
else:
    import fcntl

_MOST_NOTED = 4096


class Note(msgspec.Struct, frozen=True):
    """Who holds a folder."""

    pid: int
    url: str = ""

    def __str__(self) -> str:
        return f"pid {self.pid}, {self.url}" if self.url else f"pid {self.pid}"


class FolderLock:
    """A folder that is held against other recorders, from here on until `release`. UsageError naming who has it."""

    def __init__(self, folder: Path) -> None:
        self._note = _note_of(folder)
        try:
            self._descriptor = _lock(folder, self._note.with_suffix(".lock"))
        except BlockingIOError:
            raise UsageError(
                f"another replaymock ({_read(self._note) or 'it does not say which'}) records into {folder}: "
                f"stop that one, or choose another folder by --cassettes"
            ) from None
        self.publish_url("")

    def publish_url(self, url: str) -> None:
        """Notes where the holder can be reached."""
        # Written anew, never over what is there: in a folder that all users share it may lead elsewhere.
        with contextlib.suppress(OSError):
            self._note.unlink(missing_ok=True)
            with self._note.open("xb") as file:
                file.write(msgspec.json.encode(Note(os.getpid(), url)))

    def release(self) -> None:
        """Lets others have it."""
        with contextlib.suppress(OSError):
            self._note.unlink(missing_ok=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _note_of(folder: Path) -> Path:
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    return Path(tempfile.gettempdir(), f"replaymock-{name}.json")


def _read(note: Path) -> Note | None:
    """What a note says; None where it is not one, since anybody may have put it there."""
    try:
        with note.open("rb") as file:
            found = msgspec.json.decode(file.read(_MOST_NOTED), type=Note)
    except (OSError, ValueError):
        return None
    return found if found.url.isascii() and found.url.isprintable() else Note(found.pid)


def _lock(folder: Path, file: Path) -> int | None:
    """The descriptor that holds the lock, None where there are no locks; BlockingIOError where another holds it."""
    if sys.platform == "win32":
        return _lock_file(file)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return descriptor
