"""What makes two requests the same, and what tells two different ones apart.

A request is brought to canonical form (redacted, decoded, sorted, without what is ignored); its key is that form made
hashable. Stored and live requests go through the same functions.
"""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from replaymock.http import bodies, json_tokens, media_types
from replaymock.http.headers import get, media_type
from replaymock.http.messages import Request
from replaymock.http.uri import Pairs, normal_path, parse_query, pattern
from replaymock.matching import graphql
from replaymock.matching.canonical import Canonical, Selector, ignore
from replaymock.redaction.redactor import Redactor, anonymous, forget_names, shortened

Key = tuple[Any, ...]
KnownBody = tuple[str, Any]
"""Kind and body of a canonical request."""

SOCKET: KnownBody = ("websocket", None)
"""What a request for a WebSocket has for a body, so that it is told apart from one for a page at the same path."""

IGNORE_KINDS = ("query", "header", "form", "json", "body", "trailing-slash")
VOLATILE_KINDS = ("header", "json", "value")


class Rule(Struct, frozen=True):
    """What to ignore, and which headers take part, for the requests whose path a glob matches.

    `volatile` is what says nothing in their answers.
    """

    path: str = "/**"
    method: str = ""
    ignore: tuple[Selector, ...] = ()
    headers: tuple[str, ...] = ()
    volatile: tuple[Selector, ...] = ()


class Difference(Struct, frozen=True):
    """One field in which a request is not what was recorded; None where the field is absent."""

    field: str
    recorded: Any
    received: Any


class Matcher:
    """Brings requests to canonical form under a set of rules."""

    def __init__(self, rules: tuple[Rule, ...] = (), redactor: Redactor | None = None) -> None:
        self._rules = rules
        self.redactor = redactor or Redactor()
        self.uses_headers = any(rule.headers for rule in rules)
        self._has_volatile = any(rule.volatile for rule in rules)

    def canonical(self, request: Request, known: KnownBody | None = None) -> Canonical:
        """The canonical form of a request; `known` stands for a stored body whose bytes were not kept."""
        return self.read(request, known)[0]

    def read(self, request: Request, known: KnownBody | None = None) -> tuple[Canonical, str]:
        """The canonical form of a request, and its target as it may stand in logs and pages."""
        return self.read_hidden(request, self.hidden(request), known)

    def hidden(self, request: Request) -> Request:
        """A request without secrets, its content decoded, with no header but those that have a say."""
        names = _headers_named(self._rules_for(request))
        return self.redactor.request(_with_only(request, names), anonymous)

    def read_hidden(self, request: Request, hidden: Request, known: KnownBody | None = None) -> tuple[Canonical, str]:
        """What a request comes down to, of which secrets are hidden already; the rules are those for it as it came."""
        rules = self._rules_for(request)
        names = _headers_named(rules)
        request = hidden
        path, _, query = request.target.partition("?")
        kind, body, text = (*known, "") if known else _canonical_body(request)
        found = Canonical(
            method=request.method,
            path=normal_path(path),
            query=_sorted_pairs(query),
            headers=tuple((name, forget_names(get(request.headers, name))) for name in names),
            kind=kind,
            body=body,
            text=text,
        )
        return ignore([selector for rule in rules for selector in rule.ignore], found), shortened(request.target)

    def key(self, request: Request, known: KnownBody | None = None) -> Key:
        """The key of a request: equal for two requests exactly when they are answered alike."""
        return key_of(self.canonical(request, known))

    def message(self, request: Request, data: bytes, *, is_text: bool) -> Canonical:
        """A message on the WebSocket that a request opened, under the rules for its path."""
        data = self.redactor.message(data, anonymous, is_text=is_text)
        kind, body = _canonical_text(data) if is_text else ("bytes", bodies.digest(data))
        found = Canonical("GET", normal_path(request.path), kind=kind, body=body)
        return ignore([selector for rule in self._rules_for(request) for selector in rule.ignore], found)

    def volatile(self, request: Request) -> tuple[Selector, ...]:
        """What says nothing in the answers to a request."""
        if not self._has_volatile:
            return ()
        return tuple(selector for rule in self._rules_for(request) for selector in rule.volatile)

    def _rules_for(self, request: Request) -> list[Rule]:
        if not self._rules:
            return []
        path = normal_path(request.path)
        return [
            rule
            for rule in self._rules
            if (rule.path == "/**" or pattern(rule.path).match(path)) and rule.method in ("", request.method)
        ]


def _headers_named(rules: list[Rule]) -> list[str]:
    return sorted({name for rule in rules for name in rule.headers})


