"""What is stored of a response: its decoded content, without secrets, the origin and headers that are never stored."""

import base64
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from replaymock.cassettes.model import Cassette, RecordedResponse
from replaymock.http import content_coding, event_stream, media_types
from replaymock.http.event_stream import Pauses
from replaymock.http.headers import Headers, get, hop_by_hop, is_cors, is_unstored, list_items, media_type
from replaymock.http.messages import Exchange, Response
from replaymock.http.origin import OriginRewriter
from replaymock.http.selectors import Selector
from replaymock.http.status import ERROR_STATUSES
from replaymock.http.via import without_tags
from replaymock.http.websocket_messages import BINARY, CLOSE, SERVER, Message, truncate_reason
from replaymock.placeholders import ORIGIN
from replaymock.recording.capture import Capture
from replaymock.redaction.placeholders import PlaceholderAllocator
from replaymock.redaction.redactor import RedactionRules, Redactor


@dataclass(frozen=True, slots=True)
class RecordingPolicy:
    """What is recorded, and how.

    `statuses` are error statuses that are recorded, too; `dropped_headers` names of headers to leave out. `max_body`
    bounds bodies, in bytes, and `max_stream_time` event streams, in seconds. `never_stored` are texts that are hidden
    wherever a backend repeats them.
    """

    statuses: frozenset[int] = frozenset()
    dropped_headers: frozenset[str] = frozenset()
    keep_cors: bool = False
    rewrite: bool = True
    max_body: int = 64 * 1024 * 1024
    max_stream_time: float = 300.0
    never_stored: tuple[str, ...] = ()

    def wants(self, status: int) -> bool:
        """Whether responses of this status are recorded."""
        return status not in ERROR_STATUSES or status in self.statuses


class NotRecordable(ValueError):
    """A response that cannot be stored, as secrets in it may stay unseen; the message says why."""


