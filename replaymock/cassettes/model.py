"""The cassette, version 1: one request and its responses, as people read them in a file and as the program holds them.

`load(dump(cassette)) == cassette` for every cassette that `record` can make. The file is read strictly.
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
"""Kind and body of a canonical request."""

WEBSOCKET_BODY: KnownBody = ("websocket", None)
"""What a request for a WebSocket has for a body, so that it is told apart from one for a page at the same path."""


VERSION = 1
SWITCHING = 101


class CassetteRequest(Struct, frozen=True):
    """The request of a cassette. `query` and `body` are None where the file does not speak of them."""

    method: str
    path: str
    query: Pairs | None = None
    headers: Headers = ()
    body: bodies.Body | None = None

    @property
    def is_upgrade(self) -> bool:
        """Whether it asks for a WebSocket."""
        return ("upgrade", "websocket") in self.headers

    @property
    def names_headers(self) -> bool:
        """Whether it speaks of headers that take part in matching."""
        return any(name != "upgrade" for name, _ in self.headers)

    @property
    def is_template(self) -> bool:
        """Whether the path stands for many paths."""
        return is_template(self.path)

    def to_request(self) -> Request:
        """The request as a client would send it; a body that was not kept is left out."""
        query = "&".join(encode_pair(name, value) for name, value in self.query or ())
        body = b""
        if self.body is not None and self.known_body() is None:
            body = bodies.decode(self.body, get(self.headers, "content-type"))
        return Request(self.method, f"{self.path}?{query}" if query else self.path, self.headers, body)

    def known_body(self) -> KnownBody | None:
        """The canonical body where the bytes are not known."""
        if self.is_upgrade:
            return WEBSOCKET_BODY
        match self.body:
            case bodies.Digest(sha256, _):
                return "bytes", sha256
            case bodies.Multipart():
                return "multipart", multipart_pairs(self.body)
        return None


class Sidecar(Struct, frozen=True):
    """A body that stays in its file: where that is, and how many bytes it has."""

    place: str
    size: int


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """One response of a cassette.

    `body` is the content without content coding, with `{{origin}}` in it where `rewrite` is true; `encoded` says that
    the coding could not be undone and is still there. `after` names the write that brought the response about.
    A WebSocket, with status 101, has `messages` instead of a body.
    `pauses` are where the body waited; `truncated` says that it went on when recording it ended.
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
    def by_hand(self) -> bool:
        """Whether it was written by hand, all of it."""
        return not any(recorded.recorded_at for recorded in self.responses)

    @property
    def afters(self) -> tuple[str, ...]:
        """The write each response comes after, as `sequence.advance` takes them."""
        return tuple(recorded.after for recorded in self.responses)


def multipart_pairs(body: bodies.Multipart) -> tuple[tuple[str, str], ...]:
    """The parts of a multipart body by name: what they hold, or for files and binary the name and a SHA-256."""
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
