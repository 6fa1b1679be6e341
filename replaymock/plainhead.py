"""The heads of plain requests, as the fast lane takes them; the only import of httptools."""

import re

import httptools

from replaymock.admission import check
from replaymock.errors import RequestRefused
from replaymock.exchange import Request
from replaymock.headers import has


class _Head:
    """What httptools tells of one request head."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_message_complete(self) -> None:
        self.whole = True


def parse(head: bytes) -> Request | None:
    """The request of a head that is plain: GET or HEAD, HTTP/1.1, without body, upgrade or anything refused."""
    line = _LINE.match(head)
    if line is None:
        return None
    found = _Head()
    try:
        httptools.HttpRequestParser(found).feed_data(head)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    request = Request(line.group(1).decode("ascii"), line.group(2).decode("ascii"), tuple(found.headers))
    if not found.whole or any(has(request.headers, name) for name in _NOT_HERE):
        return None
    try:
        check(request, "HTTP/1.1")
    except RequestRefused:
        return None
    return request


_LINE = re.compile(rb"(GET|HEAD) (/[!-~]*) HTTP/1\.1\r\n")
_NOT_HERE = ("content-length", "transfer-encoding", "upgrade", "expect", "te", "trailer")
