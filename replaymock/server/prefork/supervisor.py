"""`--workers`: a parent that serves nothing, and processes that serve on one port, restarted when they die.

The parent is one plain thread without an event loop, so that it can fork at any time. Only it prints, is signalled and
counts; a worker tells it what it noted, and what it did not come to tell is all that is lost with it.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from functools import partial

from replaymock.app import describe
from replaymock.config.settings import Settings
from replaymock.errors import UsageError
from replaymock.server.listener import allow_open_files, bind_each
from replaymock.server.prefork import ipc
from replaymock.server.prefork.aggregate import BroadcastQueries, EventAggregator
from replaymock.server.prefork.worker import Worker, work
from replaymock.telemetry import lifecycle
from replaymock.telemetry.console import Console
from replaymock.telemetry.events import Ready, Warned
from replaymock.telemetry.journal import BroadcastQuestion, Journal

MOST_DEATHS = 5
DEATHS_SECONDS = 10.0
_FIRST_PAUSE = 0.1
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(eq=False, slots=True)
class WorkerSlot:
    """One place among the workers: what it listens on, and the process that fills it, if there is one now."""

    sockets: list[socket.socket]
    pid: int = 0
    link: ipc.Link | None = None
    ready: bool = False
    failure: str = ""
    deaths: list[float] = field(default_factory=list)
    start_at: float | None = None


def serve(settings: Settings, console: Console) -> int:
    """Runs `replay` by several workers to its end; the exit code. UsageError when it cannot start or go on."""
    allow_open_files()
    return Supervisor(settings, console).run()


def pause_before_restart(deaths: list[float], now: float) -> float | None:
    """How many seconds to wait after the last of some deaths: longer after each; None when there were too many."""
    recent = [moment for moment in deaths if now - moment < DEATHS_SECONDS]
    if len(recent) > MOST_DEATHS:
        return None
    return 0.0 if len(recent) < 2 else _FIRST_PAUSE * 2.0 ** (len(recent) - 2)  # noqa: PLR2004 - the first is free


def how_it_ended(code: int) -> str:
    """A process's end in words, from its exit code, negative for a signal."""
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


