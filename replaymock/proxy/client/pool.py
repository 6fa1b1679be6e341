"""The road upstream without a proxy: connections kept alive between exchanges, and one exchange over one of them.

It takes the place of httpx's own transport, whose cost per request grows with the number of connections, and raises
the same errors.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Hashable
from typing import Protocol

import httpx

from replaymock.http import challenges
from replaymock.http.headers import TOKEN
from replaymock.http.messages import Request, ResponseHead
from replaymock.proxy.client.connection import UpstreamConnection
from replaymock.proxy.client.dialer import Dialer
from replaymock.proxy.client.uploading import RequestUpload, has_body

# An upload that upstream has answered already is still read to its end for a moment, so that it can be recorded.
LINGER_SECONDS = 2.0


class UpstreamResponse(Protocol):
    """An answer whose body is still to come. `head` is as it was sent."""

    head: ResponseHead

    async def read(self) -> bytes:
        """The next piece of the body, as it arrives; empty at its end."""

    def whole(self) -> bytes | None:
        """All of the body where it is there already, and then not to be read again; else None."""

    async def end(self) -> None:
        """Ends the exchange; its connection is kept where both messages ended cleanly."""

    async def abort(self) -> None:
        """Gives the exchange up."""


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Transport(Protocol):
    """What carries requests to an origin. Raises httpx's errors.

    A `client` is a connection of a client. What logs in on its connection upstream never shares that with another.
    """

    async def ask(
        self, origin: str, request: Request, body: AsyncIterator[bytes], client: Hashable | None = None
    ) -> UpstreamResponse:
        """Sends a request; the answer as soon as its head has come."""

    def hand_on(self, origin: str, client: Hashable) -> Streams | None:
        """The connection to an origin that is this client's own, which then is spoken on by who gets it."""

    def left(self, client: Hashable) -> None:
        """Learns that a client is gone; its connections end with it."""

    async def aclose(self) -> None:
        """Closes every connection."""


