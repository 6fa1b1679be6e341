"""One of several workers: an app of its own, whose events, counts and own endpoints go through the parent.

It ends when the parent says so, or is gone.
"""

import asyncio
import os
import socket

from msgspec.structs import replace

from replaymock.app import App, Share
from replaymock.config.settings import Settings
from replaymock.errors import ReplaymockError
from replaymock.server.prefork import ipc
from replaymock.telemetry.events import Emit, Event, ServedRequest, Summary
from replaymock.telemetry.journal import BroadcastQuestion, Journal, JournalDelta

BEAT_SECONDS = 1.0
ANSWER_SECONDS = 30.0
LAST_SECONDS = 10.0


def work(worker: "Worker", sockets: list[socket.socket], parent: socket.socket) -> None:
    """Serves until told to end, in a process that was forked for it and has no other purpose; does not return."""
    code = 0
    try:
        asyncio.run(worker.run(sockets, parent))
    except Exception as error:
        code = 2
        said = str(error) if isinstance(error, ReplaymockError) else f"a fault in replaymock: {error!r}"
        worker.say_last(parent, ipc.Failed(said))
    os._exit(code)


class Worker:
    """The app, and the line to the parent. It is made in the parent, so that all workers share what is loaded once."""

    def __init__(self, settings: Settings, emit: Emit, *, wants_requests: bool) -> None:
        self._tell = emit
        self._outbox: ipc.Outbox | None = None
        self._wants_requests = wants_requests
        self._lines = ipc.Lines()
        self._told = Journal()
        self._asked: dict[int, asyncio.Future[JournalDelta]] = {}
        self._questions = 0
        self._app = App(replace(settings, ready_file=""), self._emit, wants_requests=wants_requests)
        self.prepare = self._app.prepare

    async def run(self, sockets: list[socket.socket], parent: socket.socket) -> None:
        """Serves on these sockets until told to end, or until the parent is gone."""
        self._outbox = ipc.Outbox(parent)
        self._tell = lambda event: self._send(parent, ipc.EventMessage(event))
        loop = asyncio.get_running_loop()
        loop.add_reader(parent, self._readable, parent)
        async with self._app.running(Share(sockets, lambda question: self._ask_all(parent, question))):
            beating = asyncio.ensure_future(self._beat(parent))
            await self._app.ended()
            beating.cancel()
        loop.remove_reader(parent)
        unused = sorted(self._app.unused())
        loop.remove_writer(parent)
        self.say_last(parent, ipc.DeltaMessage(self._news(), unused=unused))

    def say_last(self, parent: socket.socket, message: ipc.FromWorker) -> None:
        """Tells the parent a last thing, after all that was said before; gives up where the parent stands still."""
        outbox = self._outbox or ipc.Outbox(parent)
        outbox.send(message)
        outbox.finish(LAST_SECONDS)

    def _send(self, parent: socket.socket, message: ipc.FromWorker) -> None:
        """Never waits: those who are served must not feel that the parent is busy."""
        if self._outbox and self._outbox.send(message):
            asyncio.get_running_loop().add_writer(parent, self._writable, parent, self._outbox)

    def _writable(self, parent: socket.socket, outbox: ipc.Outbox) -> None:
        if not outbox.flush():
            asyncio.get_running_loop().remove_writer(parent)

    def _emit(self, event: Event) -> None:
        if isinstance(event, Summary) or (isinstance(event, ServedRequest) and not self._wants_requests):
            return
        self._tell(event)

    async def _beat(self, parent: socket.socket) -> None:
        """Tells what was noted every second, so that little is lost with this process."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            if self._outbox and self._outbox.is_behind:
                continue
            news = self._news()
            if news.counts:
                self._send(parent, ipc.DeltaMessage(news))

    def _news(self) -> JournalDelta:
        news = self._app.responder.journal.delta_since(self._told)
        self._told.add(news)
        return news

    async def _ask_all(self, parent: socket.socket, question: BroadcastQuestion) -> Journal:
        answer: asyncio.Future[JournalDelta] = asyncio.get_running_loop().create_future()
        self._questions = number = self._questions + 1
        self._asked[number] = answer
        try:
            self._send(parent, ipc.QueryMessage(number, question, self._news()))
            journal = Journal()
            journal.add(await asyncio.wait_for(answer, ANSWER_SECONDS))
            return journal
        finally:
            del self._asked[number]

    def _readable(self, parent: socket.socket) -> None:
        try:
            data = parent.recv(1 << 20, socket.MSG_DONTWAIT)
        except OSError:
            data = b""
        if not data:  # the parent is gone
            asyncio.get_running_loop().remove_reader(parent)
            self._app.end()
            self._app.end()
        for line in self._lines.feed(data):
            self._take(parent, ipc.from_parent.decode(line))

    def _take(self, parent: socket.socket, message: ipc.FromParent) -> None:
        match message:
            case ipc.Order("end"):
                self._app.end()
            case ipc.Order("reload"):
                self._app.reload()
            case ipc.QueryRequest(number, question):
                if question.reset:
                    self._app.responder.sessions.reset(question.session)
                self._send(parent, ipc.DeltaMessage(self._news(), answers=number))
            case ipc.QueryReply(number, news):
                answer = self._asked.get(number)
                if answer and not answer.done():
                    answer.set_result(news)
