"""A part cut from a live whole as it passes by."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest

from replaymock.http.conditional import ConditionalRequest, single_range
from replaymock.http.headers import Headers, get
from replaymock.http.messages import ResponseHead, StreamingResponse
from replaymock.http.origin import OriginRewriter
from replaymock.proxy.range_slices import Cut, cut_from, relay_part
from replaymock.proxy.relay import BodyCapture, BodyRewrite
from tests.support.clients import Callers

DATA = bytes(range(100))
BINARY = ("Content-Type", "application/octet-stream")
TEXT = ("Content-Type", "text/plain")
LINKED = b"see http://backend.test/a and http://backend.test/b"
REWRITING = BodyRewrite(OriginRewriter(("http://backend.test",)), "http://localhost:8081", 1000)


async def pieces(data: bytes, size: int, wait: float = 0.0) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        await asyncio.sleep(wait)
        yield data[at : at + size]


def live(
    data: bytes, *headers: tuple[str, str], size: int = 7, status: int = 200, wait: float = 0.0
) -> StreamingResponse:
    return StreamingResponse(status, "OK", headers, pieces(data, size, wait))


def sized(data: bytes, *headers: tuple[str, str], size: int = 7) -> StreamingResponse:
    return live(data, ("Content-Length", str(len(data))), *headers, size=size)


def asked(text: str = "bytes=10-19", *headers: tuple[str, str]) -> ConditionalRequest:
    found = single_range("GET", (("Range", text), *headers))
    assert found
    return found


class Passed:
    """How a live whole answered a range."""

    def __init__(
        self,
        found: StreamingResponse,
        wanted: ConditionalRequest,
        rewriting: BodyRewrite | None = REWRITING,
        limit: int = 1000,
    ) -> None:
        self.out = Callers()
        self.kept = BodyCapture(limit)
        self.cut = asyncio.run(self._run(found, wanted, rewriting, limit))

    async def _run(
        self, found: StreamingResponse, wanted: ConditionalRequest, rewriting: BodyRewrite | None, limit: int
    ) -> Cut | None:
        cut = await cut_from(found, wanted, rewriting, limit)
        if cut and cut.part:
            head = ResponseHead(cut.part.status, cut.part.reason, cut.part.headers)
            await relay_part(cut, cut.part, head, self.out, self.kept)
        return cut

    @property
    def headers(self) -> Headers:
        assert self.out.head
        return self.out.head.headers


@pytest.mark.parametrize("size", [1, 7, 10, 64, 100])
@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("bytes=10-19", 10, 20), ("bytes=0-0", 0, 1), ("bytes=90-", 90, 100), ("bytes=-3", 97, 100), ("bytes=0-", 0, 100)],
)
def test_a_part_is_cut_wherever_the_pieces_end_and_the_whole_is_kept(
    size: int, text: str, first: int, last: int
) -> None:
    passed = Passed(sized(DATA, BINARY, size=size), asked(text))
    assert (passed.out.body, passed.kept.data) == (DATA[first:last], DATA)
    assert get(passed.headers, "content-range") == f"bytes {first}-{last - 1}/100"
    assert passed.out.log == ["begin", "finish"]


def test_an_answer_ends_with_its_part_and_not_with_the_whole() -> None:
    async def run() -> tuple[list[str], int]:
        found = live(DATA, ("Content-Length", "100"), BINARY, size=10, wait=0.01)
        cut = await cut_from(found, asked("bytes=0-4"), None, 1000)
        assert cut and cut.part
        out, kept = Callers(), BodyCapture(1000)
        relaying = asyncio.ensure_future(relay_part(cut, cut.part, ResponseHead(206, "", ()), out, kept))
        while "finish" not in out.log:  # noqa: ASYNC110 - what is waited for is another's doing
            await asyncio.sleep(0)
        log, size = list(out.log), kept.size
        await relaying
        assert kept.data == DATA
        return log, size

    assert asyncio.run(run()) == (["begin", "finish"], 10)


def test_what_nobody_keeps_is_read_no_further_than_its_part() -> None:
    async def run() -> tuple[bytes, int]:
        read = []

        async def counted() -> AsyncIterator[bytes]:
            for at in range(0, 100, 10):
                read.append(at)
                yield DATA[at : at + 10]

        found = StreamingResponse(200, "OK", (("Content-Length", "100"), BINARY), counted())
        cut = await cut_from(found, asked("bytes=15-24"), None, 1000)
        assert cut and cut.part
        out = Callers()
        await relay_part(cut, cut.part, ResponseHead(206, "", ()), out, None)
        return out.body, len(read)

    assert asyncio.run(run()) == (DATA[15:25], 3)


def test_what_lies_past_the_end_is_a_416_and_the_whole_is_kept() -> None:
    for found in (sized(DATA, BINARY), StreamingResponse(200, "OK", (BINARY,), pieces(DATA, 100), DATA)):
        passed = Passed(found, asked("bytes=100-"))
        assert passed.out.head and passed.out.head.status == 416
        assert (passed.out.body, passed.kept.data, passed.out.log) == (b"", DATA, ["begin", "finish"])
        assert get(passed.headers, "content-range") == "bytes */100"


def test_a_text_is_cut_as_the_client_would_get_it_and_kept_as_it_came() -> None:
    shown = LINKED.replace(b"http://backend.test", b"http://localhost:8081")
    for found in (
        sized(LINKED, TEXT),
        live(LINKED, TEXT),
        StreamingResponse(200, "OK", (TEXT,), pieces(LINKED, 9), LINKED),
    ):
        passed = Passed(found, asked("bytes=20-"))
        assert (passed.out.body, passed.kept.data) == (shown[20:], LINKED)
        assert get(passed.headers, "content-range") == f"bytes 20-{len(shown) - 1}/{len(shown)}"
    untouched = Passed(sized(LINKED, TEXT), asked("bytes=20-"), None)
    assert untouched.out.body == LINKED[20:]


def test_a_body_that_is_coded_all_the_same_is_cut_in_its_coding() -> None:
    coded = gzip.compress(DATA * 3)
    passed = Passed(sized(coded, BINARY, ("Content-Encoding", "gzip")), asked("bytes=5-"))
    assert passed.out.body == coded[5:]
    assert get(passed.headers, "content-encoding") == "gzip"
    linked = gzip.compress(LINKED)
    passed = Passed(sized(linked, TEXT, ("Content-Encoding", "gzip")), asked("bytes=0-"))
    assert gzip.decompress(passed.out.body) == LINKED.replace(b"http://backend.test", b"http://localhost:8081")
    assert passed.kept.data == linked


def test_what_has_no_length_is_waited_for_a_moment() -> None:
    assert Passed(live(DATA, BINARY), asked()).out.body == DATA[10:20]


def test_what_has_no_length_and_does_not_end_is_for_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replaymock.proxy.range_slices.HELD_CODED_SECONDS", 0.05)
    passed = Passed(live(DATA, BINARY, size=1, wait=0.01), asked())
    assert (passed.cut, passed.out.log) == (None, [])


def test_what_is_larger_than_may_be_kept_is_for_upstream() -> None:
    large = StreamingResponse(200, "OK", (BINARY,), pieces(DATA, 100), DATA)
    for found in (sized(DATA, BINARY), live(DATA, BINARY), sized(LINKED * 2, TEXT), large):
        passed = Passed(found, asked(), limit=99)
        assert (passed.cut, passed.out.log) == (None, [])


@pytest.mark.parametrize(
    "found",
    [
        live(b"no", status=404),
        live(DATA[:5], ("Content-Range", "bytes 0-4/100"), status=206),
        live(b"", status=304),
        live(b"data: 1\n\n", ("Content-Type", "text/event-stream")),
        sized(DATA, BINARY, ("Accept-Ranges", "none")),
        sized(DATA, BINARY, ("ETag", '"new"')),
        sized(b"", BINARY),
    ],
)
def test_what_is_no_whole_or_may_not_be_cut_goes_to_the_client_as_it_is(found: StreamingResponse) -> None:
    wanted = asked("bytes=0-1", ("If-Range", '"old"')) if get(found.headers, "etag") else asked("bytes=0-1")
    passed = Passed(found, wanted)
    assert passed.cut and passed.cut.part is None
    assert (passed.cut.live, passed.out.log) == (found, [])
