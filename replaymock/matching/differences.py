"""How two canonical requests differ, field by field: what was recorded and what came."""

import json
from typing import Any

from msgspec import Struct

from replaymock.cassettes.model import WEBSOCKET_BODY
from replaymock.http import json_tokens
from replaymock.matching.canonical import CanonicalRequest


class Difference(Struct, frozen=True):
    """One field in which a request is not what was recorded; None where the field is absent."""

    field: str
    recorded: Any
    received: Any


def differences(recorded: CanonicalRequest, received: CanonicalRequest) -> list[Difference]:
    """The fields in which two requests differ, named as the selectors that would ignore them."""
    found = []
    if recorded.method != received.method:
        found.append(Difference("method", recorded.method, received.method))
    if recorded.path != received.path:
        found.append(Difference("path", recorded.path, received.path))
    found += _field_differences(_grouped("query", recorded.query), _grouped("query", received.query))
    found += _field_differences(_grouped("header", recorded.headers), _grouped("header", received.headers))
    return found + _body_differences(recorded, received)


def _body_differences(recorded: CanonicalRequest, received: CanonicalRequest) -> list[Difference]:
    if WEBSOCKET_BODY[0] in (recorded.kind, received.kind) and recorded.kind != received.kind:
        upgrades = (kind if kind == WEBSOCKET_BODY[0] else None for kind in (recorded.kind, received.kind))
        return [Difference("upgrade", *upgrades)]
    if recorded.kind != received.kind:
        return [Difference("body", recorded.kind or None, received.kind or None)]
    if recorded.kind == "json":
        return _json_differences(recorded.body, received.body, "json:$")
    if recorded.kind in ("form", "multipart"):
        return _field_differences(_grouped("form", recorded.body), _grouped("form", received.body))
    if recorded.kind == "text" and recorded.body != received.body:
        return [Difference("body", recorded.body, received.body)]
    if recorded.body != received.body:
        return [Difference("body", f"sha256 {recorded.body}", f"sha256 {received.body}")]
    return []


def _field_differences(recorded: dict[str, Any], received: dict[str, Any]) -> list[Difference]:
    names = [*recorded, *(name for name in received if name not in recorded)]
    return [
        Difference(name, recorded.get(name), received.get(name))
        for name in names
        if name not in recorded or name not in received or not _same(recorded[name], received[name])
    ]


def _same(one: Any, other: Any) -> bool:
    """Equality in which, as in JSON, true is not 1."""
    return json_tokens.canonical(one) == json_tokens.canonical(other)


def _grouped(kind: str, pairs: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(f"{kind}:{name}", []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _json_differences(recorded: Any, received: Any, path: str) -> list[Difference]:
    """Where two values part, as high up as one side has nothing to compare."""
    if isinstance(recorded, dict) and isinstance(received, dict):
        found = []
        for name in [*recorded, *(name for name in received if name not in recorded)]:
            step = path + _member_step(name)
            if name in recorded and name in received:
                found += _json_differences(recorded[name], received[name], step)
            else:
                found.append(Difference(step, recorded.get(name), received.get(name)))
        return found
    if isinstance(recorded, list) and isinstance(received, list) and len(recorded) == len(received):
        pairs = enumerate(zip(recorded, received, strict=True))
        return [found for at, (one, other) in pairs for found in _json_differences(one, other, f"{path}[{at}]")]
    return [] if _same(recorded, received) else [Difference(path, recorded, received)]


def _member_step(name: str) -> str:
    if name.isidentifier() and name.isascii():
        return f".{name}"
    escaped = json.dumps(name, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"['{escaped}']"
