"""One connection upstream, one exchange at a time: bytes out with back-pressure, a head and pieces in.

An exchange that did not end cleanly leaves a connection that is not used again. What fails is raised as httpx's errors.
"""

import asyncio
import contextlib
import os
import select
import ssl
from collections import deque
from collections.abc import Callable
from typing import cast

import httpx
from msgspec import Struct

from replaymock.http.messages import ResponseHead
from replaymock.proxy.client.response_parser import Malformed, ResponseParser

# Bytes of a body that may wait for a slow client before upstream is made to wait, too.
MOST_WAITING = 256 * 1024
# How long a request head waits for the first piece of its body, so that both go out in one write.
HEAD_WAITS_SECONDS = 0.005


class Timeouts(Struct, frozen=True):
    """How many seconds connecting may take, upstream may be silent, and it may refuse to take what is sent."""

    connect: float
    read: float
    write: float


class UpstreamConnection(asyncio.Protocol):
    """A connection; `lost` is called once it is gone."""

    def __init__(self, lost: "Callable[[UpstreamConnection], None]") -> None:
        self._lost = lost
        self._read_timeout = 0.0
        self._write_timeout = 0.0
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._incoming: ResponseParser | None = None
        self._error: Exception | None = None
        self._pieces: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._reader: asyncio.Future[None] | None = None
        self._asked_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._writable: asyncio.Future[None] | None = None
        self._held = b""
        self._head_timer: asyncio.TimerHandle | None = None
        self.idle_since = 0.0
        self.open = False
        # While a request body is on its way, silence is no fault of upstream.
        self._is_uploading = False
        # Somebody logged in on it, or was asked to: what is sent over it is said in their name.
        self.is_owned = False

    def begin(self, method: str, timeouts: Timeouts) -> None:
        """Makes ready for the answer to a request of this method."""
        self._incoming = ResponseParser(method)
        if not self.open:
            self._error = httpx.ReadError("the connection was closed before it was used")
        if self._watch is not None and timeouts.read < self._read_timeout:
            self._watch.cancel()
            self._watch = None
        self._read_timeout, self._write_timeout = timeouts.read, timeouts.write
        if self._watch is None:
            self._watch = self._loop.call_later(self._read_timeout, self._look)

    def become_owned(self) -> None:
        """Makes it one client's own."""
        self.is_owned = True

    def begin_upload(self) -> None:
        """Learns that a request body is on its way; until its end upstream's silence does not count."""
        self._is_uploading = True

    def send_head_coalesced(self, head: bytes) -> None:
        """Sends a head, together with the first piece of its body where that comes soon."""
        self._held = head
        self._head_timer = self._loop.call_later(HEAD_WAITS_SECONDS, self.send, b"")

    def send(self, data: bytes) -> None:
        """Sends bytes; nothing once the connection is gone."""
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
            data, self._held = self._held + data, b""
        if self.open and self._transport is not None:
            self._transport.write(data)

    async def drain(self) -> None:
        """Waits until upstream has taken most of what was sent. httpx.WriteTimeout."""
        if self._writable is None:
            return
        try:
            async with asyncio.timeout(self._write_timeout):
                await self._writable
        except TimeoutError as error:
            raise httpx.WriteTimeout("the request was not taken") from error

    def end_upload(self) -> None:
        """Learns that the request body is whole; from here on upstream's silence counts."""
        self._is_uploading = False
        self._asked_at = self._loop.time()

    async def head(self) -> ResponseHead:
        """The head of the answer, as soon as it has come."""
        incoming = cast(ResponseParser, self._incoming)
        while incoming.head is None:
            await self._receive()
        return incoming.head

    async def read(self) -> bytes:
        """The next piece of the body; empty at its end."""
        while not self._pieces:
            if cast(ResponseParser, self._incoming).ended:
                return b""
            await self._receive()
        piece = self._pieces.popleft()
        self._waiting_bytes -= len(piece)
        if self._transport is not None and self._waiting_bytes <= MOST_WAITING // 2:
            self._transport.resume_reading()
        return piece

    def whole(self) -> bytes | None:
        """All of the body where it has come already, and is not to be read again then; else None."""
        if self._error is not None or not self.has_ended:
            return None
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._waiting_bytes = 0
        if self._transport is not None:
            self._transport.resume_reading()
        return data

    @property
    def has_answered(self) -> bool:
        """Whether anything of the answer has come."""
        return self._incoming is not None and self._incoming.started

    @property
    def has_ended(self) -> bool:
        """Whether the whole answer has come."""
        return self._incoming is not None and self._incoming.ended

    def release(self) -> bool:
        """Ends the exchange; whether the connection can carry another."""
        incoming, self._incoming = self._incoming, None
        self.idle_since = self._loop.time()
        return self.open and not self._pieces and incoming is not None and incoming.ended and incoming.can_reuse

    @property
    def is_busy(self) -> bool:
        """Whether an exchange is under way."""
        return self._incoming is not None

    def hand_on(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Gives the connection, on which nothing is under way, to who speaks something else on it."""
        transport = cast(asyncio.Transport, self._transport)
        if self._watch is not None:
            self._watch.cancel()
        self.open = False
        self._transport = None
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        self._lost(self)
        return reader, asyncio.StreamWriter(transport, protocol, reader, self._loop)

    def is_quiet(self) -> bool:
        """Whether nothing waits to be read, not even the news that upstream has closed."""
        if not self.open or self._transport is None:
            return False
        return not _is_readable(self._transport.get_extra_info("socket").fileno())

    def abort(self) -> None:
        """Closes at once."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def fail(self, error: Exception) -> None:
        """Ends the exchange with an error for who reads it."""
        if self._error is None:
            self._error = error
        self._wake()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is made."""
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        """Bytes came; between two exchanges they can only be wrong."""
        if self._incoming is None:
            self.abort()
            return
        try:
            piece = self._incoming.feed(data)
        except Malformed as error:
            self._break(httpx.RemoteProtocolError(str(error)), error)
            return
        if piece:
            self._pieces.append(piece)
            self._waiting_bytes += len(piece)
            if self._waiting_bytes > MOST_WAITING and self._transport is not None:
                self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Upstream sends no more."""
        self.open = False
        self._close(None)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self.open = False
        for timer in (self._watch, self._head_timer):
            if timer is not None:
                timer.cancel()
        self.resume_writing()
        if isinstance(error, ConnectionError):
            self._read_rest()
        self._close(error)
        self._lost(self)

    def pause_writing(self) -> None:
        """Upstream reads slower than is sent."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Upstream takes more again."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    async def _receive(self) -> None:
        if self._error is not None:
            raise self._error
        self._reader = self._loop.create_future()
        self._asked_at = self._loop.time()
        try:
            await self._reader
        finally:
            self._reader = None

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _look(self) -> None:
        """Looks whether upstream has been silent for too long; one timer serves all exchanges of a connection."""
        now = self._loop.time()
        due = now if self._reader is None or self._is_uploading else self._asked_at
        if due + self._read_timeout > now:
            self._watch = self._loop.call_at(due + self._read_timeout, self._look)
        else:
            self.fail(httpx.ReadTimeout("nothing came"))

    def _close(self, error: Exception | None) -> None:
        """Takes the end of the connection as the end of the answer, where it can be that."""
        if self._incoming is None or self._incoming.ended:
            return
        if error is not None and not isinstance(error, ssl.SSLError):
            self._break(httpx.ReadError(str(error) or "the connection was reset"), error)
            return
        try:
            self._incoming.close()
        except Malformed as malformed:
            self._break(httpx.RemoteProtocolError(str(malformed)), error or malformed)
        self._wake()

    def _break(self, error: Exception, cause: Exception) -> None:
        error.__cause__ = cause
        self.fail(error)
        self.abort()

    def _read_rest(self) -> None:
        """Reads what came before a reset that asyncio met while writing, for it reads no more then (seen in 3.11)."""
        if self._transport is None or self._transport.get_extra_info("ssl_object") is not None:
            return
        with contextlib.suppress(OSError):
            descriptor = self._transport.get_extra_info("socket").fileno()
            while self._incoming is not None and self._error is None and (data := os.read(descriptor, 65536)):
                self.data_received(data)


def _is_readable(descriptor: int) -> bool:
    if not hasattr(select, "poll"):  # Windows, where select has no upper bound
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
