"""Canonical, redacted form of a request, and what is stored of it.

Secrets are also those learned from earlier exchanges of the same run.
"""

from dataclasses import replace

from msgspec import Struct

from replaymock.cassettes.model import WEBSOCKET_BODY, CassetteRequest, KnownBody
from replaymock.http import bodies
from replaymock.http.headers import Headers, get, media_type
from replaymock.http.messages import Request
from replaymock.http.uri import literal_path, parse_query
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.matcher import Matcher
from replaymock.matching.request_memo import RequestMemo
from replaymock.redaction.known_secrets import KnownSecrets
from replaymock.redaction.placeholders import PlaceholderAllocator, PlaceholderFactory
from replaymock.redaction.redactor import decode_request

_OF_BODY = frozenset(("content-type", "content-encoding"))


class CapturedRequest(Struct, frozen=True):
    """A request in canonical form, its target as it may be shown, and how many secrets were known by then."""

    canonical: CanonicalRequest
    shown: str
    secrets_known: int


class RequestCapture:
    """Brings requests to canonical form. Those that differ only in method and target are remembered."""

    def __init__(self, matcher: Matcher, secrets: KnownSecrets) -> None:
        self._matcher = matcher
        self._secrets = secrets
        self._learned = 0
        self._memo: RequestMemo[CapturedRequest] = RequestMemo(0, uses_headers=matcher.uses_headers)

    def read(self, request: Request, kind: KnownBody | None = None) -> CapturedRequest:
        """A request in canonical form; `kind` is what stands for its body, if it has none of its own."""
        key = None if kind else self._memo.key(request)
        if key is None:
            return self._capture(request, kind)
        if self._learned != self._secrets.learned:
            self._memo.clear()
            self._learned = self._secrets.learned
        captured = self._memo.get(key)
        if captured is None:
            captured = self._capture(request, None)
            self._memo.put(key, captured)
        return captured

    def recanonicalize(
        self, request: Request, learned: Request, captured: CapturedRequest, kind: KnownBody | None = None
    ) -> CapturedRequest:
        """The canonical form of a request now: `captured` itself, or a new one if more secrets are known by now.

        `learned` is what `learn` gave for the request.
        """
        if captured.secrets_known == self._secrets.learned:
            return captured
        if not request.body or self._matcher.uses_headers:
            return self.read(request, kind)
        return self._canonicalized(request, learned, kind)

    def _capture(self, request: Request, kind: KnownBody | None) -> CapturedRequest:
        return self._canonicalized(request, self._matcher.redacted(request), kind)

    def _canonicalized(self, request: Request, hidden: Request, kind: KnownBody | None) -> CapturedRequest:
        """The canonical form of a request. As in what is stored, known secrets are hidden last."""
        return CapturedRequest(
            *self._matcher.canonicalize_redacted(request, self.hidden(hidden), kind), self._secrets.learned
        )

    def learn(self, request: Request, placeholders: PlaceholderFactory) -> Request:
        """The request without its secrets, its content decoded, with only the headers that describe its body.

        The secrets are remembered, those of other headers too, because the response may repeat them.
        """

        def remember(name: str, value: str) -> str:
            self._secrets.remember(value, f"{{{{redacted:{name.lower()}}}}}")
            return value

        redactor = self._matcher.redactor
        redactor.headers(request.headers, remember)
        of_body = tuple(pair for pair in request.headers if pair[0].lower() in _OF_BODY)
        return redactor.request(replace(request, headers=of_body), placeholders)

    def hidden(self, request: Request) -> Request:
        """The request without known secrets, in its target and in a body that can be read."""
        if not self._secrets.learned:
            return request
        request = decode_request(request)
        hidden = self._secrets.request(request)
        if hidden.body != request.body and not _is_readable(request):
            return replace(request, target=hidden.target)
        return hidden

    def stored(
        self, request: Request, learned: Request, canonical: CanonicalRequest, placeholders: PlaceholderAllocator
    ) -> CassetteRequest:
        """What is stored of a request. Of its headers: the content type and those that take part in matching.

        `learned` is what `learn` gave for the request.
        """
        names = {name for name, _ in canonical.headers} - (_OF_BODY if request.body else set())
        matched = [(name.lower(), value) for name, value in request.headers if name.lower() in names]
        matched += [("upgrade", "websocket")] if canonical.kind == WEBSOCKET_BODY[0] else []
        headers = self._matcher.redactor.headers(tuple(matched), placeholders)
        of_body = tuple((name.lower(), value) for name, value in learned.headers) if request.body else ()
        redacted = replace(learned, headers=tuple(sorted((*headers, *of_body))))
        body = self.stored_body(redacted)
        redacted = self.hidden(redacted)
        if isinstance(body, bodies.Multipart):
            redacted = replace(redacted, headers=_without_boundary(redacted.headers))
        query = tuple(sorted(parse_query(redacted.query), key=lambda pair: pair[0])) or None
        return CassetteRequest(request.method, literal_path(redacted.path), query, redacted.headers, body)

    def stored_body(self, request: Request) -> bodies.Body | None:
        """The body as it is stored. A file that holds a known secret becomes a digest: files are compared by bytes."""
        if not request.body:
            return None
        body = bodies.stored_form(get(request.headers, "content-type"), self.hidden(request).body)
        if isinstance(body, bodies.Multipart):
            return bodies.Multipart(tuple(self._stored_part(part) for part in body.parts))
        return body

    def _stored_part(self, part: bodies.Part) -> bodies.Part:
        if isinstance(part.body, (bodies.Digest, bodies.Binary)):
            return part
        data = bodies.decode(part.body, part.content_type or "text/plain")
        hidden = self._secrets.body(data, "text/plain")
        if hidden == data:
            return part
        if part.filename is None and isinstance(part.body, bodies.Text):
            return replace(part, body=bodies.Text(self._secrets.hide(part.body.text)))
        return replace(part, body=bodies.Digest(bodies.digest(data), len(data)))


def _without_boundary(headers: Headers) -> Headers:
    return tuple(
        (name, value.partition(";")[0].strip() if name == "content-type" else value) for name, value in headers
    )


def _is_readable(request: Request) -> bool:
    """Whether a body is stored as fields or text, not as bytes or a digest."""
    media = get(request.headers, "content-type")
    return media_type(request.headers) == "application/graphql" or isinstance(
        bodies.stored_form(media, request.body), (bodies.Json, bodies.Form, bodies.Text)
    )
