"""A WebSocket passed on: both sides in memory, frame by frame."""

import asyncio
from collections.abc import Awaitable, Callable

from replaymock.http.websocket_frames import Closed, Event, Fragment, Ping, Pong, WebSocketConnection
from replaymock.http.websocket_messages import BINARY, CLIENT, CLOSE, SERVER, TEXT, Message
from replaymock.proxy.websocket import Transcript, relay_websocket
from tests.support.websocket_pairs import LIMIT, pair, until_closed


def relayed(
    client: Callable[[WebSocketConnection], Awaitable[list[Event]]],
    backend: Callable[[WebSocketConnection], Awaitable[list[Event]]],
) -> tuple[list[Event], list[Event], Transcript]:
    """What a client and a backend heard, with the relay between them."""

    async def run() -> tuple[list[Event], list[Event], Transcript]:
        outer, caller = pair()
        inner, far = pair()
        notes = Transcript(LIMIT, asyncio.get_running_loop().time, 60.0)
        async with asyncio.timeout(10):
            heard = await asyncio.gather(client(outer), backend(far), relay_websocket(caller, inner, notes))
        return heard[0], heard[1], notes

    return asyncio.run(run())


def test_frames_are_passed_on_as_frames_and_noted_as_messages() -> None:
    async def client(side: WebSocketConnection) -> list[Event]:
        await side.send("two ", is_last=False)
        await side.send("pieces")
        await side.send(b"\x00")
        await side.close(4000, "bye")
        return await until_closed(side)

    _, heard, notes = relayed(client, until_closed)
    assert heard == [Fragment("two ", False), Fragment("pieces", True), Fragment(b"\x00", True), Closed(4000, "bye")]
    said = [(message.sender, message.kind, message.data, message.code) for message in notes.messages]
    assert said == [
        (CLIENT, TEXT, b"two pieces", 0),
        (CLIENT, BINARY, b"\x00", 0),
        (CLIENT, CLOSE, b"bye", 4000),
    ]


def test_a_ping_is_answered_once_and_heard_at_the_other_end() -> None:
    async def client(side: WebSocketConnection) -> list[Event]:
        await side.ping(b"there?")
        await asyncio.sleep(0)
        await side.close(1000)
        return await until_closed(side)

    near, far, notes = relayed(client, until_closed)
    assert near == [Pong(b"there?"), Closed(1000)]
    assert far == [Ping(b"there?"), Closed(1000)]
    assert [message.kind for message in notes.messages] == [CLOSE]


def test_a_pong_nobody_asked_for_is_passed_on() -> None:
    async def client(side: WebSocketConnection) -> list[Event]:
        await side.pong(b"alive")
        await side.close(1000)
        return await until_closed(side)

    assert relayed(client, until_closed)[1] == [Pong(b"alive"), Closed(1000)]


def test_what_the_other_side_still_says_comes_before_its_close() -> None:
    async def client(side: WebSocketConnection) -> list[Event]:
        await side.close(1000)
        return await until_closed(side)

    async def backend(side: WebSocketConnection) -> list[Event]:
        found = [event async for event in side.events()]
        await side.send("last words")
        await side.close(1000)
        return found

    near, _, notes = relayed(client, backend)
    assert near == [Fragment("last words", True), Closed(1000)]
    assert [(message.sender, message.kind) for message in notes.messages] == [(CLIENT, CLOSE)]


def test_what_is_too_much_or_too_late_is_not_noted() -> None:
    now = [0.0]
    notes = Transcript(10, lambda: now[0], seconds=5.0)
    notes.piece(CLIENT, Fragment("12345", True))
    now[0] = 2.0
    notes.piece(SERVER, Fragment(b"123", True))
    assert notes.messages[1] == Message(SERVER, BINARY, b"123", delay_ms=2000)
    late = Transcript(10, lambda: now[0], seconds=5.0)
    now[0] = 8.0
    late.piece(CLIENT, Fragment("late", True))
    notes.piece(CLIENT, Fragment("12345", True))
    notes.close(CLIENT, 1000, "")
    assert (len(notes.messages), notes.is_whole) == (2, False)
    assert (late.messages, late.is_whole) == ([], False)


def test_a_slow_reader_makes_the_other_side_wait() -> None:
    async def run() -> int:
        outer, caller = pair()
        inner, far = pair()
        notes = Transcript(10**9, asyncio.get_running_loop().time, 60.0)
        relaying = asyncio.ensure_future(relay_websocket(caller, inner, notes))
        sent = 0
        try:
            async with asyncio.timeout(0.2):
                while True:
                    await far.send("x" * 100)
                    sent += 1
        except TimeoutError:
            pass
        heard = outer.events()
        assert await anext(heard) == Fragment("x" * 100, True)
        relaying.cancel()
        assert [event async for event in heard][-1] == Closed(1001)
        await asyncio.gather(relaying, return_exceptions=True)
        return sent

    assert asyncio.run(run()) < 20


def test_what_comes_after_either_close_is_not_noted_nor_counted() -> None:
    for first in (CLIENT, SERVER):
        notes = Transcript(10, lambda: 0.0, seconds=5.0)
        notes.piece(SERVER, Fragment("be", False))
        notes.close(first, 1000, "")
        notes.piece(SERVER, Fragment("gun", True))
        notes.piece(CLIENT, Fragment(b"x" * 100, True))
        notes.close(SERVER, 1001, "late")
        assert notes.messages == [Message(first, CLOSE, b"", 1000)]
        assert notes.is_whole
