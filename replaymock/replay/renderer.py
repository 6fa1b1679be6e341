"""From a recorded response to the answers made of it: the one place that knows both what people edit and the wire."""

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
    """How answers are dressed: the CORS policy, whether they say which cassette they are from, how times move."""

    cors: CorsPolicy
    diagnostics: bool = True
    shifting: TimeShifter | None = None


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What of a request an answer depends on.

    `base` is the path the client's session is under, `last_event_id` the event a stream is to go on after.
    """

    origin: str
    echoed_origin: str
    accept_encoding: str
    base: str = ""
    last_event_id: str = ""


class ResponseRenderer:
    """One recorded response and the answers made of it so far, one for each kind of client; `size` is in bytes.

    If it `is_time_dependent`, it says something else each second.
    """

    __slots__ = (
        "_cors",
        "_extra",
        "_shifting",
        "_stream",
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
        shifting: TimeShifter | None = None,
    ) -> None:
        self.recorded = recorded
        self.codings = _codings_to_do(recorded)
        self.uses_origin = _holds_token(recorded)
        self.is_time_dependent = shifting is not None and shifting.is_time_dependent(
            recorded.headers, recorded.body, recorded.recorded_at
        )
        self._shifting = shifting
        self._stream = "" if to_head or recorded.encoded else _stream_type(recorded)
        self.size = _size(recorded)
        self._to_head = to_head
        self._extra = extra
        self._cors = cors
        self._variants: dict[tuple[str, str, str, str, bool, int], RenderedResponse] = {}

    @property
    def is_whole(self) -> bool:
        """Whether its answers are written at once."""
        return not (self._stream or self.recorded.sidecar or self.recorded.messages)

    def answer(self, client: RenderContext, asked: ConditionalRequest | None = None) -> RenderedResponse:
        """The answer for a client, made when first asked for, or less than the whole of it where that was `asked`.

        A stream has its events as steps, at their recorded pace.
        """
        return (self._reduced(client, asked) if asked else None) or self._whole(client)

    def _whole(self, client: RenderContext) -> RenderedResponse:
        streamed = self.recorded.sidecar is not None  # and too large to be coded here
        coded = bool(self.codings) and not streamed and content_coding.accepted(client.accept_encoding, self.codings)
        moment = self._moment()
        last = client.last_event_id if self._stream == event_stream.SSE_TYPE else ""
        variant = (client.origin if self.uses_origin else "", client.base, last, client.echoed_origin, coded, moment)
        found = self._variants.get(variant)
        if found is None:
            if len(self._variants) >= _MOST_VARIANTS:
                self._variants.clear()
                self.size = _size(self.recorded)
            found = self._variants[variant] = self._make(client, coded, moment)
            pieces = sum(len(step.data) for step in found.steps if isinstance(step, SendBody))
            self.size += _OVERHEAD + len(found.body) + pieces
        return found

    def _make(self, client: RenderContext, coded: bool, moment: int) -> RenderedResponse:
        recorded = self.recorded
        headers, body = self._content(client, coded, moment)
        headers = self._cors.apply((*headers, *self._extra), client.echoed_origin)
        if self._stream:
            return self._streamed(headers, body, client.last_event_id, coded=coded)
        if coded and body:
            body = content_coding.encode(body, self.codings)
        if recorded.sidecar:
            return from_file(recorded.status, recorded.reason, headers, recorded.sidecar.place, recorded.sidecar.size)
        bodyless = not body and (self._to_head or bool(get(headers, "content-length")))
        return frame(recorded.status, recorded.reason, headers, body, bodyless=bodyless)

    def _reduced(self, client: RenderContext, asked: ConditionalRequest) -> RenderedResponse | None:
        """Part of the content without coding, so that the parts are of one whole, however a coding is made."""
        headers, body = self._content(client, False, self._moment())
        sidecar = self.recorded.sidecar
        size = sidecar.size if sidecar else len(body)
        found = conditional.reduced(self.recorded.status, headers, size, asked)
        if found is None:
            return None
        # It is of the representation in its coding, and the part is not.
        kept = without(found.headers, ("repr-digest",)) if self.codings else found.headers
        headers = self._cors.apply((*kept, *self._extra), client.echoed_origin)
        if sidecar and found.size:
            return from_file(found.status, found.reason, headers, sidecar.place, found.size, found.start)
        return frame(found.status, found.reason, headers, body[found.start : found.start + found.size])

    def _content(self, client: RenderContext, coded: bool, moment: int) -> tuple[Headers, bytes]:
        """Headers as they are served, but for CORS, and the body before its coding."""
        recorded = self.recorded
        headers, body = recorded.headers, recorded.body
        if self._shifting and self.is_time_dependent:
            headers, body = self._shifting.moved(headers, body, recorded.recorded_at, moment)
        headers = origin.under_base_path(origin.local_cookies(headers), client.base)
        if self.uses_origin:
            headers = tuple((name, value.replace(placeholders.ORIGIN, client.origin)) for name, value in headers)
            body = origin.from_token(body, client.origin) if recorded.rewrite else body
        if self.codings:
            headers = add_vary(headers, "Accept-Encoding")
            headers = headers if coded else without(headers, ("content-encoding",))
        return headers, body

    def _moment(self) -> int:
        """The second it is, where that makes a difference."""
        return self._shifting.now() if self._shifting and self.is_time_dependent else 0

    def _streamed(self, headers: Headers, body: bytes, last_event_id: str, *, coded: bool) -> RenderedResponse:
        """An answer that sends event by event; from the one after `last_event_id`, where it has that."""
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
        return replace(answer, body=b"".join(pieces), steps=tuple(steps), streamed=True)


def renderers(
    entry: IndexEntry, responses: tuple[RecordedResponse, ...], options: RenderOptions
) -> list[ResponseRenderer]:
    """The responses of a cassette, each ready to be rendered."""
    to_head = entry.canonical.method == "HEAD"
    return [
        ResponseRenderer(
            recorded,
            provenance(entry.file, position, len(responses), options),
            options.cors,
            to_head=to_head,
            shifting=options.shifting,
        )
        for position, recorded in enumerate(responses)
    ]


def provenance(file: str, position: int, count: int, options: RenderOptions) -> Headers:
    """The headers that say which of `count` responses of which cassette an answer is."""
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
    """The content codings to be made when served: none where the body still is in them, or is served as it stands."""
    found = content_coding.parse(get(recorded.headers, "content-encoding"))
    return found if not recorded.encoded and content_coding.is_known(found) else []


def _stream_type(recorded: RecordedResponse) -> str:
    """The media type of a stream of events that can be served event by event; empty for anything else."""
    found = media_type(recorded.headers)
    return found if event_stream.is_stream(found) and (recorded.body or recorded.truncated) else ""


def _holds_token(recorded: RecordedResponse) -> bool:
    if recorded.rewrite and b"{{origin}}" in recorded.body:
        return True
    return any(placeholders.ORIGIN in value for _, value in recorded.headers)
