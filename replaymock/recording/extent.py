"""How far a response goes: one that its client left, or that went on when recording it ended, is the beginning of more.

That is so of a stream of events, cut between two of them, and of a conversation on a WebSocket.
"""

from dataclasses import replace

from replaymock.cassettes.model import SWITCHING, RecordedResponse
from replaymock.http import event_stream
from replaymock.http.headers import media_type
from replaymock.http.websocket_messages import CLIENT, CLOSE, Message

Parts = tuple[Message, ...] | list[bytes] | bytes
"""What a response is cut between: messages, events or bytes, in a row."""


def is_open(recorded: RecordedResponse) -> bool:
    """Whether more may have been to come."""
    return recorded.truncated or (bool(recorded.messages) and _is_left(recorded.messages[-1]))


def goes_further(recorded: RecordedResponse, stored: RecordedResponse) -> bool:
    """Whether a response tells more than a stored one that it begins like: more was said, or that it has an end."""
    if not is_open(stored):
        return False
    here, there = len(_parts(recorded)), len(_parts(stored))
    return here > there or (here == there and not is_open(recorded))


def side_by_side(one: RecordedResponse, other: RecordedResponse) -> tuple[RecordedResponse, RecordedResponse]:
    """Both as far as the shorter one goes, if that is open; as they are, where nothing was to come.

    Signs of life in a stream, which come by the clock, are left out.
    """
    if not (is_open(one) or is_open(other)):
        return one, other
    here, there = _parts(one), _parts(other)
    if (len(here) < len(there) and not is_open(one)) or (len(there) < len(here) and not is_open(other)):
        return one, other
    least = min(len(here), len(there))
    return _of_parts(one, here[:least]), _of_parts(other, there[:least])


def _parts(recorded: RecordedResponse) -> Parts:
    """The messages but for the client's close, the events that tell something, or the bytes."""
    if recorded.status == SWITCHING:
        is_left = bool(recorded.messages) and _is_left(recorded.messages[-1])
        return recorded.messages[:-1] if is_left else recorded.messages
    media = media_type(recorded.headers)
    if recorded.encoded or not event_stream.is_stream(media):
        return recorded.body
    return [piece for piece in event_stream.pieces(media, recorded.body) if not _is_sign_of_life(piece)]


def _of_parts(recorded: RecordedResponse, parts: Parts) -> RecordedResponse:
    if isinstance(parts, tuple):
        return replace(recorded, messages=parts, truncated=False)
    return replace(recorded, body=parts if isinstance(parts, bytes) else b"".join(parts), truncated=False)


def _is_sign_of_life(event: bytes) -> bool:
    """Whether an event is a comment alone (HTML standard, section 9.2.7), or an empty line between lines of JSON."""
    return all(not line or line.startswith(b":") for line in event.splitlines())


def _is_left(message: Message) -> bool:
    return (message.sender, message.kind) == (CLIENT, CLOSE)