class ResponseCapture:
    """Makes what is stored of responses and messages, with the placeholders of one recording."""

    def __init__(
        self, policy: RecordingPolicy, redactor: Redactor, origins: OriginRewriter, placeholders: PlaceholderAllocator
    ) -> None:
        self._policy = policy
        self._redactor = redactor
        self._origins = origins
        self._placeholders = placeholders
        own = tuple(Selector("value", re.escape(text)) for text in policy.never_stored)
        # Finds what this server added to a request, in any encoding in which a response may repeat it.
        self._own = Redactor(RedactionRules(add=own)) if own else None

    def with_placeholders(self, placeholders: PlaceholderAllocator) -> "ResponseCapture":
        """The same with other placeholders."""
        return ResponseCapture(self._policy, self._redactor, self._origins, placeholders)

    def response(self, exchange: Exchange) -> RecordedResponse:
        """The response of an exchange, as a cassette holds it. NotRecordable if it may hold a secret."""
        response, encoded = self._decoded(exchange)
        decoded = response.body
        headers = self._stored_headers(response.headers, exchange.request.method)
        response, rewrite = self._with_token(replace(response, headers=headers), encoded)
        response = self._hidden(response if encoded else _without_pseudonym(response), exchange.request.path)
        return RecordedResponse(
            status=response.status,
            reason=response.reason,
            headers=response.headers,
            body=response.body,
            rewrite=rewrite,
            encoded=encoded,
            pauses=() if encoded else self._pauses(exchange, decoded, response.body),
            truncated=exchange.truncated,
            recorded_at=exchange.recorded_at,
            elapsed_ms=exchange.elapsed_ms,
        )

    def recorded(self, capture: Capture) -> RecordedResponse:
        """The response of a capture with the messages after it, as a cassette holds it. NotRecordable as `response`."""
        recorded, messages = self.response(capture.exchange), capture.messages
        if messages is None:
            return recorded
        is_literal = any(ORIGIN.encode() in message.data for message in messages)
        stored = tuple(self.message(message, rewrite=not is_literal) for message in messages)
        ended = bool(messages) and messages[-1].kind == CLOSE
        return replace(recorded, messages=stored, rewrite=not is_literal, truncated=not ended)

    def message(self, message: Message, *, rewrite: bool) -> Message:
        """A message on a WebSocket, as a cassette holds it."""
        data, is_text = message.data, message.kind != BINARY
        if self._policy.rewrite and rewrite and is_text and message.sender == SERVER:
            data = self._origins.to_token(data)
        data = self._redactor.message(data, self._placeholders, is_text=is_text)
        if self._own:
            data = self._without_own_bytes(self._own.message(data, self._placeholder_for_own, is_text=is_text))
        data = self._placeholders.secrets.body(data, "text/plain") if is_text else data
        return replace(message, data=truncate_reason(data) if message.kind == CLOSE else data)

    def _hidden(self, response: Response, path: str) -> Response:
        response = self._without_own(self._redactor.response(response, self._placeholders, path), path)
        return self._placeholders.secrets.response(response, path)

    def _pauses(self, exchange: Exchange, decoded: bytes, stored: bytes) -> event_stream.Pauses:
        headers, sent = exchange.response.headers, exchange.response.body
        media = media_type(headers)
        if not decoded or (len(exchange.arrivals) <= 1 and not event_stream.is_stream(media)):
            return ()
        decoder = content_coding.decoder(content_coding.parse(get(headers, "content-encoding")), self._policy.max_body)
        consumed = 0
        produced = 0

        def decoded_size(size: int) -> int:
            nonlocal consumed, produced
            produced += len(decoder.feed(sent[consumed:size])) if sent is not decoded else size - consumed
            consumed = size
            return produced

        return pauses_in(media, exchange.arrivals, decoded, stored, decoded_size)

    def _without_own(self, response: Response, path: str) -> Response:
        """The response without what this server itself had added to the request."""
        if not self._own:
            return response
        response = self._own.response(response, self._placeholder_for_own, path)
        return replace(response, body=self._without_own_bytes(response.body))

    def _without_own_bytes(self, data: bytes) -> bytes:
        for text in self._policy.never_stored:
            if text.encode() in data:
                data = data.replace(text.encode(), self._placeholder_for_own("", text).encode())
        return data

    def _placeholder_for_own(self, _name: str, value: str) -> str:
        return self._placeholders("header", value)

    def _decoded(self, exchange: Exchange) -> tuple[Response, bool]:
        """The response without its content coding, and False; if it cannot be decoded, as it came, and True.

        A truncated response is a stream; it is kept up to its last complete event.
        """
        response, path = exchange.response, exchange.request.path
        names = content_coding.parse(get(response.headers, "content-encoding"))
        if not content_coding.is_supported(names):
            return response, bool(response.body)
        try:
            if exchange.truncated:
                body = content_coding.decoder(names, self._policy.max_body).feed(response.body)
                return replace(response, body=event_stream.complete(media_type(response.headers), body)), False
            if not names or not response.body:
                return response, False
            return replace(response, body=content_coding.decode(response.body, names, self._policy.max_body)), False
        except content_coding.TooLarge as error:
            raise NotRecordable("its content decodes to more than --max-body") from error
        except content_coding.CodingError as error:
            body = _as_far_as_it_goes(response.body, names, self._policy.max_body)
            if self._hidden(replace(response, body=body), path).body != body:
                raise NotRecordable("its content coding is damaged, and there is a secret in it") from error
            return response, True

    def _stored_headers(self, headers: Headers, method: str) -> Headers:
        ending_here = hop_by_hop(headers)
        dropped = self._policy.dropped_headers
        stored = [
            (name.lower(), value)
            for name, value in headers
            if not (
                name.lower() in ending_here
                or is_unstored(name.lower(), dropped)
                or (is_cors(name.lower()) and not self._policy.keep_cors)
            )
        ]
        if method == "HEAD":
            stored += _length(headers)
        return tuple(sorted(stored, key=lambda pair: pair[0]))

    def _with_token(self, response: Response, encoded: bool) -> tuple[Response, bool]:
        """The response with upstream's origin as a token; True unless its body had that very token from the start."""
        literal = ORIGIN.encode() in response.body
        if not self._policy.rewrite:
            return response, not literal
        headers = tuple((name, self._origins.header_to_token(value)) for name, value in response.headers)
        textual = not encoded and not literal and media_types.is_rewritable(media_type(response.headers))
        body = self._origins.to_token(response.body) if textual else response.body
        return replace(response, headers=headers, body=body), not literal


