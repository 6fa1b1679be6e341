"""Messages in httpx's form: a request that says exactly what it is to say and whose it is, and the head of a response.

httpx upper-cases methods and normalises URLs. `extensions["target"]`, its own way around that, also replaces the target
of the CONNECT that asks a proxy for a tunnel (httpcore 1.0.9). So the URL itself is literal here.
"""

from collections.abc import AsyncIterator, Hashable, Mapping
from functools import lru_cache
from urllib.parse import unquote

import httpx

from replaymock.http.headers import Headers
from replaymock.http.messages import ResponseHead, standard_reason

CLIENT = "replaymock.client"
"""The extension that holds the connection a request came on: a login on a connection is shared with no other."""

Extensions = Mapping[str, Hashable | Mapping[str, float | None]]


class LiteralURL(httpx.URL):
    """A URL of an origin and a request target that is sent as it is."""

    def __init__(self, origin: str, target: bytes) -> None:
        super().__init__(_parsed(origin))
        self.origin = origin
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
        return self.origin + self._target.decode("ascii")


_NO_HEADERS = httpx.Headers()


class _LazyHeaders:
    """Headers that httpx's form is made of when somebody asks for it: between two of our own parts nobody does.

    Making it takes longer than all else of a message in httpx's form.
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
    """A request to an origin. `fields` are its headers as text, which `headers` holds as bytes."""

    def __init__(
        self, method: str, url: LiteralURL, fields: Headers, body: AsyncIterator[bytes], extensions: Extensions
    ) -> None:
        super().__init__(method, url, headers=_NO_HEADERS, stream=RequestBody(body), extensions=extensions)
        self.method = method
        self.url = url
        self.fields = fields


class IncomingResponse(_LazyHeaders, httpx.Response):
    """A response over HTTP/1.1. `fields` are its headers as text, which `headers` holds as bytes."""

    def __init__(self, head: ResponseHead, stream: httpx.AsyncByteStream) -> None:
        reason = head.reason.encode("latin-1")
        extensions = {"http_version": b"HTTP/1.1", "reason_phrase": reason}
        super().__init__(head.status, headers=_NO_HEADERS, stream=stream, extensions=extensions)
        self.fields = head.headers


class RequestBody(httpx.AsyncByteStream):
    """A request body whose pieces come once."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body


def origin_of(url: httpx.URL) -> str:
    """The origin of a URL, as an upstream names it."""
    return url.origin if isinstance(url, LiteralURL) else f"{url.scheme}://{url.netloc.decode('ascii')}"


def fields_of(request: httpx.Request) -> Headers:
    """The headers of a request as text."""
    if isinstance(request, OutgoingRequest):
        return request.fields
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)


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
