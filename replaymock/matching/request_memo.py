"""What was made of requests that come again: kept within bounds, and only where it depends on nothing else."""

from typing import Generic, TypeVar

from replaymock.http.headers import Headers
from replaymock.http.messages import Request

MOST_REQUESTS = 10_000
MOST_BYTES = 16 * 1024 * 1024

Value = TypeVar("Value")

RequestName = tuple[str, str, Headers, bytes]
"""All of a request that its canonical form depends on: method, target, the types of its body, body."""


class RequestMemo(Generic[Value]):
    """Remembers a value for each request whose body has at most `most_body` bytes.

    With `uses_headers`, other headers take part in matching, and nothing is remembered.
    """

    def __init__(self, most_body: int, *, uses_headers: bool) -> None:
        self._most_body = most_body
        self._uses_headers = uses_headers
        self._values: dict[RequestName, Value] = {}
        self._bytes = 0
        self.get = self._values.get

    def name(self, request: Request) -> RequestName | None:
        """The name under which a request is remembered; None where it is not."""
        if self._uses_headers or len(request.body) > self._most_body:
            return None
        # A body means what its type says.
        types = tuple(pair for pair in request.headers if pair[0].lower() in _OF_BODY) if request.body else ()
        return request.method, request.target, types, request.body

    def put(self, name: RequestName, value: Value) -> None:
        """Remembers a value; forgets all others where there are too many."""
        self._bytes += len(name[1]) + len(name[3])
        if len(self._values) >= MOST_REQUESTS or self._bytes > MOST_BYTES:
            self.clear()
        self._values[name] = value

    def clear(self) -> None:
        """Forgets everything."""
        self._values.clear()
        self._bytes = 0


_OF_BODY = frozenset(("content-type", "content-encoding"))
