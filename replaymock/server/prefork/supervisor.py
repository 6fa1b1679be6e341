"""The parent of several workers on one port: it serves nothing itself, and starts workers again when they die.

It is a single thread without an event loop, so that it can fork at any time. Only the parent prints, handles signals
and counts. When a worker dies, only what it had not sent yet is lost.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import time
from functools import partial

from msgspec import Struct

from replaymock.errors import UsageError
from replaymock.server.listener import bind_each
from replaymock.server.prefork import ipc
from replaymock.server.prefork.aggregate import BroadcastQueries, EventAggregator
from replaymock.server.prefork.worker import Worker, work
from replaymock.server.prefork.worker_app import MakeApp
from replaymock.server.prefork.worker_slot import DEATHS_SECONDS, WorkerSlot, how_it_ended
from replaymock.telemetry import lifecycle
from replaymock.telemetry.console import Console
from replaymock.telemetry.events import Ready, Warned
from replaymock.telemetry.journal import BroadcastQuestion, Journal
from replaymock.telemetry.lifecycle import RunDescription

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SupervisorOptions(Struct, frozen=True):
    """The options of the parent. Host, number of workers and ready file are in the description of the run."""

    run: RunDescription
    port: int
    fail_on_miss: bool = False


class Supervisor:
    """Forks the workers, emits their events, passes on their questions, and ends with them."""

    def __init__(self, make_app: MakeApp, options: SupervisorOptions, console: Console) -> None:
        self._options = options
        self._console = console
        self._emit = console.emit
        self._aggregator = EventAggregator(console.emit)
        # What loading reports counts as a worker's report, so that no worker repeats it.
        self._template = Worker(make_app, partial(self._aggregator.add, 0, now=0.0))
        self._total = Journal()
        self._unused: set[str] | None = None
        self._slots: list[WorkerSlot] = []
        self._selector = selectors.DefaultSelector()
        self._signals, self._wakeup = socket.socketpair()
        self._queries = BroadcastQueries()
        self._is_announced = False
        self._is_ending = False
        self._end_signals = 0
        self._failure = ""

    def run(self) -> int:
        """Runs to the end; gives the exit code. UsageError if it cannot start or go on."""
        run, port = self._options.run, self._options.port
        lifecycle.withdraw(run.ready_file)
        self._catch_signals()
        self._prepare()
        self._slots = [WorkerSlot(sockets) for sockets in bind_each(run.host, port, run.workers)]
        try:
            for slot in self._slots:
                if not self._is_ending:
                    self._start(slot)
            while any(slot.is_in_use for slot in self._slots):
                self._poll()
        finally:
            self._kill()
            lifecycle.withdraw(run.ready_file)
        if self._is_announced or not self._failure:
            unused = (self._unused or set()) - self._total.used
            self._emit(lifecycle.summary(self._total.counts, len(unused)))
        if self._failure:
            raise UsageError(self._failure)
        return 1 if self._options.fail_on_miss and self._total.counts["miss"] else 0

    def _prepare(self) -> None:
        self._template.prepare()
        # The garbage collector leaves frozen objects alone; else it would copy the shared memory in each worker.
        gc.freeze()

    def _catch_signals(self) -> None:
        self._signals.setblocking(False)
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno())
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        self._selector.register(self._signals, _READ)

    def _poll(self) -> None:
        """Waits until something happens, and handles it."""
        for key, events in self._selector.select(self._seconds_left()):
            if key.data is None:
                for number in self._signals.recv(4096):
                    self._handle_signal(number)
            elif key.data.link and key.data.link.end is key.fileobj:
                self._communicate(key.data, key.data.link, events)
        now = time.monotonic()
        for slot in self._slots:
            if slot.is_due(now):
                # If the folder is gone, the worker starts with what was loaded last, like those that still run.
                with contextlib.suppress(UsageError):
                    self._prepare()
                self._start(slot)

    def _seconds_left(self) -> float | None:
        """The seconds until something is due; None if nothing is."""
        now = time.monotonic()
        waits = [slot.restart_at - now for slot in self._slots if slot.restart_at is not None]
        reload = self._aggregator.settle_reload({slot.pid for slot in self._slots if slot.is_ready}, now)
        waits += [] if reload is None else [reload]
        return max(0.0, min(waits)) if waits else None

    def _start(self, slot: WorkerSlot) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal between the fork and the child's own handling would also arrive here.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._run_child(slot, ours, theirs, before)
        except OSError as error:
            slot.cancel_restart()
            self._give_up(f"cannot start a worker: {error.strerror or error}")
            return
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        slot.fill(pid, ipc.Link(ours))
        self._selector.register(ours, _READ, slot)

    def _run_child(
        self, slot: WorkerSlot, ours: socket.socket, theirs: socket.socket, mask: "set[signal.Signals | int]"
    ) -> None:
        """The child after the fork: closes the descriptors of the parent and of other workers, and serves."""
        try:
            self._console.start_anew()
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            others = [other for other in self._slots if other is not slot]
            foreign = [self._signals, self._wakeup, ours, *(other.link.end for other in others if other.link)]
            foreign += [listening for other in others for listening in other.sockets if listening not in slot.sockets]
            self._selector.close()
            for each in foreign:
                each.close()
            work(self._template, slot.sockets, theirs)
        finally:
            os._exit(2)

    def _handle_signal(self, number: int) -> None:
        if number == signal.SIGHUP:
            for slot in self._slots:
                self._send(slot, ipc.Order("reload"))
            return
        self._end_signals += 1
        if self._end_signals > lifecycle.ORDERLY_SIGNALS:
            self._kill()
            os._exit(128 + number)
        self._end()

    def _end(self) -> None:
        self._is_ending = True
        for slot in self._slots:
            slot.cancel_restart()
            slot.close_sockets()
            self._send(slot, ipc.Order("end"))

    def _give_up(self, message: str) -> None:
        """Ends the run because of an error; at once if it was not announced yet."""
        self._failure = self._failure or message
        self._end()
        if not self._is_announced:
            self._kill()

    def _kill(self) -> None:
        for slot in self._slots:
            slot.kill()

    def _send(self, slot: WorkerSlot, message: ipc.FromParent) -> None:
        if slot.link:
            slot.link.send(message)
            self._watch(slot, slot.link)

    def _watch(self, slot: WorkerSlot, link: ipc.Link) -> None:
        self._selector.modify(link.end, _READ | _WRITE if link.unsent else _READ, slot)

    def _communicate(self, slot: WorkerSlot, link: ipc.Link, events: int) -> None:
        if events & _WRITE:
            link.flush()
            self._watch(slot, link)
        messages = link.receive() if events & _READ else []
        if messages is None:
            self._handle_exit(slot, link)
        for message in messages or ():
            self._handle_message(slot, message)

    def _handle_message(self, slot: WorkerSlot, message: ipc.FromWorker) -> None:
        match message:
            case ipc.EventMessage(Ready(cassettes=cassettes)):
                slot.mark_ready()
                self._announce(cassettes)
            case ipc.EventMessage(event):
                self._aggregator.add(slot.pid, event, time.monotonic())
            case ipc.DeltaMessage(delta, answers, unused):
                self._total.add(delta)
                if unused is not None:
                    self._unused = set(unused) if self._unused is None else self._unused.intersection(unused)
                self._queries.answered(slot.pid, answers)
                self._reply_to_settled()
            case ipc.QueryMessage(number, question, delta):
                self._total.add(delta)
                self._ask_others(slot, number, question)
            case ipc.Failed(reason):
                slot.mark_failed(reason)

    def _announce(self, cassettes: int) -> None:
        """Emits that the run is ready, once every worker is."""
        if self._is_announced or self._is_ending or not all(slot.is_ready for slot in self._slots):
            return
        port = int(self._slots[0].sockets[0].getsockname()[1])
        try:
            lifecycle.announce(self._options.run, port, cassettes, self._emit)
            self._is_announced = True
        except UsageError as error:
            self._give_up(str(error))

    def _ask_others(self, asker: WorkerSlot, number: int, question: BroadcastQuestion) -> None:
        """Passes a worker's question on to all others that are ready."""
        others = [slot for slot in self._slots if slot.is_ready and slot is not asker]
        query = self._queries.open(asker.pid, number, {slot.pid for slot in others})
        for slot in others:
            self._send(slot, ipc.QueryRequest(query, question))
        self._reply_to_settled()

    def _reply_to_settled(self) -> None:
        """Sends the replies to the queries that all workers have answered."""
        for asker, number in self._queries.take_settled():
            reply = ipc.QueryReply(number, self._total.delta_since(Journal()))
            for slot in self._slots:
                if slot.pid == asker:
                    self._send(slot, reply)

    def _handle_exit(self, slot: WorkerSlot, link: ipc.Link) -> None:
        """Handles the end of a worker: plans its restart, unless the run ends or it dies too often."""
        self._selector.unregister(link.end)
        link.end.close()
        pid = slot.pid
        _, status = os.waitpid(pid, 0)
        slot.empty()
        self._queries.worker_left(pid)
        self._reply_to_settled()
        if self._is_ending:
            return
        now = time.monotonic()
        pause = slot.pause_after_death(now)
        how = how_it_ended(os.waitstatus_to_exitcode(status))
        reason = f"a worker could not start: {slot.failure}" if slot.failure else f"a worker (pid {pid}) {how}"
        if not self._is_announced:
            self._give_up(slot.failure or f"{reason} before it was ready")
        elif pause is None:
            self._give_up(f"{reason}; that was the {slot.deaths}th time in {DEATHS_SECONDS:.0f} seconds")
        else:
            self._emit(Warned(f"{reason}; it is started again"))
            slot.plan_restart(now + pause)
