"""From a recorded response, as people edit it, to the bytes that go out."""

import string
from dataclasses import dataclass, replace
from itertools import accumulate
from urllib.parse import quote

from msgspec import Struct

from replaymock import placeholders
from replaymock.cassettes.model import RecordedResponse
from replaymock.http import conditional, content_coding, event_stream, origin
from replaymock.http.conditional import ConditionalRequest
from replaymock.http.cors import CorsPolicy, add_vary
from replaymock.http.headers import FRAMING, Headers, get, media_type, without
from replaymock.http.rendered import Delay, KeepOpen, RenderedResponse, SendBody, SendHead, Step, frame, from_file, head
from replaymock.matching.index import IndexEntry
from replaymock.replay.time_shift import TimeShifter

_MOST_VARIANTS = 16
_OVERHEAD = 1024


class RenderOptions(Struct, frozen=True):
    """How responses are rendered: the CORS policy, whether they name their cassette, and what moves their times."""

    cors: CorsPolicy
    diagnostics: bool = True
    time_shifter: TimeShifter | None = None


@dataclass(frozen=True, slots=True)
class RenderContext:
    """The parts of a request on which a rendered response depends.

    `base` is the base path of the session, if it has one; `last_event_id` the event after which a stream is to go on.
    """

    origin: str
    echoed_origin: str
    accept_encoding: str
    base: str = ""
    last_event_id: str = ""


class ResponseRenderer:
    """One recorded response, and what was rendered from it so far, one variant for each kind of client.

    `size` is its memory in bytes. If it `is_time_dependent`, it is rendered anew each second.
    """

    __slots__ = (
        "_cors",
        "_extra",
        "_stream",
        "_time_shifter",
        "_to_head",
        "_variants",
        "codings",
        "is_time_dependent",
        "recorded",
        "size",
        "uses_origin",
    )

    def __init__(
        self,
        recorded: RecordedResponse,
        extra: Headers,
        cors: CorsPolicy,
        *,
        to_head: bool = False,
        time_shifter: TimeShifter | None = None,
    ) -> None:
        self.recorded = recorded
        self.codings = _codings_to_do(recorded)
        self.uses_origin = _holds_token(recorded)
        self.is_time_dependent = time_shifter is not None and time_shifter.is_time_dependent(
            recorded.headers, recorded.body, recorded.recorded_at
        )
        self._time_shifter = time_shifter
        self._stream = "" if to_head or recorded.encoded else _stream_type(recorded)
        self.size = _size(recorded)
        self._to_head = to_head
        self._extra = extra
        self._cors = cors
        self._variants: dict[tuple[str, str, str, str, bool, int], RenderedResponse] = {}

    @property
    def is_whole(self) -> bool:
        """Whether it is sent at once: it is no stream, no conversation and no large file."""
        return not (self._stream or self.recorded.sidecar or self.recorded.messages)

    def render(self, context: RenderContext, request: ConditionalRequest | None = None) -> RenderedResponse:
        """The response for a client, rendered when it is first needed; a part of it, or a 304, if `request` asks so.

        A stream has its events as steps, at their recorded pace.
        """
        return (self._reduced(context, request) if request else None) or self._whole(context)

    def _whole(self, context: RenderContext) -> RenderedResponse:
        streamed = self.recorded.sidecar is not None  # and too large to be coded here
        coded = (
            bool(self.codings) and not streamed and content_coding.is_accepted(context.accept_encoding, self.codings)
        )
        moment = self._moment()
        last = context.last_event_id if self._stream == event_stream.SSE_TYPE else ""
        variant = (context.origin if self.uses_origin else "", context.base, last, context.echoed_origin, coded, moment)
        response = self._variants.get(variant)
        if response is None:
            if len(self._variants) >= _MOST_VARIANTS:
                self._variants.clear()
                self.size = _size(self.recorded)
            response = self._variants[variant] = self._make(context, coded, moment)
            pieces = sum(len(step.data) for step in response.steps if isinstance(step, SendBody))
            self.size += _OVERHEAD + len(response.body) + pieces
        return response

    def _make(self, context: RenderContext, coded: bool, moment: int) -> RenderedResponse:
        recorded = self.recorded
        headers, body = self._content(context, coded, moment)
        headers = self._cors.apply((*headers, *self._extra), context.echoed_origin)
        if self._stream:
            return self._streamed(headers, body, context.last_event_id, coded=coded)
        if coded and body:
            body = content_coding.encode(body, self.codings)
        if recorded.sidecar:
            return from_file(recorded.status, recorded.reason, headers, recorded.sidecar.place, recorded.sidecar.size)
        bodyless = not body and (self._to_head or bool(get(headers, "content-length")))
        return frame(recorded.status, recorded.reason, headers, body, is_bodyless=bodyless)

    def _reduced(self, context: RenderContext, request: ConditionalRequest) -> RenderedResponse | None:
        """A 304, or part of the content without its coding, so that parts fit together; None for the whole."""
        headers, body = self._content(context, False, self._moment())
        sidecar = self.recorded.sidecar
        size = sidecar.size if sidecar else len(body)
        part = conditional.partial_response(self.recorded.status, headers, size, request)
        if part is None:
            return None
        # The digest is that of the coded representation, and the part is not coded.
        headers = without(part.headers, ("repr-digest",)) if self.codings else part.headers
        headers = self._cors.apply((*headers, *self._extra), context.echoed_origin)
        if sidecar and part.size:
            return from_file(part.status, part.reason, headers, sidecar.place, part.size, part.start)
        return frame(part.status, part.reason, headers, body[part.start : part.start + part.size])

    def _content(self, context: RenderContext, coded: bool, moment: int) -> tuple[Headers, bytes]:
        """The headers to be sent, without those of CORS, and the body before its coding."""
        recorded = self.recorded
        headers, body = recorded.headers, recorded.body
        if self._time_shifter and self.is_time_dependent:
            headers, body = self._time_shifter.moved(headers, body, recorded.recorded_at, moment)
        headers = origin.under_base_path(origin.local_cookies(headers), context.base)
        if self.uses_origin:
            headers = tuple((name, value.replace(placeholders.ORIGIN, context.origin)) for name, value in headers)
            body = origin.from_token(body, context.origin) if recorded.rewrite else body
        if self.codings:
            headers = add_vary(headers, "Accept-Encoding")
            headers = headers if coded else without(headers, ("content-encoding",))
        return headers, body

    def _moment(self) -> int:
        """The current second, since 1970, if the response depends on it; else 0."""
        return self._time_shifter.now() if self._time_shifter and self.is_time_dependent else 0

    def _streamed(self, headers: Headers, body: bytes, last_event_id: str, *, coded: bool) -> RenderedResponse:
        """A response that is sent event by event, beginning after `last_event_id` if there is that event."""
        recorded = self.recorded
        skipped = event_stream.events_up_to(self._stream, body, last_event_id)
        pieces = event_stream.pieces(self._stream, body)[skipped:]
        starts = list(accumulate(map(len, event_stream.pieces(self._stream, recorded.body)), initial=0))[skipped:]
        delays = dict(recorded.pauses)
        encoder = content_coding.encoder(self.codings if coded else [])
        steps: list[Step] = [SendHead()]
        for start, piece in zip(starts, pieces, strict=False):
            steps += [Delay(delays[start] / 1000)] if start in delays else []
            steps.append(SendBody(encoder.feed(piece)))
        steps.append(KeepOpen() if recorded.truncated else SendBody(encoder.finish()))
        answer = RenderedResponse(recorded.status, head(recorded.status, recorded.reason, without(headers, FRAMING)))
        return replace(answer, body=b"".join(pieces), steps=tuple(steps), is_streamed=True)


