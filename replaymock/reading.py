"""A cassette file read strictly: what is wrong is named with its place, and nothing in a file is ever executed.

`load(dump(cassette)) == cassette` for every cassette that recording can make.
"""

import difflib
import re
from collections.abc import Callable
from typing import Any

import msgspec

from replaymock import bodies, mediatypes, tokens
from replaymock.cassette import VERSION, Cassette, CassetteRequest, Recorded, standard_reason
from replaymock.errors import CassetteError
from replaymock.headers import FIELD_VALUE, HOP_BY_HOP, TOKEN, Headers, get
from replaymock.schema import FileCassette, FilePart, FileRequest, FileResponse
from replaymock.targets import ungroup

JSON_TYPE = "application/json; charset=utf-8"

ReadSidecar = Callable[[str], bytes]
"""From the name of a sibling file to its bytes; OSError or ValueError with the reason."""


def load(file: str, data: bytes, read_sidecar: ReadSidecar) -> Cassette:
    """The cassette in `data`. CassetteError with the place of the first thing that is wrong."""
    try:
        found = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _located(file, data, error) from error
    if found.version > VERSION:
        reason = f"version {found.version} is newer than this replaymock reads ({VERSION}); upgrade replaymock"
        raise _at(file, data, ("version",), reason)
    try:
        request = _load_request(found.request)
        responses = tuple(
            _load_response(response, position, request.method, read_sidecar)
            for position, response in enumerate(found.responses)
        )
    except _Fault as fault:
        raise _at(file, data, fault.place, fault.reason) from fault
    if not responses:
        raise _at(file, data, ("responses",), "needs at least one response")
    return Cassette(request, responses)


def plain_mock(path: str, data: bytes, file: str) -> Cassette:
    """The cassette that a plain JSON file stands for: its content, as it stands, is the 200 body at its path."""
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _located(file, data, error) from error
    recorded = Recorded(200, "OK", (("content-type", JSON_TYPE),), data, rewrite=False)
    return Cassette(CassetteRequest("GET", path), (recorded,))


