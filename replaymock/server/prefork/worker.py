"""One of several workers: runs an app in its own process, reports to the parent, and asks other workers through it.

It ends when the parent says so, or is gone.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from functools import partial

from replaymock.errors import ReplaymockError
from replaymock.server.prefork import ipc
from replaymock.server.prefork.worker_app import MakeApp, Share
from replaymock.telemetry.events import Emit, Event, Summary
from replaymock.telemetry.journal import BroadcastQuestion, Journal, JournalDelta

BEAT_SECONDS = 1.0
"""How often a worker sends what its journal gained."""

ANSWER_SECONDS = 30.0
"""How long a worker waits for the answers of the others."""

LAST_SECONDS = 10.0
"""How long a worker that ends waits until the parent has read its last message."""


def work(worker: "Worker", sockets: list[socket.socket], end: socket.socket) -> None:
    """Serves until the parent says to end, in a process that was forked for this. Does not return."""
    code, parent = 0, ParentConnection(end)
    try:
        asyncio.run(worker.run(sockets, parent))
    except Exception as error:
        code = 2
        reason = str(error) if isinstance(error, ReplaymockError) else f"a fault in replaymock: {error!r}"
        parent.send_last(ipc.Failed(reason))
    os._exit(code)


class ParentConnection:
    """The worker's end of the socket pair. It never waits for the parent, except in `send_last`."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._outbox = ipc.Outbox(end)
        self._lines = ipc.LineSplitter()

    @property
    def is_behind(self) -> bool:
        """Whether the parent has not taken everything yet."""
        return self._outbox.is_behind

    def listen(self, receive: Callable[[ipc.FromParent], None], lost: Callable[[], None]) -> None:
        """Calls `receive` with each message of the parent from now on, and `lost` once the parent is gone."""
        asyncio.get_running_loop().add_reader(self._end, self._readable, receive, lost)

    def send(self, message: ipc.FromWorker) -> None:
        """Sends a message as soon as the parent takes it; does not wait for that."""
        if self._outbox.send(message):
            asyncio.get_running_loop().add_writer(self._end, self._writable)

    def detach(self) -> None:
        """Leaves the event loop, which listens and sends no more."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._end)
        loop.remove_writer(self._end)

    def send_last(self, message: ipc.FromWorker) -> None:
        """Sends the last message, and waits until it is read, but not for ever."""
        self._outbox.send(message)
        self._outbox.finish(LAST_SECONDS)

    def _readable(self, receive: Callable[[ipc.FromParent], None], lost: Callable[[], None]) -> None:
        try:
            data = self._end.recv(1 << 20, socket.MSG_DONTWAIT)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._end)
            lost()
        for line in self._lines.feed(data):
            receive(ipc.from_parent.decode(line))

    def _writable(self) -> None:
        if not self._outbox.flush():
            asyncio.get_running_loop().remove_writer(self._end)


class Worker:
    """The app of a worker, and its communication with the parent.

    It is constructed in the parent, before the fork, so that all workers share the memory of the loaded cassettes.
    Until it runs, its events go to `emit`.
    """

    def __init__(self, make_app: MakeApp, emit: Emit) -> None:
        self._emit_in_parent = emit
        self._parent: ParentConnection | None = None
        self._sent = Journal()
        self._replies: dict[int, asyncio.Future[JournalDelta]] = {}
        self._questions = 0
        self._app = make_app(self._emit)

    def prepare(self) -> None:
        """Loads the cassettes. UsageError if there is no folder to load them from."""
        self._app.prepare()

    async def run(self, sockets: list[socket.socket], parent: ParentConnection) -> None:
        """Serves on these sockets until the parent says to end, or is gone."""
        self._parent = parent
        parent.listen(partial(self._receive, parent), self._end_at_once)
        async with self._app.running(Share(sockets, partial(self._ask_all, parent))):
            beating = asyncio.ensure_future(self._beat(parent))
            await self._app.ended()
            beating.cancel()
        parent.detach()
        parent.send_last(ipc.DeltaMessage(self._delta(), unused=sorted(self._app.unused())))

    def _emit(self, event: Event) -> None:
        if isinstance(event, Summary):
            return  # the parent sums up all workers
        if self._parent:
            self._parent.send(ipc.EventMessage(event))
        else:
            self._emit_in_parent(event)

    async def _beat(self, parent: ParentConnection) -> None:
        """Sends what the journal gained every second, so that little is lost if this process dies."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            if parent.is_behind:
                continue
            delta = self._delta()
            if delta.counts:
                parent.send(ipc.DeltaMessage(delta))

    def _delta(self) -> JournalDelta:
        delta = self._app.journal.delta_since(self._sent)
        self._sent.add(delta)
        return delta

    async def _ask_all(self, parent: ParentConnection, question: BroadcastQuestion) -> Journal:
        reply: asyncio.Future[JournalDelta] = asyncio.get_running_loop().create_future()
        self._questions = number = self._questions + 1
        self._replies[number] = reply
        try:
            parent.send(ipc.QueryMessage(number, question, self._delta()))
            journal = Journal()
            journal.add(await asyncio.wait_for(reply, ANSWER_SECONDS))
            return journal
        finally:
            del self._replies[number]

    def _end_at_once(self) -> None:
        self._app.end()
        self._app.end()

    def _receive(self, parent: ParentConnection, message: ipc.FromParent) -> None:
        match message:
            case ipc.Order("end"):
                self._app.end()
            case ipc.Order("reload"):
                self._app.reload()
            case ipc.QueryRequest(number, question):
                if question.reset:
                    self._app.reset(question.session)
                parent.send(ipc.DeltaMessage(self._delta(), answers=number))
            case ipc.QueryReply(number, total):
                reply = self._replies.get(number)
                if reply and not reply.done():
                    reply.set_result(total)
