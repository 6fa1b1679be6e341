"""The heads of plain requests, as the fast lane takes them; the only import of httptools."""

import re
from dataclasses import replace

import httptools

from replaymock.errors import RequestRefused
from replaymock.http.headers import get, has
from replaymock.http.messages import Request
from replaymock.server.admission import check


class _Head:
    """What httptools tells of one request head."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        # httptools 0.9 leaves the white space after a value in place (RFC 9112 section 5.1 takes it away).
        self.headers.append((name.decode("latin-1"), value.decode("latin-1").strip(" \t")))


def parse(head: bytes) -> tuple[Request, str] | None:
    """The request of a head and its HTTP version, if it is plain.

    That is GET or HEAD without body, upgrade, options of the connection but `close` and `keep-alive`, or anything that
    is refused.
    """
    line = _LINE.match(head)
    found = _parsed(head, line) if line else None
    return found if found and not has(found[0].headers, "content-length") else None


def parse_whole(data: bytes, start: int) -> tuple[Request, str, int] | None:
    """The request that begins at `start`, its HTTP version, and where it ends, if it is all there and else plain.

    Its body, if any, has a length.
    """
    end = data.find(b"\r\n\r\n", start) + 4
    head = data[start:end]
    line = _ANY_LINE.match(head)
    found = _parsed(head, line) if line else None
    if found is None:
        return None
    request, version = found
    size = int(get(request.headers, "content-length", "0"))
    if len(data) - end < size:
        return None
    return replace(request, body=data[end : end + size]) if size else request, version, end + size


def _parsed(head: bytes, line: re.Match[bytes]) -> tuple[Request, str] | None:
    found = _Head()
    try:
        httptools.HttpRequestParser(found).feed_data(head)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    method, target, version = (part.decode("ascii") for part in line.groups())
    request = Request(method, target, tuple(found.headers))
    if any(has(request.headers, name) for name in _NOT_HERE):
        return None
    if get(request.headers, "connection").lower() not in ("", "close", "keep-alive"):
        return None
    try:
        check(request, version)
    except RequestRefused:
        return None
    return request, version


_LINE = re.compile(rb"(GET|HEAD) (/[!-~]*) (HTTP/1\.[01])\r\n")
_ANY_LINE = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (/[!-~]*) (HTTP/1\.[01])\r\n")
_NOT_HERE = ("transfer-encoding", "upgrade", "expect", "te", "trailer")
