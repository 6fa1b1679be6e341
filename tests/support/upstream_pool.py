"""A pool of connections and the backends that it is tried on."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

from replaymock.http.messages import Request
from replaymock.proxy.client.connection import Timeouts
from replaymock.proxy.client.dialer import DialedConnection, Dialer
from replaymock.proxy.client.httpx_messages import CLIENT, OutgoingRequest
from replaymock.proxy.client.pool import ConnectionPool

HOST = (("Host", "backend"),)


HI = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Backend:
    """A backend in the test's own loop; each connection is given to `handle`, and counted."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def open(self) -> int:
        """How many connections there are at the moment."""
        return len(self._writers)

    @contextlib.asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        """Its origin, while it listens."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"{'https://localhost' if tls else 'http://127.0.0.1'}:{port}"
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await until(lambda: not self._writers)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._handle(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        self._writers.discard(writer)


def trusting() -> ssl.SSLContext:
    """TLS that trusts everybody."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return tls


async def dialed(origin: str, proxy: str = "") -> DialedConnection:
    """A connection to a backend."""
    return await Dialer(trusting(), 5.0, proxy).dial(origin)


def pool(**told: float) -> ConnectionPool:
    """A pool that trusts everybody."""
    times = {"connect": 5.0, "read": 5.0, "write": 5.0, "keepalive": 5.0, **told}
    timeouts = Timeouts(times["connect"], times["read"], times["write"])
    return ConnectionPool(Dialer(trusting(), timeouts.connect), timeouts, times["keepalive"])


def outgoing(origin: str, request: Request, *body: bytes, client: str | None = None) -> OutgoingRequest:
    """A request in httpx's form."""
    timeouts = dict.fromkeys(("connect", "read", "write"), 5.0)
    return OutgoingRequest(origin, request, pieces(*body), {"timeout": timeouts, CLIENT: client})


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    """A request body."""
    for piece in data:
        yield piece


async def answered(
    used: ConnectionPool, origin: str, request: Request | None = None, *body: bytes, client: str | None = None
) -> tuple[int, bytes]:
    """One whole exchange."""
    reply = await used.send(origin, request or Request("GET", "/", HOST), pieces(*body), client)
    try:
        data = b"".join([piece async for piece in _read(reply.read)])
    except BaseException:
        await reply.abort()
        raise
    await reply.aclose()
    return reply.head.status, data


async def _read(read: Callable[[], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    while piece := await read():
        yield piece


async def until(condition: Callable[[], bool]) -> None:
    """Waits for something to become true."""
    async with asyncio.timeout(5):
        # Looked at in turns: what is waited for is told by no event.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
