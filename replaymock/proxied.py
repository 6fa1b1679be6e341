"""The road upstream through `--upstream-proxy`: httpx's own transport, which knows proxies and tunnels."""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

import httpx

from replaymock.errors import UsageError
from replaymock.exchange import Request
from replaymock.framing import Head
from replaymock.settings import shown_url

# No more idle connections than that are kept; how many there are at once is limited by who asks.
_MOST_IDLE = 400


class Proxied:
    """Connections through a proxy: without cookies, redirects, environment or default headers."""

    def __init__(self, tls: ssl.SSLContext, proxy: str, timeouts: dict[str, float], keepalive: float) -> None:
        # httpcore#1093: its pool dies for good after client aborts once its own limit makes requests wait (seen in
        # 1.0.9). So it has none; the limit stands before it.
        self._timeouts = {**timeouts, "pool": None}
        self._transport = httpx.AsyncHTTPTransport(
            verify=tls,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=_MOST_IDLE, keepalive_expiry=keepalive),
            proxy=_proxy(proxy),
        )

    async def ask(self, origin: str, request: Request, body: AsyncIterator[bytes]) -> "_Answer":
        """Sends a request; the answer as soon as its head has come."""
        outgoing = httpx.Request(
            request.method,
            origin,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
            stream=_Stream(body),
            extensions={"timeout": self._timeouts},
        )
        outgoing.method = request.method
        outgoing.url = _LiteralURL(origin, request.target.encode("ascii"))
        return _Answer(await self._transport.handle_async_request(outgoing))

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._transport.aclose()


class _Answer:
    """An answer, as httpx has it."""

    def __init__(self, response: httpx.Response) -> None:
        self.head = Head(
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
        raise UsageError(f"--upstream-proxy {shown_url(url)!r}: write it as http://host:port") from error
