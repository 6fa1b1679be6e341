"""Cassettes in a folder: loaded, saved whole or not at all, and watched. No other room touches cassette files.

Whatever a file is like, it takes only itself out: what cannot be read is known as broken, with its place and reason.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from replaymock.cassettes.filenames import cassette_of, is_sidecar_name
from replaymock.cassettes.model import Cassette, RecordedResponse
from replaymock.cassettes.reader import ANY_SIZE, NONE, spelled
from replaymock.errors import CassetteError, UsageError
from replaymock.storage.atomic_write import FileBatch, make_fit_for_writing, remove_emptied, write_all
from replaymock.storage.loader import CassetteLoader, CassetteSummary, Signature, loaded
from replaymock.storage.watcher import Change, rest, watch, with_rests

GIT_ATTRIBUTES = "* text eol=lf\n*.body.* -text\n"


class Illegible(ValueError):
    """A cassette that could not be read again if it was written: why not, and what is left of it that could be."""

    def __init__(self, reasons: Sequence[str], rest: Cassette | None) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons
        self.rest = rest


class CassetteFolder:
    """The cassettes of one folder, or `only` these files of it."""

    def __init__(self, folder: Path, only: Iterable[str] | None = None) -> None:
        self.folder = folder
        self._only = only
        self._files = CassetteLoader(folder)
        self._saving: set[str] = set()
        self._known: dict[str, tuple[Signature, CassetteSummary | CassetteError]] = {}

    @property
    def loaded(self) -> list[CassetteSummary]:
        """Every cassette that could be read, by file name."""
        return [found for _, (_, found) in sorted(self._known.items()) if isinstance(found, CassetteSummary)]

    @property
    def broken(self) -> dict[str, CassetteError]:
        """The cassettes that could not be read, by file name."""
        return {file: found for file, (_, found) in list(self._known.items()) if isinstance(found, CassetteError)}

    def shown(self, file: str) -> str:
        """A file as messages name it."""
        return self._files.shown(file)

    def scan_gently(self) -> bool:
        """Scans in a thread beside requests, which have the interpreter for most of the time."""
        return self.scan(rest)

    def scan(self, rest: Callable[[], None] = lambda: None) -> bool:
        """Brings what is known in line with the folder; whether anything changed.

        What is being saved meanwhile is left to who saves it. `rest` is called between files, again and again.
        """
        present = set(with_rests(self._cassettes(), rest))
        absent = [file for file in list(self._known) if file not in present and file not in self._saving]
        gone = [file for file in absent if not (self.folder / file).is_file()]
        for file in gone:
            self._known.pop(file, None)
        changed = [file for file in with_rests(sorted(present - self._saving), rest) if self._refresh(file)]
        return bool(gone or changed)

    def unserved_files(self) -> list[str]:
        """The files that are not hidden and no part of what is known, by name."""
        sidecars = {
            os.path.normpath(os.path.join(os.path.dirname(file), name))  # noqa: PTH118, PTH120 - names, not places
            for file, (signature, found) in self._known.items()
            for name, *_ in signature[1:]
            if isinstance(found, CassetteSummary)
        }
        files = (file for file in self._every_file() if file not in self._known)
        return sorted(file for file in files if os.path.normpath(file) not in sidecars)

    def has(self, file: str) -> bool:
        """Whether there is such a file in the folder now."""
        return (self.folder / file).is_file()

    def has_news_of(self, file: str, served: CassetteSummary | None) -> bool:
        """Whether there is such a file now, and it is not as it was read, or was read and is not `served`."""
        known = self._known.get(file)
        if known and (not known[0] or self._is_the_same(file, known[0])):
            return isinstance(known[1], CassetteSummary) and known[1] is not served  # the watch was quicker
        return self.has(file)

    def save(self, file: str, cassette: Cassette) -> Signature:
        """`save_all` for one cassette. OSError if that fails."""
        (outcome,) = self.save_all([(file, cassette)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def save_all(self, cassettes: Sequence[tuple[str, Cassette]]) -> list[Signature | Exception]:
        """Writes cassettes and their sidecars, and removes sidecars they no longer have; what became of each.

        One that could not be read again is Illegible, and leaves what was there.

        Touches nothing but the disk, so that another thread can do it; `mark_saved` takes note of the outcome.
        """
        outcomes = self._save(cassettes)
        # Somebody removed the folder under us.
        again = [at for at, outcome in enumerate(outcomes) if isinstance(outcome, FileNotFoundError)]
        for at, outcome in zip(again, self._save([cassettes[at] for at in again]), strict=True):
            outcomes[at] = outcome
        return outcomes

    def begin_saving(self, file: str) -> None:
        """Leaves a file alone while scanning, until `end_saving`: it is being written."""
        self._saving.add(file)

    def end_saving(self, file: str) -> None:
        """Looks at a file again while scanning."""
        self._saving.discard(file)

    def mark_saved(self, file: str, cassette: Cassette, signature: Signature) -> CassetteSummary:
        """Takes note of a cassette that was saved, so that it is not read again."""
        summary = loaded(file, cassette, signature)
        self._known[file] = (signature, summary)
        return summary

    def cassette(self, known: CassetteSummary, held: int = ANY_SIZE) -> Cassette | None:
        """All of a cassette, sidecars of more than `held` bytes left in their files; None if it no longer is as known.

        A sidecar of any size is left where it is only if nothing in it has to be replaced.
        """
        try:
            signature, found = self._files.read(known.file, held)
        except (OSError, ValueError, RuntimeError):
            return None
        return found if isinstance(found, Cassette) and signature == known.signature else None

    def look_again(self, file: str) -> None:
        """Takes note of what a cassette's files are now, whatever they look like from outside."""
        if self.has(file):
            self._read(file, self._known.get(file))
        else:
            self._known.pop(file, None)

    def remove(self, file: str) -> None:
        """Removes a cassette and its sidecars, and the folders that are empty by that."""
        place = self.folder / file
        stem = place.name.removesuffix(".json")
        for name in [place.name, *(name for name in _sidecars(place.parent) if name.startswith(f"{stem}."))]:
            (place.parent / name).unlink(missing_ok=True)
        remove_emptied(place.parent, self.folder)
        self._known.pop(file, None)

    def make_folder(self) -> None:
        """Makes the folder, with `.gitattributes` when it is new. Or UsageError."""
        with self._writing_into():
            self._make_own_folder()

    def prepare_for_writing(self) -> None:
        """Makes the folder and clears what a crash left in it. Or UsageError."""
        self.make_folder()
        with self._writing_into():
            make_fit_for_writing(self.folder)

    @contextlib.contextmanager
    def _writing_into(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(
                f"cannot write into {self.folder}: {reason}; choose another folder by --cassettes"
            ) from error

    def watch(self) -> AsyncIterator[None]:
        """Yields whenever the folder no longer is what is known."""
        return watch(self.folder, self.scan_gently, self.heed)

    def heed(self, changes: Iterable[Change]) -> bool:
        """`scan`, unless these changes are all from here; whether anything changed."""
        return any(self._is_news(*change) for change in changes) and self.scan_gently()

    def _is_news(self, file: str, is_new: bool) -> bool:
        """Whether what has happened to a file or folder may be of another's doing, looking at no more than is there."""
        if file == "." or file.startswith("../"):
            return True
        if any(part.startswith(".") for part in file.split("/")):
            return False  # not served, and not seen by `scan`
        name = cassette_of(file)
        if name in self._saving:
            return False
        known = self._known.get(name)
        if known:
            sidecars = [sidecar for sidecar, *_ in known[0][1:]]
            belongs = name == file or file.rpartition("/")[2] in sidecars
            return not (belongs and self._is_the_same(name, known[0]))
        if not (is_new and (self.folder / file).is_dir()):
            return True
        try:
            return any(self._is_news(f"{file}/{entry.name}", is_new) for entry in os.scandir(self.folder / file))
        except OSError:  # gone again
            return True

    def _save(self, cassettes: Sequence[tuple[str, Cassette]]) -> list[Signature | Exception]:
        outcomes: list[Signature | Exception] = [()] * len(cassettes)
        writings: dict[int, FileBatch] = {}
        for at, (file, cassette) in enumerate(cassettes):
            try:
                self._files.check_is_inside(file)
                writings[at] = FileBatch(self._folder_of(file), _legible(cassette, file))
            except Exception as error:  # whatever it is, it takes out only this one
                outcomes[at] = error
        try:
            if writings:
                self._make_own_folder()
        except OSError as error:
            return [error] * len(cassettes)
        folders = {writing.folder for writing in writings.values()}
        # A new folder has nothing in it that would have to be removed.
        listed: dict[str, list[str]] = {folder: [] for folder in folders if not os.path.isdir(folder)}  # noqa: PTH112
        for (at, writing), fault in zip(writings.items(), write_all(list(writings.values())), strict=True):
            outcomes[at] = fault or self._tidied(cassettes[at][0], writing, listed)
        return outcomes

    def _tidied(self, file: str, writing: FileBatch, listed: dict[str, list[str]]) -> Signature | Exception:
        """Removes the sidecars a saved cassette no longer has; `listed` are those of each folder."""
        name = file.rpartition("/")[2]
        folder = writing.folder
        try:
            if folder not in listed:
                listed[folder] = _sidecars(Path(folder))
            for sidecar in listed[folder]:
                if sidecar.startswith(f"{name.removesuffix('.json')}.") and sidecar not in writing.files:
                    Path(folder, sidecar).unlink(missing_ok=True)
            return self._files.signature(file, [sidecar for sidecar in writing.files if sidecar != name])
        except OSError as error:
            return error

    def _folder_of(self, file: str) -> str:
        above = file.rpartition("/")[0]
        return f"{self.folder}/{above}" if above else str(self.folder)

    def _make_own_folder(self) -> None:
        if not self.folder.exists():
            (error,) = write_all([FileBatch(str(self.folder), {".gitattributes": GIT_ATTRIBUTES.encode()})])
            if error:
                raise error

    def _cassettes(self) -> Iterator[str]:
        for file in self._every_file():
            name = file.rpartition("/")[2]
            if name.endswith(".json") and not is_sidecar_name(name):
                yield file

    def _every_file(self) -> Iterator[str]:
        root = f"{self.folder}/"
        yield from self._only or ()
        folders = [""] if self._only is None else []
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(root + folder) as entries:
                    found = [entry for entry in entries if not entry.name.startswith(".")]
            except OSError:
                continue
            folders += [f"{folder}{entry.name}/" for entry in found if entry.is_dir(follow_symlinks=False)]
            yield from (folder + entry.name for entry in found if not _leads_to_folder(entry))

    def _refresh(self, file: str) -> bool:
        known = self._known.get(file)
        if known and self._is_the_same(file, known[0]):
            return False
        return self._read(file, known)

    def _is_the_same(self, file: str, signature: Signature) -> bool:
        try:
            return self._files.signature(file, [name for name, *_ in signature[1:]]) == signature
        except (OSError, ValueError, RuntimeError):
            return False

    def _read(self, file: str, known: tuple[Signature, CassetteSummary | CassetteError] | None) -> bool:
        try:
            signature, read = self._files.read(file, NONE)
            found: CassetteSummary | CassetteError = (
                loaded(file, read, signature) if isinstance(read, Cassette) else read
            )
        except Exception as error:  # whatever it is, it takes out only this one
            if isinstance(error, FileNotFoundError) and not os.path.lexists(self.folder / file):
                # It went after the folder was listed: that is no fault of a file.
                return self._known.pop(file, None) is not None
            known_kind = isinstance(error, (OSError, ValueError, RuntimeError))
            reason = getattr(error, "strerror", None) or (
                str(error) if known_kind else f"{type(error).__name__}: {error}"
            )
            signature, found = (), CassetteError(self.shown(file), 1, 1, f"cannot be read: {reason}")
        if known and isinstance(found, CassetteError) and str(known[1]) == str(found):
            self._known[file] = (signature, known[1])
            return False
        self._known[file] = (signature, found)
        return True


def _legible(cassette: Cassette, file: str) -> dict[str, bytes]:
    try:
        return spelled(cassette, file)
    except Exception as error:  # whatever it is, it takes out no more than it has to
        raise _illegible(cassette, file, error) from error


def _illegible(cassette: Cassette, file: str, error: Exception) -> Illegible:
    """What is wrong with a cassette, response by response, as one of them may be fine without the others."""
    kept: list[RecordedResponse] = []
    reasons: list[str] = []
    for recorded in cassette.responses:
        try:
            spelled(Cassette(cassette.request, (recorded,)), file)
            kept.append(recorded if kept else replace(recorded, after=""))
        except Exception as alone:
            reasons.append(_reason(alone))
    rest = Cassette(cassette.request, tuple(kept)) if kept and reasons else None
    return Illegible(reasons or [_reason(error)], rest)


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, CassetteError) else f"{type(error).__name__}: {error}"


def no_folder(folder: str) -> str:
    """That a folder is not there, and where it was looked for."""
    if os.path.lexists(folder):
        return f"{folder} is no folder"
    return f"there is no folder {folder}" + ("" if Path(folder).is_absolute() else f" in {Path.cwd()}")


def _leads_to_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a folder or a link to one, which is not followed: it could lead round in circles."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _sidecars(folder: Path) -> list[str]:
    """The files of a folder that are sidecars by their name."""
    return [entry.name for entry in os.scandir(folder) if is_sidecar_name(entry.name)] if folder.is_dir() else []
