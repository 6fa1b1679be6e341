"""Reads the cassettes of a folder, each with its sidecars and a signature that shows later whether it has changed.

Files are named relative to the folder, with `/`. Places are strings here: `Path` takes several times as long, and every
file is read before the first request is answered.
"""

import errno
import os
import re
from pathlib import Path

from msgspec import Struct

from replaymock.cassettes.filenames import is_cassette_name, mock_path
from replaymock.cassettes.model import Cassette, CassetteRequest, Sidecar
from replaymock.cassettes.reader import MOST_BYTES, SidecarLoader, load, plain_mock
from replaymock.errors import CassetteError
from replaymock.storage.atomic_write import Unreadable, read

FileStamp = tuple[str, int, int, int]
"""Name, change time in nanoseconds, size and inode of a file."""

Signature = tuple[FileStamp, ...]
"""The stamps of a cassette and of its sidecars, when they were read."""


class CassetteSummary(Struct, frozen=True):
    """What stays in memory of a valid cassette: everything but its responses."""

    file: str
    request: CassetteRequest
    is_plain: bool
    is_handwritten: bool
    after_writes: tuple[str, ...]
    signature: Signature


class CassetteLoader:
    """Reads the files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = f"{os.fspath(folder)}/"
        self._shown_root = (folder / "x").as_posix()[:-1]

    def shown(self, file: str) -> str:
        """A file as messages name it: with its folder, and with control characters escaped."""
        return _UNSHOWN.sub(_escaped, self._shown_root + file)

    def read(self, file: str, held: int) -> tuple[Signature, Cassette | CassetteError]:
        """The signature of a cassette's files, and the cassette or what is wrong with it.

        OSError if it cannot be opened. Sidecars of more than `held` bytes are not read into memory, unless something in
        them has to be replaced.
        """
        place = self._root + file
        folder, _, name = file.rpartition("/")
        if _SURROGATE.search(file):
            return (_stamp(place, name),), CassetteError(self.shown(file), 1, 1, "its name is not UTF-8")
        if os.path.islink(place) and not self._is_inside(place):  # noqa: PTH114 - see above
            return (_stamp(place, name),), CassetteError(self.shown(file), 1, 1, "leads outside the cassette folder")
        try:
            data, status = read(place, MOST_BYTES)
        except Unreadable as error:
            return (_stamp(place, name),), CassetteError(self.shown(file), 1, 1, str(error))
        if data is None:
            return (_stamp_of(name, status),), CassetteError(self.shown(file), 1, 1, f"larger than {MOST_BYTES} bytes")
        stamps = {name: _stamp_of(name, status)}

        def fetch(sidecar: str, most: int) -> bytes | Sidecar:
            content, stamp = self._sidecar(folder, sidecar, most)
            stamps.setdefault(sidecar, stamp)
            if isinstance(content, Exception):
                raise content
            return content

        try:
            if is_cassette_name(name):
                cassette = load(self.shown(file), data, SidecarLoader(fetch, held))
            else:
                cassette = plain_mock(mock_path(file), data, self.shown(file))
        except CassetteError as error:
            return tuple(stamps.values()), error
        return tuple(stamps.values()), cassette

    def signature(self, file: str, sidecars: list[str]) -> Signature:
        """The signature of a cassette and these sidecars now."""
        folder, _, name = (self._root + file).rpartition("/")
        places = ((os.path.join(folder, part), part) for part in [name, *sidecars])  # noqa: PTH118 - see above
        return tuple(_stamp(place, part) for place, part in places)

    def check_is_inside(self, file: str) -> None:
        """OSError if a folder on the way to a file is a link that leads outside the cassette folder."""
        place = self._root
        for part in file.split("/")[:-1]:
            place += part
            if os.path.islink(place) and not self._is_inside(place):  # noqa: PTH114 - see above
                raise OSError(errno.ELOOP, f"{self.shown(part)} leads outside the cassette folder")
            place += "/"

    def _is_inside(self, place: str) -> bool:
        try:
            return Path(place).resolve().is_relative_to(self._folder.resolve())
        except (OSError, RuntimeError):
            return True  # a loop, which cannot be opened either

    def _sidecar(self, folder: str, name: str, most: int) -> tuple[bytes | Sidecar | Exception, FileStamp]:
        """The content of a sidecar, its place if it has more than `most` bytes, or the error; and its stamp."""
        path = os.path.join(self._root + folder, name)  # noqa: PTH118 - see above
        try:
            place = Path(path).resolve()
            if not place.is_relative_to(self._folder.resolve()):
                return ValueError("lies outside the cassette folder"), _stamp(path, name)
            data, status = read(str(place), most)
        except RuntimeError as error:  # a loop of links, before Python 3.13
            return ValueError(str(error)), _stamp(path, name)
        except (OSError, ValueError) as error:
            return error, _stamp(path, name)
        return Sidecar(str(place), status.st_size) if data is None else data, _stamp_of(name, status)


def summarize(file: str, cassette: Cassette, signature: Signature) -> CassetteSummary:
    """The summary of a cassette that was read or written."""
    plain = not is_cassette_name(file.rpartition("/")[2])
    return CassetteSummary(file, cassette.request, plain, cassette.is_handwritten, cassette.after_writes, signature)


def _stamp(place: str, name: str) -> FileStamp:
    try:
        return _stamp_of(name, os.stat(place))  # noqa: PTH116 - Path takes four times as long, for every file
    except (OSError, ValueError):
        return name, 0, -1, 0


def _stamp_of(name: str, status: os.stat_result) -> FileStamp:
    return name, status.st_mtime_ns, status.st_size, status.st_ino


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Also the characters that reverse the direction of text in a terminal.
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
