"""Looking back while recording: what became known to be a secret after it was written is hidden where it stands.

The folder is looked through in a thread of its own, now and then, for all that became known since; at the end of a run
once more. A cassette whose name told a secret goes by another, and is removed once that one is on the disk.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from replaymock.cassettes.model import Cassette
from replaymock.cassettes.writer import dump
from replaymock.http.problem import fault
from replaymock.recording.cassette_builder import CassetteBuilder
from replaymock.recording.causality import hide_names
from replaymock.recording.hindsight import LateRedactor
from replaymock.recording.pipeline import RecordingPipeline
from replaymock.redaction.known_secrets import LONGEST
from replaymock.replay.sessions import Sessions
from replaymock.storage.folder import CassetteFolder
from replaymock.storage.library import CassetteLibrary
from replaymock.storage.loader import CassetteSummary
from replaymock.storage.watcher import rest, with_rests
from replaymock.telemetry.console import counted
from replaymock.telemetry.journal import Journal, Report

PAUSE_SECONDS = 0.5
"""How long the folder is left alone at least."""


class LateRedactionSweep:
    """Looks back on what one run has written, and on what was there before."""

    def __init__(
        self,
        folder: CassetteFolder,
        library: CassetteLibrary,
        sessions: Sessions,
        journal: Journal,
        recording: CassetteBuilder,
        pipeline: RecordingPipeline,
        report: Report,
    ) -> None:
        self._folder = folder
        self._library = library
        self._sessions = sessions
        self._journal = journal
        self._recording = recording
        self._pipeline = pipeline
        self._report = report
        self._unseen: dict[str, str] = {}
        self._told: set[str] = set()

    async def watch(self) -> None:
        """Looks back again and again, for ever, and takes no more than a twentieth of the time for it."""
        pause = PAUSE_SECONDS
        while True:
            await self._rest(pause)
            started = time.monotonic()
            await self.look()
            pause = max(PAUSE_SECONDS, _TIMES_AS_LONG * (time.monotonic() - started))

    async def _rest(self, seconds: float) -> None:
        """Waits, and meanwhile tidies up as soon as there is something to."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _TIDY_SECONDS) if self._library.renames else left)
            self._library.remove_renamed()

    async def look(self) -> None:
        """Hides what became known to be secret since, wherever it was written."""
        try:
            await self._look()
        except Exception as error:  # the run goes on, and what is unseen is looked for the next time
            self._warn(f"what was written is not looked through for what is known to be secret by now: {fault(error)}")

    async def _look(self) -> None:
        self._unseen |= self._recording.numbering.known.news()
        if not self._unseen:
            return
        unseen, hindsight = self._unseen, LateRedactor(self._unseen)
        self._recording.heed(hindsight)
        hide = cache(hindsight.hide)
        for _, session in self._sessions.all():
            hide_names(session.writes, hide)
        folder = self._folder
        suspects = await asyncio.to_thread(
            _suspects, folder.folder, folder.loaded, dict(self._library.pending), hindsight
        )
        hidden = []
        for file in suspects:
            hidden.append(self._tried(file, hindsight))
            await asyncio.sleep(0)
        self._journal.hide(hide, self._library.renames)
        self._unseen = {secret: by for secret, by in self._unseen.items() if secret not in unseen}
        self._tell(sorted(filter(None, hidden)))

    def _tried(self, file: str, hindsight: LateRedactor) -> str:
        try:
            return self._hide(file, hindsight)
        except Exception as error:  # whatever it is, it takes out only this one
            self._warn(f"a cassette cannot be written anew, though it may hold a secret: {fault(error)}")
            return ""

    def _hide(self, file: str, hindsight: LateRedactor) -> str:
        """Hides what is known by now in one cassette; its name then, empty where there was nothing to hide."""
        library = self._library
        entry = library.index.entries.get(file)
        if entry and not library.cassette(entry).responses:
            library.look_again(file)
            entry = library.index.entries.get(file)
        taken = self._recording.without(entry, hindsight, library) if entry else None
        if entry is None or taken is None:
            return ""
        if entry.plain or entry.by_hand:
            shown = hindsight.hide(self._folder.shown(file))
            self._warn(f"{shown}: holds a secret of this recording; it was written by hand, change it")
            return ""
        if taken.file != file:
            library.rename(file, taken.file)
            self._renamed(file, taken.file)
        self._recording.redacted.add(taken.file)
        self._pipeline.put(taken)
        return taken.file

    def _renamed(self, old: str, new: str) -> None:
        self._recording.renamed(old, new)
        for _, session in self._sessions.all():
            if old in session.positions:
                session.positions.setdefault(new, session.positions.pop(old))

    def _tell(self, hidden: list[str]) -> None:
        if hidden:
            named = ", ".join(hidden[:_NAMED]) + (" …" if len(hidden) > _NAMED else "")
            text = f"hidden in {counted(len(hidden))} what only now is known to be secret: {named}"
            self._report("hidden", {"files": hidden, "text": text})

    def _warn(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self._report("warning", {"message": message})


def _suspects(
    folder: Path, on_disk: list[CassetteSummary], saving: dict[str, Cassette], hindsight: LateRedactor
) -> list[str]:
    """The cassettes that may hold a secret, on the disk or on their way there; for a thread beside requests."""
    waiting = {
        file for file, cassette in with_rests(saving.items(), rest) if _any_in(dump(cassette, file).values(), hindsight)
    }
    written = {loaded.file for loaded in with_rests(on_disk, rest) if _any_in(_pieces(folder, loaded), hindsight)}
    return sorted(waiting | written)


def _any_in(pieces: Iterable[bytes], hindsight: LateRedactor) -> bool:
    return any(hindsight.may_be_in(piece) for piece in pieces)


def _pieces(folder: Path, loaded: CassetteSummary) -> Iterator[bytes]:
    """What the files of a cassette hold, in pieces that overlap; nothing of one that is gone."""
    place = folder / loaded.file
    for name, *_ in loaded.signature:
        try:
            with (place.parent / name).open("rb", buffering=0) as file:
                kept = b""
                while data := file.read(_PIECE):
                    yield kept + data
                    kept = data[-_OVERLAP:]
        except OSError:
            continue


_TIMES_AS_LONG = 20
_TIDY_SECONDS = 0.05
_NAMED = 5
_PIECE = 128 * 1024
# A word of a secret is not cut in all pieces.
_OVERLAP = LONGEST + 1024
