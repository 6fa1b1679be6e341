"""Late redaction: what became known to be a secret after it was written is hidden where it stands.

While recording, the folder is looked through in a thread of its own, now and then, for all that became known since; at
the end of a run once more. A cassette whose name told a secret is renamed: the old file goes once the new one is there.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.cassettes.writer import dump
from replaymock.http import bodies, event_stream
from replaymock.http.headers import Headers, media_type
from replaymock.http.problem import fault
from replaymock.http.selectors import Selector
from replaymock.http.uri import Pairs, normal_path
from replaymock.http.websocket_messages import BINARY, CLOSE, Message, as_reason
from replaymock.matching.index import IndexEntry
from replaymock.matching.matcher import Matcher, key_of
from replaymock.recording.cassette_builder import BuiltCassette, StoredCassettes, file_for
from replaymock.recording.causality import hide_names
from replaymock.recording.merge import gathered, says_all
from replaymock.recording.pipeline import RecordingPipeline
from replaymock.recording.run import RecordingRun
from replaymock.redaction.known_secrets import LONGEST, KnownSecrets
from replaymock.redaction.redactor import normalize_placeholders
from replaymock.replay.sessions import Sessions
from replaymock.storage.folder import CassetteFolder
from replaymock.storage.library import CassetteLibrary
from replaymock.storage.loader import CassetteSummary
from replaymock.storage.watcher import rest, with_rests
from replaymock.telemetry.events import Emit, Hidden, Warned
from replaymock.telemetry.journal import Journal

PAUSE_SECONDS = 0.5
"""How long the folder is left alone at least."""


class LateRedactor:
    """Some secrets, each with its placeholder."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._known = KnownSecrets(secrets, most=len(secrets))

    def may_be_in(self, data: bytes) -> bool:
        """Whether some of a file may hold one of them. Quick, however many they are."""
        return self._known.may_be_in(data)

    def hide(self, text: str) -> str:
        """Text without them."""
        return self._known.hide(text)

    def cassette(self, cassette: Cassette) -> Cassette:
        """A cassette without them; equal if it holds none."""
        path = cassette.request.path
        responses = tuple(self._recorded(recorded, path) for recorded in cassette.responses)
        return Cassette(self._request(cassette.request), responses)

    def _request(self, request: CassetteRequest) -> CassetteRequest:
        query = None if request.query is None else self._pairs(request.query)
        body = None if request.body is None else self._body(request.body)
        return CassetteRequest(request.method, self.hide(request.path), query, self._headers(request.headers), body)

    def _body(self, body: bodies.Body) -> bodies.Body:
        match body:
            case bodies.Json(value, layout):
                return bodies.Json(self._known.body(value, "application/json"), layout)
            case bodies.Text(text):
                return bodies.Text(self.hide(text))
            case bodies.Form(fields):
                return bodies.Form(self._pairs(fields))
            case bodies.Multipart(parts):
                return bodies.Multipart(tuple(map(self._part, parts)))
        return body

    def _part(self, part: bodies.Part) -> bodies.Part:
        """A part; of a file that holds one of them a digest, as it is compared by its bytes."""
        body = self._body(part.body)
        if body != part.body and part.filename is not None and not isinstance(part.body, bodies.Digest):
            data = bodies.decode(part.body, part.content_type or "text/plain")
            body = bodies.Digest(bodies.digest(data), len(data))
        # Names take part in the key as they are, so their placeholders have no ordinals.
        headers = tuple((name, self._nameless(value)) for name, value in part.headers)
        return replace(part, headers=headers, body=body)  # type: ignore[arg-type]

    def _nameless(self, text: str) -> str:
        found = self.hide(text)
        return text if found == text else normalize_placeholders(found)

    def _recorded(self, recorded: RecordedResponse, path: str) -> RecordedResponse:
        media = media_type(recorded.headers)
        body = self._known.body(recorded.body, media, path)
        return replace(
            recorded,
            reason=self._nameless(recorded.reason),
            headers=self._headers(recorded.headers),
            body=body,
            after=self.hide(recorded.after),
            pauses=recorded.pauses if body == recorded.body else _moved(recorded, media, body),
            messages=tuple(map(self._message, recorded.messages)),
        )

    def _message(self, message: Message) -> Message:
        if message.kind == BINARY:
            return message
        data = self._known.body(message.data, "text/plain")
        return replace(message, data=as_reason(data) if message.kind == CLOSE else data)

    def _pairs(self, pairs: Pairs) -> Pairs:
        return tuple((self.hide(name), value and self.hide(value)) for name, value in pairs)

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self.hide(value)) for name, value in headers)


def _moved(recorded: RecordedResponse, media: str, body: bytes) -> event_stream.Pauses:
    """The pauses of a response where they are in its new body."""
    if event_stream.is_stream(media):
        return event_stream.transfer_pauses(media, recorded.body, body, recorded.pauses)
    return tuple((min(at, len(body)), milliseconds) for at, milliseconds in recorded.pauses)


