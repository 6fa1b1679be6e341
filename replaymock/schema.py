"""The types of a cassette file, version 1, as they stand in JSON; the shipped JSON Schema is made from them."""

from typing import Annotated, Any

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


class FileResponse(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One response. The body is one of json, text, file."""

    after: Annotated[str, Meta(description="The write that brought this response about, such as POST /items x2")] = ""
    status: int = 200
    reason: str | UnsetType = UNSET
    headers: HeaderValues = {}
    json: Raw | UnsetType = UNSET
    layout: Annotated[
        str | None, Meta(description="White space of the JSON on the wire: compact, spaced, indent-N")
    ] = None
    text: str | UnsetType = UNSET
    file: Annotated[str | UnsetType, Meta(description="A sibling file that holds the body")] = UNSET
    rewrite: Annotated[bool, Meta(description="Whether {{origin}} becomes the caller's origin")] = True
    encoded: Annotated[bool, Meta(description="Whether the file still is in its content-encoding")] = False
    recorded_at: str = ""
    elapsed_ms: Size = 0


class FileCassette(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A replaymock cassette, version 1."""

    version: Annotated[int, Meta(ge=1)] = 1
    request: FileRequest
    responses: list[FileResponse]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a cassette file."""

    def any_json(kind: type) -> dict[str, Any]:
        if kind is Raw:
            return {"description": "Any JSON value"}
        raise NotImplementedError(kind)

    schema = msgspec.json.schema(FileCassette, schema_hook=any_json)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "replaymock cassette", **schema}
