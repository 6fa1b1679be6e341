"""What a proxy changes in the header section of a message, both ways, and nothing else (RFC 9110 section 7.6)."""

from functools import lru_cache

from replaymock.http.content_coding import cut_to_known
from replaymock.http.cors import Cors
from replaymock.http.headers import (
    FRAMING,
    Headers,
    _is_chunked,
    get,
    has_body,
    hop_by_hop,
    is_cors,
    list_items,
    without,
)
from replaymock.http.origin import Origins, below, local_cookies


def to_upstream(
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
    if _expects_to_be_asked(headers):
        dropped |= {"expect"}
    dropped |= left_out - signed
    kept = tuple((name, _cut(name, value, signed)) for name, value in headers if name.lower() not in dropped)
    passed_by = get(headers, "via")
    found = (("Host", host), *kept, ("Via", f"{passed_by}, {via}" if passed_by else via), *added)
    return (*found, ("Transfer-Encoding", "chunked")) if _is_chunked(headers) else found


def to_caller(
    headers: Headers, origins: Origins | None, origin: str, base: str, cors: Cors, echoed: str, extra: Headers
) -> Headers:
    """Response headers as they go to the caller, without framing; `origins` is None where nothing is rewritten.

    Links to the backend lead to `origin` instead, which includes the `base` path the caller came under.
    """
    kept = without(headers, hop_by_hop(headers) | FRAMING)
    if cors.enabled:
        kept = tuple(pair for pair in kept if not is_cors(pair[0].lower()))
    if origins is not None:
        kept = tuple((name, origins.header_to_origin(value, origin)) for name, value in kept)
    return cors.apply((*below(local_cookies(kept), base), *extra), echoed)


@lru_cache(maxsize=128)
def waits_to_be_asked(headers: Headers) -> bool:
    """Whether the body of a request is held back until a 100 comes (RFC 9110 section 10.1.1)."""
    return _expects_to_be_asked(headers) and has_body(headers)


def _expects_to_be_asked(headers: Headers) -> bool:
    # Other expectations are for the backend to meet or to refuse.
    return "100-continue" in list_items(get(headers, "expect"))


def _cut(name: str, value: str, signed: frozenset[str]) -> str:
    return cut_to_known(value) if name.lower() == "accept-encoding" and "accept-encoding" not in signed else value
