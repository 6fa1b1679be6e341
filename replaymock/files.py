"""The files of a folder as cassettes: each read with its sidecars, and with what tells later if it is still the same.

Files are named relative to the folder, with `/`. Places are strings here: `Path` takes several times as long, and this
is done for every file there is before the first answer.
"""

import os
import re
from pathlib import Path

from msgspec import Struct

from replaymock.cassette import Cassette
from replaymock.disk import Unreadable, read
from replaymock.errors import CassetteError
from replaymock.naming import is_cassette_name, mock_path
from replaymock.reading import load, plain_mock

MOST_BYTES = 64 * 1024 * 1024


class Loaded(Struct, frozen=True):
    """A cassette as it was read from `file` (relative to the folder, with `/`)."""

    file: str
    cassette: Cassette
    plain: bool


Stamp = tuple[str, int, int, int]
"""Name, change time in nanoseconds, size and inode of a file."""

Signature = tuple[Stamp, ...]
"""The stamps of a cassette and of the sidecars it was read with."""


class Files:
    """Reads the files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = f"{os.fspath(folder)}/"
        self._shown_root = (folder / "x").as_posix()[:-1]

    def shown(self, file: str) -> str:
        """A file as messages name it: with its folder, and with nothing in it that would break a line or a stream."""
        return _UNSHOWN.sub(_escaped, self._shown_root + file)

    def read(self, file: str) -> tuple[Signature, Loaded | CassetteError]:
        """A cassette, or what is wrong with it, and what its files were like then. OSError if it cannot be opened."""
        place = self._root + file
        folder, _, name = file.rpartition("/")
        if _SURROGATE.search(file):
            return (_stamp(place, name),), CassetteError(self.shown(file), 1, 1, "its name is not UTF-8")
        try:
            data, status = read(place, MOST_BYTES)
        except Unreadable as error:
            return (_stamp(place, name),), CassetteError(self.shown(file), 1, 1, str(error))
        signature = [_stamp_of(name, status)]

        def read_sidecar(sidecar: str) -> bytes:
            found, stamp = self._sidecar(folder, sidecar)
            signature.append(stamp)
            if isinstance(found, Exception):
                raise found
            return found

        try:
            if is_cassette_name(name):
                found = Loaded(file, load(self.shown(file), data, read_sidecar), plain=False)
            else:
                found = Loaded(file, plain_mock(mock_path(file), data, self.shown(file)), plain=True)
        except CassetteError as error:
            return tuple(signature), error
        return tuple(signature), found

    def signature(self, file: str, sidecars: list[str]) -> Signature:
        """What a cassette and these sidecars are like now."""
        folder, _, name = (self._root + file).rpartition("/")
        places = ((os.path.join(folder, found), found) for found in [name, *sidecars])  # noqa: PTH118 - see above
        return tuple(_stamp(place, found) for place, found in places)

    def _sidecar(self, folder: str, name: str) -> tuple[bytes | Exception, Stamp]:
        """What a sidecar holds, or why it is not read; and what it was like then."""
        path = os.path.join(self._root + folder, name)  # noqa: PTH118 - see above
        try:
            place = Path(path).resolve()
            if not place.is_relative_to(self._folder.resolve()):
                return ValueError("lies outside the cassette folder"), _stamp(path, name)
            data, status = read(str(place), MOST_BYTES)
        except RuntimeError as error:  # a loop of links, before Python 3.13
            return ValueError(str(error)), _stamp(path, name)
        except (OSError, ValueError) as error:
            return error, _stamp(path, name)
        return data, _stamp_of(name, status)


def _stamp(place: str, name: str) -> Stamp:
    try:
        return _stamp_of(name, os.stat(place))  # noqa: PTH116 - Path takes four times as long, for every file
    except (OSError, ValueError):
        return name, 0, -1, 0


def _stamp_of(name: str, status: os.stat_result) -> Stamp:
    return name, status.st_mtime_ns, status.st_size, status.st_ino


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


_SURROGATE = re.compile(r"[\ud800-\udfff]")
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
