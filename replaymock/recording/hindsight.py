"""Secrets that became known after something was written: whether they may be in a file, and a cassette without them."""

from collections.abc import Mapping
from dataclasses import replace

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.http import bodies, event_stream
from replaymock.http.headers import Headers, media_type
from replaymock.http.uri import Pairs
from replaymock.http.websocket_messages import BINARY, CLOSE, Message, as_reason
from replaymock.redaction.known_secrets import KnownSecrets
from replaymock.redaction.redactor import normalize_placeholders


class LateRedactor:
    """Some secrets, each with its placeholder."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._known = KnownSecrets(secrets, most=len(secrets))

    def may_be_in(self, data: bytes) -> bool:
        """Whether some of a file may hold one of them. Quick, however many they are."""
        return self._known.may_be_in(data)

    def hide(self, text: str) -> str:
        """Text without them."""
        return self._known.hide(text)

    def cassette(self, cassette: Cassette) -> Cassette:
        """A cassette without them; equal if it holds none."""
        path = cassette.request.path
        responses = tuple(self._recorded(recorded, path) for recorded in cassette.responses)
        return Cassette(self._request(cassette.request), responses)

    def _request(self, request: CassetteRequest) -> CassetteRequest:
        query = None if request.query is None else self._pairs(request.query)
        body = None if request.body is None else self._body(request.body)
        return CassetteRequest(request.method, self.hide(request.path), query, self._headers(request.headers), body)

    def _body(self, body: bodies.Body) -> bodies.Body:
        match body:
            case bodies.Json(value, layout):
                return bodies.Json(self._known.body(value, "application/json"), layout)
            case bodies.Text(text):
                return bodies.Text(self.hide(text))
            case bodies.Form(fields):
                return bodies.Form(self._pairs(fields))
            case bodies.Multipart(parts):
                return bodies.Multipart(tuple(map(self._part, parts)))
        return body

    def _part(self, part: bodies.Part) -> bodies.Part:
        """A part; of a file that holds one of them a digest, as it is compared by its bytes."""
        body = self._body(part.body)
        if body != part.body and part.filename is not None and not isinstance(part.body, bodies.Digest):
            data = bodies.decode(part.body, part.content_type or "text/plain")
            body = bodies.Digest(bodies.digest(data), len(data))
        # Names take part in the key as they are, so their placeholders have no ordinals.
        headers = tuple((name, self._nameless(value)) for name, value in part.headers)
        return replace(part, headers=headers, body=body)  # type: ignore[arg-type]

    def _nameless(self, text: str) -> str:
        found = self.hide(text)
        return text if found == text else normalize_placeholders(found)

    def _recorded(self, recorded: RecordedResponse, path: str) -> RecordedResponse:
        media = media_type(recorded.headers)
        body = self._known.body(recorded.body, media, path)
        return replace(
            recorded,
            reason=self._nameless(recorded.reason),
            headers=self._headers(recorded.headers),
            body=body,
            after=self.hide(recorded.after),
            pauses=recorded.pauses if body == recorded.body else _moved(recorded, media, body),
            messages=tuple(map(self._message, recorded.messages)),
        )

    def _message(self, message: Message) -> Message:
        if message.kind == BINARY:
            return message
        data = self._known.body(message.data, "text/plain")
        return replace(message, data=as_reason(data) if message.kind == CLOSE else data)

    def _pairs(self, pairs: Pairs) -> Pairs:
        return tuple((self.hide(name), value and self.hide(value)) for name, value in pairs)

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self.hide(value)) for name, value in headers)


def _moved(recorded: RecordedResponse, media: str, body: bytes) -> event_stream.Pauses:
    """The pauses of a response where they are in its new body."""
    if event_stream.is_stream(media):
        return event_stream.transfer_pauses(media, recorded.body, body, recorded.pauses)
    return tuple((min(at, len(body)), milliseconds) for at, milliseconds in recorded.pauses)
