"""The cassette, version 1: one request and its responses, as values.

`load(dump(cassette)) == cassette` for every cassette that `record` can make. Files are read strictly.
"""

from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from replaymock.cassettes.path_templates import is_template
from replaymock.http import bodies, event_stream
from replaymock.http.headers import Headers, get
from replaymock.http.messages import Request
from replaymock.http.uri import Pairs, encode_pair
from replaymock.http.websocket_messages import Message
from replaymock.redaction.redactor import normalize_placeholders

KnownBody = tuple[str, Any]
"""The kind and the body of a canonical request."""

WEBSOCKET_BODY: KnownBody = ("websocket", None)
"""The body of a request for a WebSocket. It differs from that of a request for a page at the same path."""


VERSION = 1
SWITCHING = 101


class CassetteRequest(Struct, frozen=True):
    """The request of a cassette. `query` and `body` are None if the file does not mention them."""

    method: str
    path: str
    query: Pairs | None = None
    headers: Headers = ()
    body: bodies.Body | None = None

    @property
    def is_upgrade(self) -> bool:
        """Whether it is a request for a WebSocket."""
        return ("upgrade", "websocket") in self.headers

    @property
    def has_headers(self) -> bool:
        """Whether it has headers that take part in matching."""
        return any(name != "upgrade" for name, _ in self.headers)

    @property
    def is_template(self) -> bool:
        """Whether its path matches several paths."""
        return is_template(self.path)

    def to_request(self) -> Request:
        """The request as a client would send it. A body that was not stored is left out."""
        query = "&".join(encode_pair(name, value) for name, value in self.query or ())
        body = b""
        if self.body is not None and self.known_body() is None:
            body = bodies.decode(self.body, get(self.headers, "content-type"))
        return Request(self.method, f"{self.path}?{query}" if query else self.path, self.headers, body)

    def known_body(self) -> KnownBody | None:
        """The canonical body if the bytes are not stored; else None."""
        if self.is_upgrade:
            return WEBSOCKET_BODY
        match self.body:
            case bodies.Digest(sha256, _):
                return "bytes", sha256
            case bodies.Multipart():
                return "multipart", multipart_pairs(self.body)
        return None


class Sidecar(Struct, frozen=True):
    """A body that stays in a file: the path of that file, and its size in bytes."""

    place: str
    size: int


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """One response of a cassette.

    `body` is the content without content coding. It has `{{origin}}` in it if `rewrite` is true. `encoded` means that
    the coding could not be undone and is still there. `after` names the write that caused the response. A WebSocket,
    with status 101, has `messages` instead of a body. `pauses` are the waits within the body. `truncated` means that
    the body went on after the recording ended.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes = b""
    rewrite: bool = True
    encoded: bool = False
    after: str = ""
    pauses: event_stream.Pauses = ()
    truncated: bool = False
    recorded_at: str = ""
    elapsed_ms: int = 0
    messages: tuple[Message, ...] = ()
    sidecar: Sidecar | None = None


class Cassette(Struct, frozen=True):
    """One request and its responses."""

    request: CassetteRequest
    responses: tuple[RecordedResponse, ...]

    @property
    def is_handwritten(self) -> bool:
        """Whether all of it was written by hand."""
        return not any(recorded.recorded_at for recorded in self.responses)

    @property
    def after_writes(self) -> tuple[str, ...]:
        """For each response the write that it comes after, as `sequence.advance` expects."""
        return tuple(recorded.after for recorded in self.responses)


def multipart_pairs(body: bodies.Multipart) -> tuple[tuple[str, str], ...]:
    """The parts of a multipart body by name: their text, or for files and binary the file name and a SHA-256."""
    return tuple((part.name, _part_content(part)) for part in body.parts)


def _part_content(part: bodies.Part) -> str:
    content = part.body
    if part.filename is None and isinstance(content, bodies.Text):
        return normalize_placeholders(content.text)
    media = part.content_type.partition(";")[0].strip().lower()
    if isinstance(content, bodies.Digest):
        digest = content.sha256
    else:
        digest = bodies.digest(bodies.decode(content, part.content_type or "text/plain"))
    return f"{part.filename or ''};{media};{digest}"
