"""Late redaction: hides secrets that became known after they had been written to the folder.

A sweep looks through the cassettes in a thread, now and then while recording, and once more at the end of a run. A
cassette whose name holds such a secret is renamed; the old file is removed once the new one is written.
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
from replaymock.http.websocket_messages import BINARY, CLOSE, Message, truncate_reason
from replaymock.matching.index import IndexEntry
from replaymock.matching.matcher import Matcher, key_of
from replaymock.recording.cassette_builder import BuiltCassette, StoredCassettes, file_for
from replaymock.recording.causality import hide_names
from replaymock.recording.merge import is_full_match, with_missing
from replaymock.recording.pipeline import RecordingPipeline
from replaymock.recording.run import RecordingRun
from replaymock.redaction.known_secrets import LONGEST, KnownSecrets
from replaymock.redaction.redactor import normalize_placeholders
from replaymock.replay.sessions import Sessions
from replaymock.storage.folder import CassetteFolder
from replaymock.storage.library import CassetteLibrary
from replaymock.storage.loader import CassetteSummary
from replaymock.storage.watcher import rest, yielding_gil
from replaymock.telemetry.events import Emit, Hidden, Warned
from replaymock.telemetry.journal import Journal

PAUSE_SECONDS = 0.5
"""The shortest time between two sweeps."""


class LateRedactor:
    """Replaces some secrets by their placeholders."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = KnownSecrets(secrets, most=len(secrets))

    def may_be_in(self, data: bytes) -> bool:
        """Whether a piece of a file may hold one of the secrets. Quick, however many they are."""
        return self._secrets.may_be_in(data)

    def hide(self, text: str) -> str:
        """The text without the secrets."""
        return self._secrets.hide(text)

    def cassette(self, cassette: Cassette) -> Cassette:
        """The cassette without the secrets; equal to the given one if it holds none."""
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
                return bodies.Json(self._secrets.body(value, "application/json"), layout)
            case bodies.Text(text):
                return bodies.Text(self.hide(text))
            case bodies.Form(fields):
                return bodies.Form(self._pairs(fields))
            case bodies.Multipart(parts):
                return bodies.Multipart(tuple(map(self._part, parts)))
        return body

    def _part(self, part: bodies.Part) -> bodies.Part:
        """The part; a file that holds a secret becomes a digest, since files are compared by their bytes."""
        body = self._body(part.body)
        if body != part.body and part.filename is not None and not isinstance(part.body, bodies.Digest):
            data = bodies.decode(part.body, part.content_type or "text/plain")
            body = bodies.Digest(bodies.digest(data), len(data))
        # These headers take part in the key as they are, so their placeholders have no ordinals.
        headers = tuple((name, self._nameless(value)) for name, value in part.headers)
        return replace(part, headers=headers, body=body)  # type: ignore[arg-type]

    def _nameless(self, text: str) -> str:
        hidden = self.hide(text)
        return text if hidden == text else normalize_placeholders(hidden)

    def _recorded(self, recorded: RecordedResponse, path: str) -> RecordedResponse:
        media = media_type(recorded.headers)
        body = self._secrets.body(recorded.body, media, path)
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
        data = self._secrets.body(message.data, "text/plain")
        return replace(message, data=truncate_reason(data) if message.kind == CLOSE else data)

    def _pairs(self, pairs: Pairs) -> Pairs:
        return tuple((self.hide(name), value and self.hide(value)) for name, value in pairs)

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self.hide(value)) for name, value in headers)


def _moved(recorded: RecordedResponse, media: str, body: bytes) -> event_stream.Pauses:
    """The pauses of a response at their places in its new body."""
    if event_stream.is_stream(media):
        return event_stream.transfer_pauses(media, recorded.body, body, recorded.pauses)
    return tuple((min(at, len(body)), milliseconds) for at, milliseconds in recorded.pauses)


