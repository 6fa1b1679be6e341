"""Turns bytes into readable bodies and back. A form is used only if it gives the same bytes back.

`encode` picks the most readable form of a body by its `Content-Type`; `decode` is its exact inverse. For multipart the
boundary is not part of the form: `decode` writes the one in the given `Content-Type`.
"""

import hashlib
import re
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from replaymock.http import json_tokens, media_types
from replaymock.http.uri import Pairs, encode_pair, mapping_to_pairs, pairs_to_mapping, parse_query
from replaymock.placeholders import REDACTED

INLINE_LIMIT = 64 * 1024


class Json(Struct, frozen=True):
    """A JSON value: its tokens without white space, and the name of the layout it was written in."""

    value: bytes
    layout: str = "compact"


class Text(Struct, frozen=True):
    """Characters, in the charset of the content type."""

    text: str


class Form(Struct, frozen=True):
    """The fields of `application/x-www-form-urlencoded`, in readable form."""

    fields: Pairs


class Binary(Struct, frozen=True):
    """Bytes that are not text."""

    data: bytes


class Digest(Struct, frozen=True):
    """The SHA-256 (hex) and the size in bytes of a body that was too large, or binary, and is not stored."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body (RFC 7578): its headers as sent, and the name and file name read from them."""

    headers: tuple[tuple[str, str], ...]
    body: "Json | Text | Binary | Digest"

    @property
    def name(self) -> str:
        """The name of the field."""
        return _disposition(self.headers, "name") or ""

    @property
    def filename(self) -> str | None:
        """The name of the uploaded file; None if the part is not a file."""
        return _disposition(self.headers, "filename")

    @property
    def content_type(self) -> str:
        """The content type of the part; empty if it has none."""
        return _part_header(self.headers, "content-type")


class Multipart(Struct, frozen=True):
    """The parts of a `multipart/…` body."""

    parts: tuple[Part, ...]


Body = Json | Text | Form | Multipart | Binary | Digest


def encode(content_type: str, data: bytes) -> Body:
    """Gives the most readable form of `data` from which `decode` restores `data`."""
    media_type = content_type.partition(";")[0].strip().lower()
    body: Body | None = None
    if media_types.is_json(media_type):
        body = _json(data)
        if body is not None:
            return body
    elif media_type == media_types.FORM_TYPE:
        body = _form(data)
    elif media_type.startswith("multipart/"):
        body = _multipart(content_type, data)
    if body is None and media_types.is_textual(media_type):
        body = _text(content_type, data)
    if body is None or decode(body, content_type) != data:
        return Binary(data)
    return body


def stored_form(content_type: str, data: bytes) -> Body:
    """Gives the form in which a request body is stored and compared: a digest if binary or too large, else as `encode`.

    A multipart body is stored part by part, whatever its size. A large JSON body is stored as the digest of its sorted
    form.
    """
    if content_type.lower().startswith("multipart/"):
        body = encode(content_type, data)
        if isinstance(body, Multipart):
            return Multipart(tuple(_stored_part(item) for item in body.parts))
    body = encode(content_type, data) if len(_without_names(data)) <= INLINE_LIMIT else Binary(data)
    return Digest(digest(_sorted(content_type, data)), len(data)) if isinstance(body, Binary) else body


def decode(body: Body, content_type: str) -> bytes:
    """Gives the bytes of a body. LookupError or UnicodeError if its text does not fit the content type's charset."""
    match body:
        case Json(value, layout):
            return value if layout == "compact" else apply_layout(value, layout)
        case Text(text):
            return text.encode(media_types.charset(content_type))
        case Form(fields):
            return "&".join(encode_pair(name, value) for name, value in fields).encode("ascii")
        case Multipart(parts):
            return _join_parts(parts, _boundary(content_type) or DEFAULT_BOUNDARY)
        case Binary(data):
            return data
        case Digest():
            raise ValueError("the bytes behind a digest are not known")


def multipart_core(content_type: str, data: bytes) -> tuple[bytes, bytes, bytes]:
    """Splits a multipart body in three: the preamble, the parts in standard form, and the epilogue.

    The epilogue begins with the line end of the last boundary, if there is one.
    """
    boundary = b"--" + _boundary(content_type)
    start, end = data.find(boundary + b"\r\n"), data.rfind(b"\r\n" + boundary + b"--")
    if len(boundary) <= len(b"--") or not 0 <= start < end:
        return b"", data, b""
    end += len(boundary) + 4
    return data[:start], data[start:end] + b"\r\n", data[end:]


def apply_layout(value: bytes, layout: str) -> bytes:
    """Writes JSON in a named layout: `compact`, `spaced` or `indent-N`, each with or without `+newline`."""
    style, _, newline = layout.partition("+")
    if (style not in ("compact", "spaced") and not _INDENT.fullmatch(style)) or newline not in ("", "newline"):
        raise ValueError(f"unknown layout {layout!r}; use compact, spaced or indent-N, with +newline or without")
    indent = {"compact": -1, "spaced": 0}.get(style)
    formatted: bytes = msgspec.json.format(value, indent=int(style[7:]) if indent is None else indent)
    return formatted + b"\n" if newline else formatted


def part(name: str, filename: str | None, content_type: str, body: "Json | Text | Binary | Digest") -> Part:
    """Makes a part with no headers but these."""
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    headers = (("Content-Disposition", disposition),)
    return Part((*headers, ("Content-Type", content_type)) if content_type else headers, body)


