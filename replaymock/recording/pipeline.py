"""How exchanges come into cassettes: one after another, what is large searched for secrets in a thread first."""

from collections.abc import Callable, Container

from replaymock.cassettes.model import SOCKET, Cassette
from replaymock.http.messages import LARGE, Exchange, Request, is_large
from replaymock.http.problem import fault
from replaymock.http.websocket_messages import Message
from replaymock.matching.index import Entry, Index, Serving, entry_for, held_entry
from replaymock.recording.cassette_builder import Recording, Taken
from replaymock.recording.extent import is_open
from replaymock.recording.line import Line, Steps
from replaymock.recording.request_capture import Asked
from replaymock.recording.response_capture import NotKept

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

    def join(
        self,
        exchange: Exchange,
        asked: Asked | None,
        there: Container[str] | None,
        index: Callable[[], Index],
        done: Done,
    ) -> None:
        """Has an exchange taken when all before it are; `asked` is its request, if that was read.

        Where it is to fill a gap, `there` are the files there were when it was asked: not if it was filled by then.
        """
        self._line.join(self._steps(exchange, asked, there, index, done))

    def join_conversation(
        self,
        exchange: Exchange,
        messages: tuple[Message, ...],
        there: Container[str] | None,
        index: Callable[[], Index],
        done: Done,
    ) -> None:
        """Has what was said on a WebSocket taken, as an exchange."""
        self._line.join(self._conversation_steps(exchange, messages, there, index, done))

    def settle(self) -> None:
        """Waits until everything is taken."""
        self._line.settle()

    def _steps(
        self,
        exchange: Exchange,
        asked: Asked | None,
        there: Container[str] | None,
        index: Callable[[], Index],
        done: Done,
    ) -> Steps:
        outcome, file = "forwarded", ""
        try:
            if asked is None and is_large(exchange.request):
                asked = yield self._recording.reading(exchange.request)
            asked = asked or self._recording.read(exchange.request)
            if not self._is_filled(asked, there, index()):
                takes_long = is_large(exchange.request) or is_large(exchange.response)
                work = self._recording.ahead(exchange, index(), asked) if takes_long else None
                ahead = (yield work) if work else None
                taken = self._recording.take(exchange, index(), asked, ahead)
                self._look_at(taken, exchange.request)
                outcome, file = self.put(taken, index())
        except Exception as error:
            self._tell_unkept(exchange.request, error)
        done(outcome, file)

    def _conversation_steps(
        self,
        exchange: Exchange,
        messages: tuple[Message, ...],
        there: Container[str] | None,
        index: Callable[[], Index],
        done: Done,
    ) -> Steps:
        outcome, file = "forwarded", ""
        try:
            asked = self._recording.read(exchange.request, SOCKET)
            if not self._is_filled(asked, there, index()):
                takes_long = sum(len(message.data) for message in messages) > LARGE
                ahead = (yield self._recording.conversation_ahead(exchange, messages, asked)) if takes_long else None
                taken = self._recording.take_conversation(exchange, messages, index(), ahead)
                outcome, file = self.put(taken, index())
        except Exception as error:
            self._tell_unkept(exchange.request, error)
        done(outcome, file)

    def _tell_unkept(self, request: Request, error: Exception) -> None:
        """Tells why an exchange is not kept, be it a fault of this program: whoever asked was answered all the same."""
        self._warn(request, f"not saved, {error if isinstance(error, NotKept) else fault(error)}")

    def _is_filled(self, asked: Asked, there: Container[str] | None, index: Index) -> bool:
        """Whether there is no gap any more, nor one at the end of what was left there."""
        if there is None:
            return False
        entry = index.entries.get(self._recording.file_for(asked.canonical, index))
        if entry is None or entry.file in there:
            return False
        return not any(map(is_open, entry.cassette.responses))

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
