"""Header fields as a tuple of (name, value) pairs, and lists of the names with a special meaning.

Names and values are `str` holding latin-1 bytes (RFC 9110 section 5.5), in the order they came.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

Headers = tuple[tuple[str, str], ...]

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?::[0-9]{1,5})?")
# `FIELD_VALUE` is what a value may hold (RFC 9110 section 5.5). `STORABLE_VALUE` is what is accepted from backends:
# also control characters, but none that would end the line.
STORABLE_VALUE = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\xff]*")
FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def get(headers: Headers, name: str, default: str = "") -> str:
    """The value of `name` (lower case). Repeated fields are joined by a comma (RFC 9110 section 5.3)."""
    # Compare lengths first: most names differ in length, and every request looks up many names.
    length = len(name)
    values = [value for key, value in headers if len(key) == length and key.lower() == name]
    return ", ".join(values) if values else default


def get_all(headers: Headers, name: str) -> list[str]:
    """All values of `name` (lower case), in order."""
    return [value for key, value in headers if key.lower() == name]


def has(headers: Headers, name: str) -> bool:
    """Whether there is a header `name` (lower case)."""
    length = len(name)
    return any(len(key) == length and key.lower() == name for key, _ in headers)


def without(headers: Headers, names: Iterable[str]) -> Headers:
    """Removes the headers whose lower-case name is in `names`."""
    dropped = frozenset(names)
    return tuple(pair for pair in headers if pair[0].lower() not in dropped)


def list_items(value: str) -> list[str]:
    """The items of a comma-separated value, trimmed and lower-cased, without empty ones."""
    return [item.strip().lower() for item in value.split(",") if item.strip()]


def hop_by_hop(headers: Headers) -> frozenset[str]:
    """The names that end at this hop: the fixed ones and those listed in `Connection` (RFC 9110 section 7.6.1).

    `Content-Length` is never among them: a client must not remove it for the servers behind.
    """
    return HOP_BY_HOP | (frozenset(list_items(get(headers, "connection"))) - {"content-length"})


def media_type(headers: Headers) -> str:
    """The media type in `Content-Type`, lower case, without parameters."""
    return get(headers, "content-type").partition(";")[0].strip().lower()


def is_cors(name: str) -> bool:
    """Whether a lower-case header name belongs to CORS."""
    return name.startswith("access-control-")


def is_unstored(name: str, also: frozenset[str] = frozenset()) -> bool:
    """Whether a lower-case response header name does not describe the content, and is left out of cassettes."""
    return name in UNSTORED or name in NEGOTIATED or name in also or name.startswith(UNSTORED_PREFIXES)


HOP_BY_HOP = frozenset(
    (
        "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
        "transfer-encoding upgrade http2-settings"
    ).split()
)
# What two sides negotiate for one WebSocket connection (RFC 6455 section 11.3). The subprotocol is not among them.
NEGOTIATED = frozenset(
    ("sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-key", "sec-websocket-version")
)
FRAMING = frozenset(("content-length", "transfer-encoding"))

# What differs between two equal responses: who served them, when, and under which id.
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
    """Whether a request expects a 100 (RFC 9110 section 10.1.1). Other expectations are left to the upstream."""
    return "100-continue" in list_items(get(headers, "expect"))


@lru_cache(maxsize=128)
def waits_for_continue(headers: Headers) -> bool:
    """Whether the client waits for a 100 before it sends the body."""
    return expects_continue(headers) and has_body(headers)


class ConnectionPersistence(Struct, frozen=True):
    """Whether a connection closes after a response, and the `Connection` header to send (often none)."""

    is_closing: bool
    option: str = ""


def connection_persistence(headers: Headers, version: str) -> ConnectionPersistence:
    """What a client of this HTTP version wants: to close the connection or to reuse it (RFC 9112 section 9.3)."""
    return _persistence(get(headers, "connection"), version)


@lru_cache(maxsize=64)
def _persistence(connection: str, version: str) -> ConnectionPersistence:
    options = list_items(connection)
    if "close" in options:
        return ConnectionPersistence(is_closing=True, option="close")
    if version != "HTTP/1.0":
        return ConnectionPersistence(is_closing=False)
    if "keep-alive" in options:
        return ConnectionPersistence(is_closing=False, option="keep-alive")
    return ConnectionPersistence(is_closing=True)


def content_length(headers: Headers) -> int | None:
    """The length a response announces; None if there is none, or none that can be relied on."""
    value = get(headers, "content-length")
    relied_on = value.isdecimal() and len(value) <= _MOST_DIGITS and not has(headers, "transfer-encoding")
    return int(value) if relied_on else None


def is_chunked(headers: Headers) -> bool:
    """Whether a body comes in chunks, with or without other transfer codings."""
    codings = get(headers, "transfer-encoding")
    return bool(codings) and "chunked" in list_items(codings)


_MOST_DIGITS = 18
