"""What forwarding asks of whoever records: a ticket for each exchange, which says what is wanted and takes the rest."""

from typing import Protocol

from replaymock.http.headers import Headers
from replaymock.http.messages import Exchange, Request
from replaymock.http.websocket_messages import Message


class Ticket(Protocol):
    """One exchange, from the arrival of its request. Ends with `finish` or `abandon`, once."""

    @property
    def is_wanted(self) -> bool:
        """Whether what is at this path is recorded."""

    def wants(self, status: int, headers: Headers) -> bool:
        """Whether a response with this head is recorded."""

    def cassette_for(self, request: Request | None) -> str | None:
        """The cassette that the response will be in; empty where that is not known yet, None where there will be none.

        Asked once the head of the response is there. `request` is the whole request, None where it is still coming.
        """

    def finish(
        self, exchange: Exchange, status: int, messages: tuple[Message, ...] | None = None, warning: str = ""
    ) -> None:
        """Has an exchange recorded when it is its turn; `status` went out to the client.

        Of a WebSocket, `messages` are what was said on it. A `warning` is told once it is recorded.
        """

    def abandon(self) -> None:
        """Records nothing."""

    def served(self, status: int, outcome: str) -> None:
        """Tells that a request was served without being recorded; `status` went out to the client, 0 for none."""


class Recorder(Protocol):
    """Gives out tickets."""

    def wants(self, path: str) -> bool:
        """Whether what is at a path is recorded."""

    def begin(self, request: Request, *, is_conversation: bool = False) -> Ticket:
        """The ticket of a request that has just arrived; of one for a WebSocket if it `is_conversation`."""
