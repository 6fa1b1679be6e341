"""The heads of plain requests, as the fast lane takes them; the only import of httptools."""

import re

import httptools

from replaymock.admission import check
from replaymock.errors import RequestRefused
from replaymock.exchange import Request
from replaymock.headers import get, has


class _Head:
    """What httptools tells of one request head."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        # httptools 0.9 leaves the white space after a value in place (RFC 9112 section 5.1 takes it away).
        self.headers.append((name.decode("latin-1"), value.decode("latin-1").strip(" \t")))

    def on_message_complete(self) -> None:
        self.whole = True


def parse(head: bytes) -> tuple[Request, str] | None:
    """The request of a head and its HTTP version, if it is plain.

    That is GET or HEAD without body, upgrade, options of the connection but `close` and `keep-alive`, or anything that
    is refused.
    """
    line = _LINE.match(head)
    if line is None:
        return None
    found = _Head()
    try:
        httptools.HttpRequestParser(found).feed_data(head)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    method, target, version = (part.decode("ascii") for part in line.groups())
    request = Request(method, target, tuple(found.headers))
    if not found.whole or any(has(request.headers, name) for name in _NOT_HERE):
        return None
    if get(request.headers, "connection").lower() not in ("", "close", "keep-alive"):
        return None
    try:
        check(request, version)
    except RequestRefused:
        return None
    return request, version


_LINE = re.compile(rb"(GET|HEAD) (/[!-~]*) (HTTP/1\.[01])\r\n")
_NOT_HERE = ("content-length", "transfer-encoding", "upgrade", "expect", "te", "trailer")
