"""One exchange, or one WebSocket conversation, as it happened: all that a cassette is built from."""

from msgspec import Struct

from replaymock.cassettes.model import WEBSOCKET_BODY, KnownBody
from replaymock.http.messages import OFFLOAD_BYTES, Exchange, should_offload
from replaymock.http.websocket_messages import Message


class Capture(Struct, frozen=True):
    """An exchange. For a WebSocket it is the one that opened it, and `messages` are what followed."""

    exchange: Exchange
    messages: tuple[Message, ...] | None = None

    @property
    def is_conversation(self) -> bool:
        """Whether this is a WebSocket conversation."""
        return self.messages is not None

    @property
    def known_body(self) -> KnownBody | None:
        """What stands for the request's body when it is matched, None for an ordinary one."""
        return WEBSOCKET_BODY if self.is_conversation else None

    @property
    def is_large(self) -> bool:
        """Whether it is so large that secrets are searched for in a thread."""
        if self.messages is not None:
            return sum(len(message.data) for message in self.messages) > OFFLOAD_BYTES
        return should_offload(self.exchange.request) or should_offload(self.exchange.response)
