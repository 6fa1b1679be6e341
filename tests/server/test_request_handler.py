"""A request body on its way, a few pieces at a time."""

import asyncio

from replaymock.server.request_handler import QUEUED_PIECES, RequestBodyQueue, one_piece


def test_pieces_come_out_as_they_went_in() -> None:
    async def run() -> list[bytes]:
        upload = RequestBodyQueue()
        for piece in (b"a", b"b"):
            await upload.put(piece)
        upload.end()
        return [piece async for piece in upload.pieces()]

    assert asyncio.run(run()) == [b"a", b"b"]


def test_what_is_there_comes_out_first() -> None:
    async def run() -> list[bytes]:
        upload = RequestBodyQueue([b"a", b"b"])
        await upload.put(b"c")
        upload.end()
        return [piece async for piece in upload.pieces()]

    assert asyncio.run(run()) == [b"a", b"b", b"c"]


def test_who_sends_waits_for_who_reads_until_nobody_does() -> None:
    async def run() -> bool:
        upload = RequestBodyQueue()
        for _ in range(QUEUED_PIECES):
            await upload.put(b"x")
        waiting = asyncio.ensure_future(upload.put(b"one more"))
        await asyncio.sleep(0)
        waited = not waiting.done()
        upload.close()
        await asyncio.wait_for(waiting, 5)
        await upload.put(b"nobody takes it")
        return waited

    assert asyncio.run(run())


def test_a_body_that_is_there_is_one_piece_or_none() -> None:
    async def pieces(body: bytes) -> list[bytes]:
        return [piece async for piece in one_piece(body)]

    assert asyncio.run(pieces(b"all of it")) == [b"all of it"]
    assert asyncio.run(pieces(b"")) == []
