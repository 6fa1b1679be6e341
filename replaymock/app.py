"""Where everything is constructed and run; the only room that knows all the others."""

import asyncio
import contextlib
import gc
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from replaymock.config.settings import Settings
from replaymock.errors import UsageError
from replaymock.http.cors import CorsPolicy
from replaymock.matching.lookup import CassetteLookup
from replaymock.matching.matcher import Matcher
from replaymock.redaction.redactor import Redactor
from replaymock.replay.engine import RECORD_MODES, REPLAY, ReplayEngine
from replaymock.replay.overrides import ReplayOptions
from replaymock.replay.renderer import RenderOptions
from replaymock.replay.response_cache import ResponseCache
from replaymock.replay.time_shift import TimeShifter
from replaymock.server.access import HostGuard
from replaymock.server.fastpath.acceptor import FastPath
from replaymock.server.http_server import HttpServer
from replaymock.server.listener import allow_open_files, bind
from replaymock.server.prefork.worker_app import Share
from replaymock.storage.folder import CassetteFolder, no_folder
from replaymock.storage.library import CassetteLibrary
from replaymock.storage.lock import FolderLock
from replaymock.telemetry import lifecycle
from replaymock.telemetry.console import Console
from replaymock.telemetry.events import Emit, ServedRequest, Warned
from replaymock.telemetry.journal import Journal
from replaymock.telemetry.lifecycle import RecordingSummary, RunDescription
from replaymock.telemetry.subscribers import EventSubscribers

if TYPE_CHECKING:  # replay does not load what opens connections
    from replaymock.wiring import RecordStack

DRAIN_SECONDS = 10.0


