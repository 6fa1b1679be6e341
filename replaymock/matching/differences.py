"""Compares two canonical requests field by field: what was recorded and what was received."""

import json
from typing import Any

from msgspec import Struct

from replaymock.cassettes.model import WEBSOCKET_BODY
from replaymock.http import json_tokens
from replaymock.matching.canonical import CanonicalRequest


class Difference(Struct, frozen=True):
    """One field that differs. A value is None where the field is absent."""

    field: str
    recorded: Any
    received: Any


def differences(recorded: CanonicalRequest, received: CanonicalRequest) -> list[Difference]:
    """The fields in which two requests differ, named like the selectors that would ignore them."""
    differing = []
    if recorded.method != received.method:
        differing.append(Difference("method", recorded.method, received.method))
    if recorded.path != received.path:
        differing.append(Difference("path", recorded.path, received.path))
    differing += _field_differences(_grouped("query", recorded.query), _grouped("query", received.query))
    differing += _field_differences(_grouped("header", recorded.headers), _grouped("header", received.headers))
    return differing + _body_differences(recorded, received)


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
        if name not in recorded or name not in received or not _is_same_value(recorded[name], received[name])
    ]


def _is_same_value(value: Any, other: Any) -> bool:
    """Equality as in JSON, where true is not 1."""
    return json_tokens.canonical(value) == json_tokens.canonical(other)


def _grouped(kind: str, pairs: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    groups: dict[str, list[Any]] = {}
    for name, value in pairs:
        groups.setdefault(f"{kind}:{name}", []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in groups.items()}


def _json_differences(recorded: Any, received: Any, path: str) -> list[Difference]:
    """The highest places at which two JSON values differ."""
    if isinstance(recorded, dict) and isinstance(received, dict):
        differing = []
        for name in [*recorded, *(name for name in received if name not in recorded)]:
            step = path + _member_step(name)
            if name in recorded and name in received:
                differing += _json_differences(recorded[name], received[name], step)
            else:
                differing.append(Difference(step, recorded.get(name), received.get(name)))
        return differing
    if isinstance(recorded, list) and isinstance(received, list) and len(recorded) == len(received):
        pairs = enumerate(zip(recorded, received, strict=True))
        return [
            differing for at, (value, other) in pairs for differing in _json_differences(value, other, f"{path}[{at}]")
        ]
    return [] if _is_same_value(recorded, received) else [Difference(path, recorded, received)]


def _member_step(name: str) -> str:
    if name.isidentifier() and name.isascii():
        return f".{name}"
    escaped = json.dumps(name, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"['{escaped}']"
