"""One run of `record` or `replay`: start, signals, reload, and an orderly end."""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable

from replaymock.config.settings import Settings
from replaymock.errors import UsageError
from replaymock.server.listener import allow_open_files, bind
from replaymock.server.prefork.worker_app import Share
from replaymock.storage.folder import no_folder
from replaymock.storage.lock import FolderLock
from replaymock.telemetry import lifecycle
from replaymock.telemetry.console import Console
from replaymock.telemetry.events import Emit
from replaymock.telemetry.journal import Journal
from replaymock.telemetry.lifecycle import RecordingSummary, RunDescription
from replaymock.wiring import ServerStack, build_record_stack, build_replay_stack, build_server

DRAIN_SECONDS = 10.0
"""How long requests in flight may take at the end of a run."""


class App:
    """One run. `replay` answers from the cassettes; `record` forwards and records, and is None on replay."""

    def __init__(self, settings: Settings, emit: Emit, *, wants_requests: bool = True) -> None:
        self.replay = build_replay_stack(settings, emit, wants_requests=wants_requests)
        self.record = build_record_stack(settings, self.replay) if settings.upstreams else None
        self.port = 0
        self.server: ServerStack | None = None
        self._settings = settings
        self._emit = self.replay.subscribers.emit
        self._description = describe(settings)
        self._lock: FolderLock | None = None
        self._signals = 0
        self._ending = asyncio.Event()
        self._hurry = asyncio.Event()

    def prepare(self) -> None:
        """Loads the cassettes. UsageError if there is no folder to load them from, or none to write to."""
        lifecycle.withdraw(self._settings.ready_file)
        gc.disable()  # nothing here is garbage, and looking for it takes an eighth of the time
        try:
            self._open_folder()
            self.replay.library.load()
        finally:
            gc.enable()

    @contextlib.asynccontextmanager
    async def running(self, share: Share | None = None) -> AsyncIterator["App"]:
        """Listens, watches the folder, and shuts down in order at the end.

        With a `share` this is one of several workers, and `prepare` was called before the fork.
        """
        try:
            if share is None:
                self.prepare()
            self.server = stack = self._listen(share)
            library, record = self.replay.library, self.record
            watching = asyncio.gather(library.watch(), *([record.late_redaction.watch()] if record else []))
            try:
                yield self
            finally:
                await self._shut_down(stack, watching)
        finally:
            if self._lock:
                self._lock.release()

    async def run(self) -> int:
        """Serves until SIGINT or SIGTERM; gives the exit code."""
        loop = asyncio.get_running_loop()
        for name, callback in (
            ("SIGINT", self._end_on_signal),
            ("SIGTERM", self._end_on_signal),
            ("SIGHUP", self.reload),
        ):
            _on_signal(loop, name, callback)
        async with self.running():
            await self.ended()
        if self.replay.library.failed_writes:
            return 2
        return 1 if self._settings.fail_on_miss and self.journal.counts["miss"] else 0

    async def ended(self) -> None:
        """Waits until `end` is called."""
        await self._ending.wait()

    def end(self) -> None:
        """The first call ends the run once requests in flight are answered; the second does not wait for them."""
        if self._ending.is_set():
            self._hurry.set()
        self._ending.set()

    def reload(self, _number: int = 0) -> None:
        """Scans the folder and loads again."""
        self.replay.library.rescan()

    def reset(self, session: str | None) -> None:
        """Rewinds a session, or all of them."""
        self.replay.engine.sessions.reset(session)

    @property
    def journal(self) -> Journal:
        """The journal of this run."""
        return self.replay.engine.journal

    @property
    def url(self) -> str:
        """The URL of the server."""
        return lifecycle.url_of(self._settings.host, self.port)

    def unused(self) -> set[str]:
        """The cassettes from which no request was answered."""
        return self.journal.unused(self.replay.library.index.entries)

    def _open_folder(self) -> None:
        folder, library = self.replay.folder, self.replay.library
        if self.record:
            folder.make_folder()
            self._lock = FolderLock(folder.folder)
            folder.prepare_for_writing()
        elif not folder.folder.is_dir():
            raise UsageError(
                f"{no_folder(self._settings.cassettes)}: record into it (replaymock record --upstream URL), "
                f"put JSON into it, or name another by --cassettes"
            )
        folder.scan()
        if self.record and self._settings.mode == "rewrite":
            for file, cassette in library.remove_recorded().items():
                self.record.run.remember(file, cassette)

    def _listen(self, share: Share | None) -> ServerStack:
        """Accepts connections from now on, and emits that it does. UsageError if that fails."""
        settings = self._settings
        stack = build_server(settings, self.replay, self.record, share.ask_all if share else None)
        listener = stack.fast_path or stack.server
        sockets = share.sockets if share else bind(settings.host, settings.port)
        self.port = int(sockets[0].getsockname()[1])
        if self.record:
            self.record.forwarder.listens_on(settings.host, self.port)
        listener.listen(sockets)
        try:
            lifecycle.warn(self._description, self._emit)
            if self._lock:
                self._lock.publish_url(self.url)
            lifecycle.announce(self._description, self.port, len(self.replay.library.index), self._emit)
        except UsageError:
            listener.stop_accepting()
            raise
        return stack

    async def _shut_down(self, stack: ServerStack, watching: "asyncio.Future[list[None]]") -> None:
        """Stops accepting, ends what is in flight, and waits until everything recorded is written."""
        lifecycle.withdraw(self._settings.ready_file)
        (stack.fast_path or stack.server).stop_accepting()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DRAIN_SECONDS
        if stack.fast_path:
            await stack.fast_path.drain(DRAIN_SECONDS, self._hurry)
        await stack.server.drain(DRAIN_SECONDS, self._hurry)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        record, library = self.record, self.replay.library
        if record:
            await record.forwarder.drain(max(deadline - loop.time(), 0.0), self._hurry)
            record.recorder.settle()
            await record.upstreams.aclose()
            await record.late_redaction.sweep()
        await library.flush()
        library.remove_renamed()
        counts, unused = self.journal.counts, len(self.unused())
        lifecycle.sum_up(counts, unused, self._recording_summary(), library.failed_writes, self._emit)

    def _recording_summary(self) -> RecordingSummary | None:
        if self.record is None:
            return None
        run, file = self.record.run, self._settings.file
        hints, where = run.hints.all(run.placeholders.secrets.hide), file.home.under("record")
        # Each hint has the whole line, for a key may stand once only in a table of TOML.
        volatile = (*file.volatile, *(selector for hint in hints for selector in hint.selectors))
        changed = (lifecycle.changed(hint.files, hint.selectors, volatile, where) for hint in hints)
        return RecordingSummary(run.placeholders.count, len(run.redacted), tuple(changed))

    def _end_on_signal(self, number: int) -> None:
        """Ends the run; the third time, kills the process."""
        self._signals += 1
        if self._signals > lifecycle.ORDERLY_SIGNALS:
            os._exit(128 + number)
        self.end()


def describe(settings: Settings) -> RunDescription:
    """What a run with these settings reports of itself."""
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
    """Runs `record` or `replay` to its end; gives the exit code. UsageError if it cannot start."""
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
