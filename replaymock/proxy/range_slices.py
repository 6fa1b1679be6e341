"""A part of a live body, cut from the whole as it passes by; the whole goes on into the copy that is kept.

Where the length of the whole is known and nothing in it is replaced, nothing of it waits.
"""

import asyncio
from collections.abc import AsyncIterator

from msgspec import Struct
from msgspec.structs import replace

from replaymock.http import conditional, event_stream
from replaymock.http.conditional import OK, ConditionalRequest, PartialResponse
from replaymock.http.headers import content_length, media_type
from replaymock.http.messages import ResponseHead, StreamingResponse
from replaymock.http.rendered import ResponseSink
from replaymock.proxy.relay import HELD_CODED_BYTES, HELD_CODED_SECONDS, BodyCapture, BodyRewrite, keeping, rewritten


class Cut(Struct, frozen=True):
    """What answers a range: `part` of a live answer, or all of it where that is None.

    `body` is all of the body as the client would get it, where it is at hand.
    """

    live: StreamingResponse
    part: PartialResponse | None = None
    body: bytes | None = None


async def cut_from(
    live: StreamingResponse, asked: ConditionalRequest, rewriting: BodyRewrite | None, limit: int
) -> Cut | None:
    """How a live answer to the request for a whole answers the one for a range; None where upstream has to.

    So it is with a body of more than `limit` bytes, and one without a length that does not come to its end soon.
    """
    if live.status != OK or event_stream.is_stream(media_type(live.headers)):
        return Cut(live)
    if not conditional.can_be_cut(live.headers, asked):
        return Cut(live)
    length = content_length(live.headers) if live.whole is None else len(live.whole)
    if length is not None and length > limit:
        return None
    replaced = rewritten(live, rewriting)
    gathered: StreamingResponse | None = live
    if live.whole is None and length is None:
        gathered = await _gathered(live, min(HELD_CODED_BYTES, limit), HELD_CODED_SECONDS)
    elif live.whole is None and replaced:
        gathered = await _gathered(live, limit, None)
    if gathered is None:
        return None
    body = replaced(gathered.whole) if replaced and gathered.whole is not None else gathered.whole
    size = len(body) if body is not None else length or 0
    return Cut(gathered, conditional.partial_response(OK, live.headers, size, asked), body)


async def relay_part(
    cut: Cut, part: PartialResponse, head: ResponseHead, out: ResponseSink, kept: BodyCapture | None
) -> None:
    """Passes a part on, ends the answer after it, and keeps the whole; for None, reads no further than that part.

    UpstreamError when upstream cuts it short.
    """
    live, end = cut.live, part.start + part.size
    if cut.body is not None:
        if kept and live.whole:
            kept.add(live.whole, asyncio.get_running_loop().time())
        out.send_whole(head, part.size, cut.body[part.start : end])
        out.finish()
        return
    out.begin(head, part.size)
    at = 0
    is_over = _is_over(out, at, end)
    async for piece in keeping(live.chunks, kept) if kept else live.chunks:
        if not is_over:
            await out.write(piece[max(part.start - at, 0) : max(end - at, 0)])
        at += len(piece)
        is_over = is_over or _is_over(out, at, end)
        if is_over and kept is None:
            return


def _is_over(out: ResponseSink, at: int, end: int) -> bool:
    if at < end:
        return False
    out.finish()
    return True


async def _gathered(live: StreamingResponse, most: int, seconds: float | None) -> StreamingResponse | None:
    """A live answer with all of its body at hand; None where that is more, or takes longer."""
    pieces: list[bytes] = []
    try:
        async with asyncio.timeout(seconds):
            async for piece in live.chunks:
                pieces.append(piece)
                most -= len(piece)
                if most < 0:
                    return None
    except TimeoutError:
        return None
    whole = b"".join(pieces)
    return replace(live, chunks=_one(whole), whole=whole)


async def _one(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body
