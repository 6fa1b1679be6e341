"""Writes a cassette as text: two-space indent, fixed key order, LF, a final newline."""

from typing import Any

import msgspec

from replaymock.cassettes import websocket
from replaymock.cassettes.model import SWITCHING, VERSION, Cassette, CassetteRequest, RecordedResponse
from replaymock.http import bodies, event_stream, media_types
from replaymock.http.headers import Headers, get
from replaymock.http.status import standard_reason
from replaymock.http.uri import pairs_to_mapping

_MOST_OF_EVENTS = 4 * 1024 * 1024


def dump(cassette: Cassette, name: str) -> dict[str, bytes]:
    """The files of a cassette called `name`: its sidecars first, the cassette last. Names have no folder."""
    files: dict[str, bytes] = {}
    stem = name.rpartition("/")[2].removesuffix(".json")
    responses = []
    for position, recorded in enumerate(cassette.responses):
        ordinal = "" if position == 0 else f".{position + 1}"
        responses.append(_dump_response(recorded, f"{stem}{ordinal}.body", files))
    value = {"version": VERSION, "request": _dump_request(cassette.request), "responses": responses}
    files[f"{stem}.json"] = _pretty(msgspec.json.encode(value))
    return files


def _dump_request(request: CassetteRequest) -> dict[str, Any]:
    members: dict[str, Any] = {"method": request.method, "path": request.path}
    if request.query is not None:
        members["query"] = pairs_to_mapping(request.query)
    if request.headers:
        members["headers"] = _group_headers(request.headers)
    return members | _dump_request_body(request.body)


def _dump_request_body(body: bodies.Body | None) -> dict[str, Any]:
    match body:
        case bodies.Form(fields):
            return {"form": pairs_to_mapping(fields)}
        case bodies.Multipart(parts):
            return {"multipart": [_dump_part(part) for part in parts]}
        case bodies.Json() | bodies.Text() | bodies.Digest():
            return _dump_content(body)
    return {}


def _dump_part(part: bodies.Part) -> dict[str, Any]:
    members: dict[str, Any] = {"name": part.name}
    if part.filename is not None:
        members["filename"] = part.filename
    if part.content_type:
        members["content_type"] = part.content_type
    return members | _dump_content(part.body)


def _dump_content(body: bodies.Body) -> dict[str, Any]:
    match body:
        case bodies.Json(value, "compact"):
            return {"json": msgspec.Raw(value)}
        case bodies.Json(value, layout):
            return {"json": msgspec.Raw(value), "layout": layout}
        case bodies.Text(text):
            return {"text": text}
        case bodies.Digest(sha256, size):
            return {"sha256": sha256, "bytes": size}
    raise TypeError(f"{type(body).__name__} is not kept inside a cassette")


def _dump_response(recorded: RecordedResponse, sidecar: str, files: dict[str, bytes]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if recorded.after:
        members["after"] = recorded.after
    members["status"] = recorded.status
    if recorded.reason != standard_reason(recorded.status):
        members["reason"] = recorded.reason
    if recorded.headers:
        members["headers"] = _group_headers(recorded.headers)
    members |= _dump_response_body(recorded, sidecar, files)
    if not recorded.rewrite:
        members["rewrite"] = False
    if recorded.encoded:
        members["encoded"] = True
    if recorded.truncated:
        members["truncated"] = True
    if recorded.pauses and "events" not in members:
        members["pauses"] = [{"at": at, "ms": milliseconds} for at, milliseconds in recorded.pauses]
    if recorded.recorded_at:
        members["recorded_at"] = recorded.recorded_at
        members["elapsed_ms"] = recorded.elapsed_ms
    return members


def _dump_response_body(recorded: RecordedResponse, sidecar: str, files: dict[str, bytes]) -> dict[str, Any]:
    if recorded.status == SWITCHING:
        return {"messages": websocket.dump(recorded.messages, sidecar.removesuffix(".body"), files)}
    if not recorded.body:
        return {}
    content_type = get(recorded.headers, "content-type")
    stream = _dump_events(recorded, content_type)
    if stream:
        return stream
    body = bodies.Binary(recorded.body) if recorded.encoded else bodies.encode(content_type, recorded.body)
    media = content_type.partition(";")[0].strip().lower()
    name = f"{sidecar}.{media_types.extension(media)}"
    if isinstance(body, (bodies.Form, bodies.Multipart)):
        body = bodies.Text(recorded.body.decode(media_types.charset(content_type)))
    if isinstance(body, bodies.Json) and len(recorded.body) > bodies.INLINE_LIMIT:
        files[name] = _pretty(body.value)
        return {"file": name, "layout": body.layout}
    if isinstance(body, bodies.Binary) or len(recorded.body) > bodies.INLINE_LIMIT:
        files[name] = recorded.body
        return {"file": name}
    return _dump_content(body)


def _dump_events(recorded: RecordedResponse, content_type: str) -> dict[str, Any]:
    """The events of a stream; empty if it is not a stream, or cannot be shown as one."""
    media = content_type.partition(";")[0].strip().lower()
    if recorded.encoded or not event_stream.is_stream(media) or len(recorded.body) > _MOST_OF_EVENTS:
        return {}
    members = event_stream.to_members(media, recorded.body, recorded.pauses)
    if members is None:
        return {}
    return {"events": members[0], "layout": members[1]} if members[1] else {"events": members[0]}


def _group_headers(headers: Headers) -> dict[str, str | list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in grouped.items()}


def _pretty(data: bytes) -> bytes:
    formatted: bytes = msgspec.json.format(data, indent=2)
    return formatted + b"\n"
