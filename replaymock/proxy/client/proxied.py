"""The road upstream through `--upstream-proxy`: httpx's own transport, which knows proxies and tunnels."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from typing import cast

import httpx

from replaymock.errors import UsageError
from replaymock.http import challenges
from replaymock.http.messages import Request, ResponseHead
from replaymock.redaction.redactor import redact_url

# No more idle connections than that are kept; how many there are at once is limited by who asks.
_MOST_IDLE = 400


class Proxied:
    """Connections through a proxy: without cookies, redirects, environment or default headers.

    A client that logs in on its connection has connections of its own from then on.
    """

    def __init__(self, tls: ssl.SSLContext, proxy: str, timeouts: dict[str, float], keepalive: float) -> None:
        self._timeouts = {**timeouts, "pool": None}
        self._tls = tls
        self._proxy = _proxy(proxy)
        self._transport = self._make(keepalive)
        self._owned: dict[Hashable, httpx.AsyncHTTPTransport] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def ask(
        self, origin: str, request: Request, body: AsyncIterator[bytes], client: Hashable | None = None
    ) -> "_ProxiedAnswer":
        """Sends a request; the answer as soon as its head has come."""
        transport = self._owned.get(client, self._transport)
        if transport is self._transport and challenges.is_spoken(request.headers):
            transport = self._owned[object() if client is None else client] = self._make(None)
        outgoing = httpx.Request(
            request.method,
            origin,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
            stream=_Stream(body),
            extensions={"timeout": self._timeouts},
        )
        outgoing.method = request.method
        outgoing.url = _LiteralURL(origin, request.target.encode("ascii"))
        return _ProxiedAnswer(await transport.handle_async_request(outgoing))

    def hand_on(self, _origin: str, _client: Hashable) -> None:
        """Its connections cannot be spoken on by others."""

    def left(self, client: Hashable) -> None:
        """Learns that a client is gone; its connections end with it."""
        if transport := self._owned.pop(client, None):
            ending = asyncio.ensure_future(transport.aclose())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    async def aclose(self) -> None:
        """Closes every connection."""
        for client in list(self._owned):
            self.left(client)
        await asyncio.gather(self._transport.aclose(), *self._ending)

    def _make(self, keepalive: float | None) -> httpx.AsyncHTTPTransport:
        # httpcore#1093: its pool dies for good after client aborts once its own limit makes requests wait (seen in
        # 1.0.9). So it has none; the limit stands before it.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=_MOST_IDLE, keepalive_expiry=keepalive)
        return httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=limits, proxy=self._proxy)


class _ProxiedAnswer:
    """An answer, as httpx has it."""

    def __init__(self, response: httpx.Response) -> None:
        self.head = ResponseHead(
            response.status_code,
            response.extensions.get("reason_phrase", b"").decode("latin-1"),
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw),
        )
        self._pieces = cast("AsyncGenerator[bytes, None]", aiter(cast(httpx.AsyncByteStream, response.stream)))
        self.end = response.aclose
        self.abort = response.aclose

    def whole(self) -> None:
        """Nobody knows before the end."""

    async def read(self) -> bytes:
        """The next piece of the body; empty at its end."""
        while not (piece := await anext(self._pieces, None)):
            if piece is None:
                return b""
        return piece


class _LiteralURL(httpx.URL):
    """An upstream's URL with a target that goes out as it came.

    The `target` extension does that too, but also for the CONNECT that asks a proxy for a tunnel (httpcore 1.0.9).
    """

    def __init__(self, origin: str, target: bytes) -> None:
        super().__init__(origin)
        self._target = target

    @property
    def raw_path(self) -> bytes:
        return self._target


class _Stream(httpx.AsyncByteStream):
    """A request body for httpx."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield piece


def _proxy(url: str) -> httpx.Proxy:
    try:
        return httpx.Proxy(url)
    except ValueError as error:
        raise UsageError(f"--upstream-proxy {redact_url(url)!r}: write it as http://host:port") from error