class ConnectionPool:
    """Connections to any number of origins. Idle ones are kept for `keepalive` seconds, owned ones while they last."""

    def __init__(self, dialer: Dialer, read: float, write: float, keepalive: float) -> None:
        self._dialer = dialer
        self._read_timeout = read
        self._write_timeout = write
        self._keepalive = keepalive
        self._idle: dict[str, dict[UpstreamConnection, None]] = {}
        self._owned: dict[Hashable, dict[str, UpstreamConnection]] = {}
        self._wires: set[UpstreamConnection] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def ask(
        self, origin: str, request: Request, body: AsyncIterator[bytes], client: Hashable | None = None
    ) -> UpstreamResponse:
        """Sends a request; the answer as soon as its head has come.

        It is sent once more where a kept connection turns out to be gone, nothing of an answer has come, and doing it
        twice does no harm (RFC 9110 section 9.2.2).
        """
        head = request_head(request)
        again = not has_body(request.headers) and request.method in _IDEMPOTENT
        own = self._owned.get(client, {})
        owned = origin in own or challenges.is_spoken(request.headers)
        wire = _usable(own.get(origin)) if owned else self._take(origin)
        if wire is not None:
            try:
                return await self._exchange(wire, origin, request, head, body, client)
            except (httpx.ReadError, httpx.RemoteProtocolError):
                if not again or wire.answered:
                    raise
        wire = await self._connect(origin)
        if owned:
            self._own(wire, origin, client)
        return await self._exchange(wire, origin, request, head, body, client)

    def hand_on(self, origin: str, client: Hashable) -> Streams | None:
        """The connection to an origin that is this client's own, which then is spoken on by who gets it."""
        wire = _usable(self._owned.get(client, {}).pop(origin, None))
        return wire.hand_on() if wire is not None else None

    def left(self, client: Hashable) -> None:
        """Learns that a client is gone; its connections end with it."""
        for wire in self._owned.pop(client, {}).values():
            wire.abort()

    async def aclose(self) -> None:
        """Closes every connection."""
        if self._sweep is not None:
            self._sweep.cancel()
        for wire in list(self._wires):
            wire.abort()
        await asyncio.sleep(0)

    async def _exchange(
        self,
        wire: UpstreamConnection,
        origin: str,
        request: Request,
        head: bytes,
        body: AsyncIterator[bytes],
        client: Hashable | None,
    ) -> UpstreamResponse:
        upload: RequestUpload | None = None
        try:
            wire.begin(request.method)
            if has_body(request.headers):
                upload = RequestUpload(wire, head, body, request.headers)
            else:
                wire.send(head)
                await _nothing(body)
            found = await wire.head()
            if upload is not None:
                await upload.settle()
        except BaseException:
            if upload is not None:
                upload.cancel()
            wire.abort()
            raise
        if challenges.is_offered(found.status, found.headers):
            self._own(wire, origin, client)
        return _Answer(found, wire, upload, lambda: self._keep(origin, wire, client))

    async def _connect(self, origin: str) -> UpstreamConnection:
        wire = await self._dialer.open(
            origin,
            lambda: UpstreamConnection(
                lambda gone: self._forget(origin, gone), self._read_timeout, self._write_timeout
            ),
        )
        if wire.open:
            self._wires.add(wire)
        return wire

    def _take(self, origin: str) -> UpstreamConnection | None:
        """A kept connection, the youngest first, on which nothing has come since: neither bytes nor its end."""
        idle = self._idle.get(origin)
        now = asyncio.get_running_loop().time()
        while idle:
            wire, _ = idle.popitem()
            if now - wire.idle_since < self._keepalive and wire.is_quiet():
                return wire
            wire.abort()
        return None

    def _own(self, wire: UpstreamConnection, origin: str, client: Hashable | None) -> None:
        """Makes a connection one client's own, for as long as both last."""
        wire.owned = True
        if client is not None:
            self._owned.setdefault(client, {})[origin] = wire

    def _keep(self, origin: str, wire: UpstreamConnection, client: Hashable | None) -> None:
        if wire.owned:
            if self._owned.get(client, {}).get(origin) is not wire:
                wire.abort()  # its client is gone, or has another by now
            return
        self._idle.setdefault(origin, {})[wire] = None
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._keepalive, self._sweep_idle)

    def _sweep_idle(self) -> None:
        """Closes what has been idle for too long."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._keepalive
        for idle in self._idle.values():
            for wire in [wire for wire in idle if wire.idle_since <= oldest]:
                del idle[wire]
                wire.abort()
        left = [wire.idle_since for idle in self._idle.values() for wire in idle]
        self._sweep = loop.call_at(min(left) + self._keepalive, self._sweep_idle) if left else None

    def _forget(self, origin: str, wire: UpstreamConnection) -> None:
        self._wires.discard(wire)
        self._idle.get(origin, {}).pop(wire, None)


class _Answer:
    """An answer over one connection, which `keep` takes back."""

    def __init__(
        self, head: ResponseHead, wire: UpstreamConnection, upload: RequestUpload | None, keep: Callable[[], None]
    ) -> None:
        self.head = head
        self.read = wire.read
        self.whole = wire.whole
        self._wire = wire
        self._upload = upload
        self._keep = keep
        # Upstream has answered without the whole request: whatever it does with the rest, the next one gets its own.
        self._is_early = upload is not None and not upload.whole

    async def end(self) -> None:
        """Ends the exchange; its connection is kept where both messages ended cleanly."""
        if self._upload is not None and self._wire.ended and self._wire.owned:
            # Half a request would end the connection, and the login with it.
            await self._upload.linger(None)
            self._is_early = not self._upload.whole
        elif self._upload is not None and self._wire.ended and self.head.status < _FIRST_ERROR:
            await self._upload.linger(LINGER_SECONDS)
        if self._wire.rest() and not self._is_early:
            self._keep()
        else:
            await self.abort()

    async def abort(self) -> None:
        """Gives the exchange up."""
        if self._upload is not None:
            self._upload.cancel()
        self._wire.abort()


def request_head(request: Request) -> bytes:
    """The head of a request, nothing added. httpx.LocalProtocolError where something in it would change its meaning."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in request.headers])
    head = f"{request.method} {request.target} HTTP/1.1\r\n{fields}\r\n"
    if not _HEAD.fullmatch(head) or head.count("\n") != len(request.headers) + 2:
        raise httpx.LocalProtocolError("it holds characters that a request head cannot")
    return head.encode("latin-1")


def _usable(wire: UpstreamConnection | None) -> UpstreamConnection | None:
    """A client's own connection, unless it is gone or still in use."""
    if wire is None or wire.is_busy:
        return None
    if wire.is_quiet():
        return wire
    wire.abort()
    return None


async def _nothing(body: AsyncIterator[bytes]) -> None:
    async for piece in body:
        if piece:
            raise httpx.LocalProtocolError("it has a body, but neither a length nor chunks")


_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))
_FIRST_ERROR = 400
_HEAD = re.compile(rf"{TOKEN.pattern} [!-~]+ HTTP/1\.1\r\n(?:{TOKEN.pattern}: [^\0\r\n]*+\r\n)*\r\n")
