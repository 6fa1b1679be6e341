"""A live answer on its way to the caller, and what of it is kept."""

import asyncio
import gzip

import pytest

from replaymock.errors import UpstreamError
from replaymock.http.headers import Headers
from replaymock.http.messages import ResponseHead, StreamingResponse
from replaymock.http.origin import OriginRewriter
from replaymock.http.rendered import RenderedResponse
from replaymock.proxy.relay import HELD_BYTES, HELD_SECONDS, BodyCapture, BodyRewrite, relay
from tests.support.chunks import Source, chunks

BACKEND, CALLER = "https://api.example.com", "http://localhost:8081"
REWRITING = BodyRewrite(OriginRewriter((BACKEND,)), CALLER, 1 << 20)
JSON = (("content-type", "application/json"),)
LINK, SHOWN = b'{"next": "https://api.example.com/b"}', b'{"next": "http://localhost:8081/b"}'
CUT = UpstreamError(502, "upstream_unreachable", "cut short")


class Transcript:
    """A caller's end that writes down what it is told."""

    def __init__(self) -> None:
        self.client = object()
        self.length: int | None = -1
        self.pieces: list[bytes] = []
        self.begun_after: int = -1

    def answer(self, answer: RenderedResponse) -> None:
        raise AssertionError(answer)

    def begin(self, head: ResponseHead, length: int | None) -> None:
        assert self.length == -1, "begun twice"
        self.length = length

    def send_whole(self, head: ResponseHead, length: int | None, body: bytes) -> None:
        self.begin(head, length)
        self.pieces.append(body)

    async def write(self, data: bytes) -> None:
        assert self.length != -1, "a body before its head"
        self.pieces.append(data)

    def finish(self) -> None:
        raise AssertionError("the end is the recorder's to say")

    def abort(self) -> None:
        raise AssertionError("the cut is the recorder's to make")


def relayed(
    headers: Headers, *source: bytes | float | Exception, rewriting: BodyRewrite | None = REWRITING
) -> tuple[Transcript, BodyCapture]:
    out, kept = Transcript(), BodyCapture(1 << 20)
    live = StreamingResponse(200, "OK", headers, chunks(source))
    asyncio.run(relay(live, ResponseHead(200, "OK", headers), out, kept, rewriting))
    return out, kept


def lengthy(body: bytes, *more: tuple[str, str]) -> Headers:
    return (*JSON, ("content-length", str(len(body))), *more)


def test_a_body_that_arrives_at_once_keeps_a_length_after_its_links_changed() -> None:
    out, kept = relayed(lengthy(LINK), LINK[:20], LINK[20:])
    assert (out.length, out.pieces) == (len(SHOWN), [SHOWN])
    assert (kept.data, kept.whole, kept.ended) == (LINK, True, True)


@pytest.mark.parametrize("body", [b'{"a": 1}', b"\xff\xfe not text", b"", b'{"a": "https://api.example.community/"}'])
def test_a_body_with_nothing_to_replace_keeps_its_very_bytes(body: bytes) -> None:
    out, kept = relayed(lengthy(body), body)
    assert (out.length, b"".join(out.pieces), kept.data) == (len(body), body, body)


def test_a_coded_body_is_changed_inside_its_coding_and_kept_as_it_came() -> None:
    coded = gzip.compress(LINK)
    out, kept = relayed(lengthy(coded, ("content-encoding", "gzip")), coded)
    assert gzip.decompress(b"".join(out.pieces)) == SHOWN
    assert out.length == len(b"".join(out.pieces))
    assert kept.data == coded
    plain = gzip.compress(b"[]")
    assert relayed(lengthy(plain, ("content-encoding", "gzip")), plain)[0].pieces == [plain]


def test_what_claims_a_coding_it_has_not_passes_as_it_is() -> None:
    out, _ = relayed(lengthy(LINK, ("content-encoding", "gzip")), LINK)
    assert (out.length, out.pieces) == (len(LINK), [LINK])


def test_what_takes_longer_than_a_moment_is_streamed_without_length() -> None:
    out, kept = relayed(lengthy(LINK), LINK[:20], HELD_SECONDS * 3, LINK[20:])
    assert out.length is None
    assert b"".join(out.pieces) == SHOWN
    assert kept.data == LINK


def test_what_is_larger_than_what_is_held_is_streamed_without_length() -> None:
    body = LINK + b" " * HELD_BYTES
    out, kept = relayed(lengthy(body), *(body[at : at + 65536] for at in range(0, len(body), 65536)))
    assert out.length is None
    assert b"".join(out.pieces) == SHOWN + b" " * HELD_BYTES
    assert kept.data == body


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((("content-type", "image/png"), ("content-length", str(len(LINK)))), LINK),
        ((("content-length", str(len(LINK))),), LINK),
        (lengthy(LINK, ("content-encoding", "compress")), LINK),
    ],
)
def test_what_is_no_text_or_in_an_unknown_coding_is_not_touched(headers: Headers, body: bytes) -> None:
    out, kept = relayed(headers, body[:5], HELD_SECONDS * 2, body[5:])
    assert (out.length, out.pieces, kept.data) == (len(body), [body[:5], body[5:]], body)


