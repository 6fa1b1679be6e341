"""The body form `messages`: a WebSocket conversation as people read it in a cassette, and back.

JSON is shown as JSON, text as text, binary in base64. Large messages are files beside the cassette.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

import msgspec

from replaymock.cassettes.diagnostics import FileFault, Place
from replaymock.cassettes.schema import FileMessage
from replaymock.http import bodies, media_types
from replaymock.http.websocket_messages import BINARY, CLOSE, MOST_OF_REASON, NO_CODE, TEXT, Message, is_allowed

BASE64_LIMIT = 1024
FORMS = ("json", "text", "base64", "file", "close")

Sidecars = dict[str, bytes]


def dump(messages: tuple[Message, ...], stem: str, files: Sidecars) -> list[dict[str, Any]]:
    """The messages as a cassette has them. Large ones are added to `files`, under names that begin with `stem`."""
    return [_dump(message, f"{stem}.message-{number}", files) for number, message in enumerate(messages, 1)]


def load(
    members: list[FileMessage], place: Place, read_sidecar: Callable[[str, str | None, Place], bytes]
) -> tuple[Message, ...]:
    """Loads the messages at a place of a cassette. FileFault for a mistake.

    `read_sidecar` gives the bytes of a file in a layout.
    """
    messages = tuple(_load(message, (*place, number), read_sidecar) for number, message in enumerate(members))
    for number, message in enumerate(messages[:-1]):
        if message.kind == CLOSE:
            raise FileFault((*place, number, "close"), "nothing is said after a close; make it the last message")
    return messages


def _dump(message: Message, stem: str, files: Sidecars) -> dict[str, Any]:
    return {"from": message.sender} | _dump_content(message, stem, files) | {"delay_ms": message.delay_ms}


def _dump_content(message: Message, stem: str, files: Sidecars) -> dict[str, Any]:
    data = message.data
    if message.kind == CLOSE:
        return {"close": message.code} | ({"reason": data.decode("utf-8")} if data else {})
    if message.kind == BINARY and len(data) <= BASE64_LIMIT:
        return {"base64": base64.b64encode(data).decode("ascii")}
    if message.kind == BINARY:
        return _as_file(f"{stem}.body.bin", data, files)
    json = bodies.encode("application/json", data) if data.lstrip()[:1] in (b"{", b"[") else None
    if isinstance(json, bodies.Json):
        layout = {} if json.layout == "compact" else {"layout": json.layout}
        if len(data) <= bodies.INLINE_LIMIT:
            return {"json": msgspec.Raw(json.value)} | layout
        pretty = msgspec.json.format(json.value, indent=2) + b"\n"
        return _as_file(f"{stem}.body.json", pretty, files) | {"layout": json.layout}
    if len(data) > bodies.INLINE_LIMIT:
        return _as_file(f"{stem}.body.txt", data, files)
    return {"text": data.decode("utf-8")}


def _as_file(name: str, data: bytes, files: Sidecars) -> dict[str, Any]:
    files[name] = data
    return {"file": name}


def _load(member: FileMessage, place: Place, read_sidecar: Callable[[str, str | None, Place], bytes]) -> Message:
    given = [form for form in FORMS if getattr(member, form) is not msgspec.UNSET]
    if len(given) != 1:
        raise FileFault(place, f"a message is one of {', '.join(FORMS)}; found {' and '.join(given) or 'none'}")
    if member.reason and given != ["close"]:
        raise FileFault((*place, "reason"), "only a close has a reason")
    code, kind, data = 0, TEXT, b""
    if member.json is not msgspec.UNSET:
        data = _in_layout(bytes(member.json), member.layout, (*place, "layout"))
    elif member.text is not msgspec.UNSET:
        data = _utf8_bytes(member.text, (*place, "text"))
    elif member.base64 is not msgspec.UNSET:
        kind, data = BINARY, _base64_bytes(member.base64, (*place, "base64"))
    elif member.file is not msgspec.UNSET:
        kind = TEXT if _is_text(member.file) else BINARY
        data = read_sidecar(member.file, member.layout, (*place, "file"))
        if kind == TEXT:
            _check_utf8(data, (*place, "file"))
    elif member.close is not msgspec.UNSET:
        code, kind, data = _code(member, (*place, "close")), CLOSE, _reason(member.reason, (*place, "reason"))
    return Message(member.sender, kind, data, code, member.delay_ms)


def _code(member: FileMessage, place: Place) -> int:
    code = member.close if isinstance(member.close, int) else NO_CODE
    if not is_allowed(code):
        raise FileFault(place, f"{code} is no code a close can have; use 1000, or 3000 to 4999 for codes of your own")
    return code


def _reason(text: str, place: Place) -> bytes:
    reason = _utf8_bytes(text, place)
    if len(reason) > MOST_OF_REASON:
        raise FileFault(place, f"the reason of a close has no more than {MOST_OF_REASON} bytes")
    return reason


def _in_layout(value: bytes, layout: str | None, place: Place) -> bytes:
    try:
        return bodies.apply_layout(value, layout or "compact")
    except ValueError as error:
        raise FileFault(place, str(error)) from error


def _base64_bytes(text: str, place: Place) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FileFault(place, f"not base64: {error}") from error


def _utf8_bytes(text: str, place: Place) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeError as error:
        raise FileFault(place, "holds half a character, which a message cannot") from error


def _check_utf8(data: bytes, place: Place) -> None:
    try:
        data.decode("utf-8")
    except UnicodeError as error:
        raise FileFault(place, "is not UTF-8, which a text message must be; other extensions are for binary") from error


def _is_text(name: str) -> bool:
    return media_types.is_textual(media_types.media_type_of(name.rpartition(".")[2].lower()))
