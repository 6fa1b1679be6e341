"""One recorder a folder: a lock that the system releases when its process ends, however it ends.

The folder itself is locked (flock), so no lock file lies in it. On Windows a file in the system's temporary folder is
locked instead. A file system without locks allows everybody. A note in the temporary folder names the process that
has the lock; it is for people only, and may be missing or wrong. A folder that is removed and made anew is another one.
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
    """The process that has the lock of a folder."""

    pid: int
    url: str = ""

    def __str__(self) -> str:
        return f"pid {self.pid}, {self.url}" if self.url else f"pid {self.pid}"


class FolderLock:
    """Locks a folder against other recorders until `release`. UsageError, naming the other process, if it is locked."""

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
        """Writes into the note where this process can be reached."""
        # A new file, never an existing one: in a folder that all users share it may be a link to elsewhere.
        with contextlib.suppress(OSError):
            self._note.unlink(missing_ok=True)
            with self._note.open("xb") as file:
                file.write(msgspec.json.encode(Note(os.getpid(), url)))

    def release(self) -> None:
        """Releases the lock."""
        with contextlib.suppress(OSError):
            self._note.unlink(missing_ok=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _note_of(folder: Path) -> Path:
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    return Path(tempfile.gettempdir(), f"replaymock-{name}.json")


def _read(note: Path) -> Note | None:
    """The content of a note; None if it is none, since anybody may have put it there."""
    try:
        with note.open("rb") as file:
            content = msgspec.json.decode(file.read(_MOST_NOTED), type=Note)
    except (OSError, ValueError):
        return None
    return content if content.url.isascii() and content.url.isprintable() else Note(content.pid)


def _lock(folder: Path, file: Path) -> int | None:
    """The descriptor that has the lock; None if the file system has no locks. BlockingIOError if it is locked."""
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
