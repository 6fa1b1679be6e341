"""A response as bytes ready to send, or as steps if time matters. Framing is computed here and nowhere else.

HTTP/1.1 framing follows RFC 9112 section 6.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from replaymock.http.headers import FRAMING, Headers, without
from replaymock.http.messages import ResponseHead

PROBLEM_TYPE = "application/problem+json"

JOINED_BYTES = 16 * 1024
"""The size of the largest body that is copied behind its head, so that both are sent in one call."""


class Delay(Struct, frozen=True):
    """Wait for so many seconds."""

    seconds: float


class SendHead(Struct, frozen=True):
    """Send the head."""


class SendBody(Struct, frozen=True):
    """Send a piece of the body."""

    data: bytes


class SendFile(Struct, frozen=True):
    """Send `size` bytes of a file, from `start` on, as a piece of the body, a little at a time."""

    place: str
    size: int
    start: int = 0


class KeepOpen(Struct, frozen=True):
    """Keep the connection open until the client leaves."""


class Abort(Struct, frozen=True):
    """Cut the connection: by a TCP reset, or so that what was sent still arrives."""

    reset: bool = False


class Detach(Struct, frozen=True):
    """Go on without being waited for: a server that stops does not wait for the end of this response."""


Step = Delay | SendHead | SendBody | SendFile | KeepOpen | Abort | Detach


@dataclass(frozen=True, slots=True)
class RenderedResponse:
    """A complete response. `head` ends with the blank line. `steps`, if there are any, say how it is sent.

    The steps may be produced while they are taken, and without end.

    If it `is_streamed`, the head has no framing: that depends on the connection it is sent on.
    """

    status: int
    head: bytes
    body: bytes = b""
    steps: Iterable[Step] = ()
    is_streamed: bool = False

    @property
    def wire(self) -> bytes:
        """The bytes to write."""
        return self.head + self.body


def frame(
    status: int, reason: str, headers: Headers, body: bytes = b"", *, is_bodyless: bool = False
) -> RenderedResponse:
    """Renders a response with its `Content-Length`.

    `is_bodyless` is for the recorded response to a HEAD: its own `Content-Length`, if any, stays.
    """
    if is_bodyless:
        return RenderedResponse(status, head(status, reason, headers))
    headers = without(headers, FRAMING)
    if status in NO_CONTENT:
        return RenderedResponse(status, head(status, reason, headers))
    return RenderedResponse(status, head(status, reason, (*headers, ("Content-Length", str(len(body))))), body)


def from_file(status: int, reason: str, headers: Headers, place: str, size: int, start: int = 0) -> RenderedResponse:
    """Renders a response whose body stays in a file until it is sent."""
    ready = head(status, reason, (*without(headers, FRAMING), ("Content-Length", str(size))))
    return RenderedResponse(status, ready, steps=(SendHead(), SendFile(place, size, start)))


def head(status: int, reason: str, headers: Headers) -> bytes:
    """Renders a status line and header section, with the blank line."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One chunk of the chunked transfer coding. An empty one ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def with_header(answer: RenderedResponse, line: bytes) -> RenderedResponse:
    """Adds a header line to a response."""
    return replace(answer, head=answer.head[:-2] + line + b"\r\n\r\n")


def with_connection(answer: RenderedResponse, option: str) -> RenderedResponse:
    """Adds a `Connection` header to a response, if `option` is not empty."""
    return with_header(answer, b"Connection: " + option.encode("ascii")) if option else answer


def with_date(answer: RenderedResponse, line: bytes) -> RenderedResponse:
    """Adds a `Date` line to a response, unless it has one."""
    start, fields = split(answer.head)
    return replace(answer, head=start + line + b"\r\n" + fields) if start else answer


def split(answer_head: bytes) -> tuple[bytes, bytes]:
    """Splits a head where a `Date` line belongs: after the status line. The first part is empty if it has a date."""
    if b"\ndate:" in answer_head.lower():
        return b"", answer_head
    end = answer_head.find(b"\n") + 1
    return answer_head[:end], answer_head[end:]


def without_body(answer: RenderedResponse) -> RenderedResponse:
    """The response to the same request made with HEAD."""
    return replace(answer, body=b"", steps=(), is_streamed=False)


def delayed(answer: RenderedResponse, seconds: float) -> RenderedResponse:
    """Delays a response."""
    return replace(answer, steps=(Delay(seconds), *steps_of(answer)))


def steps_of(answer: RenderedResponse) -> Iterable[Step]:
    """The steps of a response, also if it is sent at once."""
    return answer.steps or (SendHead(), SendBody(answer.body))


def json_response(
    status: int, reason: str, value: Any, headers: Headers = (), media_type: str = "application/json"
) -> RenderedResponse:
    """A response whose body is a value as indented JSON."""
    body: bytes = msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    return frame(status, reason, (("Content-Type", f"{media_type}; charset=utf-8"), *headers), body)


NO_CONTENT = frozenset((204, 304))


class ResponseSink(Protocol):
    """The connection that a live response is sent on. `client` identifies it across requests."""

    client: Hashable

    def answer(self, answer: RenderedResponse) -> None:
        """Sends a complete response."""

    def begin(self, head: ResponseHead, length: int | None) -> None:
        """Sends a head with this `Content-Length`; None for a body of unknown length."""

    def send_whole(self, head: ResponseHead, length: int | None, body: bytes) -> None:
        """Does `begin` and sends the whole body in one go. `finish` must follow."""

    async def write(self, data: bytes) -> None:
        """Sends a piece of the body, and waits until the buffer has space for more."""

    def finish(self) -> None:
        """Ends the body."""

    def abort(self) -> None:
        """Cuts the body short, in a way that the client notices."""
