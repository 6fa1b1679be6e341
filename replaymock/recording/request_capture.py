"""What the requests of a recording come down to: without secrets, also those that only this recording knows of."""

from dataclasses import replace

from msgspec import Struct

from replaymock.cassettes.model import WEBSOCKET_BODY, CassetteRequest, KnownBody
from replaymock.http import bodies
from replaymock.http.headers import Headers, get, media_type
from replaymock.http.messages import Request
from replaymock.http.uri import literal_path, parse_query
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.matcher import Matcher
from replaymock.redaction.known_secrets import KnownSecrets
from replaymock.redaction.placeholders import PlaceholderAllocator, PlaceholderFactory
from replaymock.redaction.redactor import decoded

_OF_BODY = frozenset(("content-type", "content-encoding"))
_MOST_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 1000


class CapturedRequest(Struct, frozen=True):
    """What a request comes down to, its target as it may be shown, and how many secrets were `known` by then."""

    canonical: CanonicalRequest
    shown: str
    known: int


class RequestCapture:
    """Brings requests to canonical form; those whose target tells all are remembered."""

    def __init__(self, matcher: Matcher, known: KnownSecrets) -> None:
        self._matcher = matcher
        self._known = known
        self._learned = 0
        self._read: dict[tuple[str, str], CapturedRequest] = {}

    def read(self, request: Request, kind: KnownBody | None = None) -> CapturedRequest:
        """A request brought to canonical form; `kind` is what it has instead of a body."""
        if kind or request.body or self._matcher.uses_headers or len(request.target) > _LONGEST_REMEMBERED:
            return self._look_at(request, kind)
        if self._learned != self._known.learned or len(self._read) >= _MOST_REMEMBERED:
            self._read.clear()
            self._learned = self._known.learned
        name = (request.method, request.target)
        found = self._read.get(name)
        if found is None:
            found = self._read[name] = self._look_at(request, None)
        return found

    def again(
        self, request: Request, learned: Request, asked: CapturedRequest, kind: KnownBody | None = None
    ) -> CapturedRequest:
        """What a request that was read before comes down to now: it is read again where more is known to be secret.

        `learned` is what learning of it gave.
        """
        if asked.known == self._known.learned:
            return asked
        if not request.body or self._matcher.uses_headers:
            return self.read(request, kind)
        return self._asked(request, learned, kind)

    def _look_at(self, request: Request, kind: KnownBody | None) -> CapturedRequest:
        return self._asked(request, self._matcher.hidden(request), kind)

    def _asked(self, request: Request, hidden: Request, kind: KnownBody | None) -> CapturedRequest:
        """What a request comes down to, in the order in which it is stored: known values are hidden last."""
        return CapturedRequest(*self._matcher.read_hidden(request, self.hidden(hidden), kind), self._known.learned)

    def learn(self, request: Request, label: PlaceholderFactory) -> Request:
        """Takes note of the secrets of a request, which its answer may repeat; those of its headers are not stored.

        Gives the request without them, its content decoded, with no header but what tells how to read its body.
        """

        def note(name: str, value: str) -> str:
            self._known.remember(value, f"{{{{redacted:{name.lower()}}}}}")
            return value

        redactor = self._matcher.redactor
        redactor.headers(request.headers, note)
        of_body = tuple(pair for pair in request.headers if pair[0].lower() in _OF_BODY)
        return redactor.request(replace(request, headers=of_body), label)

    def hidden(self, request: Request) -> Request:
        """The request without the values that are known to be secret, in its target and in a body that can be read."""
        if not self._known.learned:
            return request
        request = decoded(request)
        found = self._known.request(request)
        if found.body != request.body and not _is_readable(request):
            return replace(request, target=found.target)
        return found

    def stored(
        self, request: Request, learned: Request, canonical: CanonicalRequest, numbering: PlaceholderAllocator
    ) -> CassetteRequest:
        """What is stored of a request: no header but its content type and those that take part in matching.

        `learned` is what learning of it gave.
        """
        names = {name for name, _ in canonical.headers} - (_OF_BODY if request.body else set())
        found = [(name.lower(), value) for name, value in request.headers if name.lower() in names]
        found += [("upgrade", "websocket")] if canonical.kind == WEBSOCKET_BODY[0] else []
        headers = self._matcher.redactor.headers(tuple(found), numbering)
        of_body = tuple((name.lower(), value) for name, value in learned.headers) if request.body else ()
        redacted = replace(learned, headers=tuple(sorted((*headers, *of_body))))
        body = self.kept(redacted)
        redacted = self.hidden(redacted)
        if isinstance(body, bodies.Multipart):
            redacted = replace(redacted, headers=_without_boundary(redacted.headers))
        query = tuple(sorted(parse_query(redacted.query), key=lambda pair: pair[0])) or None
        return CassetteRequest(request.method, literal_path(redacted.path), query, redacted.headers, body)

    def kept(self, request: Request) -> bodies.Body | None:
        """What is kept of a body: of a file that holds a known value only a digest, as it is compared by its bytes."""
        if not request.body:
            return None
        found = bodies.stored_form(get(request.headers, "content-type"), self.hidden(request).body)
        if isinstance(found, bodies.Multipart):
            return bodies.Multipart(tuple(self._kept_part(part) for part in found.parts))
        return found

    def _kept_part(self, part: bodies.Part) -> bodies.Part:
        if isinstance(part.body, (bodies.Digest, bodies.Binary)):
            return part
        data = bodies.decode(part.body, part.content_type or "text/plain")
        hidden = self._known.body(data, "text/plain")
        if hidden == data:
            return part
        if part.filename is None and isinstance(part.body, bodies.Text):
            return replace(part, body=bodies.Text(self._known.hide(part.body.text)))
        return replace(part, body=bodies.Digest(bodies.digest(data), len(data)))


def _without_boundary(headers: Headers) -> Headers:
    return tuple(
        (name, value.partition(";")[0].strip() if name == "content-type" else value) for name, value in headers
    )


def _is_readable(request: Request) -> bool:
    """Whether a body is kept as fields or text, and not by its bytes alone."""
    media = get(request.headers, "content-type")
    return media_type(request.headers) == "application/graphql" or isinstance(
        bodies.stored_form(media, request.body), (bodies.Json, bodies.Form, bodies.Text)
    )
