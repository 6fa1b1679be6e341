"""Conditional and partial requests (RFC 9110 sections 13 and 14): cuts a full response down to a 206, 304 or 416.

Only a single byte range is served. Several ranges, or an invalid one, get the full response.
"""

import re

from msgspec import Struct

from replaymock.http import dates
from replaymock.http.headers import FRAMING, Headers, get, hop_by_hop, list_items, without


class ConditionalRequest(Struct, frozen=True):
    """The header fields that ask for less than the full response, as sent. One of the two may be empty."""

    conditions: Headers = ()
    range: Headers = ()


class PartialResponse(Struct, frozen=True):
    """The head of a response that is less than the full one, and which bytes of the full body follow it."""

    status: int
    reason: str
    headers: Headers
    start: int = 0
    size: int = 0


def parse_conditional(method: str, headers: Headers, *, conditional: bool) -> ConditionalRequest | None:
    """The conditions and range of a GET or HEAD; None if it asks for the full response.

    Conditions count only if `conditional`.
    """
    if method not in _READ_METHODS:
        return None
    names = {name.lower() for name, _ in headers}
    by_range = method == "GET" and "range" in names
    by_condition = conditional and not names.isdisjoint(_CONDITIONS)
    if not by_range and not by_condition:
        return None
    return ConditionalRequest(
        _only(headers, _CONDITIONS) if by_condition else (), _only(headers, RANGES) if by_range else ()
    )


def withheld_conditions(method: str) -> frozenset[str]:
    """The conditions that are not sent upstream, so that a full response is recorded. Writes keep theirs."""
    return _CONDITIONS if method in _READ_METHODS else _NONE


def single_range(method: str, headers: Headers) -> ConditionalRequest | None:
    """The range of a GET that asks for one valid range, which can be cut from the full body; None for anything else."""
    request = parse_conditional(method, headers, conditional=False) if method == "GET" else None
    match = _ONE_RANGE.fullmatch(get(request.range, "range")) if request else None
    return request if match and _is_proper(*match.groups()) else None


def can_be_cut(headers: Headers, request: ConditionalRequest) -> bool:
    """Whether a part of a response with these headers may be sent. Its size is not considered."""
    return "none" not in list_items(get(headers, "accept-ranges")) and _is_same(headers, request.range)


def is_strong(tag: str) -> bool:
    """Whether an entity tag is strong (RFC 9110 section 8.8.1)."""
    return tag.startswith('"')


def refresh_headers(headers: Headers, not_modified: Headers) -> Headers:
    """The headers of a stored response, updated from the 304 that confirms it (RFC 9111 section 3.2)."""
    updates = without(not_modified, (*_CONTENT_HEADERS, *FRAMING, *hop_by_hop(not_modified)))
    return (*without(headers, {name.lower() for name, _ in updates}), *updates)


def narrowing_headers(method: str, headers: Headers, status: int) -> str:
    """Names the request headers because of which a response is not the full one; empty if it may be recorded."""
    names = _NARROWING.get(status)
    if names is None or method not in _READ_METHODS:
        return ""
    return " and ".join(name for name, _ in headers if name.lower() in names)


def partial_response(status: int, headers: Headers, size: int, request: ConditionalRequest) -> PartialResponse | None:
    """The head of the partial response to a request; None if it gets the full one. `size` is that of the full body.

    Only a 200 is cut down. A range outside the body gets a 416.
    """
    if status != OK:
        return None
    if _is_not_modified(headers, request.conditions):
        return PartialResponse(304, "Not Modified", _revalidation_headers(headers))
    offsets = _range(headers, request.range, size)
    if offsets is None:
        return None
    start, end = offsets
    if start >= end:
        unsatisfied = (*without(headers, _CONTENT_HEADERS), ("Content-Range", f"bytes */{size}"))
        return PartialResponse(416, "Range Not Satisfiable", without_checksums(unsatisfied))
    partial = (*without_checksums(headers), ("Content-Range", f"bytes {start}-{end - 1}/{size}"))
    return PartialResponse(206, "Partial Content", partial, start, end - start)


def without_checksums(headers: Headers) -> Headers:
    """Headers without checksums of the whole content, which would be wrong for a part of it.

    `Repr-Digest` stays: it describes the representation, whichever part is sent (RFC 9530 section 3).
    """
    return tuple(pair for pair in headers if not _is_checksum(pair[0].lower()))


def _is_checksum(name: str) -> bool:
    return name in _CHECKSUMS or name.startswith("x-amz-checksum-")


def _range(headers: Headers, request_headers: Headers, size: int) -> tuple[int, int] | None:
    """The start and end offset that `Range` and `If-Range` ask for; None for the full response.

    A response with `Accept-Ranges: none` is served in full, and so is an empty body.
    """
    match = _ONE_RANGE.fullmatch(get(request_headers, "range"))
    if (
        not match
        or not size
        or "none" in list_items(get(headers, "accept-ranges"))
        or not _is_same(headers, request_headers)
    ):
        return None
    first, last = match.groups()
    if not _is_proper(first, last):
        return None
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def _is_proper(first: str, last: str) -> bool:
    return bool(first or last) and not (first and last and int(last) < int(first))


def _is_same(headers: Headers, request_headers: Headers) -> bool:
    """Whether `If-Range` is absent or names this response: by a strong entity tag, or by the exact date."""
    condition = get(request_headers, "if-range").strip()
    if not condition:
        return True
    if condition.startswith(('"', "W/")):
        return condition == get(headers, "etag").strip() and not condition.startswith("W/")
    return condition == get(headers, "last-modified").strip()


def _is_not_modified(headers: Headers, conditions: Headers) -> bool:
    """Whether the client already has this response: by entity tag (weak comparison), and only without one by date."""
    tags = get(conditions, "if-none-match").strip()
    if tags:
        etag = _opaque(get(headers, "etag").strip())
        return tags == "*" or bool(etag and etag in map(_opaque, _TAG.findall(tags)))
    since = dates.http_date(get(conditions, "if-modified-since").strip())
    modified = dates.http_date(get(headers, "last-modified").strip())
    return bool(since and modified and modified.seconds <= since.seconds)


def _revalidation_headers(headers: Headers) -> Headers:
    """The headers a cache may want to update (RFC 9110 section 15.4.5); none that describe the content."""
    remaining = without(headers, _CONTENT_HEADERS)
    return without(remaining, ("last-modified",)) if get(headers, "etag") else remaining


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")


def _only(headers: Headers, names: frozenset[str]) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() in names)


OK = 200
RANGES = frozenset(("range", "if-range"))
_READ_METHODS = frozenset(("GET", "HEAD"))
_NONE: frozenset[str] = frozenset()
_CONDITIONS = frozenset(("if-none-match", "if-modified-since"))
_PRECONDITIONS = frozenset(("if-match", "if-unmodified-since"))
_NARROWING = {206: RANGES, 416: RANGES, 304: _CONDITIONS, 412: _PRECONDITIONS | _CONDITIONS}
_CONTENT_HEADERS = (
    "accept-ranges content-digest content-disposition content-encoding content-language content-length content-md5 "
    "content-range content-type digest repr-digest"
).split()
_CHECKSUMS = frozenset(
    (
        "content-digest content-md5 digest x-amz-crc32 x-bz-content-sha1 x-checksum-md5 x-checksum-sha1 "
        "x-checksum-sha256 x-cos-hash-crc64ecma x-goog-hash x-ms-content-crc64 x-ms-content-md5 x-oss-hash-crc64ecma"
    ).split()
)
_TAG = re.compile(r'(?:W/)?"[^"]*"')
_ONE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
