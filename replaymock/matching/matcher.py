"""Decides which requests are equal.

A request is brought to canonical form: redacted, decoded, sorted, without what is ignored. Its key is that form as a
hashable value. Stored and live requests go through the same functions.
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
from replaymock.redaction.redactor import Redactor, normalize_placeholders, shorten_target

Key = tuple[Any, ...]


class Matcher:
    """Brings requests to canonical form under a set of rules."""

    def __init__(self, rules: tuple[MatchRule, ...] = (), redactor: Redactor | None = None) -> None:
        self._rules = rules
        self.redactor = redactor or Redactor()
        self.uses_headers = any(rule.headers for rule in rules)
        self._has_volatile = any(rule.volatile for rule in rules)

    def canonical(self, request: Request, known_body: KnownBody | None = None) -> CanonicalRequest:
        """The canonical form of a request. `known_body` replaces a stored body whose bytes were not stored."""
        return self.canonicalize(request, known_body)[0]

    def canonicalize(self, request: Request, known_body: KnownBody | None = None) -> tuple[CanonicalRequest, str]:
        """The canonical form of a request, and its target in a form that may be shown to people."""
        return self.canonicalize_redacted(request, self.redacted(request), known_body)

    def redacted(self, request: Request) -> Request:
        """The request redacted and decoded, with only the headers that matter for matching."""
        names = _header_names(self._rules_for(request))
        return self.redactor.request(_with_headers(request, names), anonymous)

    def canonicalize_redacted(
        self, request: Request, redacted: Request, known_body: KnownBody | None = None
    ) -> tuple[CanonicalRequest, str]:
        """The canonical form of a redacted request, and its target to show.

        The rules are chosen by the original request.
        """
        rules = self._rules_for(request)
        names = _header_names(rules)
        request = redacted
        path, _, query = request.target.partition("?")
        kind, body, text = (*known_body, "") if known_body else _canonical_body(request)
        canonical = CanonicalRequest(
            method=request.method,
            path=normal_path(path),
            query=_sorted_pairs(query),
            headers=tuple((name, normalize_placeholders(get(request.headers, name))) for name in names),
            kind=kind,
            body=body,
            text=text,
        )
        return apply_ignores([selector for rule in rules for selector in rule.ignore], canonical), shorten_target(
            request.target
        )

    def key(self, request: Request, known_body: KnownBody | None = None) -> Key:
        """The key of a request. Two requests have the same key exactly if the same cassette answers them."""
        return key_of(self.canonical(request, known_body))

    def message(self, request: Request, data: bytes, *, is_text: bool) -> CanonicalRequest:
        """The canonical form of a message on the WebSocket that `request` opened, under the rules for its path."""
        data = self.redactor.message(data, anonymous, is_text=is_text)
        kind, body = _canonical_text(data) if is_text else ("bytes", bodies.digest(data))
        canonical = CanonicalRequest("GET", normal_path(request.path), kind=kind, body=body)
        return apply_ignores([selector for rule in self._rules_for(request) for selector in rule.ignore], canonical)

    def volatile(self, request: Request) -> tuple[Selector, ...]:
        """The selectors of what changes without meaning in the responses to a request."""
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


def _header_names(rules: list[MatchRule]) -> list[str]:
    return sorted({name for rule in rules for name in rule.headers})


def _with_headers(request: Request, names: list[str]) -> Request:
    """Removes all headers but the named ones and those that describe the body."""
    kept_names = (*names, "content-type", "content-encoding") if request.body else names
    headers = tuple(pair for pair in request.headers if pair[0].lower() in kept_names) if kept_names else ()
    return Request(request.method, request.target, headers, request.body)


def key_of(request: CanonicalRequest) -> Key:
    """A canonical request as a hashable value: method, path, query, headers, kind of body, body."""
    body = request.body
    if request.kind == "json":
        body = json_tokens.canonical(body)
    return (request.method, request.path, request.query, request.headers, request.kind, body)


def _canonical_body(request: Request) -> tuple[str, Any, str]:
    """The kind and the body of a canonical request, and its text."""
    if not request.body:
        return "", None, ""
    # A body that is stored as a digest is compared as one, even if its bytes are available.
    stored = bodies.stored_form(get(request.headers, "content-type"), request.body)
    if isinstance(stored, bodies.Digest):
        return "bytes", stored.sha256, ""
    if isinstance(stored, bodies.Multipart):
        return "multipart", multipart_pairs(stored), ""
    media = media_type(request.headers)
    parsed = next(filter(None, (parse(request) for applies, parse in _FORMS if applies(media))), None)
    if parsed:
        return *parsed, ""
    return (
        "bytes",
        bodies.digest(request.body),
        normalize_placeholders(stored.text) if isinstance(stored, bodies.Text) else "",
    )


def _canonical_json(request: Request) -> KnownBody | None:
    try:
        return "json", graphql.canonical(json_tokens.parse(normalize_placeholders(request.body.decode("utf-8"))))
    except ValueError:
        return None


def _canonical_text(data: bytes) -> KnownBody:
    """A text message: parsed if it is a JSON object or array, else the text."""
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
    """The sorted pairs of a query or form. They are decoded first, because clients encode placeholders."""
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