def digest(data: bytes) -> str:
    """Gives the SHA-256 of a body in hex. Ordinals of its placeholders do not count."""
    return hashlib.sha256(_without_names(data)).hexdigest()


def _without_names(data: bytes) -> bytes:
    return PLACEHOLDER_BYTES.sub(b"{{redacted}}", data) if b"{{redacted" in data else data


def _json(data: bytes) -> Json | None:
    newline = data.endswith(b"\n")
    core = data[:-1] if newline else data
    style = _style(core)
    try:
        extra = _extra_levels(core)
        msgspec.json.decode(b"[" * extra + core + b"]" * extra)
        value: bytes = msgspec.json.format(core, indent=-1)
        if value == data:
            return Json(value)
        layout = f"{style}+newline" if newline else style
        if apply_layout(value, layout) == data:
            return Json(value, layout)
        layout = layout.replace("compact", "spaced")
        return Json(value, layout) if apply_layout(value, layout) == data else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _extra_levels(core: bytes) -> int:
    """How many extra levels a value must be able to nest, so that it can also be read inside a cassette.

    How deep msgspec 0.22 reads depends on the depth of the call stack. A value with few brackets cannot be deep.
    """
    return 8 if core.count(b"[") + core.count(b"{") < _DEEP else _DEEP


def _style(core: bytes) -> str:
    indented = _FIRST_INDENT.match(core)
    return f"indent-{len(indented.group(1))}" if indented else "compact"


def _text(content_type: str, data: bytes) -> Text | None:
    try:
        text = data.decode(media_types.charset(content_type))
    except UnicodeError:
        return None
    return None if _CONTROL.search(text) else Text(text)


def _form(data: bytes) -> Form | None:
    if not data or not data.isascii():
        return None
    fields = parse_query(data.decode("ascii"))
    return (
        Form(fields)
        if mapping_to_pairs(pairs_to_mapping(fields)) == fields and decode(Form(fields), "") == data
        else None
    )


def _multipart(content_type: str, data: bytes) -> Multipart | None:
    boundary = _boundary(content_type)
    pieces = data.split(b"\r\n--" + boundary) if boundary else []
    if len(pieces) < 2 or not data.startswith(b"--" + boundary + b"\r\n"):  # noqa: PLR2004 - a part and the end
        return None
    pieces[0] = pieces[0][len(boundary) + 2 :]
    parts = [_read_part(piece) for piece in pieces[:-1]]
    if not all(parts):
        return None
    multipart = Multipart(tuple(item for item in parts if item))
    return multipart if _join_parts(multipart.parts, boundary) == data else None


def _read_part(piece: bytes) -> Part | None:
    head, separator, content = piece.partition(b"\r\n\r\n")
    if not separator:
        return None
    try:
        lines = head.decode("utf-8").split("\r\n")[1:]
    except UnicodeError:
        return None
    headers = tuple((name, value) for name, colon, value in (line.partition(": ") for line in lines) if colon)
    if len(headers) != len(lines):
        return None
    body = encode(_part_header(headers, "content-type") or "text/plain", content)
    return Part(headers, body if isinstance(body, (Json, Text)) else Binary(content))


def _join_parts(parts: tuple[Part, ...], boundary: bytes) -> bytes:
    out = []
    for item in parts:
        head = "".join(f"\r\n{name}: {value}" for name, value in item.headers).encode("utf-8")
        content = decode(item.body, item.content_type or "text/plain")
        out.append(b"--" + boundary + head + b"\r\n\r\n" + content + b"\r\n")
    return b"".join(out) + b"--" + boundary + b"--\r\n"


def _stored_part(item: Part) -> Part:
    body = item.body
    if not isinstance(body, Digest):
        data = decode(body, item.content_type or "text/plain")
        if isinstance(body, Binary) or len(_without_names(data)) > INLINE_LIMIT:
            body = Digest(digest(data), len(data))
    return part(item.name, item.filename, item.content_type, body)


def _sorted(content_type: str, data: bytes) -> bytes:
    """Gives a JSON body in the one spelling it is compared in, and any other body unchanged."""
    if not media_types.is_json(content_type.partition(";")[0].strip().lower()):
        return data
    try:
        return json_tokens.canonical(json_tokens.parse(data)).encode("utf-8", "surrogatepass")
    except ValueError:
        return data


def _boundary(content_type: str) -> bytes:
    match = _BOUNDARY.search(content_type)
    return (match.group(1) or match.group(2)).encode("latin-1") if match else b""


def _part_header(headers: tuple[tuple[str, str], ...], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _disposition(headers: tuple[tuple[str, str], ...], parameter: str) -> str | None:
    expression = rf';\s*{parameter}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))'
    match = re.search(expression, _part_header(headers, "content-disposition"), re.IGNORECASE)
    return next((value for value in match.groups() if value is not None), None) if match else None


_DEEP = 400
DEFAULT_BOUNDARY = b"replaymock"
PLACEHOLDER_BYTES = re.compile(REDACTED.pattern.encode("ascii"))
_INDENT = re.compile(r"indent-[1-9][0-9]?")
_FIRST_INDENT = re.compile(rb"[\[{]\n( +)")
_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]+)\"|([^\s;]+))", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f\ud800-\udfff]")
