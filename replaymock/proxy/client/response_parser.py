"""Where a response from upstream begins and ends: its head, and its body without transfer coding (RFC 9112).

Bytes in, a head and pieces out; no socket. As lenient as does no harm: a bare LF ends a line, a folded line is
unfolded, the same length may be given twice or beside chunks. What cannot be framed for certain is Malformed.
"""

import contextlib
import re

import httptools

from replaymock.http.headers import TOKEN, list_items
from replaymock.http.messages import ResponseHead

MAX_HEAD = 256 * 1024
MAX_FIELDS = 1000
MAX_INTERIM = 20


class Malformed(ValueError):
    """Bytes that are no HTTP/1 response; the text says why."""


class ResponseParser:
    """One response, fed as it arrives, to a request of this method."""

    def __init__(self, method: str) -> None:
        self.head: ResponseHead | None = None
        self.ended = False
        # Whether the connection can carry another exchange once this one has ended.
        self.can_reuse = False
        self.started = False
        self._method = method
        self._buffer = bytearray()
        self._interim = 0
        self._left: int | None = None
        self._chunks: _Chunks | None = None

    def feed(self, data: bytes) -> bytes:
        """Takes what arrived; what of it is body. Malformed when it cannot be a response."""
        self.started = True
        if self.head is None:
            data = self._take_head(data)
            if not data:
                return b""
        if self.ended:
            self.can_reuse = False
            return b""
        if self._chunks is not None:
            return self._take_chunks(self._chunks, data)
        return data if self._left is None else self._take_length(data)

    def close(self) -> None:
        """Learns that upstream sends no more. Malformed when the response is not whole."""
        self.can_reuse = False
        if self.ended:
            return
        if not self.started:
            raise Malformed("the connection was closed without an answer")
        if self.head is None:
            raise Malformed("the connection was closed in the middle of the head")
        if self._chunks is not None or self._left is not None:
            raise Malformed("the connection was closed in the middle of the body")
        self.ended = True

    def _take_head(self, data: bytes) -> bytes:
        """Reads heads until a final one; what follows it."""
        self._buffer += data
        seen = len(self._buffer) - len(data)
        while end := _BLANK_LINE.search(self._buffer, max(0, seen - 3)):
            section = self._buffer[: end.start() + 1].decode("latin-1")
            del self._buffer[: end.end()]
            seen = 0
            if len(section) > MAX_HEAD:
                raise Malformed(_TOO_LONG)
            version, head = _parse(section)
            if head.status >= 200:  # noqa: PLR2004 - final from here on
                self._frame(version, head)
                self.head = head
                return bytes(self._buffer)
            self._pass_over(head)
        if not b"HTTP/".startswith(bytes(self._buffer[:5])):
            is_http2 = self._buffer[3:9] == _HTTP2_SETTINGS
            raise Malformed(f"it is no HTTP/1 response{', but HTTP/2: try --upstream-http2' if is_http2 else ''}")
        if len(self._buffer) > MAX_HEAD:
            raise Malformed(_TOO_LONG)
        return b""

    def _pass_over(self, interim: ResponseHead) -> None:
        self._interim += 1
        if interim.status == 101:  # noqa: PLR2004 - nothing here asks for another protocol
            raise Malformed("it switches protocols unasked")
        if self._interim > MAX_INTERIM:
            raise Malformed(f"more than {MAX_INTERIM} interim answers come before it")

    def _frame(self, version: str, head: ResponseHead) -> None:
        """How the body ends (RFC 9112 section 6.3)."""
        options: list[str] = []
        lengths: set[str] = set()
        codings: list[str] = []
        for name, value in head.headers:
            match name.lower():
                case "connection":
                    options += list_items(value)
                case "content-length":
                    lengths.update(item.strip() for item in value.split(","))
                case "transfer-encoding":
                    codings += list_items(value)
        self.can_reuse = "close" not in options if version >= "1.1" else "keep-alive" in options
        if self._method == "HEAD" or head.status in _BODYLESS:
            self.ended = True
        elif codings:
            if codings != ["chunked"]:
                raise Malformed(f"Transfer-Encoding {', '.join(codings)} is not understood")
            self._chunks = _Chunks()
        elif lengths:
            self._left = _length(lengths)
            self.ended = self._left == 0
        else:
            self.can_reuse = False

    def _take_length(self, data: bytes) -> bytes:
        left = self._left or 0
        if len(data) < left:
            self._left = left - len(data)
            return data
        self.ended = True
        if len(data) > left:
            self.can_reuse = False
            return data[:left]
        return data

    def _take_chunks(self, chunks: "_Chunks", data: bytes) -> bytes:
        piece = chunks.feed(data)
        if chunks.ended:
            self.ended = True
            self.can_reuse = self.can_reuse and not chunks.excess
        return piece


class _Chunks:
    """A chunked body, as httptools reads it behind a head of our own; extensions and trailers are left out."""

    def __init__(self) -> None:
        self.ended = False
        self.excess = False
        self._pieces: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)
        self._parser.feed_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

    def feed(self, data: bytes) -> bytes:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.ended:
                raise Malformed(f"the chunks are damaged: {error}") from error
            self.excess = True
        piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        return piece

    def on_body(self, piece: bytes) -> None:
        if not self.ended:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self.ended = True

    def on_message_begin(self) -> None:
        self.excess = self.ended


def _parse(section: str) -> tuple[str, ResponseHead]:
    """Version and head of a section without its blank line."""
    line = _STATUS_LINE.match(section)
    if not line:
        raise Malformed("it is no HTTP/1 response, by its first line")
    at = line.end()
    if "\n " in section or "\n\t" in section:
        section = section[:at] + _FOLD.sub(" ", section[at:])
    headers: list[tuple[str, str]] = []
    while at < len(section):
        field = _FIELD.match(section, at)
        if not field:
            raise Malformed("one line of its head is no header")
        headers.append((field[1], field[2].rstrip(" \t")))
        at = field.end()
    if len(headers) > MAX_FIELDS:
        raise Malformed(f"it has more than {MAX_FIELDS} headers")
    return line[1], ResponseHead(int(line[2]), line[3] or "", tuple(headers))


def _length(values: set[str]) -> int:
    """The one length that is given, if more than once (RFC 9112 section 6.3)."""
    with contextlib.suppress(ValueError):
        (value,) = values
        if _DIGITS.fullmatch(value):
            return int(value)
    raise Malformed(f"Content-Length {', '.join(sorted(values))[:40]!r} is no length")


# What follows the length of the frame that HTTP/2 begins with (RFC 9113 sections 3.4 and 4.1): its type and stream.
_HTTP2_SETTINGS = b"\x04\x00\x00\x00\x00\x00"
_BLANK_LINE = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP/([0-9]\.[0-9]) ([1-9][0-9]{2})(?: ([^\0\r\n]*))?\r?\n")
# Possessive, so that a long line that is no header costs no more than one that is.
_FIELD = re.compile(rf"({TOKEN.pattern}):[ \t]*+([^\0\r\n]*+)\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_DIGITS = re.compile(r"[0-9]{1,18}")
_BODYLESS = (204, 304)
_TOO_LONG = f"its head is longer than {MAX_HEAD} bytes"
