"""Locates mistakes in a cassette file, and says what is wrong and what to write instead."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from replaymock.cassettes.schema import AS_DUMPED, FileCassette, FileMessage, FilePart, FileRequest, FileResponse
from replaymock.errors import CassetteError
from replaymock.http import json_tokens
from replaymock.redaction.placeholders import anonymous
from replaymock.redaction.redactor import Redactor
from replaymock.suggestions import most_alike

Place = tuple[str | int, ...]
"""The keys and positions from the root of the file to a value."""


class FileFault(Exception):
    """A mistake at a place in the file."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


def refuse_duplicates(data: bytes, values: Iterable[bytes]) -> None:
    """Raises FileFault if one of the cassette's own objects has a key twice.

    `values` are its JSON bodies, which may repeat keys.
    """
    if _is_as_dumped(data):
        return
    for value in values:
        if len(value) > _LONG:  # only for speed: bodies are skipped anyway
            data = data.replace(value, b"0", 1)
    try:
        root = json.loads(data, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return
    _refuse_duplicates(root, ())


def _is_as_dumped(data: bytes) -> bool:
    """Whether a cassette is exactly what its types would write, in that order. Then no key can be there twice.

    Much faster than checking each key, and true for every recorded cassette.
    """
    try:
        compact = msgspec.json.format(data, indent=-1)
        return bool(msgspec.json.encode(_DUMPED.decode(compact)) == compact)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False


class _Members(tuple[tuple[str, Any], ...]):
    """The members of an object, including repeated ones."""


def _refuse_duplicates(value: Any, place: Place) -> None:
    inner: Iterable[tuple[str | int, Any]] = enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, _Members):
        inner, names = value, set[str]()
        for name, _ in value:
            if name in names:
                raise FileFault((*place, name), f"{name!r} is written twice here; which one is meant?")
            names.add(name)
    for step, member in inner:
        if step not in ("json", "data"):
            _refuse_duplicates(member, (*place, step))


def locate(file: str, data: bytes, error: Exception) -> CassetteError:
    """Locates a decoding error in the file, by the byte offset or the path in its message."""
    if data.lstrip().startswith((b"<<<<<<<",)) or b"\n<<<<<<< " in data:
        line = data[: max(data.find(b"<<<<<<<"), 0)].count(b"\n") + 1
        return CassetteError(file, line, 1, "a merge conflict is left in the file; resolve it")
    if data.startswith(_MARKS):
        return CassetteError(
            file, 1, 1, "not JSON: the file begins with a byte order mark; save it as UTF-8 without one"
        )
    error = _syntax_error(data) or error
    message = str(error)
    if isinstance(error, UnicodeDecodeError):
        return _at_byte(file, data, _first_invalid(data), "not valid UTF-8")
    if isinstance(error, RecursionError):
        return CassetteError(file, 1, 1, "nested too deeply")
    byte = _BYTE.search(message)
    if byte:
        reason = message.partition(": ")[2] or message
        return _at_byte(file, data, int(byte.group(1)), "not JSON: " + reason.partition(" (byte")[0])
    if not isinstance(error, msgspec.ValidationError):
        if json_tokens.is_valid(
            data.decode("utf-8", "replace")
        ):  # msgspec 0.22 takes half a surrogate pair for the end of the file
            return CassetteError(file, 1, 1, "holds half a character, as \\ud800 is")
        return _at_byte(file, data, len(data.rstrip()), "not JSON: the file ends too early")
    path = _PATH.search(message)
    unknown = _UNKNOWN.search(message)
    steps = _steps(path.group(1)) if path else ()
    if path and "[...]" in path.group(1):
        return at_path(file, data, *_wrong_member(data, _steps(path.group(1).partition("[...]")[0])))
    if unknown:
        return at_path(file, data, (*steps, unknown.group(1)), _unknown_field(unknown.group(1), steps))
    reason = message.partition(" - at")[0]
    named = path.group(1).lstrip(".") if path else ""
    return at_path(file, data, steps, f"{named}: {reason[:1].lower()}{reason[1:]}" if named else reason)


def _syntax_error(data: bytes) -> Exception | None:
    """The error that keeps a file from being JSON at all. It is reported before mistakes in its content."""
    try:
        msgspec.json.decode(data)
    except msgspec.ValidationError:  # it is JSON, with a number that is too large for a value here
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return error
    return None


def _wrong_member(data: bytes, steps: Place) -> tuple[Place, str]:
    """The first member of a mapping of strings that is not a string, and what to write instead."""
    places: list[Place] = []

    def visit(path: Sequence[str | int], token: str) -> None:
        inside = tuple(path[: len(steps)]) == steps and len(path) > len(steps)
        is_value = token.startswith('"') or (token[0] == "n" and steps[-1] != "headers")
        if inside and not (is_value and all(isinstance(step, int) for step in path[len(steps) + 1 :])):
            places.append(tuple(path))

    json_tokens.replace_values(data.decode("utf-8"), visit)
    place = places[0] if places else steps
    name = f"{place[len(steps)]!r}: " if places else ""
    return place, f'{name}values in {steps[-1]} are strings or lists of strings, such as "1"'


def _unknown_field(name: str, steps: Place) -> str:
    fields = _FIELDS[next((str(step) for step in reversed(steps) if step in _FIELDS), "")]
    near = most_alike(name, fields, 1)
    advice = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(fields)}"
    return f"unknown field {name!r}{advice}"


def _steps(path: str) -> Place:
    return tuple(
        int(position) if position else name for name, position in re.findall(r"\.([A-Za-z_0-9]+)|\[([0-9]+)\]", path)
    )


def at_path(file: str, data: bytes, place: Place, reason: str) -> CassetteError:
    """The error for a mistake at a place in the file."""
    return _at_byte(file, data, json_tokens.offset_of(data.decode("utf-8", "replace"), place), reason)


def _at_byte(file: str, data: bytes, position: int, reason: str) -> CassetteError:
    before = data[:position]
    # The reason may quote a value, and that may be a secret.
    reason = Redactor().text(reason, anonymous)
    return CassetteError(file, before.count(b"\n") + 1, position - (before.rfind(b"\n") + 1) + 1, reason)


def _first_invalid(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # of UTF-8 and UTF-16, as some editors and shells write them
_BYTE = re.compile(r"\(byte (\d+)\)")
_PATH = re.compile(r"at `(?:key in )?\$([^`]*)`")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_FIELDS = {
    "": FileCassette.__struct_fields__,
    "request": FileRequest.__struct_fields__,
    "responses": FileResponse.__struct_fields__,
    "multipart": FilePart.__struct_fields__,
    "messages": FileMessage.__struct_encode_fields__,
}
_LONG = 200
_DUMPED = msgspec.json.Decoder(AS_DUMPED)