class Supervisor:
    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = settings
        self._console = console
        self._emit = console.emit
        self._description = describe(settings)
        self._chorus = EventAggregator(console.emit)
        # What is found while loading is one voice among those of the workers.
        say = partial(self._chorus.say, 0, now=0.0)
        self._template = Worker(settings, say, wants_requests=console.wants_requests)
        self._total = Journal()
        self._unused: set[str] | None = None
        self._workers: list[WorkerSlot] = []
        self._selector = selectors.DefaultSelector()
        self._signals, self._wakeup = socket.socketpair()
        self._questions = BroadcastQueries()
        self._announced = False
        self._ending = False
        self._times_asked = 0
        self._failure = ""

    def run(self) -> int:
        lifecycle.withdraw(self._settings.ready_file)
        self._hear_signals()
        self._prepare()
        host, port, count = self._settings.host, self._settings.port, self._settings.workers
        self._workers = [WorkerSlot(sockets) for sockets in bind_each(host, port, count)]
        try:
            for worker in self._workers:
                if not self._ending:
                    self._start(worker)
            while any(worker.pid or worker.start_at is not None for worker in self._workers):
                self._turn()
        finally:
            self._kill()
            lifecycle.withdraw(self._settings.ready_file)
        if self._announced or not self._failure:
            unused = (self._unused or set()) - self._total.used
            self._emit(lifecycle.summary(self._total.counts, len(unused)))
        if self._failure:
            raise UsageError(self._failure)
        return 1 if self._settings.fail_on_miss and self._total.counts["miss"] else 0

    def _prepare(self) -> None:
        self._template.prepare()
        # What is shared is not looked through for garbage, which would make a copy of it in each worker.
        gc.freeze()

    def _hear_signals(self) -> None:
        self._signals.setblocking(False)
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno())
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        self._selector.register(self._signals, _READ)

    def _turn(self) -> None:
        """Waits until something happens, and sees to it."""
        for key, events in self._selector.select(self._seconds_left()):
            if key.data is None:
                for number in self._signals.recv(4096):
                    self._signalled(number)
            elif key.data.link and key.data.link.end is key.fileobj:
                self._talk(key.data, key.data.link, events)
        now = time.monotonic()
        for worker in self._workers:
            if worker.start_at is not None and worker.start_at <= now:
                # Without its folder it starts with what was loaded last, and then does as all others do.
                with contextlib.suppress(UsageError):
                    self._prepare()
                self._start(worker)

    def _seconds_left(self) -> float | None:
        now = time.monotonic()
        moments = [worker.start_at - now for worker in self._workers if worker.start_at is not None]
        waiting = self._chorus.reloaded({worker.pid for worker in self._workers if worker.ready}, now)
        moments += [] if waiting is None else [waiting]
        return max(0.0, min(moments)) if moments else None

    def _start(self, worker: WorkerSlot) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal between fork and the child's own handling of it would be noted here, too.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._become(worker, ours, theirs, before)
        except OSError as error:
            worker.start_at = None
            self._give_up(f"cannot start a worker: {error.strerror or error}")
            return
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        worker.pid, worker.link, worker.failure, worker.start_at = pid, ipc.Link(ours), "", None
        self._selector.register(ours, _READ, worker)

    def _become(
        self, worker: WorkerSlot, ours: socket.socket, theirs: socket.socket, mask: "set[signal.Signals | int]"
    ) -> None:
        """What follows the fork in the child: it lets go of all that is the parent's or another's, and works."""
        try:
            self._console.forked()
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            others = [other for other in self._workers if other is not worker]
            held = [self._signals, self._wakeup, ours, *(other.link.end for other in others if other.link)]
            held += [listening for other in others for listening in other.sockets if listening not in worker.sockets]
            self._selector.close()
            for mine in held:
                mine.close()
            work(self._template, worker.sockets, theirs)
        finally:
            os._exit(2)

    def _signalled(self, number: int) -> None:
        if number == signal.SIGHUP:
            for worker in self._workers:
                self._send(worker, ipc.Order("reload"))
            return
        self._times_asked += 1
        if self._times_asked > lifecycle.ORDERLY_SIGNALS:
            self._kill()
            os._exit(128 + number)
        self._end()

    def _end(self) -> None:
        self._ending = True
        for worker in self._workers:
            worker.start_at = None
            for listening in worker.sockets:
                listening.close()
            self._send(worker, ipc.Order("end"))

    def _give_up(self, message: str) -> None:
        """Ends because of trouble; at once where nobody was told yet that there is something to end."""
        self._failure = self._failure or message
        self._end()
        if not self._announced:
            self._kill()

    def _kill(self) -> None:
        for worker in self._workers:
            if worker.pid:
                os.kill(worker.pid, signal.SIGKILL)

    def _send(self, worker: WorkerSlot, message: ipc.FromParent) -> None:
        if worker.link:
            worker.link.send(message)
            self._watch(worker, worker.link)

    def _watch(self, worker: WorkerSlot, link: ipc.Link) -> None:
        self._selector.modify(link.end, _READ | _WRITE if link.unsent else _READ, worker)

    def _talk(self, worker: WorkerSlot, link: ipc.Link, events: int) -> None:
        if events & _WRITE:
            link.flush()
            self._watch(worker, link)
        messages = link.receive() if events & _READ else []
        if messages is None:
            self._left(worker, link)
        for message in messages or ():
            self._take(worker, message)

    def _take(self, worker: WorkerSlot, message: ipc.FromWorker) -> None:
        match message:
            case ipc.EventMessage(Ready(cassettes=cassettes)):
                worker.ready = True
                self._announce(cassettes)
            case ipc.EventMessage(event):
                self._chorus.say(worker.pid, event, time.monotonic())
            case ipc.DeltaMessage(news, answers, unused):
                self._total.add(news)
                if unused is not None:
                    self._unused = set(unused) if self._unused is None else self._unused.intersection(unused)
                self._questions.answered(worker.pid, answers)
                self._tell(self._questions.settled())
            case ipc.QueryMessage(number, question, news):
                self._total.add(news)
                self._ask(worker, number, question)
            case ipc.Failed(reason):
                worker.failure = reason

    def _announce(self, cassettes: int) -> None:
        if self._announced or self._ending or not all(worker.ready for worker in self._workers):
            return
        port = int(self._workers[0].sockets[0].getsockname()[1])
        try:
            lifecycle.announce(self._description, port, cassettes, self._emit)
            self._announced = True
        except UsageError as error:
            self._give_up(str(error))

    def _ask(self, asker: WorkerSlot, number: int, question: BroadcastQuestion) -> None:
        """Passes a worker's question on to all others that serve."""
        others = [worker for worker in self._workers if worker.ready and worker is not asker]
        opened = self._questions.opened(asker.pid, number, {worker.pid for worker in others})
        for worker in others:
            self._send(worker, ipc.QueryRequest(opened, question))
        self._tell(self._questions.settled())

    def _tell(self, settled: list[tuple[int, int]]) -> None:
        """Answers questions to which every worker has said what it had to say."""
        for asker, number in settled:
            told = ipc.QueryReply(number, self._total.delta_since(Journal()))
            for worker in self._workers:
                if worker.pid == asker:
                    self._send(worker, told)

    def _left(self, worker: WorkerSlot, link: ipc.Link) -> None:
        """Sees to a worker that is gone: it is started again, unless that was the intention or is in vain."""
        self._selector.unregister(link.end)
        link.end.close()
        _, status = os.waitpid(worker.pid, 0)
        pid, how = worker.pid, how_it_ended(os.waitstatus_to_exitcode(status))
        worker.pid, worker.link, worker.ready = 0, None, False
        self._questions.left(pid)
        self._tell(self._questions.settled())
        if self._ending:
            return
        now = time.monotonic()
        worker.deaths = [*worker.deaths[-MOST_DEATHS:], now]
        pause = pause_before_restart(worker.deaths, now)
        reason = f"a worker could not start: {worker.failure}" if worker.failure else f"a worker (pid {pid}) {how}"
        if not self._announced:
            self._give_up(worker.failure or f"{reason} before it was ready")
        elif pause is None:
            self._give_up(f"{reason}; that was the {len(worker.deaths)}th time in {DEATHS_SECONDS:.0f} seconds")
        else:
            self._emit(Warned(f"{reason}; it is started again"))
            worker.start_at = now + pause