def renderers(
    entry: IndexEntry, responses: tuple[RecordedResponse, ...], options: RenderOptions
) -> list[ResponseRenderer]:
    """A renderer for each response of a cassette."""
    to_head = entry.canonical.method == "HEAD"
    return [
        ResponseRenderer(
            recorded,
            provenance(entry.file, position, len(responses), options),
            options.cors,
            to_head=to_head,
            time_shifter=options.time_shifter,
        )
        for position, recorded in enumerate(responses)
    ]


def provenance(file: str, position: int, count: int, options: RenderOptions) -> Headers:
    """The headers that name the cassette of a response, and which of `count` responses it is."""
    if not options.diagnostics:
        return ()
    headers: Headers = (("Cache-Status", "replaymock; hit"), ("Replaymock-Cassette", _header_safe(file)))
    return (*headers, ("Replaymock-Sequence", f"{position + 1}/{count}")) if count > 1 else headers


def _header_safe(file: str) -> str:
    """A file name as a header can hold it: percent-encoded where it is not visible ASCII."""
    return quote(file, safe=_SAFE, errors="surrogatepass")


_SAFE = string.punctuation.replace("%", " ")


def _size(recorded: RecordedResponse) -> int:
    return _OVERHEAD + len(recorded.body) + sum(_OVERHEAD + len(message.data) for message in recorded.messages)


def _codings_to_do(recorded: RecordedResponse) -> list[str]:
    """The content codings to apply when rendering: none if the body still has them, or if one is not supported."""
    codings = content_coding.parse(get(recorded.headers, "content-encoding"))
    return codings if not recorded.encoded and content_coding.is_supported(codings) else []


def _stream_type(recorded: RecordedResponse) -> str:
    """The media type of an event stream that can be sent event by event; empty for anything else."""
    media = media_type(recorded.headers)
    return media if event_stream.is_stream(media) and (recorded.body or recorded.truncated) else ""


def _holds_token(recorded: RecordedResponse) -> bool:
    if recorded.rewrite and b"{{origin}}" in recorded.body:
        return True
    return any(placeholders.ORIGIN in value for _, value in recorded.headers)
