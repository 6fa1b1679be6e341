"""What is said on a WebSocket, and what a replay says when: pure, without a socket or a clock.

The conversation is played turn by turn. A turn is what the client said in a row and what the server said next; it is
due once all of the client's part has come, in any order, and turns are due in any order.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

CLIENT, SERVER = "client", "server"
TEXT, BINARY, CLOSE = "text", "binary", "close"

NO_CODE = 1005
"""What the code of a close that gave none is called (RFC 6455 section 7.4.1)."""
CUT = 1006
"""What the code of a connection that ended without a close is called (RFC 6455 section 7.4.1)."""

MOST_OF_REASON = 123
"""How many bytes a close has room for beside its code (RFC 6455 section 5.5)."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, or the close: who said what, and how many milliseconds after the one before it.

    `data` is the content, in UTF-8 where it is text, and of a close the reason; `code` is of a close only.
    """

    sender: str
    kind: str
    data: bytes = b""
    code: int = 0
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What the client said in a row, and what the server said next."""

    asked: tuple[Message, ...]
    said: tuple[Message, ...]


def turns(messages: Iterable[Message]) -> list[Turn]:
    """A conversation in turns; in the first one, and only there, the client may have said nothing."""
    found: list[tuple[list[Message], list[Message]]] = [([], [])]
    for message in messages:
        asked, said = found[-1]
        if message.sender == SERVER:
            said.append(message)
        elif message.kind != CLOSE:
            if not asked or said:
                found.append(([], []))
            found[-1][0].append(message)
    return [Turn(tuple(asked), tuple(said)) for asked, said in found]


def is_allowed(code: int) -> bool:
    """Whether a close may carry this code (RFC 6455 section 7.4), or is described by it."""
    return code in _CODES or 3000 <= code <= 4999  # noqa: PLR2004 - the ranges for libraries and applications


def as_reason(said: bytes) -> bytes:
    """As much of a text as the reason of a close has room for, which ends with a whole character and placeholder."""
    if len(said) <= MOST_OF_REASON:
        return said
    room = said[:MOST_OF_REASON].decode("utf-8", "ignore").encode("utf-8")
    return room[: room.rfind(b"{{")] if room.rfind(b"{{") > room.rfind(b"}}") else room


class ConversationPlayback:
    """One replay of a conversation: what the server says to begin with, and in answer to each message.

    `key` makes two client messages equal, and of one that equals none `covers` says whether it is a recorded one, but
    for what is hidden in that. Of several equal ones the first that has not come yet is meant; when all of them have
    come, `repeats` says whether the last one is simply said again.
    """

    def __init__(
        self,
        messages: Iterable[Message],
        key: Callable[[Message], Hashable],
        covers: Callable[[Message, Message], bool],
        *,
        repeats: bool,
    ) -> None:
        self._key = key
        self._covers = covers
        self._repeats = repeats
        self._turns = turns(messages)
        self._missing = [len(turn.asked) for turn in self._turns]
        self._awaited: dict[Hashable, deque[tuple[int, Message]]] = defaultdict(deque)
        self._last: dict[Hashable, int] = {}
        for place, turn in enumerate(self._turns):
            for message in turn.asked:
                self._awaited[key(message)].append((place, message))

    def begin(self) -> tuple[Message, ...]:
        """What the server says unasked."""
        return self._turns[0].said

    def hear(self, message: Message) -> tuple[Message, ...] | None:
        """What the server says once a message has come; None where none like it was recorded, or is left."""
        key = self._meant(message)
        if self._awaited.get(key):
            place, _ = self._awaited[key].popleft()
            self._last[key] = place
            self._missing[place] -= 1
            return self._turns[place].said if not self._missing[place] else ()
        place = self._last.get(key, -1)
        if place < 0 or not self._repeats:
            return None
        alone = len(self._turns[place].asked) == 1
        return self._turns[place].said if alone else ()

    def _meant(self, message: Message) -> Hashable:
        """The key of the recorded message that is meant, one that has not come yet before others."""
        key = self._key(message)
        if key in self._awaited:
            return key
        asked = (recorded for turn in self._turns for recorded in turn.asked)
        alike = [self._key(recorded) for recorded in asked if self._covers(recorded, message)]
        return next((found for found in alike if self._awaited[found]), alike[-1] if alike else key)

    def awaited(self) -> list[Message]:
        """The client messages that have not come yet, in recorded order."""
        left = sorted((item for items in self._awaited.values() for item in items), key=lambda item: item[0])
        return [message for _, message in left]

    def held(self) -> int:
        """How many of the server's messages wait for the rest of a turn that has begun."""
        begun = (
            len(turn.said)
            for turn, missing in zip(self._turns, self._missing, strict=True)
            if 0 < missing < len(turn.asked)
        )
        return sum(begun)


_CODES = frozenset((*range(1000, 1004), *range(1005, 1015)))
