"""Writes the response to one request, framed for the client's HTTP version; a cut response never looks complete."""

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
    head,
    with_connection,
    with_date,
    with_header,
    without_body,
)
from replaymock.server.date_header import date_line

if TYPE_CHECKING:
    from replaymock.http.messages import ResponseHead

_PIECE = 128 * 1024


class ClientConnection:
    """A client's connection, for one response.

    `done` is called when the response is out or the connection gone; `short_file` when a file that is sent turns out
    shorter than announced.
    """

    def __init__(
        self, connection: HTTP1Connection, done: Callable[[], None], short_file: Callable[[], None] = lambda: None
    ) -> None:
        # All requests of a connection share its stream.
        self.client: Hashable = connection.stream
        self._connection = connection
        self._done = done
        self._short_file = short_file
        self._written: asyncio.Future[None] = asyncio.Future()
        self._is_http10 = False
        self._closes = False
        self._option = ""
        self._is_bodyless = False
        self._is_chunked = False
        self._is_received = False
        self.has_begun = False
        self.is_finished = False

    def start_request(self, request: Request, version: str) -> None:
        """Sets how the response is framed, and what becomes of the connection, from the request."""
        persistence = connection_persistence(request.headers, version)
        self._is_http10 = version == "HTTP/1.0"
        self._closes = persistence.is_closing
        self._option = persistence.option
        self._is_bodyless = request.method == "HEAD"

    def close_after(self) -> None:
        """Closes the connection once the response is out."""
        self._closes = True
        self._option = "close"

    def on_leave(self, callback: Callable[[], None]) -> None:
        """Calls back when the client leaves before its response is complete, or soon if it has left already."""
        if self._connection.stream.closed():
            asyncio.get_running_loop().call_soon(callback)
        else:
            self._connection.set_close_callback(callback)

    def invite(self) -> None:
        """Sends a 100, for which the client waits with its body (RFC 9110 section 10.1.1)."""
        _write_ready(self._connection, b"HTTP/1.1 100 Continue\r\n\r\n")

    def answer(self, answer: RenderedResponse) -> None:
        """Sends a rendered response."""
        self.has_begun = True
        if answer.steps:
            task = asyncio.ensure_future(self._perform(answer))
            task.add_done_callback(lambda _: self._done())
            self.on_leave(lambda: cast(None, task.cancel()))
            return
        answer = with_connection(without_body(answer) if self._is_bodyless else answer, self._option)
        answer = with_date(answer, date_line())
        if len(answer.body) <= JOINED_BYTES:
            self._written = _write_ready(self._connection, answer.wire)
        else:
            _write_ready(self._connection, answer.head)
            self._written = _write_ready(self._connection, answer.body)
        self.finish()

    def begin(self, answer_head: "ResponseHead", length: int | None) -> None:
        """Sends the head of a streamed response."""
        # No piece may wait until the client acknowledges the one before it (Nagle's algorithm); `finish` resets this.
        self._connection.stream.set_nodelay(True)
        self._written = _write_ready(self._connection, self._opening(answer_head, length))

    def send_whole(self, answer_head: "ResponseHead", length: int | None, body: bytes) -> None:
        """Sends the head and the whole body of a forwarded response in one write."""
        data = self._opening(answer_head, length)
        if not self._is_bodyless and body:
            data += chunk(body) if self._is_chunked else body
        if self._is_chunked:
            data += chunk(b"")
            self._is_chunked = False  # the last chunk is written already
        self._written = _write_ready(self._connection, data)

    def _opening(self, answer_head: "ResponseHead", length: int | None) -> bytes:
        self.has_begun = True
        headers = answer_head.headers
        self._is_bodyless = self._is_bodyless or answer_head.status in NO_CONTENT
        if length is not None and not self._is_bodyless:
            headers = (*headers, ("Content-Length", str(length)))
        elif not self._is_bodyless:
            self._frame_by_chunks_or_close()
            headers = (*headers, ("Transfer-Encoding", "chunked")) if self._is_chunked else headers
        answer = RenderedResponse(answer_head.status, head(answer_head.status, answer_head.reason, headers))
        return with_connection(answer, self._option).head

    async def write(self, data: bytes) -> None:
        """Sends a piece of the body and waits until the connection has taken it."""
        if not data or self._is_bodyless:
            return
        self._written = _write_ready(self._connection, chunk(data) if self._is_chunked else data)
        try:
            await self._written
        except iostream.StreamClosedError:
            raise asyncio.CancelledError from None

    def finish(self) -> None:
        """Ends the response."""
        if self._is_chunked:
            self._written = _write_ready(self._connection, chunk(b""))
        self.is_finished = True
        if self._is_received:
            self._complete()

    def received(self) -> None:
        """Records that the request was read to its end, or need not be. Only then can the next one begin."""
        if not self._is_received:
            self._is_received = True
            if self.is_finished:
                self._complete()

    def abort(self, *, reset: bool = False) -> None:
        """Cuts the response off; by a reset if wanted, or if an orderly close would look like its end."""
        self.is_finished = True
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
                    except OSError:  # its length was announced
                        self._short_file()
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
        """Sends the head of a response with steps; if it is streamed, its body is framed here."""
        if answer.is_streamed and not self._is_bodyless:
            self._frame_by_chunks_or_close()
            answer = with_header(answer, b"Transfer-Encoding: chunked") if self._is_chunked else answer
        self._written = _write_ready(
            self._connection, with_date(with_connection(answer, self._option), date_line()).head
        )

    def _frame_by_chunks_or_close(self) -> None:
        """Chooses how a body of unknown length ends: by its last chunk, or in HTTP/1.0 by a close."""
        self._is_chunked = not self._is_http10
        if self._is_http10:
            self.close_after()


def _pieces(sent: SendFile) -> Iterator[bytes]:
    """The bytes of a file. Read without a thread, which would take longer than what the system reads ahead."""
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
    """Writes the bytes of a message. Tornado allows that without `write_headers`, and a test pins it."""
    return connection.write(data)