class LateRedactionSweep:
    """Looks back on what one run has written, and on what was there before."""

    def __init__(
        self,
        folder: CassetteFolder,
        library: CassetteLibrary,
        sessions: Sessions,
        journal: Journal,
        run: RecordingRun,
        matcher: Matcher,
        pipeline: RecordingPipeline,
        emit: Emit,
    ) -> None:
        self._folder = folder
        self._library = library
        self._sessions = sessions
        self._journal = journal
        self._run = run
        self._matcher = matcher
        self._pipeline = pipeline
        self._emit = emit
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
        self._unseen |= self._run.placeholders.known.news()
        if not self._unseen:
            return
        unseen, redactor = self._unseen, LateRedactor(self._unseen)
        hide = cache(redactor.hide)
        self._run.hide_writes(hide, cache(lambda path: normal_path(hide(path))))
        for _, session in self._sessions.all():
            hide_names(session.writes, hide)
        folder = self._folder
        suspects = await asyncio.to_thread(
            _suspects, folder.folder, folder.loaded, dict(self._library.pending), redactor
        )
        hidden = []
        for file in suspects:
            hidden.append(self._tried(file, redactor))
            await asyncio.sleep(0)
        self._journal.hide(hide, self._library.renames)
        self._unseen = {secret: by for secret, by in self._unseen.items() if secret not in unseen}
        self._tell(sorted(filter(None, hidden)))

    def _tried(self, file: str, redactor: LateRedactor) -> str:
        try:
            return self._hide(file, redactor)
        except Exception as error:  # whatever it is, it takes out only this one
            self._warn(f"a cassette cannot be written anew, though it may hold a secret: {fault(error)}")
            return ""

    def _hide(self, file: str, redactor: LateRedactor) -> str:
        """Hides what is known by now in one cassette; its name then, empty where there was nothing to hide."""
        library = self._library
        entry = library.index.entries.get(file)
        if entry and not library.cassette(entry).responses:
            library.look_again(file)
            entry = library.index.entries.get(file)
        taken = redacted(entry, redactor, library, self._run, self._matcher) if entry else None
        if entry is None or taken is None:
            return ""
        if entry.plain or entry.by_hand:
            shown = redactor.hide(self._folder.shown(file))
            self._warn(f"{shown}: holds a secret of this recording; it was written by hand, change it")
            return ""
        if taken.file != file:
            library.rename(file, taken.file)
            self._renamed(file, taken.file)
        self._run.redacted.add(taken.file)
        self._pipeline.put(taken)
        return taken.file

    def _renamed(self, old: str, new: str) -> None:
        self._run.renamed(old, new)
        for _, session in self._sessions.all():
            if old in session.positions:
                session.positions.setdefault(new, session.positions.pop(old))

    def _tell(self, hidden: list[str]) -> None:
        if hidden:
            self._emit(Hidden(tuple(hidden)))

    def _warn(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self._emit(Warned(message))


def redacted(
    entry: IndexEntry, redactor: LateRedactor, cassettes: StoredCassettes, run: RecordingRun, matcher: Matcher
) -> BuiltCassette | None:
    """The cassette of an entry without what became known to be secret; None if it holds nothing of that.

    It goes by another name where its request is another by then, and is merged with what is stored under that.
    """
    before = cassettes.cassette(entry)
    cassette = redactor.cassette(before)
    if cassette == before:
        return None
    canonical = matcher.canonical(cassette.request.to_request(), cassette.request.known_body())
    if key_of(canonical) == key_of(entry.canonical):
        return BuiltCassette(entry.file, cassette, changed=True)
    file = file_for(canonical, cassettes.index)
    volatile = matcher.volatile(cassette.request.to_request())
    other = cassettes.index.entries.get(file)
    if other is None:
        return BuiltCassette(file, as_removed(run.removed(file), cassette, volatile), changed=True)
    stored = cassettes.cassette(other).responses
    if len(stored) != len(other.afters):
        raise ValueError(f"{file} is no longer what it was")
    responses = gathered(stored, cassette.responses, volatile)
    return BuiltCassette(file, Cassette(other.request, responses), changed=responses != stored)


def as_removed(removed: Cassette | None, cassette: Cassette, volatile: Sequence[Selector]) -> Cassette:
    """A cassette with all that it says as the one that was removed before this run said it."""
    if removed is None:
        return cassette
    before = dict(enumerate(removed.responses))
    pairs = ((before.get(at), one) for at, one in enumerate(cassette.responses))
    kept = (old if old and old.after == one.after and says_all(old, one, volatile) else one for old, one in pairs)
    return Cassette(removed.request, tuple(kept))


def _suspects(
    folder: Path, on_disk: list[CassetteSummary], saving: dict[str, Cassette], redactor: LateRedactor
) -> list[str]:
    """The cassettes that may hold a secret, on the disk or on their way there; for a thread beside requests."""
    waiting = {
        file for file, cassette in with_rests(saving.items(), rest) if _any_in(dump(cassette, file).values(), redactor)
    }
    written = {loaded.file for loaded in with_rests(on_disk, rest) if _any_in(_pieces(folder, loaded), redactor)}
    return sorted(waiting | written)


def _any_in(pieces: Iterable[bytes], redactor: LateRedactor) -> bool:
    return any(redactor.may_be_in(piece) for piece in pieces)


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
_PIECE = 128 * 1024
# A word of a secret is not cut in all pieces.
_OVERLAP = LONGEST + 1024
