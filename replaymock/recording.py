"""From an exchange to a cassette: what is kept of it, and how it joins what is stored already."""

from dataclasses import dataclass, replace

from replaymock import bodies, codings, events, mediatypes
from replaymock.asking import Asking
from replaymock.cassette import Cassette, CassetteRequest, Recorded
from replaymock.exchange import Exchange, Request, Response
from replaymock.headers import Headers, get, hop_by_hop, is_cors, is_unstored, media_type
from replaymock.history import History, write_name
from replaymock.index import Entry, Index
from replaymock.joining import ERROR_STATUSES, holds, join
from replaymock.masking import covers
from replaymock.matching import SOCKET, Matcher, key_of
from replaymock.messages import BINARY, CLOSE, SERVER, Message
from replaymock.naming import HASH_DIGITS, cassette_name
from replaymock.origin import TOKEN, Origins
from replaymock.redaction import Numbering
from replaymock.repeats import Repeats, digest_of
from replaymock.rewrites import Canonical
from replaymock.sequence import Writes
from replaymock.targets import literal_path, parse_query
from replaymock.timing import pauses_in


@dataclass(frozen=True, slots=True)
class Policy:
    """What is recorded and how.

    `statuses` are the errors wanted all the same, `dropped_headers` names left out, `max_body` bounds bodies in bytes
    and `max_stream_time` streams of events in seconds. `never_stored` are texts that are hidden wherever a backend
    repeats them.
    """

    statuses: frozenset[int] = frozenset()
    dropped_headers: frozenset[str] = frozenset()
    keep_cors: bool = False
    rewrite: bool = True
    max_body: int = 64 * 1024 * 1024
    max_stream_time: float = 300.0
    never_stored: tuple[str, ...] = ()

    def wants(self, status: int) -> bool:
        """Whether responses of this status are written."""
        return status not in ERROR_STATUSES or status in self.statuses


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an exchange: the cassette as it now is, and whether that is news to the disk.

    Of a cassette that is not changed, responses may be left out: nobody need read them to know that.
    """

    file: str
    cassette: Cassette
    changed: bool


class Recording:
    """One run of the recorder: its placeholders, its place in each cassette, and what sessions have written."""

    def __init__(self, policy: Policy, matcher: Matcher, origins: Origins) -> None:
        self.numbering = Numbering()
        self.policy = policy
        self.matcher = matcher
        self.redactor = matcher.redactor
        self.origins = origins
        self._cursors: dict[str, int] = {}
        self._histories: dict[str, History] = {}
        self._previous: dict[str, Cassette] = {}
        self._repeats = Repeats()
        self._asking = Asking(matcher, self.numbering.known)

    def remember(self, file: str, cassette: Cassette) -> None:
        """Takes note of a cassette that was removed, so that an equal one comes back byte for byte."""
        self._previous[file] = cassette

    def read(self, request: Request) -> tuple[Canonical, str]:
        """The canonical form of a request, and its target as it may be shown."""
        return self._asking.read(request)

    def file_for(self, request: Canonical, index: Index) -> str:
        """The cassette an exchange with this request belongs to: the one that answers it now, or a new one."""
        known = index.find(request)
        if known and _is_exact(known, request):
            return known.file
        name = cassette_name(request)
        return name if name not in index.entries else cassette_name(request, HASH_DIGITS * 2)

    def take(self, exchange: Exchange, index: Index, canonical: Canonical | None = None) -> Taken:
        """The cassette of an exchange, joined with what `index` holds of it; `canonical` is its request's, if known.

        The exchanges of a session are taken in the order their requests arrived.
        """
        canonical = canonical or self.read(exchange.request)[0]
        file = self.file_for(canonical, index)
        history = self._history(exchange.request.session)
        digest = digest_of(exchange)
        known, cursor = index.entries.get(file), self._cursors.get(file, -1)
        if known and self._repeats.is_one(file, known, cursor, digest):
            history.fetched(file, canonical)
            taken = Taken(file, Cassette(known.request, ()), changed=False)
        else:
            self._asking.learn(exchange.request, self.numbering)
            recorded = self._recorded(exchange)
            # The answer may tell that something in the request is secret.
            canonical = self.read(exchange.request)[0]
            file = self.file_for(canonical, index)
            known, cursor = index.entries.get(file), self._cursors.get(file, -1)
            recorded = replace(recorded, after=history.fetched(file, canonical))
            taken = self._joined(exchange, canonical, file, recorded, index, history.counts)
            self._repeats.remember(file, None if taken.changed else known, self._cursors[file], digest)
        name = write_name(canonical, taken.cassette.request.path, exchange.response.status)
        history.saw(file, exchange.ended, is_news=bool(name) or self._cursors[file] != cursor)
        if name:
            history.wrote(name, canonical.path, exchange.ended)
        return taken

    def take_conversation(self, exchange: Exchange, messages: tuple[Message, ...], index: Index) -> Taken:
        """The cassette of a WebSocket, joined with what `index` holds of it."""
        canonical, _ = self._asking.read(exchange.request, SOCKET)
        file = self.file_for(canonical, index)
        literal = any(TOKEN.encode() in message.data for message in messages)
        kept = tuple(self._kept_message(message, rewrite=not literal) for message in messages)
        ended = bool(messages) and messages[-1].kind == CLOSE
        recorded = replace(self._recorded(exchange), messages=kept, rewrite=not literal, truncated=not ended)
        return self._joined(exchange, canonical, file, recorded, index, {})

    def served(self, entry: Entry) -> None:
        """Learns the entry that a changed cassette is served from, so that the same response again is known."""
        self._repeats.served(entry.file, entry)

    def _joined(
        self,
        exchange: Exchange,
        canonical: Canonical,
        file: str,
        recorded: Recorded,
        index: Index,
        writes: Writes,
    ) -> Taken:
        known = index.entries.get(file)
        before = known.cassette if known else None
        stored = before.responses if before else ()
        responses, cursor = join(stored, self._cursors.get(file, -1), recorded, writes)
        self._cursors[file] = cursor
        if before and responses == stored:
            return Taken(file, before, changed=False)
        previous = self._previous.get(file)
        if previous and cursor < len(previous.responses) and holds(previous.responses[cursor], recorded, writes):
            responses = (*responses[:cursor], previous.responses[cursor])
        origin = before or previous
        request = origin.request if origin else self._request(exchange.request, canonical)
        return Taken(file, Cassette(request, responses), changed=True)

    def _history(self, session: str) -> History:
        """The history of a session, which forgets the oldest session when there are too many."""
        history = self._histories.pop(session, None) or History()
        self._histories[session] = history
        if len(self._histories) > _MOST_SESSIONS:
            del self._histories[next(iter(self._histories))]
        return history

    def _request(self, request: Request, canonical: Canonical) -> CassetteRequest:
        """What is kept of a request: no header but its content type and those that take part in matching."""
        names = (
            {"content-type", "content-encoding", *(name for name, _ in canonical.headers)}
            if request.body
            else dict(canonical.headers)
        )
        found = [(name.lower(), value) for name, value in request.headers if name.lower() in names]
        kept = tuple(sorted([*found, ("upgrade", "websocket")] if canonical.kind == SOCKET[0] else found))
        redacted = self.redactor.request(replace(request, headers=kept), self.numbering)
        body = self._asking.kept(redacted)
        redacted = self._asking.hidden(redacted)
        if isinstance(body, bodies.Multipart):
            redacted = replace(redacted, headers=_without_boundary(redacted.headers))
        query = tuple(sorted(parse_query(redacted.query), key=lambda pair: pair[0])) or None
        return CassetteRequest(request.method, literal_path(redacted.path), query, redacted.headers, body)

    def _kept_message(self, message: Message, *, rewrite: bool) -> Message:
        data, is_text = message.data, message.kind != BINARY
        if self.policy.rewrite and rewrite and is_text and message.sender == SERVER:
            data = self.origins.to_token(data)
        data = self.redactor.message(data, self.numbering, is_text=is_text)
        for text in self.policy.never_stored:
            data = data.replace(text.encode("utf-8"), self.numbering("header", text).encode("ascii"))
        return replace(message, data=self.numbering.known.body(data, "text/plain") if is_text else data)

    def _recorded(self, exchange: Exchange) -> Recorded:
        response, encoded = self._decoded(exchange.response, truncated=exchange.truncated)
        decoded = response.body
        headers = self._kept_headers(response.headers, exchange.request.method)
        response, rewrite = self._with_token(replace(response, headers=headers), encoded)
        response = self._without_own(self.redactor.response(response, self.numbering))
        response = self.numbering.known.response(response)
        return Recorded(
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

    def _pauses(self, exchange: Exchange, decoded: bytes, stored: bytes) -> events.Pauses:
        headers, sent = exchange.response.headers, exchange.response.body
        media = media_type(headers)
        if len(exchange.arrivals) <= 1 and not events.is_stream(media):
            return ()
        decoder = codings.decoder(codings.parse(get(headers, "content-encoding")), self.policy.max_body)
        fed = 0
        made = 0

        def decoded_size(size: int) -> int:
            nonlocal fed, made
            made += len(decoder.feed(sent[fed:size])) if sent is not decoded else size - fed
            fed = size
            return made

        return pauses_in(media, exchange.arrivals, decoded, stored, decoded_size)

    def _without_own(self, response: Response) -> Response:
        """The response without what this server itself added to the request."""
        for text in self.policy.never_stored:
            placeholder = self.numbering("header", text)
            headers = tuple((name, value.replace(text, placeholder)) for name, value in response.headers)
            body = response.body.replace(text.encode("latin-1"), placeholder.encode("ascii"))
            response = replace(response, headers=headers, body=body)
        return response

    def _decoded(self, response: Response, *, truncated: bool) -> tuple[Response, bool]:
        """The response without content coding; where that cannot be undone, as it came and True.

        A truncated one is a stream, which is kept as far as its events are whole.
        """
        names = codings.parse(get(response.headers, "content-encoding"))
        if not codings.is_known(names):
            return response, bool(response.body)
        try:
            if truncated:
                body = codings.decoder(names, self.policy.max_body).feed(response.body)
                return replace(response, body=events.complete(media_type(response.headers), body)), False
            if not names or not response.body:
                return response, False
            return replace(response, body=codings.decode(response.body, names, self.policy.max_body)), False
        except codings.TooLarge:
            raise  # what is in it cannot be looked through for secrets
        except codings.CodingError:
            return response, True

    def _kept_headers(self, headers: Headers, method: str) -> Headers:
        ending_here = hop_by_hop(headers)
        dropped = self.policy.dropped_headers
        kept = [
            (name.lower(), value)
            for name, value in headers
            if (method == "HEAD" and name.lower() == "content-length")
            or not (
                name.lower() in ending_here
                or is_unstored(name.lower(), dropped)
                or (is_cors(name.lower()) and not self.policy.keep_cors)
            )
        ]
        return tuple(sorted(kept, key=lambda pair: pair[0]))

    def _with_token(self, response: Response, encoded: bool) -> tuple[Response, bool]:
        """The response with upstream's origin as a token, and whether the token means that in its body."""
        literal = TOKEN.encode() in response.body
        if not self.policy.rewrite:
            return response, not literal
        headers = tuple((name, self.origins.header_to_token(value)) for name, value in response.headers)
        textual = not encoded and not literal and mediatypes.is_rewritable(media_type(response.headers))
        body = self.origins.to_token(response.body) if textual else response.body
        return replace(response, headers=headers, body=body), not literal


def _is_exact(entry: Entry, request: Canonical) -> bool:
    """Whether an entry was found by the request's own key, and not by a template, a plain mock or HEAD for GET."""
    exact = not entry.plain and not entry.request.is_template
    return exact and (key_of(entry.canonical) == key_of(request) or covers(entry.canonical, request))


def _without_boundary(headers: Headers) -> Headers:
    return tuple(
        (name, value.partition(";")[0].strip() if name == "content-type" else value) for name, value in headers
    )


_MOST_SESSIONS = 1000
