"""The types of a cassette file, version 1, as they stand in JSON; the shipped JSON Schema is made from them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

Values = dict[str, str | list[str | None] | None]
Size = Annotated[int, Meta(ge=0)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="In lower-case hex")]
HeaderValues = dict[str, str | list[str]]


class FilePart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One part of a multipart request body."""

    name: str
    filename: str | None = None
    content_type: str = ""
    json: Raw | UnsetType = UNSET
    layout: str | None = None
    text: str | UnsetType = UNSET
    sha256: Sha256 | UnsetType = UNSET
    bytes: Size = 0


class FileRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
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


class FileMessage(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
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


class FilePause(msgspec.Struct, forbid_unknown_fields=True):
    """Where a body paused, in bytes from its beginning, and for how many milliseconds."""

    at: Size
    ms: Size


class FileResponse(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
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
    rewrite: Annotated[bool, Meta(description="Whether {{origin}} becomes the caller's origin")] = True
    encoded: Annotated[bool, Meta(description="Whether the file still is in its content-encoding")] = False
    truncated: Annotated[bool, Meta(description="Whether the stream went on when recording it ended")] = False
    pauses: Annotated[list[FilePause], Meta(description="Where the body paused, and for how long")] = []
    recorded_at: str = ""
    elapsed_ms: Size = 0


class FileCassette(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A replaymock cassette, version 1."""

    version: Annotated[int, Meta(ge=1)] = 1
    request: FileRequest
    responses: list[FileResponse]


_Given = Raw | UnsetType
_Members = dict[str, Raw] | UnsetType


class _DumpedPart(msgspec.Struct, forbid_unknown_fields=True):
    name: _Given = UNSET
    filename: _Given = UNSET
    content_type: _Given = UNSET
    json: _Given = UNSET
    layout: _Given = UNSET
    text: _Given = UNSET
    sha256: _Given = UNSET
    bytes: _Given = UNSET


class _DumpedRequest(msgspec.Struct, forbid_unknown_fields=True):
    method: _Given = UNSET
    path: _Given = UNSET
    query: _Members = UNSET
    headers: _Members = UNSET
    json: _Given = UNSET
    layout: _Given = UNSET
    text: _Given = UNSET
    form: _Members = UNSET
    multipart: list[_DumpedPart] | UnsetType = UNSET
    sha256: _Given = UNSET
    bytes: _Given = UNSET


class _DumpedMessage(msgspec.Struct, forbid_unknown_fields=True):
    sender: _Given = msgspec.field(name="from", default=UNSET)
    json: _Given = UNSET
    text: _Given = UNSET
    base64: _Given = UNSET
    file: _Given = UNSET
    layout: _Given = UNSET
    close: _Given = UNSET
    reason: _Given = UNSET
    delay_ms: _Given = UNSET


class _DumpedPause(msgspec.Struct, forbid_unknown_fields=True):
    at: _Given = UNSET
    ms: _Given = UNSET


class _DumpedResponse(msgspec.Struct, forbid_unknown_fields=True):
    after: _Given = UNSET
    status: _Given = UNSET
    reason: _Given = UNSET
    headers: _Members = UNSET
    json: _Given = UNSET
    text: _Given = UNSET
    events: list[dict[str, Raw]] | UnsetType = UNSET
    file: _Given = UNSET
    layout: _Given = UNSET
    messages: list[_DumpedMessage] | UnsetType = UNSET
    rewrite: _Given = UNSET
    encoded: _Given = UNSET
    truncated: _Given = UNSET
    pauses: list[_DumpedPause] | UnsetType = UNSET
    recorded_at: _Given = UNSET
    elapsed_ms: _Given = UNSET


class AsDumped(msgspec.Struct, forbid_unknown_fields=True):
    """A cassette as `cassette.dump` spells it, each value as it stands, and each object's keys in their one order.

    What was not there is not there when encoded again, so only a file in which every key is in its place, once, comes
    back byte for byte.
    """

    version: _Given = UNSET
    request: _DumpedRequest | UnsetType = UNSET
    responses: list[_DumpedResponse] | UnsetType = UNSET


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a cassette file."""

    def any_json(kind: type) -> dict[str, Any]:
        if kind is Raw:
            return {"description": "Any JSON value"}
        raise NotImplementedError(kind)

    schema = msgspec.json.schema(FileCassette, schema_hook=any_json)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "replaymock cassette", **schema}
