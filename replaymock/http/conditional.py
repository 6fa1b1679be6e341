"""Conditional and partial requests (RFC 9110 sections 13 and 14): a whole answer made a 206, 304 or 416 where asked.

One byte range is served; several, or what is no range, get the whole.
"""

import re

from msgspec import Struct

from replaymock.http import dates
from replaymock.http.headers import FRAMING, Headers, get, hop_by_hop, list_items, without


class ConditionalRequest(Struct, frozen=True):
    """What makes a request one for less than the whole: its fields as they came; one of the two may be empty."""

    conditions: Headers = ()
    range: Headers = ()


class PartialResponse(Struct, frozen=True):
    """The head of an answer that is less than the whole, and which of the whole's bytes follow it."""

    status: int
    reason: str
    headers: Headers
    start: int = 0
    size: int = 0


def asked(method: str, headers: Headers, *, conditional: bool) -> ConditionalRequest | None:
    """What a request asks for of a GET's answer; None for the whole. Conditions count only if `conditional`."""
    if method not in _READS:
        return None
    names = {name.lower() for name, _ in headers}
    by_range = method == "GET" and "range" in names
    by_condition = conditional and not names.isdisjoint(_CONDITIONS)
    if not by_range and not by_condition:
        return None
    return ConditionalRequest(
        _only(headers, _CONDITIONS) if by_condition else (), _only(headers, RANGES) if by_range else ()
    )


def not_forwarded(method: str) -> frozenset[str]:
    """The conditions that a recorder keeps to itself, so that a full answer is recorded: none of a write."""
    return _CONDITIONS if method in _READS else _NONE


def one_range(method: str, headers: Headers) -> ConditionalRequest | None:
    """What a GET asks for by one proper range of bytes, which can be cut from the whole; None for anything else."""
    found = asked(method, headers, conditional=False) if method == "GET" else None
    named = _ONE_RANGE.fullmatch(get(found.range, "range")) if found else None
    return found if named and _is_proper(*named.groups()) else None


def may_be_cut(headers: Headers, asked: ConditionalRequest) -> bool:
    """Whether a part of what has these headers may be sent at all, as far as the size has no say in it."""
    return "none" not in list_items(get(headers, "accept-ranges")) and _is_same(headers, asked.range)


def is_strong(tag: str) -> bool:
    """Whether an entity tag tells one sequence of bytes from any other (RFC 9110 section 8.8.1)."""
    return tag.startswith('"')


def renewed(headers: Headers, not_modified: Headers) -> Headers:
    """The headers of a whole with what the 304 that confirms it says anew (RFC 9111 section 3.2)."""
    news = without(not_modified, (*_OF_THE_CONTENT, *FRAMING, *hop_by_hop(not_modified)))
    return (*without(headers, {name.lower() for name, _ in news}), *news)


def answers_less(method: str, headers: Headers, status: int) -> str:
    """Which headers of a read an answer is to that says nothing of the whole; empty for one that may be recorded."""
    asking = _ASKING_FOR_LESS.get(status)
    if asking is None or method not in _READS:
        return ""
    return " and ".join(name for name, _ in headers if name.lower() in asking)


def reduced(status: int, headers: Headers, size: int, asked: ConditionalRequest) -> PartialResponse | None:
    """What answers a request that asks for less than a whole of `size` bytes; None where the whole does.

    Only a 200 can be reduced. A range that cannot be had is a 416.
    """
    if status != OK:
        return None
    if _is_not_modified(headers, asked.conditions):
        return PartialResponse(304, "Not Modified", _renewing(headers))
    found = _range(headers, asked.range, size)
    if found is None:
        return None
    start, end = found
    if start >= end:
        unsatisfied = (*without(headers, _OF_THE_CONTENT), ("Content-Range", f"bytes */{size}"))
        return PartialResponse(416, "Range Not Satisfiable", without_checksums(unsatisfied))
    partial = (*without_checksums(headers), ("Content-Range", f"bytes {start}-{end - 1}/{size}"))
    return PartialResponse(206, "Partial Content", partial, start, end - start)


def without_checksums(headers: Headers) -> Headers:
    """Headers without what was reckoned over all of a content, and would be wrong of a part of it.

    `Repr-Digest` stays: it is of the representation, whatever part of it is sent (RFC 9530 section 3).
    """
    return tuple(pair for pair in headers if not _is_checksum(pair[0].lower()))


def _is_checksum(name: str) -> bool:
    return name in _CHECKSUMS or name.startswith("x-amz-checksum-")


def _range(headers: Headers, wanted: Headers, size: int) -> tuple[int, int] | None:
    """Where the part that `Range` and `If-Range` want starts and ends; None for the whole.

    What says `Accept-Ranges: none` is served whole, and so is an empty body, of which no part can be named.
    """
    found = _ONE_RANGE.fullmatch(get(wanted, "range"))
    if not found or not size or "none" in list_items(get(headers, "accept-ranges")) or not _is_same(headers, wanted):
        return None
    first, last = found.groups()
    if not _is_proper(first, last):
        return None
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def _is_proper(first: str, last: str) -> bool:
    return bool(first or last) and not (first and last and int(last) < int(first))


def _is_same(headers: Headers, wanted: Headers) -> bool:
    """Whether `If-Range`, if there is one, names what would be served: a strong entity tag, or the very date."""
    named = get(wanted, "if-range").strip()
    if not named:
        return True
    if named.startswith(('"', "W/")):
        return named == get(headers, "etag").strip() and not named.startswith("W/")
    return named == get(headers, "last-modified").strip()


def _is_not_modified(headers: Headers, conditions: Headers) -> bool:
    """Whether the caller has this already: by entity tag (weak comparison), and only without one by date."""
    tags = get(conditions, "if-none-match").strip()
    if tags:
        own = _opaque(get(headers, "etag").strip())
        return tags == "*" or bool(own and own in map(_opaque, _TAG.findall(tags)))
    known = dates.http_date(get(conditions, "if-modified-since").strip())
    modified = dates.http_date(get(headers, "last-modified").strip())
    return bool(known and modified and modified.seconds <= known.seconds)


def _renewing(headers: Headers) -> Headers:
    """RFC 9110 section 15.4.5: what a cache may want to renew, and nothing that describes the content."""
    kept = without(headers, _OF_THE_CONTENT)
    return without(kept, ("last-modified",)) if get(headers, "etag") else kept


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")


def _only(headers: Headers, names: frozenset[str]) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() in names)


OK = 200
RANGES = frozenset(("range", "if-range"))
_READS = frozenset(("GET", "HEAD"))
_NONE: frozenset[str] = frozenset()
_CONDITIONS = frozenset(("if-none-match", "if-modified-since"))
_PRECONDITIONS = frozenset(("if-match", "if-unmodified-since"))
_ASKING_FOR_LESS = {206: RANGES, 416: RANGES, 304: _CONDITIONS, 412: _PRECONDITIONS | _CONDITIONS}
_OF_THE_CONTENT = (
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
