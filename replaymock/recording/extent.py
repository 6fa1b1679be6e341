"""Responses that were cut short: the client left, or recording ended while the backend went on sending.

Event streams are cut between two events, WebSocket conversations between two messages.
"""

from dataclasses import replace

from replaymock.cassettes.model import SWITCHING, RecordedResponse
from replaymock.http import event_stream
from replaymock.http.headers import media_type
from replaymock.http.websocket_messages import CLIENT, CLOSE, Message

Parts = tuple[Message, ...] | list[bytes] | bytes
"""What a response consists of, in order: messages, events or bytes. It is cut between two of them."""


def is_open(recorded: RecordedResponse) -> bool:
    """Whether a response was cut short, so that more may have followed."""
    return recorded.truncated or (bool(recorded.messages) and _is_left(recorded.messages[-1]))


def goes_further(recorded: RecordedResponse, stored: RecordedResponse) -> bool:
    """Whether a response that begins like a stored one has more parts, or as many and is not cut short."""
    if not is_open(stored):
        return False
    count, stored_count = len(_parts(recorded)), len(_parts(stored))
    return count > stored_count or (count == stored_count and not is_open(recorded))


def cut_to_common(first: RecordedResponse, second: RecordedResponse) -> tuple[RecordedResponse, RecordedResponse]:
    """Both cut to the length of the shorter one, if that is open; otherwise as they are.

    Keep-alive events of a stream are left out of what is cut, since they come by the clock.
    """
    if not (is_open(first) or is_open(second)):
        return first, second
    parts, others = _parts(first), _parts(second)
    if (len(parts) < len(others) and not is_open(first)) or (len(others) < len(parts) and not is_open(second)):
        return first, second
    common = min(len(parts), len(others))
    return _of_parts(first, parts[:common]), _of_parts(second, others[:common])


def _parts(recorded: RecordedResponse) -> Parts:
    """The messages without the client's close, the events without keep-alives, or the bytes."""
    if recorded.status == SWITCHING:
        is_left = bool(recorded.messages) and _is_left(recorded.messages[-1])
        return recorded.messages[:-1] if is_left else recorded.messages
    media = media_type(recorded.headers)
    if recorded.encoded or not event_stream.is_stream(media):
        return recorded.body
    return [piece for piece in event_stream.pieces(media, recorded.body) if not _is_keep_alive(piece)]


def _of_parts(recorded: RecordedResponse, parts: Parts) -> RecordedResponse:
    if isinstance(parts, tuple):
        return replace(recorded, messages=parts, truncated=False)
    return replace(recorded, body=parts if isinstance(parts, bytes) else b"".join(parts), truncated=False)


def _is_keep_alive(event: bytes) -> bool:
    """Whether an event is only a comment (HTML standard, section 9.2.7), or an empty line between lines of JSON."""
    return all(not line or line.startswith(b":") for line in event.splitlines())


def _is_left(message: Message) -> bool:
    return (message.sender, message.kind) == (CLIENT, CLOSE)