def _length(headers: Headers) -> Headers:
    """The content length of a response to HEAD, once; empty if it is no number, or if there are different ones."""
    lengths = set(list_items(get(headers, "content-length")))
    return tuple(("content-length", length) for length in lengths if len(lengths) == 1 and _NUMBER.fullmatch(length))


def _without_pseudonym(response: Response) -> Response:
    """The response with our name in `Via` as `1.1 replaymock` where it repeats it: its end differs in every run."""
    body = without_tags(response.body)
    if body is response.body or not media_types.is_textual(media_type(response.headers)):
        return response
    return replace(response, body=body)


def _as_far_as_it_goes(data: bytes, names: list[str], limit: int) -> bytes:
    """What can be decoded of a damaged body. It is fed in small steps, as the step that fails gives nothing."""
    decoder, step, body = content_coding.decoder(names, limit), max(len(data) // _STEPS, 1), bytearray()
    with contextlib.suppress(content_coding.CodingError):
        for at in range(0, len(data), step):
            body += decoder.feed(data[at : at + step])
    return bytes(body)


def is_redacted(cassette: Cassette) -> bool:
    """Whether a cassette holds a placeholder, in plain text or in base64."""
    if _PLACEHOLDER in repr(cassette.request):
        return True
    for recorded in cassette.responses:
        contents = [recorded.body, *(message.data for message in recorded.messages)]
        contents.append(repr(recorded.headers).encode("utf-8", "surrogatepass"))
        if any(mark in data for data in contents for mark in _MARKS):
            return True
    return False


def _in_base64(text: str, before: int) -> bytes:
    """The part of a text's base64 form that does not depend on its neighbours, with `before` bytes in front of it."""
    encoded = base64.b64encode(b" " * before + text.encode())
    return encoded[(before * 8 + 5) // 6 : (before + len(text)) * 8 // 6]


_NUMBER = re.compile(r"[0-9]+")
_STEPS = 16 * 1024
_PLACEHOLDER = "{{redacted"
_MARKS = (_PLACEHOLDER.encode(), *(_in_base64(_PLACEHOLDER, before) for before in range(3)))

SHORTEST_MS = 50
"""The shortest pause that is stored, in milliseconds, in a body that is no event stream."""


def pauses_in(
    media_type: str, arrivals: Pauses, sent: bytes, stored: bytes, decoded_size: Callable[[int], int]
) -> Pauses:
    """Where a stored body paused, computed from `arrivals`: how many coded bytes had arrived at which millisecond.

    `sent` is the body without its coding; `decoded_size` gives how many of its bytes so many coded bytes make.
    """
    is_stream = event_stream.is_stream(media_type)
    if not is_stream and all(later - earlier < SHORTEST_MS for (_, earlier), (_, later) in pairwise(arrivals)):
        return ()
    arrived = tuple((decoded_size(size), moment) for size, moment in arrivals)
    if is_stream:
        return event_stream.transfer_pauses(media_type, sent, stored, event_stream.pauses_of(media_type, sent, arrived))
    return tuple(
        (min(size, len(stored)), later - earlier)
        for (size, earlier), (_, later) in pairwise(arrived)
        if later - earlier >= SHORTEST_MS
    )
