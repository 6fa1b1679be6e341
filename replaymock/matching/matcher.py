"""What makes two requests the same, and what tells two different ones apart.

A request is brought to canonical form (redacted, decoded, sorted, without what is ignored); its key is that form made
hashable. Stored and live requests go through the same functions.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from replaymock.cassettes.model import KnownBody, multipart_pairs
from replaymock.cassettes.path_templates import compile_template
from replaymock.http import bodies, json_tokens, media_types
from replaymock.http.headers import get, media_type
from replaymock.http.messages import Request
from replaymock.http.selectors import Selector
from replaymock.http.uri import Pairs, normal_path, parse_query
from replaymock.matching import graphql
from replaymock.matching.canonical import CanonicalRequest, apply_ignores
from replaymock.matching.rules import MatchRule
from replaymock.redaction.placeholders import anonymous
from replaymock.redaction.redactor import Redactor, normalize_placeholders, shortened

Key = tuple[Any, ...]


class Matcher:
    """Brings requests to canonical form under a set of rules."""

    def __init__(self, rules: tuple[MatchRule, ...] = (), redactor: Redactor | None = None) -> None:
        self._rules = rules
        self.redactor = redactor or Redactor()
        self.uses_headers = any(rule.headers for rule in rules)
        self._has_volatile = any(rule.volatile for rule in rules)

    def canonical(self, request: Request, known: KnownBody | None = None) -> CanonicalRequest:
        """The canonical form of a request; `known` stands for a stored body whose bytes were not kept."""
        return self.read(request, known)[0]

    def read(self, request: Request, known: KnownBody | None = None) -> tuple[CanonicalRequest, str]:
        """The canonical form of a request, and its target as it may stand in logs and pages."""
        return self.read_hidden(request, self.hidden(request), known)

    def hidden(self, request: Request) -> Request:
        """A request without secrets, its content decoded, with no header but those that have a say."""
        names = _headers_named(self._rules_for(request))
        return self.redactor.request(_with_only(request, names), anonymous)

    def read_hidden(
        self, request: Request, hidden: Request, known: KnownBody | None = None
    ) -> tuple[CanonicalRequest, str]:
        """What a request comes down to, of which secrets are hidden already; the rules are those for it as it came."""
        rules = self._rules_for(request)
        names = _headers_named(rules)
        request = hidden
        path, _, query = request.target.partition("?")
        kind, body, text = (*known, "") if known else _canonical_body(request)
        found = CanonicalRequest(
            method=request.method,
            path=normal_path(path),
            query=_sorted_pairs(query),
            headers=tuple((name, normalize_placeholders(get(request.headers, name))) for name in names),
            kind=kind,
            body=body,
            text=text,
        )
        return apply_ignores([selector for rule in rules for selector in rule.ignore], found), shortened(request.target)

    def key(self, request: Request, known: KnownBody | None = None) -> Key:
        """The key of a request: equal for two requests exactly when they are answered alike."""
        return key_of(self.canonical(request, known))

    def message(self, request: Request, data: bytes, *, is_text: bool) -> CanonicalRequest:
        """A message on the WebSocket that a request opened, under the rules for its path."""
        data = self.redactor.message(data, anonymous, is_text=is_text)
        kind, body = _canonical_text(data) if is_text else ("bytes", bodies.digest(data))
        found = CanonicalRequest("GET", normal_path(request.path), kind=kind, body=body)
        return apply_ignores([selector for rule in self._rules_for(request) for selector in rule.ignore], found)

    def volatile(self, request: Request) -> tuple[Selector, ...]:
        """What says nothing in the answers to a request."""
        if not self._has_volatile:
            return ()
        return tuple(selector for rule in self._rules_for(request) for selector in rule.volatile)

    def _rules_for(self, request: Request) -> list[MatchRule]:
        if not self._rules:
            return []
        path = normal_path(request.path)
        return [
            rule
            for rule in self._rules
            if (rule.path == "/**" or compile_template(rule.path).match(path)) and rule.method in ("", request.method)
        ]


def _headers_named(rules: list[MatchRule]) -> list[str]:
    return sorted({name for rule in rules for name in rule.headers})


def _with_only(request: Request, names: list[str]) -> Request:
    """The request with no headers but those that have a say: the named ones, and what tells how to read its body."""
    wanted = (*names, "content-type", "content-encoding") if request.body else names
    headers = tuple(pair for pair in request.headers if pair[0].lower() in wanted) if wanted else ()
    return Request(request.method, request.target, headers, request.body)


def key_of(request: CanonicalRequest) -> Key:
    """A canonical request as one hashable value: method, path, query, headers, kind of body, body."""
    body = request.body
    if request.kind == "json":
        body = json_tokens.canonical(body)
    return (request.method, request.path, request.query, request.headers, request.kind, body)


def _canonical_body(request: Request) -> tuple[str, Any, str]:
    """Kind and body of a canonical request, and its text."""
    if not request.body:
        return "", None, ""
    # What is stored as a digest is compared as one, also when its bytes are at hand.
    kept = bodies.stored_form(get(request.headers, "content-type"), request.body)
    if isinstance(kept, bodies.Digest):
        return "bytes", kept.sha256, ""
    if isinstance(kept, bodies.Multipart):
        return "multipart", multipart_pairs(kept), ""
    media = media_type(request.headers)
    found = next(filter(None, (parse(request) for applies, parse in _FORMS if applies(media))), None)
    if found:
        return *found, ""
    return (
        "bytes",
        bodies.digest(request.body),
        normalize_placeholders(kept.text) if isinstance(kept, bodies.Text) else "",
    )


def _canonical_json(request: Request) -> KnownBody | None:
    try:
        return "json", graphql.canonical(json_tokens.parse(normalize_placeholders(request.body.decode("utf-8"))))
    except ValueError:
        return None


def _canonical_text(data: bytes) -> KnownBody:
    """A text message: parsed where it is a JSON object or array, else the text."""
    text = normalize_placeholders(data.decode("utf-8", "replace"))
    if text.lstrip()[:1] in ("{", "["):
        with contextlib.suppress(ValueError):
            return "json", json_tokens.parse(text)
    return "text", text


def _canonical_graphql(request: Request) -> KnownBody | None:
    return "json", {"query": graphql.normal_query(normalize_placeholders(request.body.decode("utf-8", "replace")))}


def _canonical_form(request: Request) -> KnownBody | None:
    return "form", _sorted_pairs(request.body.decode("latin-1"))


def _sorted_pairs(encoded: str) -> Pairs:
    """The pairs of a query or form as a multiset; placeholders are looked for once decoded, as clients encode them."""
    pairs = (
        (normalize_placeholders(name), value and normalize_placeholders(value)) for name, value in parse_query(encoded)
    )
    return tuple(sorted(pairs, key=_pair_order))


def _pair_order(pair: tuple[str, str | None]) -> tuple[str, bool, str]:
    name, value = pair
    return name, value is not None, value or ""


_FORMS: list[tuple[Callable[[str], bool], Callable[[Request], KnownBody | None]]] = [
    (media_types.is_json, _canonical_json),
    (lambda media: media == media_types.FORM_TYPE, _canonical_form),
    (lambda media: media == "application/graphql", _canonical_graphql),
]
