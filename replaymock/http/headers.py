"""Header fields as a tuple of (name, value) pairs, and the lists of names that are treated specially.

Names and values are `str` holding latin-1 bytes (RFC 9110 section 5.5), in the order they came.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

Headers = tuple[tuple[str, str], ...]

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?::[0-9]{1,5})?")
# What may stand in a value (RFC 9110 section 5.5), and what is passed on and kept of what backends put there: controls,
# too, but never what would end the line.
KEPT_VALUE = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\xff]*")
FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def get(headers: Headers, name: str, default: str = "") -> str:
    """The value of `name` (lower case), repeats joined by a comma (RFC 9110 section 5.3)."""
    # Lengths first: most names differ in it, and every request looks for many names.
    length = len(name)
    values = [value for key, value in headers if len(key) == length and key.lower() == name]
    return ", ".join(values) if values else default


def get_all(headers: Headers, name: str) -> list[str]:
    """Every value of `name` (lower case), in order."""
    return [value for key, value in headers if key.lower() == name]


def has(headers: Headers, name: str) -> bool:
    """Whether `name` (lower case) is among the headers."""
    length = len(name)
    return any(len(key) == length and key.lower() == name for key, _ in headers)


def without(headers: Headers, names: Iterable[str]) -> Headers:
    """The headers whose lower-case name is not in `names`."""
    dropped = frozenset(names)
    return tuple(pair for pair in headers if pair[0].lower() not in dropped)


def list_items(value: str) -> list[str]:
    """The members of a comma-separated field value, trimmed and lower-cased, empty ones left out."""
    return [item.strip().lower() for item in value.split(",") if item.strip()]


def hop_by_hop(headers: Headers) -> frozenset[str]:
    """The names that end at this hop: the fixed ones and those `Connection` lists (RFC 9110 section 7.6.1).

    The length of a body is not for a caller to take away from those behind.
    """
    return HOP_BY_HOP | (frozenset(list_items(get(headers, "connection"))) - {"content-length"})


def media_type(headers: Headers) -> str:
    """The media type of `Content-Type`, lower case, without parameters."""
    return get(headers, "content-type").partition(";")[0].strip().lower()


def is_cors(name: str) -> bool:
    """Whether a lower-case header name belongs to CORS."""
    return name.startswith("access-control-")


def is_unstored(name: str, also: frozenset[str] = frozenset()) -> bool:
    """Whether a lower-case response header name says nothing about the content and is left out of cassettes."""
    return name in UNSTORED or name in AGREED or name in also or name.startswith(UNSTORED_PREFIXES)


HOP_BY_HOP = frozenset(
    (
        "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
        "transfer-encoding upgrade http2-settings"
    ).split()
)
# What the two ends of a WebSocket agree on for one connection (RFC 6455 section 11.3); its subprotocol says more.
AGREED = frozenset(("sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-key", "sec-websocket-version"))
FRAMING = frozenset(("content-length", "transfer-encoding"))

# What differs between two equal answers: who carried it, when, and under which number.
UNSTORED = HOP_BY_HOP | frozenset(
    (
        "content-length date server age via alt-svc strict-transport-security "
        "request-id x-request-id x-requestid request-context x-correlation-id correlation-id x-trace-id traceparent "
        "tracestate baggage x-cloud-trace-context x-amzn-trace-id x-amzn-requestid x-amz-request-id x-amz-id-2 "
        "x-amz-cf-id x-amz-cf-pop x-amz-apigw-id x-ms-request-id x-ms-correlation-request-id x-github-request-id "
        "x-vercel-id x-nf-request-id fly-request-id x-fastly-request-id x-served-by x-timer x-cache x-cache-hits "
        "x-runtime x-response-time server-timing nel report-to reporting-endpoints "
        "cf-ray cf-cache-status cf-request-id x-envoy-upstream-service-time x-envoy-decorator-operation "
        "x-ratelimit-remaining x-ratelimit-reset ratelimit-remaining ratelimit-reset ratelimit"
    ).split()
)
UNSTORED_PREFIXES = ("replaymock-", "x-b3-", "x-datadog-", "sentry-")


def has_body(headers: Headers) -> bool:
    """Whether a request has a body (RFC 9112 section 6.3)."""
    return is_chunked(headers) or get(headers, "content-length", "0") != "0"


def expects_continue(headers: Headers) -> bool:
    """Whether a request expects a 100 (RFC 9110 section 10.1.1); other expectations are for the upstream to meet."""
    return "100-continue" in list_items(get(headers, "expect"))


@lru_cache(maxsize=128)
def waits_for_continue(headers: Headers) -> bool:
    """Whether the client holds the body of its request back until it gets a 100."""
    return expects_continue(headers) and has_body(headers)


class ConnectionPersistence(Struct, frozen=True):
    """Whether a connection `ends` with a response, and what its `Connection` header says of that: often nothing."""

    ends: bool
    option: str = ""


def connection_persistence(headers: Headers, version: str) -> ConnectionPersistence:
    """What a client of this HTTP version wants to become of its connection (RFC 9112 section 9.3)."""
    return _persistence(get(headers, "connection"), version)


@lru_cache(maxsize=64)
def _persistence(connection: str, version: str) -> ConnectionPersistence:
    options = list_items(connection)
    if "close" in options:
        return ConnectionPersistence(ends=True, option="close")
    if version != "HTTP/1.0":
        return ConnectionPersistence(ends=False)
    if "keep-alive" in options:
        return ConnectionPersistence(ends=False, option="keep-alive")
    return ConnectionPersistence(ends=True)


def content_length(headers: Headers) -> int | None:
    """The length a response announces; None when it announces none that can be relied on."""
    value = get(headers, "content-length")
    relied_on = value.isdecimal() and len(value) <= _MOST_DIGITS and not has(headers, "transfer-encoding")
    return int(value) if relied_on else None


def is_chunked(headers: Headers) -> bool:
    """Whether a body comes in chunks, with or without other transfer codings."""
    codings = get(headers, "transfer-encoding")
    return bool(codings) and "chunked" in list_items(codings)


_MOST_DIGITS = 18