class _Fault(Exception):
    """Something wrong with a value at a place in the file."""

    def __init__(self, place: tuple[str | int, ...], reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


def _load_request(found: FileRequest) -> CassetteRequest:
    place = ("request",)
    if not found.path.startswith("/"):
        raise _Fault((*place, "path"), f"path {found.path!r} must begin with /")
    if not TOKEN.fullmatch(found.method):
        raise _Fault((*place, "method"), f"{found.method!r} is not a method")
    headers = _load_headers(found.headers, place)
    body = _load_request_body(found, place)
    if body is not None and not get(headers, "content-type"):
        headers = (*headers, *_request_type(body))
    query = None if found.query is msgspec.UNSET else ungroup(found.query)
    return CassetteRequest(found.method, found.path, query, headers, body)


def _request_type(body: bodies.Body) -> Headers:
    match body:
        case bodies.Json():
            return (("content-type", "application/json"),)
        case bodies.Form():
            return (("content-type", mediatypes.FORM_TYPE),)
        case bodies.Multipart():
            return (("content-type", "multipart/form-data"),)
    return ()


def _load_request_body(found: FileRequest, place: tuple[str | int, ...]) -> bodies.Body | None:
    form = _only_form(found, ("json", "text", "form", "multipart", "sha256"), place)
    if form == "form" and found.form is not msgspec.UNSET:
        return bodies.Form(ungroup(found.form))
    if form == "multipart" and found.multipart is not msgspec.UNSET:
        parts = enumerate(found.multipart)
        return bodies.Multipart(tuple(_load_part(part, (*place, "multipart", position)) for position, part in parts))
    return _load_content(found, form, place)


def _load_part(found: FilePart, place: tuple[str | int, ...]) -> bodies.Part:
    form = _only_form(found, ("json", "text", "sha256"), place)
    body = _load_content(found, form, place)
    return bodies.part(found.name, found.filename, found.content_type, body or bodies.Text(""))


def _load_content(
    found: FileRequest | FilePart | FileResponse, form: str, place: tuple[str | int, ...]
) -> bodies.Json | bodies.Text | bodies.Digest | None:
    if form == "json" and isinstance(found.json, msgspec.Raw):
        value = msgspec.json.format(bytes(found.json), indent=-1)
        return bodies.Json(value, _checked_layout(found.layout, place))
    if form == "text" and found.text is not msgspec.UNSET:
        return bodies.Text(found.text)
    if form == "sha256" and not isinstance(found, FileResponse) and found.sha256 is not msgspec.UNSET:
        return bodies.Digest(found.sha256, found.bytes)
    return None


def _load_response(found: FileResponse, position: int, method: str, read_sidecar: ReadSidecar) -> Recorded:
    place = ("responses", position)
    if not 200 <= found.status <= 999:  # noqa: PLR2004 - three digits, and 1xx is no final answer (RFC 9110 section 15)
        raise _Fault((*place, "status"), f"status {found.status} is not a final status code; use 200 to 999")
    headers = _load_headers(found.headers, place, () if method == "HEAD" else ("content-length",))
    form = _only_form(found, ("json", "text", "file"), place)
    if not get(headers, "content-type"):
        headers = (*headers, *_response_type(found, form))
    reason = standard_reason(found.status) if found.reason is msgspec.UNSET else found.reason
    if not FIELD_VALUE.fullmatch(reason):
        raise _Fault((*place, "reason"), f"reason {reason!r} holds characters a status line cannot")
    return Recorded(
        status=found.status,
        reason=reason,
        headers=headers,
        body=_load_response_body(found, form, get(headers, "content-type"), place, read_sidecar),
        rewrite=found.rewrite,
        encoded=found.encoded,
        after=found.after,
        recorded_at=found.recorded_at,
        elapsed_ms=found.elapsed_ms,
    )


def _response_type(found: FileResponse, form: str) -> Headers:
    """The content type that follows from a hand-written body; a recorded response without one had none."""
    if found.recorded_at:
        return ()
    if form == "json":
        return (("content-type", JSON_TYPE),)
    if form == "text":
        return (("content-type", "text/plain; charset=utf-8"),)
    if form == "file" and found.file is not msgspec.UNSET:
        return (("content-type", mediatypes.media_type_of(found.file.rpartition(".")[2].lower())),)
    return ()


def _load_response_body(
    found: FileResponse, form: str, content_type: str, place: tuple[str | int, ...], read_sidecar: ReadSidecar
) -> bytes:
    if form == "file" and found.file is not msgspec.UNSET:
        return _load_sidecar(found.file, found.layout, (*place, "file"), read_sidecar)
    body = _load_content(found, form, place)
    try:
        return b"" if body is None else bodies.decode(body, content_type)
    except UnicodeError as error:
        raise _Fault((*place, form), f"the text does not fit the charset of {content_type!r}: {error}") from error


def _load_sidecar(name: str, layout: str | None, place: tuple[str | int, ...], read_sidecar: ReadSidecar) -> bytes:
    try:
        data = read_sidecar(name)
        return data if layout is None else bodies.apply_layout(data, _checked_layout(layout, place))
    except OSError as error:
        raise _Fault(place, f"cannot read {name!r}: {error.strerror or error}") from error
    except ValueError as error:
        raise _Fault(place, f"{name!r}: {error}") from error


def _checked_layout(layout: str | None, place: tuple[str | int, ...]) -> str:
    try:
        bodies.apply_layout(b"0", layout or "compact")
    except ValueError as error:
        raise _Fault((*place, "layout"), str(error)) from error
    return layout or "compact"


def _load_headers(found: Any, place: tuple[str | int, ...], refused: tuple[str, ...] = ()) -> Headers:
    headers = []
    for name, values in found.items():
        where = (*place, "headers", name)
        if not TOKEN.fullmatch(name):
            raise _Fault(where, f"{name!r} is not a header name")
        if name.lower() in HOP_BY_HOP or name.lower() in refused:
            raise _Fault(where, f"leave {name!r} out: framing is computed from the body")
        for value in values if isinstance(values, list) else [values]:
            if not FIELD_VALUE.fullmatch(value):
                raise _Fault(where, f"the value of {name!r} holds a line break or a character outside latin-1")
            headers.append((name.lower(), value))
    return tuple(headers)


def _only_form(found: Any, forms: tuple[str, ...], place: tuple[str | int, ...]) -> str:
    given = [form for form in forms if getattr(found, form) is not msgspec.UNSET]
    if len(given) > 1:
        raise _Fault((*place, given[1]), f"a body is one of {', '.join(forms)}; found {' and '.join(given)}")
    return given[0] if given else ""


def _located(file: str, data: bytes, error: Exception) -> CassetteError:
    """Where in the file a decoding error is, by the byte or the path its message gives."""
    if data.lstrip().startswith((b"<<<<<<<",)) or b"\n<<<<<<< " in data:
        line = data[: max(data.find(b"<<<<<<<"), 0)].count(b"\n") + 1
        return CassetteError(file, line, 1, "a merge conflict is left in the file; resolve it")
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
        return _at_byte(file, data, len(data.rstrip()), "not JSON: the file ends too early")
    path = _PATH.search(message)
    unknown = _UNKNOWN.search(message)
    steps = _steps(path.group(1)) if path else ()
    if unknown:
        return _at(file, data, (*steps, unknown.group(1)), _unknown_field(unknown.group(1), steps))
    return _at(file, data, steps, message.partition(" - at")[0])


def _unknown_field(name: str, steps: tuple[str | int, ...]) -> str:
    known = _FIELDS[str(steps[0]) if steps else ""] if len(steps) < _PART_DEPTH else _FIELDS["multipart"]
    near = difflib.get_close_matches(name, known, 1)
    advice = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
    return f"unknown field {name!r}{advice}"


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(
        int(position) if position else name for name, position in re.findall(r"\.([A-Za-z_0-9]+)|\[([0-9]+)\]", path)
    )


def _at(file: str, data: bytes, place: tuple[str | int, ...], reason: str) -> CassetteError:
    return _at_byte(file, data, tokens.position(data.decode("utf-8", "replace"), place), reason)


def _at_byte(file: str, data: bytes, position: int, reason: str) -> CassetteError:
    before = data[:position]
    return CassetteError(file, before.count(b"\n") + 1, position - (before.rfind(b"\n") + 1) + 1, reason)


def _first_invalid(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


_DECODER = msgspec.json.Decoder(FileCassette)
_BYTE = re.compile(r"\(byte (\d+)\)")
_PATH = re.compile(r"at `(?:key in )?\$([^`]*)`")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_PART_DEPTH = 3
_FIELDS = {
    "": FileCassette.__struct_fields__,
    "request": FileRequest.__struct_fields__,
    "responses": FileResponse.__struct_fields__,
    "multipart": FilePart.__struct_fields__,
}