def test_without_rewriting_each_piece_passes_when_it_comes() -> None:
    out, _ = relayed(lengthy(LINK), LINK[:5], LINK[5:], rewriting=None)
    assert (out.length, out.pieces) == (len(LINK), [LINK[:5], LINK[5:]])


AT_ONCE: list[tuple[Headers, bytes]] = [
    (lengthy(LINK), LINK),
    (JSON, LINK),
    (lengthy(b""), b""),
    (lengthy(gzip.compress(LINK, mtime=0), ("content-encoding", "gzip")), gzip.compress(LINK, mtime=0)),
    ((*JSON, ("content-encoding", "gzip")), gzip.compress(LINK, mtime=0)),
    (lengthy(LINK, ("content-encoding", "gzip")), LINK),
    (lengthy(LINK, ("content-encoding", "compress")), LINK),
    ((("content-type", "image/png"), ("content-length", str(len(LINK)))), LINK),
    ((("content-type", "image/png"),), LINK),
    ((("content-type", "text/event-stream"), ("content-length", str(len(LINK)))), LINK),
]


@pytest.mark.parametrize("rewriting", [REWRITING, None])
@pytest.mark.parametrize(("headers", "body"), AT_ONCE)
def test_a_body_that_is_there_already_goes_out_as_if_it_came_at_once(
    headers: Headers, body: bytes, rewriting: BodyRewrite | None
) -> None:
    piecewise, _ = relayed(headers, body, rewriting=rewriting)
    out, kept = Transcript(), BodyCapture(1 << 20)
    live = StreamingResponse(200, "OK", headers, chunks(()), whole=body)
    asyncio.run(relay(live, ResponseHead(200, "OK", headers), out, kept, rewriting))
    assert (out.length, b"".join(out.pieces)) == (piecewise.length, b"".join(piecewise.pieces))
    assert (kept.data, kept.whole) == (body, True)


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/x-ndjson", "application/jsonl"])
def test_a_stream_is_never_held_even_with_a_length(media_type: str) -> None:
    events = b"data: https://api.example.com/a\n\n"
    out, _ = relayed((("content-type", media_type), ("content-length", "66")), events, events)
    assert out.length is None
    assert b"".join(out.pieces) == events.replace(BACKEND.encode(), CALLER.encode()) * 2


@pytest.mark.parametrize(
    "source",
    [(LINK[:20], CUT), (CUT,), (LINK[:20], HELD_SECONDS * 3, LINK[20:25], CUT)],
    ids=["held", "at once", "streamed"],
)
@pytest.mark.parametrize("framed", [True, False])
def test_what_is_cut_short_is_begun_as_longer_and_the_error_goes_on(source: Source, framed: bool) -> None:
    out, kept = Transcript(), BodyCapture(1 << 20)
    headers = lengthy(LINK) if framed else JSON
    live = StreamingResponse(200, "OK", headers, chunks(source))
    with pytest.raises(UpstreamError):
        asyncio.run(relay(live, ResponseHead(200, "OK", headers), out, kept, REWRITING))
    assert out.length is None or out.length > len(b"".join(out.pieces))
    assert not kept.ended


def test_a_caller_who_goes_while_a_body_is_held_leaves_no_read_behind() -> None:
    async def story() -> None:
        live = StreamingResponse(200, "OK", lengthy(LINK), chunks((LINK[:5], 60.0)))
        task = asyncio.ensure_future(
            relay(live, ResponseHead(200, "OK", ()), Transcript(), BodyCapture(100), REWRITING)
        )
        await asyncio.sleep(HELD_SECONDS / 4)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())


def test_a_coded_body_of_known_length_keeps_its_bytes_however_late_its_end_comes() -> None:
    body = gzip.compress(b'{"nothing": "to replace"}')
    headers = (("content-type", "application/json"), ("content-encoding", "gzip"), ("content-length", str(len(body))))
    out, _ = relayed(headers, body[:10], HELD_SECONDS * 4, body[10:])
    assert (b"".join(out.pieces), out.length) == (body, len(body))


def test_a_body_that_is_not_in_the_coding_it_claims_is_passed_on_as_it_came() -> None:
    headers = (("content-type", "text/plain"), ("content-encoding", "gzip"))
    out, kept = relayed(headers, b"plain ", HELD_SECONDS * 2, b"after all")
    assert b"".join(out.pieces) == kept.data == b"plain after all"
