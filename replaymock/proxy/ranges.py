"""Ranges while recording: which are cut from the whole, and how that is asked for; the others go upstream."""

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from replaymock.http import conditional, signing
from replaymock.http.conditional import ConditionalRequest
from replaymock.http.headers import Headers, content_length, get, has, has_body
from replaymock.http.messages import Request, StreamingResponse
from replaymock.proxy.headers import HeaderForwarder
from replaymock.proxy.range_cache import TOO_LARGE, Parts, Wholes, total_of
from replaymock.proxy.range_slices import Cut
from replaymock.proxy.routes import Upstream

if TYPE_CHECKING:
    from replaymock.proxy.upstreams import Upstreams  # replay never loads httpx

NOT_MODIFIED = 304
PARTIAL = 206


class Ranging:
    """The ranges of one run. A whole is kept, and remembered, within `limit` bytes."""

    def __init__(self, passage: HeaderForwarder, backends: "Upstreams", limit: int) -> None:
        self._passage = passage
        self._backends = backends
        self._limit = limit
        self._wholes = Wholes(limit)
        self._parts = Parts(limit)

    def asked(self, request: Request) -> ConditionalRequest | None:
        """The range of a request that is to be cut from the whole; None where there is none, or it goes upstream.

        A range that is signed would be missed there, and the second of two requests would have no body any more.
        """
        if request.method != "GET" or not _has_range(request.headers):
            return None
        asked = conditional.single_range(request.method, request.headers)
        if asked is None or has_body(request.headers) or self._wholes.why_apart(request.target):
            return None
        return None if signing.signed_headers(request.headers, request.query) & conditional.RANGES else asked

    @asynccontextmanager
    async def whole(
        self, upstream: Upstream, request: Request, body: AsyncIterator[bytes], client: Hashable
    ) -> AsyncIterator[StreamingResponse]:
        """The answer to a request for the whole of what a range is asked of. UpstreamError also while it is read.

        A whole that was kept is not sent again where upstream says that it still is the same.
        """
        left_out = conditional.withheld_conditions("GET") | conditional.RANGES
        headers = self._passage.outgoing(_uncoded(request), upstream, left_out)
        known = self._wholes.known(request.target)
        if known:
            headers = (*headers, ("If-None-Match", known.tag))
        outgoing = Request(request.method, request.target, headers)
        async with self._backends.send(upstream, outgoing, body, client) as live:
            yield known.confirmed(live) if known and live.status == NOT_MODIFIED else live

    def kept(self, request: Request, live: StreamingResponse, body: bytes) -> None:
        """Learns that a whole was kept."""
        if live.status == conditional.OK:
            self._wholes.remember(request.target, live, body)

    def is_coming(self, request: Request, cut: Cut) -> bool:
        """Whether the same whole is on its way to be kept already; if it is not, this one is until it `came`."""
        return cut.body is None and self._wholes.is_coming(request.target, cut.live.headers)

    def came(self, request: Request) -> None:
        """Learns that a whole is on its way no more."""
        self._wholes.came(request.target)

    def give_up(self, request: Request, live: StreamingResponse) -> None:
        """Has ranges of a target go upstream by themselves, after its whole turned out not to do."""
        self._wholes.note_size(request.target, content_length(live.headers))

    def joined(self, request: Request, live: StreamingResponse, body: bytes) -> tuple[Headers, bytes] | None:
        """The head and body of a whole, where a part that was passed on is the last of it."""
        self._wholes.note_size(request.target, total_of(live.headers))
        plain = not has(request.headers, "if-range")  # or it may come without some of its headers
        return self._parts.join(request.target, live.headers, body) if plain else None

    def why_not_whole(self, request: Request, part: Headers) -> str:
        """Why a part was passed on instead of being cut from the whole."""
        if total_of(part) > self._limit:
            return TOO_LARGE
        why = self._wholes.why_apart(request.target)
        if not why and signing.signed_headers(request.headers, request.query) & conditional.RANGES:
            why = "as the range is signed"
        later = "; saved once all parts have come" if conditional.is_strong(get(part, "etag").strip()) else ""
        return (why or "as upstream answered by no more") + later


@lru_cache(maxsize=128)
def _has_range(headers: Headers) -> bool:
    """`headers.has`, remembered, as every request asks for it and the same client sends the same headers."""
    return has(headers, "range")


def _uncoded(request: Request) -> Request:
    """The request without a wish for content codings: a range is of the bytes as they are sent."""
    if get(request.headers, "accept-encoding") in ("", _UNCODED):
        return request
    if "accept-encoding" in signing.signed_headers(request.headers, request.query):
        return request
    headers = tuple((name, _UNCODED if name.lower() == "accept-encoding" else value) for name, value in request.headers)
    return replace(request, headers=headers)


_UNCODED = "identity"