class LateRedactionSweep:
    """Hides late secrets in all cassettes of the folder, whether this run wrote them or they were there before."""

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
        self._warned: set[str] = set()

    async def watch(self) -> None:
        """Sweeps again and again until cancelled, and spends at most a twentieth of the time on it."""
        pause = PAUSE_SECONDS
        while True:
            await self._rest(pause)
            started = time.monotonic()
            await self.sweep()
            pause = max(PAUSE_SECONDS, _TIMES_AS_LONG * (time.monotonic() - started))

    async def _rest(self, seconds: float) -> None:
        """Waits, and removes the old files of renamed cassettes as soon as their new ones are written."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _TIDY_SECONDS) if self._library.renames else left)
            self._library.remove_renamed()

    async def sweep(self) -> None:
        """Hides the secrets that became known since the last sweep, wherever they were written."""
        try:
            await self._sweep()
        except Exception as error:  # the run goes on, and the next sweep looks for the same secrets
            self._warn(f"what was written is not looked through for what is known to be secret by now: {fault(error)}")

    async def _sweep(self) -> None:
        self._unseen |= self._run.placeholders.secrets.take_new()
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
            hidden.append(self._hide_or_warn(file, redactor))
            await asyncio.sleep(0)
        self._journal.hide(hide, self._library.renames)
        self._unseen = {secret: by for secret, by in self._unseen.items() if secret not in unseen}
        self._report(sorted(filter(None, hidden)))

    def _hide_or_warn(self, file: str, redactor: LateRedactor) -> str:
        try:
            return self._hide(file, redactor)
        except Exception as error:  # whatever it is, the other cassettes are still looked through
            self._warn(f"a cassette cannot be written anew, though it may hold a secret: {fault(error)}")
            return ""

    def _hide(self, file: str, redactor: LateRedactor) -> str:
        """Hides the secrets in one cassette. Its new file name, or empty if there was nothing to hide."""
        library = self._library
        entry = library.index.entries.get(file)
        if entry and not library.cassette(entry).responses:
            library.look_again(file)
            entry = library.index.entries.get(file)
        built = redacted(entry, redactor, library, self._run, self._matcher) if entry else None
        if entry is None or built is None:
            return ""
        if entry.is_plain or entry.is_handwritten:
            shown = redactor.hide(self._folder.shown(file))
            self._warn(f"{shown}: holds a secret of this recording; it was written by hand, change it")
            return ""
        if built.file != file:
            library.rename(file, built.file)
            self._renamed(file, built.file)
        self._run.redacted.add(built.file)
        self._pipeline.put(built)
        return built.file

    def _renamed(self, old: str, new: str) -> None:
        self._run.renamed(old, new)
        for _, session in self._sessions.all():
            if old in session.positions:
                session.positions.setdefault(new, session.positions.pop(old))

    def _report(self, hidden: list[str]) -> None:
        if hidden:
            self._emit(Hidden(tuple(hidden)))

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._emit(Warned(message))


def redacted(
    entry: IndexEntry, redactor: LateRedactor, cassettes: StoredCassettes, run: RecordingRun, matcher: Matcher
) -> BuiltCassette | None:
    """The cassette of an entry without the secrets; None if it holds none of them.

    If its request changes so that it has another key, it gets another file name, and is merged with the cassette that
    is stored there.
    """
    before = cassettes.cassette(entry)
    cassette = redactor.cassette(before)
    if cassette == before:
        return None
    canonical = matcher.canonical(cassette.request.to_request(), cassette.request.known_body())
    if key_of(canonical) == key_of(entry.canonical):
        return BuiltCassette(entry.file, cassette, is_changed=True)
    file = file_for(canonical, cassettes.index)
    volatile = matcher.volatile(cassette.request.to_request())
    other = cassettes.index.entries.get(file)
    if other is None:
        return BuiltCassette(file, reuse_removed(run.removed(file), cassette, volatile), is_changed=True)
    stored = cassettes.cassette(other).responses
    if len(stored) != len(other.after_writes):
        raise ValueError(f"{file} is no longer what it was")
    responses = with_missing(stored, cassette.responses, volatile)
    return BuiltCassette(file, Cassette(other.request, responses), is_changed=responses != stored)


def reuse_removed(removed: Cassette | None, cassette: Cassette, volatile: Sequence[Selector]) -> Cassette:
    """The cassette, but with the request and the equal responses of the one that was removed before this run."""
    if removed is None:
        return cassette
    before = dict(enumerate(removed.responses))
    pairs = ((before.get(at), new) for at, new in enumerate(cassette.responses))
    reused = (
        old if old and old.after == new.after and is_full_match(old, new, volatile) else new for old, new in pairs
    )
    return Cassette(removed.request, tuple(reused))


def _suspects(
    folder: Path, on_disk: list[CassetteSummary], saving: dict[str, Cassette], redactor: LateRedactor
) -> list[str]:
    """The cassettes that may hold a secret, on disk or waiting to be written. Runs in a thread, beside requests."""
    waiting = {
        file
        for file, cassette in yielding_gil(saving.items(), rest)
        if _any_in(dump(cassette, file).values(), redactor)
    }
    written = {summary.file for summary in yielding_gil(on_disk, rest) if _any_in(_pieces(folder, summary), redactor)}
    return sorted(waiting | written)


def _any_in(pieces: Iterable[bytes], redactor: LateRedactor) -> bool:
    return any(redactor.may_be_in(piece) for piece in pieces)


def _pieces(folder: Path, summary: CassetteSummary) -> Iterator[bytes]:
    """The content of a cassette's files, in pieces that overlap; a missing file is left out."""
    place = folder / summary.file
    for name, *_ in summary.signature:
        try:
            with (place.parent / name).open("rb", buffering=0) as file:
                overlap = b""
                while data := file.read(_PIECE):
                    yield overlap + data
                    overlap = data[-_OVERLAP:]
        except OSError:
            continue


_TIMES_AS_LONG = 20
_TIDY_SECONDS = 0.05
_PIECE = 128 * 1024
# So long that every secret is whole in one of the pieces.
_OVERLAP = LONGEST + 1024
