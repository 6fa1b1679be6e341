"""A live body on its way to the client: as it came, or with upstream's origin replaced. No stream is waited for.

A body that is text and arrives at once is held for a moment, so that it can keep its length, and its very bytes where
nothing in it has to be replaced.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from replaymock.errors import UpstreamError
from replaymock.http import content_coding, media_types
from replaymock.http.headers import content_length, get, media_type
from replaymock.http.messages import ResponseHead, StreamingResponse
from replaymock.http.origin import OriginRewriter, StreamingOriginRewriter
from replaymock.http.rendered import ResponseSink
from replaymock.placeholders import ORIGIN

_SAME_MOMENT = 0.0005


class BodyCapture:
    """A copy of a body up to `limit` bytes. Of a larger one it keeps nothing or, with `beginning`, so many first bytes.

    `arrivals` has how many bytes were there when, in seconds on the clock of whoever adds them.
    """

    def __init__(self, limit: int, *, beginning: bool = False) -> None:
        self._limit = limit
        self._beginning = beginning
        self._pieces: list[bytes] = []
        self.arrivals: list[tuple[int, float]] = []
        self.size = 0
        self.ended = False

    @property
    def whole(self) -> bool:
        """Whether nothing had to be left out."""
        return self.size <= self._limit

    @property
    def data(self) -> bytes:
        """The body so far; of one over the limit its beginning, or nothing."""
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0] if self._pieces else b""

    def end(self) -> None:
        """Learns that the body has come to its end."""
        self.ended = True

    def add(self, piece: bytes, now: float) -> None:
        """Keeps one more piece."""
        if self.arrivals and now - self.arrivals[-1][1] < _SAME_MOMENT:
            now = self.arrivals.pop()[1]
        left = self._limit - self.size
        self.size += len(piece)
        self.arrivals.append((self.size, now))
        if self.whole or (self._beginning and left > 0):
            self._pieces.append(piece[:left])
        elif not self._beginning:
            self._pieces.clear()
            self.arrivals.clear()


HELD_BYTES = 256 * 1024
# A first piece may come late for no more reason than a delayed acknowledgement between two small writes (40 ms).
FIRST_PIECE_SECONDS = 0.5
HELD_SECONDS = 0.05
HELD_SECONDS_WITHOUT_LENGTH = 0.02
# Decoding and encoding again would change every byte, for which a body of known length is rather waited for.
HELD_CODED_BYTES = 16 * 1024 * 1024
HELD_CODED_SECONDS = 2.0
_NO_LIMIT = 1 << 62
_NEVER_HELD = frozenset(("text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl"))


@dataclass(frozen=True, slots=True)
class BodyRewrite:
    """How a live body is rewritten: which origins, and what they become."""

    origins: OriginRewriter
    client_origin: str
    limit: int


async def relay(
    live: StreamingResponse, head: ResponseHead, out: ResponseSink, kept: BodyCapture, rewriting: BodyRewrite | None
) -> None:
    """Passes a body on and keeps a copy as it came. UpstreamError when upstream cuts it short."""
    if live.whole is not None:
        kept.add(live.whole, asyncio.get_running_loop().time())
        out.send_whole(head, *_ready(live, live.whole, rewriting))
        return
    chunks = keeping(live.chunks, kept)
    coding = content_coding.parse(get(live.headers, "content-encoding"))
    length = content_length(live.headers)
    if rewriting is None or not _is_rewritable(live, coding):
        out.begin(head, length)
        async for piece in chunks:
            await out.write(piece)
        return
    if (length is None and not coding) or media_type(live.headers) in _NEVER_HELD:
        out.begin(head, None)
        await _stream(chunks, out, _Transcoder(coding, rewriting))
        return
    await _hold_then_stream(chunks, head, out, coding, length, rewriting)


def _ready(live: StreamingResponse, data: bytes, rewriting: BodyRewrite | None) -> tuple[int | None, bytes]:
    """The length that is announced of a body that is there already, None for none, and the body for the client."""
    coding = content_coding.parse(get(live.headers, "content-encoding"))
    length = content_length(live.headers)
    if rewriting is None or not _is_rewritable(live, coding):
        return length, data
    body = _rewrite_whole(data, coding, rewriting)
    streams = (length is None and not coding) or media_type(live.headers) in _NEVER_HELD
    return None if streams else len(body), body


def rewritten(live: StreamingResponse, rewriting: BodyRewrite | None) -> Callable[[bytes], bytes] | None:
    """What makes of a whole body the one the client gets; None where that goes as it came."""
    coding = content_coding.parse(get(live.headers, "content-encoding"))
    if rewriting is None or not _is_rewritable(live, coding):
        return None
    return lambda data: _rewrite_whole(data, coding, rewriting)


async def _hold_then_stream(
    chunks: AsyncIterator[bytes],
    head: ResponseHead,
    out: ResponseSink,
    coding: list[str],
    length: int | None,
    rewriting: BodyRewrite,
) -> None:
    held = await _hold(chunks, *_buffering_limits(coding, length))
    if held.error:
        out.begin(head, length)
        await out.write(b"".join(held.pieces))
        raise held.error
    if held.following is None:
        body = _rewrite_whole(b"".join(held.pieces), coding, rewriting)
        out.begin(head, len(body))
        await out.write(body)
        return
    transcoder = _Transcoder(coding, rewriting)
    async with contextlib.aclosing(_resumed(held.pieces, held.following, chunks)) as pieces:
        if transcoder.takes(b"".join(held.pieces)):
            out.begin(head, None)
            await _stream(pieces, out, transcoder)
            return
        # Not in the coding it claims: it is not for us to mend.
        out.begin(head, length)
        async for piece in pieces:
            await out.write(piece)


def _buffering_limits(coding: list[str], length: int | None) -> tuple[int, float]:
    """How many bytes are held, and for how many seconds: longest where rewriting would change more than origins."""
    if length is None:
        return HELD_BYTES, HELD_SECONDS_WITHOUT_LENGTH
    return (HELD_CODED_BYTES, HELD_CODED_SECONDS) if coding else (HELD_BYTES, HELD_SECONDS)


@dataclass(frozen=True, slots=True)
class _Held:
    """The first pieces of a body; `following` is the read under way when there is more, `error` what ended it."""

    pieces: list[bytes]
    following: "asyncio.Future[bytes | None] | None" = None
    error: UpstreamError | None = None


async def _hold(chunks: AsyncIterator[bytes], most: int, seconds: float) -> _Held:
    now = asyncio.get_running_loop().time
    deadline = now() + FIRST_PIECE_SECONDS
    pieces: list[bytes] = []
    while True:
        following: asyncio.Future[bytes | None] = asyncio.ensure_future(_next(chunks))
        has_room = sum(map(len, pieces)) < most
        patience = max(deadline - now(), 0.0)
        if not has_room or not await _settles(following, patience):
            return _Held(pieces, following)
        try:
            piece = following.result()
        except UpstreamError as error:
            return _Held(pieces, error=error)
        if piece is None:
            return _Held(pieces)
        if not pieces:
            deadline = now() + seconds
        pieces.append(piece)


async def _settles(following: "asyncio.Future[bytes | None]", seconds: float) -> bool:
    """Whether a read is over in time; it goes on when not, and is cancelled with this task."""
    try:
        done, _ = await asyncio.wait({following}, timeout=seconds)
    except asyncio.CancelledError:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        raise
    return bool(done)


async def _resumed(
    pieces: list[bytes], following: "asyncio.Future[bytes | None]", chunks: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    try:
        for piece in pieces:
            yield piece
        while (following_piece := await following) is not None:
            yield following_piece
            following = asyncio.ensure_future(_next(chunks))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


async def _stream(chunks: AsyncIterator[bytes], out: ResponseSink, transcoder: "_Transcoder") -> None:
    async for piece in chunks:
        for changed in transcoder.steps(piece):
            await out.write(changed)
    await out.write(transcoder.finish())


class _Transcoder:
    """Decodes, replaces and encodes again, piece by piece."""

    def __init__(self, coding: list[str], rewriting: BodyRewrite) -> None:
        self._coding = coding
        self._decoder = content_coding.decoder(coding, _NO_LIMIT)
        self._rewriter = StreamingOriginRewriter(rewriting.origins, rewriting.client_origin)
        self._encoder = content_coding.encoder(coding)

    def takes(self, data: bytes) -> bool:
        """Whether the beginning of a body is in the coding it claims."""
        try:
            content_coding.decoder(self._coding, HELD_CODED_BYTES).feed(data)
        except content_coding.TooLarge:
            return True
        except content_coding.CodingError:
            return False
        return True

    def steps(self, data: bytes) -> Iterator[bytes]:
        """What goes to the client for a piece, bit by bit. UpstreamError where the coding breaks off in the middle."""
        try:
            for decoded in self._decoder.steps(data):
                plain = self._rewriter.feed(decoded)
                if plain:
                    yield self._encoder.feed(plain)
        except content_coding.CodingError as error:
            raise UpstreamError(
                502, "upstream_unreachable", f"the body's content coding is damaged: {error}"
            ) from error

    def finish(self) -> bytes:
        """What is left for the client; the end of a coding that is cut short is left open there too."""
        with contextlib.suppress(content_coding.CodingError):
            rest = self._rewriter.feed(self._decoder.finish())
            rest += self._rewriter.finish()
            return (self._encoder.feed(rest) if rest else b"") + self._encoder.finish()
        return b""


def _rewrite_whole(data: bytes, coding: list[str], rewriting: BodyRewrite) -> bytes:
    """The body with origins replaced; its own bytes where there are none, or where it cannot be decoded."""
    try:
        plain = content_coding.decode(data, coding, rewriting.limit) if coding else data
    except content_coding.CodingError:
        return data
    changed = rewriting.origins.to_origin(plain, rewriting.client_origin)
    return data if changed == plain or ORIGIN.encode() in plain else content_coding.encode(changed, coding)


def _is_rewritable(live: StreamingResponse, coding: list[str]) -> bool:
    return media_types.is_rewritable(media_type(live.headers)) and content_coding.is_supported(coding)


async def keeping(chunks: AsyncIterator[bytes], kept: BodyCapture) -> AsyncIterator[bytes]:
    """The pieces of a body, each also kept, with the time it came."""
    now = asyncio.get_running_loop().time
    async for piece in chunks:
        kept.add(piece, now())
        yield piece
    kept.end()
