"""Messages in httpx's form: a request that says exactly what it is to say and whose it is, and the head of a response.

httpx upper-cases methods and normalises URLs. `extensions["target"]`, its own way around that, also replaces the target
of the CONNECT that asks a proxy for a tunnel (httpcore 1.0.9). So the URL itself is literal here.
"""

from collections.abc import AsyncIterator, Hashable, Mapping
from functools import lru_cache
from urllib.parse import unquote

import httpx

from replaymock.http.headers import Headers
from replaymock.http.messages import Request, ResponseHead
from replaymock.http.status import standard_reason

CLIENT = "replaymock.client"
"""The extension that holds the connection a request came on: a login on a connection is shared with no other."""

Extensions = Mapping[str, Hashable | Mapping[str, float | None]]


class LiteralURL(httpx.URL):
    """A URL of an origin and a request target that is sent as it is."""

    def __init__(self, origin: str, target: bytes) -> None:
        super().__init__(_parsed(origin))
        self._origin = origin
        self._target = target

    @property
    def raw_path(self) -> bytes:
        """The target, path and query."""
        return self._target

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self._target.partition(b"?")[0].decode("ascii"))

    @property
    def query(self) -> bytes:
        """What follows the question mark, as it is."""
        return self._target.partition(b"?")[2]

    @property
    def params(self) -> httpx.QueryParams:
        """The query as pairs."""
        return httpx.QueryParams(self.query.decode("ascii"))

    def __str__(self) -> str:
        return self._origin + self._target.decode("ascii")


_NO_HEADERS = httpx.Headers()


class _LazyHeaders:
    """Headers in httpx's form, made when somebody asks for them: between two of our own parts nobody does.

    Making them takes longer than all else of a message in httpx's form.
    """

    fields: Headers = ()
    _headers: httpx.Headers | None = None

    @property
    def headers(self) -> httpx.Headers:
        """The headers in httpx's form."""
        if self._headers is None:
            self._headers = httpx.Headers(
                [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.fields]
            )
        return self._headers

    @headers.setter
    def headers(self, headers: httpx.Headers) -> None:
        self._headers = headers or None


class OutgoingRequest(_LazyHeaders, httpx.Request):
    """A request to an origin, whose `message` has an ASCII target; method, URL and headers are literally its own."""

    def __init__(self, origin: str, message: Request, body: AsyncIterator[bytes], extensions: Extensions) -> None:
        self.origin = origin
        self.message = message
        self.fields = message.headers
        self._url: LiteralURL | None = None
        stream = RequestBody(body)
        super().__init__(message.method, _parsed(origin), headers=_NO_HEADERS, stream=stream, extensions=extensions)
        self.method = message.method

    @property
    def url(self) -> httpx.URL:
        """The URL in httpx's form, made when somebody asks for it."""
        if self._url is None:
            self._url = LiteralURL(self.origin, self.message.target.encode("ascii"))
        return self._url

    @url.setter
    def url(self, _url: httpx.URL) -> None:
        # It is what httpx would make of it.
        return


class IncomingResponse(_LazyHeaders, httpx.Response):
    """A response over HTTP/1.1. `fields` are its headers as text, which `headers` holds as bytes."""

    def __init__(self, head: ResponseHead, stream: httpx.AsyncByteStream) -> None:
        self.fields = head.headers
        extensions = {"http_version": b"HTTP/1.1", "reason_phrase": head.reason.encode("latin-1")}
        super().__init__(head.status, headers=_NO_HEADERS, stream=stream, extensions=extensions)


class RequestBody(httpx.AsyncByteStream):
    """A request body whose pieces come once."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body


def origin_of(request: httpx.Request) -> str:
    """The origin that a request goes to, as an upstream names it."""
    if isinstance(request, OutgoingRequest):
        return request.origin
    return f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"


def message_of(request: httpx.Request) -> Request:
    """A request without its body, as it is sent; `extensions["target"]` goes before the target of its URL."""
    target: bytes | None = request.extensions.get("target")
    if isinstance(request, OutgoingRequest) and target is None:
        return request.message
    fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    return Request(request.method, (target or request.url.raw_path).decode("latin-1"), fields)


def head_of(response: httpx.Response) -> ResponseHead:
    """The head of a response; where no reason phrase was sent, as in HTTP/2, with the one of the standard."""
    reason: bytes | None = response.extensions.get("reason_phrase")
    return ResponseHead(
        response.status_code,
        standard_reason(response.status_code) if reason is None else reason.decode("latin-1"),
        tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw),
    )


@lru_cache(maxsize=64)
def _parsed(origin: str) -> httpx.URL:
    return httpx.URL(origin)
