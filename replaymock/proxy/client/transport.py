"""Our HTTP/1.1 as one of httpx's transports: exact to the byte, and cheap at any number of connections.

Of a request it reads `extensions["target"]` for a target that is sent as it is, `extensions["timeout"]`, and whose it
is from an extension of our own. Of a response it gives the bytes of the headers and `extensions["reason_phrase"]`.
"""

import math
from collections.abc import AsyncIterable, Hashable, Mapping
from typing import cast

import httpx

from replaymock.proxy.client.connection import Timeouts
from replaymock.proxy.client.dialer import Dialer
from replaymock.proxy.client.httpx_messages import CLIENT, IncomingResponse, message_of, origin_of
from replaymock.proxy.client.pool import ConnectionPool, Streams


class Http1Transport(httpx.AsyncBaseTransport):
    """A pool of connections; `timeouts` count where a request brings none of its own."""

    def __init__(self, dialer: Dialer, timeouts: Timeouts, keepalive: float) -> None:
        self._timeouts = timeouts
        self._last_extension: Mapping[str, float | None] | None = None
        self._last_timeouts = timeouts
        self._pool = ConnectionPool(dialer, timeouts, keepalive)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response to a request as soon as its head has come. httpx's errors, also while its body is read."""
        extensions = request.extensions
        body = await self._pool.send(
            origin_of(request),
            message_of(request),
            aiter(cast("AsyncIterable[bytes]", request.stream)),
            extensions.get(CLIENT),
            self._timeouts_of(extensions.get("timeout")),
        )
        return IncomingResponse(body.head, body)

    def hand_on(self, origin: str, client: Hashable) -> Streams | None:
        """The connection to an origin that is this client's own, which then is spoken on by who gets it."""
        return self._pool.hand_on(origin, client)

    def left(self, client: Hashable) -> None:
        """Learns that a client is gone; its connections end with it."""
        self._pool.left(client)

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._pool.aclose()

    def _timeouts_of(self, extension: Mapping[str, float | None] | None) -> Timeouts:
        if extension is self._last_extension:  # as a rule one and the same
            return self._last_timeouts
        self._last_extension, self._last_timeouts = extension, self._timeouts
        if extension is not None:
            limits = [extension.get(name) for name in ("connect", "read", "write")]
            self._last_timeouts = Timeouts(*(math.inf if limit is None else limit for limit in limits))
        return self._last_timeouts
