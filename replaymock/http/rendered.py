"""An answer: wire bytes that are ready, and steps only where time matters. Framing is computed here and nowhere else.

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
"""The largest body that is copied behind its head, to go out in one call."""


class Delay(Struct, frozen=True):
    """Do nothing for so many seconds."""

    seconds: float


class SendHead(Struct, frozen=True):
    """Send the head."""


class SendBody(Struct, frozen=True):
    """Send a piece of the body."""

    data: bytes


class SendFile(Struct, frozen=True):
    """Send so many bytes of a file as a piece of the body, a little at a time."""

    place: str
    size: int
    start: int = 0


class KeepOpen(Struct, frozen=True):
    """Keep the connection as it is until the caller leaves."""


class Abort(Struct, frozen=True):
    """Cut the connection: by a TCP reset, or so that what was sent still arrives."""

    reset: bool = False


class Detach(Struct, frozen=True):
    """Go on, and be waited for by nobody: a server that ends does not wait for the end of this."""


Step = Delay | SendHead | SendBody | SendFile | KeepOpen | Abort | Detach


@dataclass(frozen=True, slots=True)
class RenderedResponse:
    """A whole response. `head` ends with the blank line; `steps`, where there are any, replace writing at once.

    They may be made as they are taken, and without end.

    The head of a `streamed` answer has no framing, which depends on the connection it is sent on.
    """

    status: int
    head: bytes
    body: bytes = b""
    steps: Iterable[Step] = ()
    streamed: bool = False

    @property
    def wire(self) -> bytes:
        """The bytes to write."""
        return self.head + self.body


def frame(status: int, reason: str, headers: Headers, body: bytes = b"", *, bodyless: bool = False) -> RenderedResponse:
    """An answer with its `Content-Length`.

    `bodyless` is for the answer to a HEAD that was recorded as such: its own `Content-Length`, if any, is kept.
    """
    if bodyless:
        return RenderedResponse(status, head(status, reason, headers))
    headers = without(headers, FRAMING)
    if status in NO_CONTENT:
        return RenderedResponse(status, head(status, reason, headers))
    return RenderedResponse(status, head(status, reason, (*headers, ("Content-Length", str(len(body))))), body)


def from_file(status: int, reason: str, headers: Headers, place: str, size: int, start: int = 0) -> RenderedResponse:
    """An answer whose body, so many bytes of a file, stays there until it is sent."""
    ready = head(status, reason, (*without(headers, FRAMING), ("Content-Length", str(size))))
    return RenderedResponse(status, ready, steps=(SendHead(), SendFile(place, size, start)))


def head(status: int, reason: str, headers: Headers) -> bytes:
    """A status line and header section, with the blank line."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One chunk of the chunked transfer coding; of no bytes, the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def with_header(answer: RenderedResponse, line: bytes) -> RenderedResponse:
    """The answer with one more header line."""
    return replace(answer, head=answer.head[:-2] + line + b"\r\n\r\n")


def with_connection(answer: RenderedResponse, option: str) -> RenderedResponse:
    """The answer with an option of its connection; unchanged where there is none."""
    return with_header(answer, b"Connection: " + option.encode("ascii")) if option else answer


def dated(answer: RenderedResponse, line: bytes) -> RenderedResponse:
    """The answer with a `Date` line at the start, unless it has a date of its own."""
    start, rest = split(answer.head)
    return replace(answer, head=start + line + b"\r\n" + rest) if start else answer


def split(answer_head: bytes) -> tuple[bytes, bytes]:
    """The status line of a head and the rest, between which a `Date` belongs; a head that has one is all rest."""
    if b"\ndate:" in answer_head.lower():
        return b"", answer_head
    end = answer_head.find(b"\n") + 1
    return answer_head[:end], answer_head[end:]


def without_body(answer: RenderedResponse) -> RenderedResponse:
    """The answer to the same request made with HEAD."""
    return replace(answer, body=b"", steps=(), streamed=False)


def delayed(answer: RenderedResponse, seconds: float) -> RenderedResponse:
    """The answer after a pause."""
    return replace(answer, steps=(Delay(seconds), *steps_of(answer)))


def steps_of(answer: RenderedResponse) -> Iterable[Step]:
    """The steps of an answer, also of one that is written at once."""
    return answer.steps or (SendHead(), SendBody(answer.body))


def json_answer(
    status: int, reason: str, value: Any, headers: Headers = (), media_type: str = "application/json"
) -> RenderedResponse:
    """An answer whose body is a value as indented JSON."""
    body: bytes = msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    return frame(status, reason, (("Content-Type", f"{media_type}; charset=utf-8"), *headers), body)


NO_CONTENT = frozenset((204, 304))


class ResponseSink(Protocol):
    """The connection a live response goes out on. `client` tells it from others, for all the requests on it."""

    client: Hashable

    def answer(self, answer: RenderedResponse) -> None:
        """Sends a whole answer."""

    def begin(self, head: ResponseHead, length: int | None) -> None:
        """Sends a head, with this `Content-Length` or, for None, before a body without known length."""

    def send_whole(self, head: ResponseHead, length: int | None, body: bytes) -> None:
        """`begin`, and all of the body in one go; `finish` is yet to come."""

    async def write(self, data: bytes) -> None:
        """Sends a piece of the body and waits until there is room for more."""

    def finish(self) -> None:
        """Ends the body."""

    def abort(self) -> None:
        """Cuts the body short, so that the caller can tell."""
