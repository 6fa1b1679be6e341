"""The cassettes of a folder: read, saved completely or not at all, and watched.

A file that cannot be read is remembered as broken, with the reason; it never keeps another from being served.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from replaymock.cassettes.filenames import cassette_of, is_sidecar_name
from replaymock.cassettes.model import Cassette, RecordedResponse
from replaymock.cassettes.reader import ANY_SIZE, CHECK_ONLY, checked_dump
from replaymock.errors import CassetteError, UsageError
from replaymock.storage.atomic_write import FileBatch, make_fit_for_writing, remove_emptied, write_all
from replaymock.storage.loader import CassetteLoader, CassetteSummary, Signature, summarize
from replaymock.storage.watcher import Change, rest, watch, yielding_gil

GIT_ATTRIBUTES = "* text eol=lf\n*.body.* -text\n"


class Unwritable(ValueError):
    """A cassette that could not be read again if it was written: the reasons, and the `rest` of it that could."""

    def __init__(self, reasons: Sequence[str], rest: Cassette | None) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons
        self.rest = rest


FileState = tuple[Signature, CassetteSummary | CassetteError]
"""What a cassette's files were like when they were read, and what came of it."""


class CassetteFolder:
    """The cassettes of one folder, or `only` these files of it."""

    def __init__(self, folder: Path, only: Iterable[str] | None = None) -> None:
        self.folder = folder
        self._only = only
        self._files = CassetteLoader(folder)
        self._saving: set[str] = set()
        self._states: dict[str, FileState] = {}

    @property
    def loaded(self) -> list[CassetteSummary]:
        """Every cassette that could be read, by file name."""
        return [content for _, (_, content) in sorted(self._states.items()) if isinstance(content, CassetteSummary)]

    @property
    def broken(self) -> dict[str, CassetteError]:
        """The cassettes that could not be read, by file name."""
        return {
            file: content for file, (_, content) in list(self._states.items()) if isinstance(content, CassetteError)
        }

    def shown(self, file: str) -> str:
        """A file as messages name it."""
        return self._files.shown(file)

    def scan_gently(self) -> bool:
        """`scan` for a thread beside requests: it leaves the interpreter to them most of the time."""
        return self.scan(rest)

    def scan(self, rest: Callable[[], None] = lambda: None) -> bool:
        """Reads new and changed files and forgets removed ones. True if there were any.

        Files that are being saved are left out. `rest` is called after every few files.
        """
        present = set(yielding_gil(self._cassettes(), rest))
        absent = [file for file in list(self._states) if file not in present and file not in self._saving]
        removed = [file for file in absent if not (self.folder / file).is_file()]
        for file in removed:
            self._states.pop(file, None)
        changed = [file for file in yielding_gil(sorted(present - self._saving), rest) if self._refresh(file)]
        return bool(removed or changed)

    def unserved_files(self) -> list[str]:
        """The files that are neither hidden nor part of a cassette, by name."""
        sidecars = {
            os.path.normpath(os.path.join(os.path.dirname(file), name))  # noqa: PTH118, PTH120 - names, not places
            for file, (signature, content) in self._states.items()
            for name, *_ in signature[1:]
            if isinstance(content, CassetteSummary)
        }
        files = (file for file in self._every_file() if file not in self._states)
        return sorted(file for file in files if os.path.normpath(file) not in sidecars)

    def has(self, file: str) -> bool:
        """Whether there is such a file in the folder now."""
        return (self.folder / file).is_file()

    def has_news_of(self, file: str, served: CassetteSummary | None) -> bool:
        """Whether a file is new or was changed since it was read, or was read but is not what is `served`."""
        state = self._states.get(file)
        if state and (not state[0] or self._is_unchanged(file, state[0])):
            return isinstance(state[1], CassetteSummary) and state[1] is not served  # the watch was quicker
        return self.has(file)

    def save(self, file: str, cassette: Cassette) -> Signature:
        """`save_all` for one cassette. OSError if that fails."""
        (outcome,) = self.save_all([(file, cassette)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def save_all(self, cassettes: Sequence[tuple[str, Cassette]]) -> list[Signature | Exception]:
        """Writes cassettes and their sidecars, and removes sidecars they no longer have.

        Gives for each its signature or an error: Unwritable for one that could not be read again. After an error the
        old files are left. Only the disk is touched, so this may run in a thread; `mark_saved` records the outcome.
        """
        outcomes = self._save(cassettes)
        # The folder was removed in the meantime.
        failed = [at for at, outcome in enumerate(outcomes) if isinstance(outcome, FileNotFoundError)]
        for at, outcome in zip(failed, self._save([cassettes[at] for at in failed]), strict=True):
            outcomes[at] = outcome
        return outcomes

    def begin_saving(self, file: str) -> None:
        """Makes scans leave a file out until `end_saving`, because it is being written."""
        self._saving.add(file)

    def end_saving(self, file: str) -> None:
        """Makes scans look at a file again."""
        self._saving.discard(file)

    def mark_saved(self, file: str, cassette: Cassette, signature: Signature) -> CassetteSummary:
        """Records that a cassette was saved, so that it is not read again."""
        summary = summarize(file, cassette, signature)
        self._states[file] = (signature, summary)
        return summary

    def cassette(self, summary: CassetteSummary, held: int = ANY_SIZE) -> Cassette | None:
        """The whole cassette; None if its files have changed since the summary was made.

        Sidecars of more than `held` bytes are not read into memory, unless something in them has to be replaced.
        """
        try:
            signature, content = self._files.read(summary.file, held)
        except (OSError, ValueError, RuntimeError):
            return None
        return content if isinstance(content, Cassette) and signature == summary.signature else None

    def look_again(self, file: str) -> None:
        """Reads a cassette again, even if its signature is the same."""
        if self.has(file):
            self._read(file, self._states.get(file))
        else:
            self._states.pop(file, None)

    def remove(self, file: str) -> None:
        """Removes a cassette and its sidecars, and folders that become empty."""
        place = self.folder / file
        stem = place.name.removesuffix(".json")
        for name in [place.name, *(name for name in _sidecars(place.parent) if name.startswith(f"{stem}."))]:
            (place.parent / name).unlink(missing_ok=True)
        remove_emptied(place.parent, self.folder)
        self._states.pop(file, None)

    def make_folder(self) -> None:
        """Makes the folder; a new one gets a `.gitattributes`. UsageError if that fails."""
        with self._writing_into():
            self._make_own_folder()

    def prepare_for_writing(self) -> None:
        """Makes the folder and removes what a crash left in it. UsageError if that fails."""
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
        """Yields whenever the folder has changed, after reading what is new."""
        return watch(self.folder, self.scan_gently, self.on_changes)

    def on_changes(self, changes: Iterable[Change]) -> bool:
        """Scans, unless all these changes were made by this process. True if anything else changed."""
        return any(self._is_foreign(*change) for change in changes) and self.scan_gently()

    def _is_foreign(self, file: str, is_new: bool) -> bool:
        """Whether another process may have made this change, as far as file names and status tell."""
        if file == "." or file.startswith("../"):
            return True
        if any(part.startswith(".") for part in file.split("/")):
            return False  # not served, and not seen by `scan`
        name = cassette_of(file)
        if name in self._saving:
            return False
        state = self._states.get(name)
        if state:
            sidecars = [sidecar for sidecar, *_ in state[0][1:]]
            belongs = name == file or file.rpartition("/")[2] in sidecars
            return not (belongs and self._is_unchanged(name, state[0]))
        if not (is_new and (self.folder / file).is_dir()):
            return True
        try:
            with os.scandir(self.folder / file) as entries:
                return any(self._is_foreign(f"{file}/{entry.name}", is_new) for entry in entries)
        except OSError:  # gone again
            return True

    def _save(self, cassettes: Sequence[tuple[str, Cassette]]) -> list[Signature | Exception]:
        outcomes: list[Signature | Exception] = [()] * len(cassettes)
        batches: dict[int, FileBatch] = {}
        for at, (file, cassette) in enumerate(cassettes):
            try:
                self._files.check_is_inside(file)
                batches[at] = FileBatch(self._folder_of(file), _checked(cassette, file))
            except Exception as error:  # whatever it is, the other cassettes are still written
                outcomes[at] = error
        try:
            if batches:
                self._make_own_folder()
        except OSError as error:
            return [error] * len(cassettes)
        folders = {batch.folder for batch in batches.values()}
        # A new folder holds nothing that would have to be removed.
        listed: dict[str, list[str]] = {folder: [] for folder in folders if not os.path.isdir(folder)}  # noqa: PTH112
        for (at, batch), fault in zip(batches.items(), write_all(list(batches.values())), strict=True):
            outcomes[at] = fault or self._without_old_sidecars(cassettes[at][0], batch, listed)
        return outcomes

    def _without_old_sidecars(self, file: str, batch: FileBatch, listed: dict[str, list[str]]) -> Signature | Exception:
        """Removes the sidecars a saved cassette no longer has; its signature. `listed` caches those of each folder."""
        name = file.rpartition("/")[2]
        folder = batch.folder
        try:
            if folder not in listed:
                listed[folder] = _sidecars(Path(folder))
            for sidecar in listed[folder]:
                if sidecar.startswith(f"{name.removesuffix('.json')}.") and sidecar not in batch.files:
                    Path(folder, sidecar).unlink(missing_ok=True)
            return self._files.signature(file, [sidecar for sidecar in batch.files if sidecar != name])
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
                    visible = [entry for entry in entries if not entry.name.startswith(".")]
            except OSError:
                continue
            folders += [f"{folder}{entry.name}/" for entry in visible if entry.is_dir(follow_symlinks=False)]
            yield from (folder + entry.name for entry in visible if not _leads_to_folder(entry))

    def _refresh(self, file: str) -> bool:
        state = self._states.get(file)
        if state and self._is_unchanged(file, state[0]):
            return False
        return self._read(file, state)

    def _is_unchanged(self, file: str, signature: Signature) -> bool:
        try:
            return self._files.signature(file, [name for name, *_ in signature[1:]]) == signature
        except (OSError, ValueError, RuntimeError):
            return False

    def _read(self, file: str, before: FileState | None) -> bool:
        """Reads a cassette; True if it differs from its state `before`."""
        try:
            signature, read = self._files.read(file, CHECK_ONLY)
            content: CassetteSummary | CassetteError = (
                summarize(file, read, signature) if isinstance(read, Cassette) else read
            )
        except Exception as error:  # whatever it is, the other files are still read
            if isinstance(error, FileNotFoundError) and not os.path.lexists(self.folder / file):
                # It was removed after the folder was listed, so it is not broken.
                return self._states.pop(file, None) is not None
            is_expected = isinstance(error, (OSError, ValueError, RuntimeError))
            reason = getattr(error, "strerror", None) or (
                str(error) if is_expected else f"{type(error).__name__}: {error}"
            )
            signature, content = (), CassetteError(self.shown(file), 1, 1, f"cannot be read: {reason}")
        if before and isinstance(content, CassetteError) and str(before[1]) == str(content):
            self._states[file] = (signature, before[1])
            return False
        self._states[file] = (signature, content)
        return True


def _checked(cassette: Cassette, file: str) -> dict[str, bytes]:
    """The files of a cassette, by name. Unwritable if they could not be read again."""
    try:
        return checked_dump(cassette, file)
    except Exception as error:  # whatever it is, the responses that can be written still are
        raise _unwritable(cassette, file, error) from error


def _unwritable(cassette: Cassette, file: str, error: Exception) -> Unwritable:
    """What is wrong with a cassette, found by trying each response by itself."""
    valid: list[RecordedResponse] = []
    reasons: list[str] = []
    for recorded in cassette.responses:
        try:
            checked_dump(Cassette(cassette.request, (recorded,)), file)
            valid.append(recorded if valid else replace(recorded, after=""))
        except Exception as alone:
            reasons.append(_reason(alone))
    rest = Cassette(cassette.request, tuple(valid)) if valid and reasons else None
    return Unwritable(reasons or [_reason(error)], rest)


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, CassetteError) else f"{type(error).__name__}: {error}"


def no_folder(folder: str) -> str:
    """The message that a folder does not exist, and where it was looked for."""
    if os.path.lexists(folder):
        return f"{folder} is no folder"
    return f"there is no folder {folder}" + ("" if Path(folder).is_absolute() else f" in {Path.cwd()}")


def _leads_to_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a folder or a link to one. Such links are not followed, as they may form a circle."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _sidecars(folder: Path) -> list[str]:
    """The files of a folder that are sidecars by their name."""
    return [entry.name for entry in os.scandir(folder) if is_sidecar_name(entry.name)] if folder.is_dir() else []
