"""The types of a cassette file, version 1, as they stand in JSON; the shipped JSON Schema is made from them."""

from operator import or_
from types import GenericAlias, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, structs

Values = dict[str, str | list[str | None] | None]
Size = Annotated[int, Meta(ge=0)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="In lower-case hex")]
HeaderValues = dict[str, str | list[str]]


class FilePart(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One part of a multipart request body."""

    name: str
    filename: str | None = None
    content_type: str = ""
    json: Raw | UnsetType = UNSET
    layout: str | None = None
    text: str | UnsetType = UNSET
    sha256: Sha256 | UnsetType = UNSET
    bytes: Size = 0


class FileRequest(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The request a cassette answers. The body is one of json, text, form, multipart, sha256."""

    method: str = "GET"
    path: Annotated[str, Meta(description="As sent, or a template such as /users/{id} or /files/**")]
    query: Values | UnsetType = UNSET
    headers: HeaderValues = {}
    json: Raw | UnsetType = UNSET
    layout: str | None = None
    text: str | UnsetType = UNSET
    form: Values | UnsetType = UNSET
    multipart: list[FilePart] | UnsetType = UNSET
    sha256: Sha256 | UnsetType = UNSET
    bytes: Size = 0


class FileMessage(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One message on a WebSocket, or its close. The content is one of json, text, base64, file, close."""

    sender: Literal["client", "server"] = msgspec.field(name="from")
    json: Raw | UnsetType = UNSET
    layout: str | None = None
    text: str | UnsetType = UNSET
    base64: Annotated[str | UnsetType, Meta(description="A binary message")] = UNSET
    file: Annotated[
        str | UnsetType, Meta(description="A sibling file that holds the message, text if its extension says so")
    ] = UNSET
    close: Annotated[int | UnsetType, Meta(description="The code; 1005 is none, 1006 a connection that just ended")] = (
        UNSET
    )
    reason: Annotated[str, Meta(description="Of a close")] = ""
    delay_ms: Annotated[int, Meta(ge=0, description="Since the message before")] = 0


class FilePause(Struct, forbid_unknown_fields=True):
    """Where a body paused, in bytes from its beginning, and for how many milliseconds."""

    at: Size
    ms: Size


class FileResponse(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One response. The body is one of json, text, events, file, or the messages of a WebSocket."""

    after: Annotated[str, Meta(description="The write that brought this response about, such as POST /items x2")] = ""
    status: int = 200
    reason: str | UnsetType = UNSET
    headers: HeaderValues = {}
    json: Raw | UnsetType = UNSET
    layout: Annotated[
        str | None, Meta(description="White space of the JSON on the wire: compact, spaced, indent-N")
    ] = None
    text: str | UnsetType = UNSET
    events: Annotated[
        list[dict[str, Raw]] | UnsetType,
        Meta(description="A stream: event, id, data, retry, comment, or text alone, each with delay_ms"),
    ] = UNSET
    file: Annotated[str | UnsetType, Meta(description="A sibling file that holds the body")] = UNSET
    messages: Annotated[list[FileMessage] | UnsetType, Meta(description="What was said on a WebSocket, in order")] = (
        UNSET
    )
    rewrite: Annotated[bool, Meta(description="Whether {{origin}} becomes the client's origin")] = True
    encoded: Annotated[bool, Meta(description="Whether the file still is in its content-encoding")] = False
    truncated: Annotated[bool, Meta(description="Whether the stream went on when recording it ended")] = False
    pauses: Annotated[list[FilePause], Meta(description="Where the body paused, and for how long")] = []
    recorded_at: str = ""
    elapsed_ms: Size = 0


class FileCassette(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A replaymock cassette, version 1."""

    version: Annotated[int, Meta(ge=1)] = 1
    request: FileRequest
    responses: list[FileResponse]


def _as_dumped(kind: type[Struct]) -> type[Struct]:
    """A struct of the same members in the order of `writer.dump`, each left as it stands, or UNSET where it is not."""
    members = [
        (each.name, _or_unset(_dumped_type(each.type)), msgspec.field(name=each.encode_name, default=UNSET))
        for each in sorted(structs.fields(kind), key=lambda each: _place(kind, each.name))
    ]
    return msgspec.defstruct(f"Dumped{kind.__name__}", members, forbid_unknown_fields=True)


def _place(kind: type[Struct], name: str) -> float:
    """Where a member is written: at its place above, but a layout behind the file that may hold the JSON."""
    names = kind.__struct_fields__
    return names.index("file") + 0.5 if name == "layout" and "file" in names else names.index(name)


def _dumped_type(declared: object) -> object:
    origin, arguments = get_origin(declared), get_args(declared)
    if origin in (Annotated, UnionType):
        return _dumped_type(arguments[0])
    if origin is dict:
        return dict[str, Raw]
    if origin is list:
        return GenericAlias(list, (_dumped_type(arguments[0]),))
    return _as_dumped(declared) if isinstance(declared, type) and issubclass(declared, Struct) else Raw


def _or_unset(kind: object) -> object:
    return or_(kind, UnsetType)


AS_DUMPED = _as_dumped(FileCassette)
"""A cassette as `writer.dump` spells it: what was not there is not there when encoded again, so only a file in which
every key is in its place, once, comes back byte for byte."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a cassette file."""

    def any_json(kind: type) -> dict[str, Any]:
        if kind is Raw:
            return {"description": "Any JSON value"}
        raise NotImplementedError(kind)

    schema = msgspec.json.schema(FileCassette, schema_hook=any_json)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "replaymock cassette", **schema}