def _with_only(request: Request, names: list[str]) -> Request:
    """The request with no headers but those that have a say: the named ones, and what tells how to read its body."""
    wanted = (*names, "content-type", "content-encoding") if request.body else names
    headers = tuple(pair for pair in request.headers if pair[0].lower() in wanted) if wanted else ()
    return Request(request.method, request.target, headers, request.body)


def key_of(request: Canonical) -> Key:
    """A canonical request as one hashable value: method, path, query, headers, kind of body, body."""
    body = request.body
    if request.kind == "json":
        body = json_tokens.canonical(body)
    return (request.method, request.path, request.query, request.headers, request.kind, body)


def differences(recorded: Canonical, received: Canonical) -> list[Difference]:
    """The fields in which two requests differ, named as the selectors that would ignore them."""
    found = []
    if recorded.method != received.method:
        found.append(Difference("method", recorded.method, received.method))
    if recorded.path != received.path:
        found.append(Difference("path", recorded.path, received.path))
    found += _field_differences(_grouped("query", recorded.query), _grouped("query", received.query))
    found += _field_differences(_grouped("header", recorded.headers), _grouped("header", received.headers))
    return found + _body_differences(recorded, received)


def _canonical_body(request: Request) -> tuple[str, Any, str]:
    """Kind and body of a canonical request, and its text."""
    if not request.body:
        return "", None, ""
    # What is stored as a digest is compared as one, also when its bytes are at hand.
    kept = bodies.kept(get(request.headers, "content-type"), request.body)
    if isinstance(kept, bodies.Digest):
        return "bytes", kept.sha256, ""
    if isinstance(kept, bodies.Multipart):
        return "multipart", multipart_pairs(kept), ""
    media = media_type(request.headers)
    found = next(filter(None, (parse(request) for applies, parse in _FORMS if applies(media))), None)
    if found:
        return *found, ""
    return "bytes", bodies.digest(request.body), forget_names(kept.text) if isinstance(kept, bodies.Text) else ""


def _canonical_json(request: Request) -> KnownBody | None:
    try:
        return "json", graphql.canonical(json_tokens.parse(forget_names(request.body.decode("utf-8"))))
    except ValueError:
        return None


def _canonical_text(data: bytes) -> KnownBody:
    """A text message: parsed where it is a JSON object or array, else the text."""
    text = forget_names(data.decode("utf-8", "replace"))
    if text.lstrip()[:1] in ("{", "["):
        with contextlib.suppress(ValueError):
            return "json", json_tokens.parse(text)
    return "text", text


def _canonical_graphql(request: Request) -> KnownBody | None:
    return "json", {"query": graphql.normal_query(forget_names(request.body.decode("utf-8", "replace")))}


def _canonical_form(request: Request) -> KnownBody | None:
    return "form", _sorted_pairs(request.body.decode("latin-1"))


def multipart_pairs(body: bodies.Multipart) -> tuple[tuple[str, str], ...]:
    """The parts of a multipart body by name: what they hold, or for files and binary the name and a SHA-256."""
    return tuple((part.name, _part_content(part)) for part in body.parts)


def _part_content(part: bodies.Part) -> str:
    content = part.body
    if part.filename is None and isinstance(content, bodies.Text):
        return forget_names(content.text)
    media = part.content_type.partition(";")[0].strip().lower()
    if isinstance(content, bodies.Digest):
        digest = content.sha256
    else:
        digest = bodies.digest(bodies.decode(content, part.content_type or "text/plain"))
    return f"{part.filename or ''};{media};{digest}"


def _body_differences(recorded: Canonical, received: Canonical) -> list[Difference]:
    if SOCKET[0] in (recorded.kind, received.kind) and recorded.kind != received.kind:
        upgrades = (kind if kind == SOCKET[0] else None for kind in (recorded.kind, received.kind))
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


def _sorted_pairs(encoded: str) -> Pairs:
    """The pairs of a query or form as a multiset; placeholders are looked for once decoded, as clients encode them."""
    pairs = ((forget_names(name), value and forget_names(value)) for name, value in parse_query(encoded))
    return tuple(sorted(pairs, key=_pair_order))


def _pair_order(pair: tuple[str, str | None]) -> tuple[str, bool, str]:
    name, value = pair
    return name, value is not None, value or ""


_FORMS: list[tuple[Callable[[str], bool], Callable[[Request], KnownBody | None]]] = [
    (media_types.is_json, _canonical_json),
    (lambda media: media == media_types.FORM_TYPE, _canonical_form),
    (lambda media: media == "application/graphql", _canonical_graphql),
]