class App:
    """One run of `record` or `replay`: a store, an index kept in line with it, a responder and a server."""

    def __init__(self, settings: Settings, emit: Emit, *, wants_requests: bool = True) -> None:
        self._settings = settings
        self._wants_requests = wants_requests
        self._listeners = EventSubscribers(emit)
        self._emit = self._listeners.emit
        self._description = describe(settings)
        self._store = CassetteFolder(Path(settings.cassettes))
        self._matcher = Matcher(settings.file.rules, Redactor(settings.file.redaction))
        cors = CorsPolicy(settings.cors_origins, enabled=settings.cors)
        self._serving = RenderOptions(cors, settings.diagnostics, _shifting(settings))
        self._recording: RecordStack | None = None
        self._journal = Journal()
        self._library = CassetteLibrary(self._store, self._matcher, self._emit, self._journal.unkept)
        self.responder = self._make_responder()
        self._lane: FastPath | None = None
        self._library.subscribe(self._changed)
        self.responder.listeners = self._listeners
        self._hold: FolderLock | None = None
        self.port = 0
        self._times_asked = 0
        self._ending = asyncio.Event()
        self._hurry = asyncio.Event()

    def prepare(self) -> None:
        """Loads the cassettes. UsageError if there is no folder to load them from, or none to write to."""
        lifecycle.withdraw(self._settings.ready_file)
        gc.disable()  # nothing of this is garbage, and to look for it takes an eighth of the time
        try:
            self._open_folder()
            self._library.load()
        finally:
            gc.enable()

    @contextlib.asynccontextmanager
    async def running(self, share: Share | None = None) -> AsyncIterator["App"]:
        """Listens, watches the folder, and shuts down in order at the end.

        With a `share` it is one of several workers, and was prepared before.
        """
        try:
            async with self._serving_on(share):
                yield self
        finally:
            if self._hold:
                self._hold.release()

    @contextlib.asynccontextmanager
    async def _serving_on(self, share: Share | None) -> AsyncIterator[None]:
        if share is None:
            self.prepare()
        self.responder.ask_all = share.ask_all if share else None
        guard, limit = self._make_guard(), self._settings.max_body
        server = HttpServer(self.responder, guard, limit, self._warn, make_sockets=self._make_sockets)
        sockets = share.sockets if share else bind(self._settings.host, self._settings.port)
        self.port = int(sockets[0].getsockname()[1])
        if self.responder.recorder:
            self.responder.recorder.listens_on(self._settings.host, self.port)
        entrance = self._lane = self._make_lane(server)
        (entrance or server).listen(sockets)
        try:
            self._announce()
        except UsageError:
            (entrance or server).stop_accepting()
            raise
        look_back = self._make_look_back()
        watching = asyncio.gather(self._library.watch(), *([look_back.watch()] if look_back else []))
        try:
            yield
        finally:
            lifecycle.withdraw(self._settings.ready_file)
            (entrance or server).stop_accepting()
            loop = asyncio.get_running_loop()
            deadline = loop.time() + DRAIN_SECONDS
            if entrance:
                await entrance.drain(DRAIN_SECONDS, self._hurry)
            await server.drain(DRAIN_SECONDS, self._hurry)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            if self._recording:
                await self._recording.forwarder.drain(max(deadline - loop.time(), 0.0), self._hurry)
                self._recording.recorder.settle()
            if self._recording:
                await self._recording.upstreams.aclose()
            if look_back:
                await look_back.look()
            await self._library.flush()
            if look_back:
                self._library.remove_renamed()
            self._sum_up()

    async def run(self) -> int:
        """Serves until SIGINT or SIGTERM; the exit code."""
        loop = asyncio.get_running_loop()
        for name, callback in (
            ("SIGINT", self._asked_to_end),
            ("SIGTERM", self._asked_to_end),
            ("SIGHUP", self.reload),
        ):
            _on_signal(loop, name, callback)
        async with self.running():
            await self.ended()
        if self._library.failed_writes:
            return 2
        return 1 if self._settings.fail_on_miss and self.responder.journal.counts["miss"] else 0

    async def ended(self) -> None:
        """Waits until it is asked to end."""
        await self._ending.wait()

    def end(self) -> None:
        """First asked, ends once what is in flight is answered; asked again, without waiting for it."""
        if self._ending.is_set():
            self._hurry.set()
        self._ending.set()

    def reload(self, _number: int = 0) -> None:
        """Looks at the folder again."""
        self._library.rescan()

    def reset(self, session: str | None) -> None:
        """Rewinds a session, or all of them."""
        self.responder.sessions.reset(session)

    @property
    def journal(self) -> Journal:
        """What happened so far."""
        return self.responder.journal

    @property
    def url(self) -> str:
        """Where it listens."""
        return lifecycle.url_of(self._settings.host, self.port)

    def unused(self) -> set[str]:
        """The cassettes that no request was answered from."""
        return self.responder.journal.unused(self.responder.index.entries)

    def _make_responder(self) -> ReplayEngine:
        settings = self._settings
        mode = RECORD_MODES[settings.mode] if settings.upstreams else REPLAY
        playing = ReplayOptions(
            sequence=settings.sequence,
            latency=settings.latency,
            directions=settings.directions,
            miss_status=settings.miss_status,
            session_header=settings.session_header.lower(),
            ignored=settings.file.ignored,
            home=settings.file.home,
            folder=self._description.folder,
            conditional=settings.conditional,
            shifting=self._serving.shifting,
        )
        return ReplayEngine(
            mode=mode,
            playing=playing,
            matcher=self._matcher,
            lookup=CassetteLookup(self._library, self._matcher),
            responses=ResponseCache(self._library, self._serving),
            cors=self._serving.cors,
            recorder=self._make_recorder() if mode.forward else None,
            journal=self._journal,
            emit=self._emit,
            tells_requests=self._wants_requests,
            clock=time.monotonic,
            random=Random(settings.seed),  # noqa: S311 - latency needs no secret, and the same run twice is wanted
        )

    def _make_guard(self) -> HostGuard:
        settings = self._settings
        lends = bool(settings.headers or settings.client_cert)
        forwards = self.responder.mode.forward
        return HostGuard(settings.host, settings.allowed_hosts, self._serving.cors, forwards=forwards, lends=lends)

    def _make_lane(self, server: HttpServer) -> "FastPath | None":
        if self.responder.mode.forward or not self._settings.fast_lane:
            return None
        count = self.responder.count
        repeat = count if self._wants_requests else self.responder.journal.again
        return FastPath(server, count, repeat, self._warn)

    def _make_sockets(self) -> Any:
        from replaymock.replay.websocket import sockets_for  # noqa: PLC0415 - loaded with the first WebSocket

        return sockets_for(self.responder, self._matcher, self._settings.max_body)

    def _changed(self, files: Iterable[str]) -> None:
        for file in files:
            self.responder.responses.drop(file)
        self.responder.lookup.forget()
        if self._lane:
            self._lane.forget()

    def _warn(self, message: str) -> None:
        self._emit(Warned(message))

    def _count(self, served: ServedRequest) -> None:
        self.responder.count(served)

    def _make_recorder(self) -> Any:
        from replaymock.wiring import build_record_stack  # noqa: PLC0415 - replay does not load what opens connections

        self._recording = build_record_stack(
            self._settings, self._matcher, self._serving.cors, self._library, self._emit, self._count
        )
        return self._recording.forwarder

    def _make_look_back(self) -> Any:
        if self._recording is None or not self.responder.mode.save:
            return None
        from replaymock.wiring import build_late_redaction  # noqa: PLC0415 - replay never looks back

        sessions, stack = self.responder.sessions, self._recording
        return build_late_redaction(
            stack, self._store, self._library, self._matcher, sessions, self._journal, self._emit
        )

    def _open_folder(self) -> None:
        if self.responder.mode.save:
            self._store.make_folder()
            self._hold = FolderLock(self._store.folder)
            self._store.prepare_for_writing()
        elif not self._store.folder.is_dir():
            raise UsageError(
                f"{no_folder(self._settings.cassettes)}: record into it (replaymock record --upstream URL), "
                f"put JSON into it, or name another by --cassettes"
            )
        self._store.scan()
        if self._settings.mode == "rewrite" and self._recording:
            for file, cassette in self._library.remove_recorded().items():
                self._recording.run.remember(file, cassette)

    def _announce(self) -> None:
        lifecycle.warn(self._description, self._emit)
        if self._hold:
            self._hold.tell(self.url)
        lifecycle.announce(self._description, self.port, len(self.responder.index), self._emit)

    def _sum_up(self) -> None:
        counts, unused = self.responder.journal.counts, len(self.unused())
        lifecycle.sum_up(counts, unused, self._recording_summary(), self._library.failed_writes, self._emit)

    def _recording_summary(self) -> RecordingSummary | None:
        if self._recording is None:
            return None
        run, file = self._recording.run, self._settings.file
        hints, where = run.hints.all(run.placeholders.known.hide), file.home.under("record")
        changed = (lifecycle.changed(hint.files, hint.selectors, file.volatile, where) for hint in hints)
        return RecordingSummary(run.placeholders.count, len(run.redacted), tuple(changed))

    def _asked_to_end(self, number: int) -> None:
        """The third time, ends as things stand."""
        self._times_asked += 1
        if self._times_asked > lifecycle.ORDERLY_SIGNALS:
            os._exit(128 + number)
        self.end()


def _shifting(settings: Settings) -> TimeShifter | None:
    """How times move; not while recording, where what is served stands beside what the backend says now."""
    if settings.upstreams or not settings.shift_time:
        return None
    return TimeShifter(time.time, all_json=settings.shift_time == "json")


def describe(settings: Settings) -> RunDescription:
    """What a run with these settings tells of itself."""
    return RunDescription(
        command="record" if settings.upstreams else "replay",
        host=settings.host,
        folder=lifecycle.place_of(settings.cassettes),
        workers=settings.workers,
        ready_file=settings.ready_file,
        upstreams=tuple(f"{each.prefix} to {each.origin}{each.base}".lstrip() for each in settings.upstreams),
        notes=settings.file.notes,
    )


def serve(settings: Settings, console: Console) -> int:
    """Runs `record` or `replay` to its end; the exit code. UsageError when it cannot start."""
    allow_open_files()
    return asyncio.run(App(settings, console.emit, wants_requests=console.wants_requests).run())


def _on_signal(loop: asyncio.AbstractEventLoop, name: str, callback: Callable[[int], None]) -> None:
    number = getattr(signal, name, None)
    if number is None:
        return
    try:
        loop.add_signal_handler(number, callback, number)
    except NotImplementedError:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(callback, number))
