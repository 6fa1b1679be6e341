"""What was said on one exchange, or on one WebSocket: all that a cassette is built from."""

from msgspec import Struct

from replaymock.cassettes.model import WEBSOCKET_BODY, KnownBody
from replaymock.http.messages import OFFLOAD_BYTES, Exchange, should_offload
from replaymock.http.websocket_messages import Message


class Capture(Struct, frozen=True):
    """An exchange as it happened; of a WebSocket, the exchange that opened it and its `messages`."""

    exchange: Exchange
    messages: tuple[Message, ...] | None = None

    @property
    def is_conversation(self) -> bool:
        """Whether it is a WebSocket."""
        return self.messages is not None

    @property
    def known_body(self) -> KnownBody | None:
        """What the request has instead of a body, if anything."""
        return WEBSOCKET_BODY if self.is_conversation else None

    @property
    def is_large(self) -> bool:
        """Whether it is searched for secrets in a thread."""
        if self.messages is not None:
            return sum(len(message.data) for message in self.messages) > OFFLOAD_BYTES
        return should_offload(self.exchange.request) or should_offload(self.exchange.response)
