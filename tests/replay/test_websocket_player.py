"""A conversation played: what is said when, and who waits for whom."""

import asyncio
from collections.abc import AsyncIterator

from replaymock.http.websocket_frames import Closed, Event, Fragment, Pong
from replaymock.http.websocket_messages import CLIENT, CLOSE, SERVER, TEXT, ConversationPlayback, Message
from replaymock.replay.websocket import NO_MATCH, WebSocketPlayer
from tests.support.websocket_pairs import pair, until_closed

SECONDS = {b"soon": 0.02, b"late": 60.0}


def said(text: str) -> Message:
    """A message from its sender's sign: `>` for the client, `<` for the server."""
    return Message(CLIENT if text[0] == ">" else SERVER, TEXT, text[1:].encode())


class Conversation:
    """A player at work, and the client it plays to."""

    def __init__(self, *texts: str | Message) -> None:
        self.client, side = pair()
        self.missed: list[bytes] = []
        messages = [said(text) if isinstance(text, str) else text for text in texts]
        play = ConversationPlayback(
            messages, lambda message: message.data, lambda _recorded, _live: False, can_repeat=True
        )
        self.player = WebSocketPlayer(side, play, lambda message, _first: SECONDS.get(message.data, 0.0), self._miss)

    def _miss(self, message: Message, _play: ConversationPlayback) -> str:
        self.missed.append(message.data)
        return "not recorded"


async def texts(events: AsyncIterator[Event], count: int) -> list[object]:
    found = [await anext(events) for _ in range(count)]
    return [event.data if isinstance(event, Fragment) else event for event in found]


def test_what_is_due_is_said_before_a_close_is_answered() -> None:
    async def run() -> list[Event]:
        conversation = Conversation("<hello", ">a", "<1", ">b", "<2")
        running = asyncio.ensure_future(conversation.player.run())
        for text in ("b", "a"):
            await conversation.client.send(text)
        await conversation.client.close(4000)
        found = await until_closed(conversation.client)
        await running
        return found

    found = asyncio.run(run())
    assert found == [Fragment("hello", True), Fragment("2", True), Fragment("1", True), Closed(4000)]


def test_a_client_that_goes_on_hurries_what_was_still_to_be_said() -> None:
    async def run() -> list[object]:
        conversation = Conversation("<soon", "<late", ">a", "<1")
        running = asyncio.ensure_future(conversation.player.run())
        events = conversation.client.events()
        first = await texts(events, 1)
        await conversation.client.send("a")
        rest = await texts(events, 2)
        await conversation.client.close(1000)
        assert await texts(events, 1) == [Closed(1000)]
        await conversation.client.finish()
        await running
        return first + rest

    async def bounded() -> list[object]:
        async with asyncio.timeout(10):
            return await run()

    assert asyncio.run(bounded()) == ["soon", "late", "1"]


def test_a_message_that_was_not_recorded_ends_the_conversation() -> None:
    async def run() -> tuple[list[Event], list[bytes]]:
        conversation = Conversation(">a", "<1")
        running = asyncio.ensure_future(conversation.player.run())
        await conversation.client.send("x")
        found = await until_closed(conversation.client)
        await conversation.client.finish()
        await running
        return found, conversation.missed

    assert asyncio.run(run()) == ([Closed(NO_MATCH, "not recorded")], [b"x"])


def test_the_recorded_close_is_said_in_its_turn_and_pings_are_answered() -> None:
    async def run() -> list[Event]:
        conversation = Conversation(">a", "<1", Message(SERVER, CLOSE, b"bye", 4001))
        running = asyncio.ensure_future(conversation.player.run())
        await conversation.client.ping(b"!")
        await conversation.client.send("a")
        found = await until_closed(conversation.client)
        await conversation.client.finish()
        await running
        return found

    assert asyncio.run(run()) == [Pong(b"!"), Fragment("1", True), Closed(4001, "bye")]


def test_a_player_that_is_stopped_says_that_it_goes_away() -> None:
    async def run() -> list[Event]:
        conversation = Conversation("<hello")
        running = asyncio.ensure_future(conversation.player.run())
        events = conversation.client.events()
        assert await texts(events, 1) == ["hello"]
        running.cancel()
        found = [event async for event in events]
        await asyncio.gather(running, return_exceptions=True)
        return found

    assert asyncio.run(run()) == [Closed(1001)]
