"""How exchanges come into cassettes: one after another, what is large searched for secrets in a thread first."""

from collections.abc import Callable

from replaymock.cassette import Cassette
from replaymock.exchange import Exchange, Request
from replaymock.index import Entry, Index, Serving, entry_for, held_entry
from replaymock.line import Line, Steps
from replaymock.recording import Recording, Taken
from replaymock.rewrites import Canonical
from replaymock.storing import NotKept

# Less is searched for secrets in the time it takes to hand it to a thread.
_LARGE = 64 * 1024

Save = Callable[[str, Cassette], None]
"""Has a cassette written to the disk, soon and in order."""

Warn = Callable[[Request, str], None]
"""Tells the user of a trouble with a request."""

Done = Callable[[str, str], None]
"""Learns what became of an exchange, and in which file."""


class Taking:
    """Takes exchanges, serves what is new, and has it saved."""

    def __init__(self, recording: Recording, serving: Serving, save: Save, warn: Warn) -> None:
        self._recording = recording
        self._serving = serving
        self._save = save
        self._warn = warn
        self._line = Line()

    def join(self, exchange: Exchange, canonical: Canonical, gap: str, index: Callable[[], Index], done: Done) -> None:
        """Has an exchange taken when all before it are; not if the file it is to fill, its `gap`, is there by then."""
        self._line.join(self._steps(exchange, canonical, gap, index, done))

    def settle(self) -> None:
        """Waits until everything is taken."""
        self._line.settle()

    def _steps(
        self, exchange: Exchange, canonical: Canonical, gap: str, index: Callable[[], Index], done: Done
    ) -> Steps:
        outcome, file = "forwarded", ""
        try:
            is_large = len(exchange.request.body) + len(exchange.response.body) > _LARGE
            work = self._recording.ahead(exchange, index(), canonical) if is_large else None
            ahead = (yield work) if work else None
            if not (gap and gap in index().entries):
                taken = self._recording.take(exchange, index(), canonical, ahead)
                self._look_at(taken, exchange.request)
                outcome, file = self.put(taken, index())
        except NotKept as error:
            self._warn(exchange.request, f"not saved, {error}")
        done(outcome, file)

    def _look_at(self, taken: Taken, request: Request) -> None:
        if taken.changed and any(recorded.encoded for recorded in taken.cassette.responses):
            self._warn(request, f"{taken.file} keeps its content coding, and was not searched for secrets")

    def put(self, taken: Taken, index: Index) -> tuple[str, str]:
        """Serves and saves what was taken, where it is news; what became of it, and in which file."""
        if not taken.changed:
            return "unchanged", taken.file
        entry = self._entry(taken, index)
        index.add(entry)
        self._recording.served(entry)
        self._save(taken.file, taken.cassette)
        return "recorded", taken.file

    def _entry(self, taken: Taken, index: Index) -> Entry:
        """The entry of a cassette; what it says of its request is brought to canonical form where it is not known."""
        known = index.entries.get(taken.file)
        if known and known.request is taken.cassette.request:
            return held_entry(taken.file, taken.cassette, known.canonical, self._serving)
        if taken.canonical:
            return held_entry(taken.file, taken.cassette, taken.canonical, self._serving)
        matcher = self._recording.matcher
        return entry_for(taken.file, taken.cassette, plain=False, matcher=matcher, serving=self._serving)
