"""What a proxy changes in the header section of a message, both ways, and nothing else (RFC 9110 section 7.6)."""

from functools import lru_cache

from replaymock.http import signing
from replaymock.http.content_coding import restrict_to_supported
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import (
    FRAMING,
    Headers,
    expects_continue,
    get,
    hop_by_hop,
    is_chunked,
    is_cors,
    without,
)
from replaymock.http.messages import Request, ResponseHead, StreamingResponse
from replaymock.http.origin import OriginRewriter, local_cookies, under_base_path
from replaymock.proxy import own_origin
from replaymock.proxy.relay import BodyRewrite
from replaymock.proxy.routes import Upstream


def request_headers(
    headers: Headers,
    host: str,
    via: str,
    added: Headers,
    left_out: frozenset[str] = frozenset(),
    signed: frozenset[str] = frozenset(),
) -> Headers:
    """Request headers as they go upstream, without what is `left_out`; none that is `signed` is changed.

    `added` replaces what has the same name.
    """
    dropped = hop_by_hop(headers) | {"host", "via"} | {name.lower() for name, _ in added}
    if expects_continue(headers):
        dropped |= {"expect"}
    dropped |= left_out - signed
    kept = tuple((name, _cut(name, value, signed)) for name, value in headers if name.lower() not in dropped)
    passed_by = get(headers, "via")
    outgoing = (("Host", host), *kept, ("Via", f"{passed_by}, {via}" if passed_by else via), *added)
    return (*outgoing, ("Transfer-Encoding", "chunked")) if is_chunked(headers) else outgoing


def response_headers(
    headers: Headers,
    origins: OriginRewriter | None,
    origin: str,
    base: str,
    cors: CorsPolicy,
    echoed: str,
    extra: Headers,
) -> Headers:
    """Response headers as they go to the client, without framing; `origins` is None where nothing is rewritten.

    Links to the backend lead to `origin` instead, which includes the `base` path the client came under.
    """
    kept = without(headers, hop_by_hop(headers) | FRAMING)
    if cors.is_enabled:
        kept = tuple(pair for pair in kept if not is_cors(pair[0].lower()))
    if origins is not None:
        kept = tuple((name, origins.header_to_origin(value, origin)) for name, value in kept)
    return cors.apply((*under_base_path(local_cookies(kept), base), *extra), echoed)


def _cut(name: str, value: str, signed: frozenset[str]) -> str:
    return (
        restrict_to_supported(value) if name.lower() == "accept-encoding" and "accept-encoding" not in signed else value
    )


_REMEMBERED = 256


class HeaderForwarder:
    """Makes the heads to pass on. `origins` are replaced on the way to the client; where None, nothing is, either way.

    Origins this server goes by name the upstream on the way there. `via` names this server, `added` are headers added
    upstream, and `status` is the `Cache-Status` of an answer; empty where answers do not say what they are.
    """

    def __init__(self, via: str, added: Headers, status: str, origins: OriginRewriter | None, cors: CorsPolicy) -> None:
        self._via = via
        self._added = added
        self._status = status
        self._origins = origins
        self._cors = cors
        self._own: own_origin.Own = frozenset()
        self._upstream = lru_cache(_REMEMBERED)(self._to_upstream)
        self._client = lru_cache(_REMEMBERED)(self._to_client)

    def listens_on(self, host: str, port: int) -> None:
        """Learns which origins this server goes by, besides the one that each client uses."""
        self._own = own_origin.own(host, port)
        self._upstream.cache_clear()

    def outgoing(self, request: Request, upstream: Upstream, left_out: frozenset[str] = frozenset()) -> Headers:
        """The headers of a request as they go upstream, without those that are `left_out`; what is signed stays."""
        presigned = request.query if signing.is_presigned(request.query) else ""
        return self._upstream(request.headers, upstream, left_out, presigned)

    def rewriting(self, request: Request, limit: int) -> BodyRewrite | None:
        """How the body of an answer is rewritten."""
        return BodyRewrite(self._origins, request.origin, limit) if self._origins else None

    def head(self, live: StreamingResponse, request: Request, file: str, *, stored: bool) -> ResponseHead:
        """The head of an answer as the client gets it; `file` is the cassette it is kept in, empty where not known."""
        echoed = self._cors.credentialed_origin(request.headers)
        is_head = request.method == "HEAD"
        named = bool(file)
        before, after = self._client(live.headers, request.origin, request.base, echoed, stored, named, is_head)
        if file and self._status:
            before = (*before, ("Replaymock-Cassette", file))
        return ResponseHead(live.status, live.reason, before + after)

    def _to_upstream(self, headers: Headers, upstream: Upstream, left_out: frozenset[str], presigned: str) -> Headers:
        signed = signing.signed_headers(headers, presigned)
        if self._origins is not None:
            here = Request("GET", "/", headers).origin
            own = self._own | {own_origin.normal(here)} if here else self._own
            headers = own_origin.to_backend(headers, own, upstream, signed)
        host = upstream.origin.partition("://")[2]
        return request_headers(headers, host, self._via, self._added, left_out, signed)

    def _to_client(
        self,
        headers: Headers,
        origin: str,
        base: str,
        echoed: str,
        stored: bool,
        named: bool,
        is_head: bool,
    ) -> tuple[Headers, Headers]:
        """The headers that go before the name of the cassette, and those after it."""
        cassette = ("Replaymock-Cassette", "")
        extra: Headers = (("Cache-Status", self._status + ("; stored" if stored else "")),) if self._status else ()
        extra = (*extra, cassette) if extra and named else extra
        passed_on = response_headers(headers, self._origins, origin, base, self._cors, echoed, extra)
        if is_head:
            passed_on = (*passed_on, *(pair for pair in headers if pair[0].lower() == "content-length"))
        at = next((at for at, pair in enumerate(passed_on) if pair is cassette), len(passed_on))
        return passed_on[:at], passed_on[at + 1 :]
