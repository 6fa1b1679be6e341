"""Remembers values computed from recurring requests, within bounds."""

from typing import Generic, TypeVar

from replaymock.http.headers import Headers
from replaymock.http.messages import Request

MOST_REQUESTS = 10_000
MOST_BYTES = 16 * 1024 * 1024

Value = TypeVar("Value")

RequestKey = tuple[str, str, Headers, bytes]
"""Everything that the canonical form of a request depends on: method, target, headers that describe the body, body."""


class RequestMemo(Generic[Value]):
    """Remembers a value for each request whose body has at most `most_body` bytes.

    With `uses_headers`, other headers take part in matching, and nothing is remembered.
    """

    def __init__(self, most_body: int, *, uses_headers: bool) -> None:
        self._most_body = most_body
        self._uses_headers = uses_headers
        self._values: dict[RequestKey, Value] = {}
        self._bytes = 0
        self.get = self._values.get

    def key(self, request: Request) -> RequestKey | None:
        """The key under which a request is remembered; None if it is not remembered."""
        if self._uses_headers or len(request.body) > self._most_body:
            return None
        # The meaning of a body depends on its type.
        types = tuple(pair for pair in request.headers if pair[0].lower() in _OF_BODY) if request.body else ()
        return request.method, request.target, types, request.body

    def put(self, key: RequestKey, value: Value) -> None:
        """Remembers a value. Forgets all others first if there are too many."""
        self._bytes += len(key[1]) + len(key[3])
        if len(self._values) >= MOST_REQUESTS or self._bytes > MOST_BYTES:
            self.clear()
        self._values[key] = value

    def clear(self) -> None:
        """Forgets everything."""
        self._values.clear()
        self._bytes = 0


_OF_BODY = frozenset(("content-type", "content-encoding"))
