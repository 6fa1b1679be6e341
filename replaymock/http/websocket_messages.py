"""The messages of a WebSocket conversation, and which of them a replay sends when. No socket, no clock.

A conversation is replayed turn by turn. A turn is the client's messages in a row and the server's messages after them.
It is due once all of the client's messages have come, in any order. Turns may come in any order, too.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

CLIENT, SERVER = "client", "server"
TEXT, BINARY, CLOSE = "text", "binary", "close"

NO_CODE = 1005
"""The code of a close that gave none (RFC 6455 section 7.4.1)."""
CUT = 1006
"""The code of a connection that ended without a close (RFC 6455 section 7.4.1)."""

MOST_OF_REASON = 123
"""The most bytes that the reason of a close may have (RFC 6455 section 5.5)."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, or the close: its sender, and the milliseconds since the message before it.

    `data` is the content, in UTF-8 if it is text; for a close it is the reason. Only a close has a `code`.
    """

    sender: str
    kind: str
    data: bytes = b""
    code: int = 0
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """The client's messages in a row, and the server's messages after them."""

    requests: tuple[Message, ...]
    replies: tuple[Message, ...]


def turns(messages: Iterable[Message]) -> list[Turn]:
    """Splits a conversation into turns. Only in the first one the client may send nothing."""
    groups: list[tuple[list[Message], list[Message]]] = [([], [])]
    for message in messages:
        requests, replies = groups[-1]
        if message.sender == SERVER:
            replies.append(message)
        elif message.kind != CLOSE:
            if not requests or replies:
                groups.append(([], []))
            groups[-1][0].append(message)
    return [Turn(tuple(requests), tuple(replies)) for requests, replies in groups]


def is_allowed(code: int) -> bool:
    """Whether a close may have this code (RFC 6455 section 7.4), or is described by it."""
    return code in _CODES or 3000 <= code <= 4999  # noqa: PLR2004 - the ranges for libraries and applications


def truncate_reason(text: bytes) -> bytes:
    """Cuts a text to the length of a close reason, without splitting a character or a placeholder."""
    if len(text) <= MOST_OF_REASON:
        return text
    fitting = text[:MOST_OF_REASON].decode("utf-8", "ignore").encode("utf-8")
    return fitting[: fitting.rfind(b"{{")] if fitting.rfind(b"{{") > fitting.rfind(b"}}") else fitting


class ConversationPlayback:
    """One replay of a conversation: the server's first messages, and its replies to each client message.

    Two client messages with equal `key` are the same. One that equals none may still match a recorded one with redacted
    values: `covers(recorded, live)` decides. Of several equal recorded messages the first that has not come yet is
    matched. Once all have come, `can_repeat` says whether the last reply is sent again.
    """

    def __init__(
        self,
        messages: Iterable[Message],
        key: Callable[[Message], Hashable],
        covers: Callable[[Message, Message], bool],
        *,
        can_repeat: bool,
    ) -> None:
        self._key = key
        self._covers = covers
        self._can_repeat = can_repeat
        self._turns = turns(messages)
        self._missing = [len(turn.requests) for turn in self._turns]
        self._awaited: dict[Hashable, deque[tuple[int, Message]]] = defaultdict(deque)
        self._last: dict[Hashable, int] = {}
        for place, turn in enumerate(self._turns):
            for message in turn.requests:
                self._awaited[key(message)].append((place, message))

    def begin(self) -> tuple[Message, ...]:
        """The messages that the server sends first."""
        return self._turns[0].replies

    def receive(self, message: Message) -> tuple[Message, ...] | None:
        """The server's replies to a message; None if no such message was recorded, or none is left."""
        key = self._matching_key(message)
        if self._awaited.get(key):
            place, _ = self._awaited[key].popleft()
            self._last[key] = place
            self._missing[place] -= 1
            return self._turns[place].replies if not self._missing[place] else ()
        place = self._last.get(key, -1)
        if place < 0 or not self._can_repeat:
            return None
        alone = len(self._turns[place].requests) == 1
        return self._turns[place].replies if alone else ()

    def _matching_key(self, message: Message) -> Hashable:
        """The key of the recorded message that matches, preferably one that has not come yet."""
        key = self._key(message)
        if key in self._awaited:
            return key
        requests = (recorded for turn in self._turns for recorded in turn.requests)
        matching = [self._key(recorded) for recorded in requests if self._covers(recorded, message)]
        return next(
            (candidate for candidate in matching if self._awaited[candidate]), matching[-1] if matching else key
        )

    def awaited(self) -> list[Message]:
        """The client messages that have not come yet, in recorded order."""
        awaited = sorted((item for items in self._awaited.values() for item in items), key=lambda item: item[0])
        return [message for _, message in awaited]

    def withheld_count(self) -> int:
        """How many server messages wait for the rest of a turn that has begun."""
        begun = (
            len(turn.replies)
            for turn, missing in zip(self._turns, self._missing, strict=True)
            if 0 < missing < len(turn.requests)
        )
        return sum(begun)


_CODES = frozenset((*range(1000, 1004), *range(1005, 1015)))
