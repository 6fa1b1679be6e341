"""The order in which exchanges are taken into cassettes: as their requests arrived, where that makes a difference.

Two requests of one session are taken in the order they arrived when they are the same request, or when the first of
them writes: what a later one shows may be the first one's doing, whichever is answered first.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from replaymock.replay.sequence import WRITE_METHODS


@dataclass(slots=True, eq=False)
class Turn:
    """The place of a request in the order. `take` is there once its exchange is over and waits to be taken."""

    session: str
    method: str
    name: Hashable
    take: Callable[[], None] | None = None

    def holds_up(self, later: "Turn") -> bool:
        """Whether a request that arrived later is taken later."""
        if self.session != later.session:
            return False
        return self.method in WRITE_METHODS or (self.method, self.name) == (later.method, later.name)


class Turns:
    """Every request that has arrived and is not taken yet, in the order of arrival."""

    def __init__(self) -> None:
        self._open: dict[Turn, None] = {}

    def arrive(self, session: str, method: str, name: Hashable) -> Turn:
        """The turn of a request that has just arrived; `name` tells it from others of its method."""
        turn = Turn(session, method, name)
        self._open[turn] = None
        return turn

    def end(self, turn: Turn, take: Callable[[], None]) -> bool:
        """Has an exchange taken as soon as it is its turn; whether that is so already."""
        turn.take = take
        if self._is_held_up(turn):
            return False
        self._take(turn)
        return True

    def leave(self, turn: Turn) -> None:
        """Gives a turn up: there is nothing to take."""
        if turn in self._open:
            del self._open[turn]
            self._go_on()

    def hurry(self, turn: Turn) -> None:
        """Has an exchange taken that has waited long enough."""
        if turn in self._open and turn.take:
            self._take(turn)

    def settle(self) -> None:
        """Has every exchange taken that is over, in order."""
        for turn in list(self._open):
            self.hurry(turn)

    def _take(self, turn: Turn) -> None:
        del self._open[turn]
        if turn.take:
            turn.take()
        self._go_on()

    def _go_on(self) -> None:
        for turn in list(self._open):
            if turn in self._open and turn.take and not self._is_held_up(turn):
                self._take(turn)

    def _is_held_up(self, turn: Turn) -> bool:
        for other in self._open:
            if other is turn:
                return False
            if other.holds_up(turn):
                return True
        return False
