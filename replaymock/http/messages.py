"""A request, a response, and the exchange of both: frozen values, neither Tornado's nor httpx's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from msgspec import Struct

from replaymock.http.headers import Headers, get


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `target` is the origin-form request-target as sent (RFC 9112 section 3.2.1).

    `session` names the session it belongs to. `base` is the path prefix that named the session, if one did.
    """

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    session: str = ""
    base: str = ""

    @property
    def origin(self) -> str:
        """The origin that links to this server begin with. Only the base path if an HTTP/1.0 client sent no Host."""
        host = get(self.headers, "host")
        return f"http://{host}{self.base}" if host else self.base

    @property
    def path(self) -> str:
        """The part of the target before `?`, as sent."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The part of the target after `?`, as sent; empty if there is none."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response. `body` is everything after the head, without transfer coding."""

    status: int
    reason: str
    headers: Headers = ()
    body: bytes = b""


class StreamingResponse(Struct, frozen=True):
    """A response whose body is still arriving: `chunks` in the sizes they arrive in.

    `whole` is the complete body if it came together with the head; the chunks give the same bytes. `digest` is its
    SHA-256 if that is known.
    """

    status: int
    reason: str
    headers: Headers
    chunks: AsyncIterator[bytes]
    whole: bytes | None = None
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response as they happened. `recorded_at` is ISO 8601 in UTC, to the second.

    `arrivals` are pairs of the bytes of the body received so far and the milliseconds since its head. A `truncated`
    response is the beginning of a stream that went on. `ended` is when the exchange was over, in seconds of a monotonic
    clock. `digest` is the SHA-256 of the response's body if that is known.
    """

    request: Request
    response: Response
    recorded_at: str
    elapsed_ms: int
    arrivals: tuple[tuple[int, int], ...] = ()
    truncated: bool = False
    ended: float = 0.0
    digest: bytes = b""


def should_offload(message: Request | Response) -> bool:
    """Whether a message is large enough to be searched for secrets in a thread. Smaller ones are faster without."""
    size = len(message.body)
    return size > OFFLOAD_BYTES or (size > _OFFLOAD_CODED_BYTES and bool(get(message.headers, "content-encoding")))


OFFLOAD_BYTES = 64 * 1024
# A coded body may be far larger once decoded.
_OFFLOAD_CODED_BYTES = 8 * 1024


class ResponseHead(Struct, frozen=True):
    """The status line and the headers of a response, as they were sent."""

    status: int
    reason: str
    headers: Headers
