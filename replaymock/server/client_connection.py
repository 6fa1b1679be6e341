"""The client's end of one request: ready bytes go out, framed as its HTTP version wants; a cut never looks whole."""

import asyncio
import socket
import struct
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tornado import iostream
from tornado.http1connection import HTTP1Connection

from replaymock.http.headers import connection_persistence
from replaymock.http.messages import Request
from replaymock.http.rendered import (
    JOINED_BYTES,
    NO_CONTENT,
    Abort,
    Delay,
    Detach,
    KeepOpen,
    RenderedResponse,
    SendBody,
    SendFile,
    SendHead,
    chunk,
    dated,
    head,
    with_connection,
    with_header,
    without_body,
)
from replaymock.server.date_header import date_line

if TYPE_CHECKING:
    from replaymock.http.messages import ResponseHead

_PIECE = 128 * 1024


class ClientConnection:
    """A client's connection, written to in ready bytes."""

    def __init__(
        self, connection: HTTP1Connection, done: Callable[[], None], fell_short: Callable[[], None] = lambda: None
    ) -> None:
        # There is one stream to all the requests of a connection.
        self.client: Hashable = connection.stream
        self._connection = connection
        self._done = done
        self._fell_short = fell_short
        self._written: asyncio.Future[None] = asyncio.Future()
        self._is_http10 = False
        self._closes = False
        self._option = ""
        self._bodyless = False
        self._chunked = False
        self._received = False
        self.begun = False
        self.finished = False

    def start_request(self, request: Request, version: str) -> None:
        """Learns how the client wants its response."""
        persistence = connection_persistence(request.headers, version)
        self._is_http10 = version == "HTTP/1.0"
        self._closes = persistence.ends
        self._option = persistence.option
        self._bodyless = request.method == "HEAD"

    def close_after(self) -> None:
        """Closes the connection once the response is out."""
        self._closes = True
        self._option = "close"

    def on_leave(self, callback: Callable[[], None]) -> None:
        """Calls back when the client goes before its response is whole, or when it has gone already."""
        if self._connection.stream.closed():
            asyncio.get_running_loop().call_soon(callback)
        else:
            self._connection.set_close_callback(callback)

    def invite(self) -> None:
        """Asks for the body that the client holds back until then (RFC 9110 section 10.1.1)."""
        _write_ready(self._connection, b"HTTP/1.1 100 Continue\r\n\r\n")

    def answer(self, answer: RenderedResponse) -> None:
        """Sends a rendered response."""
        self.begun = True
        if answer.steps:
            task = asyncio.ensure_future(self._perform(answer))
            task.add_done_callback(lambda _: self._done())
            self.on_leave(lambda: cast(None, task.cancel()))
            return
        answer = with_connection(without_body(answer) if self._bodyless else answer, self._option)
        answer = dated(answer, date_line())
        if len(answer.body) <= JOINED_BYTES:
            self._written = _write_ready(self._connection, answer.wire)
        else:
            _write_ready(self._connection, answer.head)
            self._written = _write_ready(self._connection, answer.body)
        self.finish()

    def begin(self, answer_head: "ResponseHead", length: int | None) -> None:
        """Sends the head of a streamed response."""
        # A piece must not wait for the client to acknowledge the one before it (Nagle's algorithm); `finish` resets it.
        self._connection.stream.set_nodelay(True)
        self._written = _write_ready(self._connection, self._opening(answer_head, length))

    def send_whole(self, answer_head: "ResponseHead", length: int | None, body: bytes) -> None:
        """Sends the head and all of the body of a live response in one write."""
        data = self._opening(answer_head, length)
        if not self._bodyless and body:
            data += chunk(body) if self._chunked else body
        if self._chunked:
            data += chunk(b"")
            self._chunked = False  # its end is written already
        self._written = _write_ready(self._connection, data)

    def _opening(self, answer_head: "ResponseHead", length: int | None) -> bytes:
        self.begun = True
        headers = answer_head.headers
        self._bodyless = self._bodyless or answer_head.status in NO_CONTENT
        if length is not None and not self._bodyless:
            headers = (*headers, ("Content-Length", str(length)))
        elif not self._bodyless:
            self._frame_by_chunks_or_close()
            headers = (*headers, ("Transfer-Encoding", "chunked")) if self._chunked else headers
        answer = RenderedResponse(answer_head.status, head(answer_head.status, answer_head.reason, headers))
        return with_connection(answer, self._option).head

    async def write(self, data: bytes) -> None:
        """Sends a piece of the body and waits until the connection has taken it."""
        if not data or self._bodyless:
            return
        self._written = _write_ready(self._connection, chunk(data) if self._chunked else data)
        try:
            await self._written
        except iostream.StreamClosedError:
            raise asyncio.CancelledError from None

    def finish(self) -> None:
        """Ends the response."""
        if self._chunked:
            self._written = _write_ready(self._connection, chunk(b""))
        self.finished = True
        if self._received:
            self._complete()

    def received(self) -> None:
        """Learns that the request has been read to its end, or need not be; only then can the connection go on."""
        if not self._received:
            self._received = True
            if self.finished:
                self._complete()

    def abort(self, *, reset: bool = False) -> None:
        """Cuts the response short; by a reset where that is wanted, or an orderly close would look like its end."""
        self.finished = True
        stream = self._connection.stream
        if (reset or self._is_http10) and stream.socket is not None:
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()
        self._done()

    def _complete(self) -> None:
        self._done()
        if not self._closes:
            self._connection.finish()
        elif self._written.done():
            self._connection.stream.close()
        else:
            stream = self._connection.stream
            self._written.add_done_callback(lambda _: stream.close())

    async def _perform(self, answer: RenderedResponse) -> None:
        now = asyncio.get_running_loop().time
        moment = now()
        for step in answer.steps:
            match step:
                case Delay(seconds):
                    moment += seconds
                    await asyncio.sleep(max(moment - now(), 0.0))
                case SendHead():
                    self._begin(answer)
                case SendBody(data):
                    await self.write(data)
                case SendFile() as file:
                    try:
                        for piece in _pieces(file):
                            await self.write(piece)
                    except OSError:  # it was promised whole
                        self._fell_short()
                        self.abort()
                        return
                case Detach():
                    self._done()
                case KeepOpen():
                    self._done()
                    await asyncio.get_running_loop().create_future()
                case Abort(reset):
                    self.abort(reset=reset)
                    return
        self.finish()

    def _begin(self, answer: RenderedResponse) -> None:
        """Sends the head of a response that goes on in steps, framed where it is streamed."""
        if answer.streamed and not self._bodyless:
            self._frame_by_chunks_or_close()
            answer = with_header(answer, b"Transfer-Encoding: chunked") if self._chunked else answer
        self._written = _write_ready(self._connection, dated(with_connection(answer, self._option), date_line()).head)

    def _frame_by_chunks_or_close(self) -> None:
        """Chooses how the end of a body without known length is told: HTTP/1.0 has no chunks."""
        self._chunked = not self._is_http10
        if self._is_http10:
            self.close_after()


def _pieces(sent: SendFile) -> Iterator[bytes]:
    """A file's bytes; read here, because a thread for each piece takes longer than what is read ahead by the system."""
    size = sent.size
    with Path(sent.place).open("rb", buffering=0) as file:
        file.seek(sent.start)
        while size:
            piece = file.read(min(size, _PIECE))
            if not piece:
                raise OSError("the file is shorter than it was")
            size -= len(piece)
            yield piece


def _write_ready(connection: HTTP1Connection, data: bytes) -> "asyncio.Future[None]":
    """Writes bytes that already are a message: allowed by Tornado without `write_headers`, and pinned by a test."""
    return connection.write(data)
