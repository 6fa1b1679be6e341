"""Redaction: secret values become placeholders, in a request or a response, before the disk and before the key.

The same functions serve recording (placeholders numbered by `Numbering`) and matching (`anonymous`), so what was hidden
on disk can never break a match. `secrets` holds the tables of names and shapes.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from replaymock import bodies, mediatypes, tokens
from replaymock.exchange import Request, Response
from replaymock.headers import Headers, get, media_type
from replaymock.rewrites import Location, Selector
from replaymock.secrets import NAME_HINT, SHAPES, is_secret_cookie, is_secret_name
from replaymock.targets import PLACEHOLDER, encode_pair, readable

Label = Callable[[str, str], str]
"""From the name a value was found under and the value to its placeholder."""

KINDS = ("header", "cookie", "query", "form", "json", "value")


def anonymous(_name: str, _value: str) -> str:
    """The placeholder that is used for comparing."""
    return "{{redacted}}"


def forget_names(text: str) -> str:
    """Text in which every placeholder is the anonymous one."""
    return PLACEHOLDER.sub("{{redacted}}", text) if "{{redacted" in text else text


class Numbering:
    """The placeholders of one recording: one for each distinct value, numbered by name from the second on."""

    def __init__(self) -> None:
        self._placeholders: dict[bytes, str] = {}
        self._counts: dict[str, int] = {}

    @property
    def count(self) -> int:
        """How many distinct values were hidden."""
        return len(self._placeholders)

    def __call__(self, name: str, value: str) -> str:
        """The placeholder of `value`, under the name it was first seen with."""
        known = hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
        if known not in self._placeholders:
            label = _UNNAMEABLE.sub("_", name.lower()) or "value"
            self._counts[label] = number = self._counts.get(label, 0) + 1
            self._placeholders[known] = (
                f"{{{{redacted:{label}}}}}" if number == 1 else f"{{{{redacted:{label}:{number}}}}}"
            )
        return self._placeholders[known]


@dataclass(frozen=True, slots=True)
class RedactionRules:
    """What a team adds to the tables, and what it exempts from them."""

    add: tuple[Selector, ...] = ()
    keep: tuple[Selector, ...] = ()


class Redactor:
    """Applies the tables and a team's rules to messages."""

    def __init__(self, rules: RedactionRules = RedactionRules()) -> None:
        self._added = _by_kind(rules.add)
        self._kept = _by_kind(rules.keep)
        self._added_values = [re.compile(selector.name) for selector in self._added["value"]]
        self._kept_values = [re.compile(selector.name) for selector in self._kept["value"]]

    def request(self, request: Request, label: Label) -> Request:
        """The request with its secrets replaced."""
        path, question, query = request.target.partition("?")
        return Request(
            request.method,
            self.text(path, label) + question + self._urlencoded(query, "query", label),
            self.headers(request.headers, label),
            self._body(request.headers, request.body, label),
        )

    def response(self, response: Response, label: Label) -> Response:
        """The response, its content already decoded, with its secrets replaced."""
        return replace(
            response,
            headers=self.headers(response.headers, label),
            body=self._body(response.headers, response.body, label),
        )

    def headers(self, headers: Headers, label: Label) -> Headers:
        """Header fields with secret values, cookies and URL parameters replaced."""
        return tuple((name, self._header(name.lower(), value, label)) for name, value in headers)

    def shown(self, target: str) -> str:
        """A request target as it may stand in logs and pages."""
        shown = self.request(Request("GET", target), anonymous).target
        return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"

    def text(self, text: str, label: Label) -> str:
        """Any text with the values in it that have the shape of a credential replaced."""
        for shape in SHAPES:
            if shape.hint in text:
                text = shape.expression.sub(partial(self._group, name=shape.name, label=label), text)
        for expression in self._added_values:
            text = expression.sub(lambda match: self._replaced(match.group(), "value", label), text)
        return text

    def _header(self, name: str, value: str, label: Label) -> str:
        if name == "cookie":
            return "; ".join(self._cookie(pair, label) for pair in value.split("; "))
        if name == "set-cookie":
            pair, semicolon, attributes = value.partition(";")
            return self._cookie(pair, label) + semicolon + attributes
        if self._is_secret("header", name, is_secret_name):
            scheme, space, credentials = value.partition(" ")
            if space and "authorization" in name:
                return scheme + space + self._replaced(credentials, name, label)
            return self._replaced(value, name, label)
        return self._text_with_parameters(value, label)

    def _cookie(self, pair: str, label: Label) -> str:
        name, equals, value = pair.partition("=")
        if equals and self._is_secret("cookie", name.strip(), is_secret_cookie):
            return name + equals + self._replaced(value, name.strip(), label)
        return name + equals + self.text(value, label)

    def _urlencoded(self, query: str, kind: str, label: Label) -> str:
        if not query:
            return query
        return "&".join(self._parameter(item, kind, label) for item in query.split("&"))

    def _parameter(self, item: str, kind: str, label: Label) -> str:
        name, equals, value = item.replace("+", " ").partition("=")
        if not equals:
            return item
        name, value = readable(name), readable(value)
        hidden = self._named(kind, name, value, label)
        if hidden == value and not PLACEHOLDER.search(value):
            return item
        return encode_pair(name, hidden)

    def _named(self, kind: str, name: str, value: str, label: Label) -> str:
        if self._is_secret(kind, name, is_secret_name):
            return self._replaced(value, name, label)
        return self._text_with_parameters(value, label)

    def _body(self, headers: Headers, body: bytes, label: Label) -> bytes:
        if not body:
            return body
        content_type = get(headers, "content-type")
        media = media_type(headers)
        if media == mediatypes.FORM_TYPE:
            return self._urlencoded(body.decode("latin-1"), "form", label).encode("latin-1")
        if media.startswith("multipart/"):
            parsed = bodies.encode(content_type, body)
            if isinstance(parsed, bodies.Multipart):
                parts = tuple(self._part(part, label) for part in parsed.parts)
                return bodies.decode(bodies.Multipart(parts), content_type)
        if not mediatypes.is_textual(media):
            return body
        charset = mediatypes.charset(content_type)
        try:
            text = body.decode(charset)
        except UnicodeError:
            return body
        redact = self._json if mediatypes.is_json(media) else self._loose_text
        redacted = redact(text, media, label)
        # Not every charset gives the same bytes back (UTF-16 gains a byte order mark).
        return body if redacted == text else redacted.encode(charset)

    def _part(self, part: bodies.Part, label: Label) -> bodies.Part:
        if isinstance(part.body, bodies.Digest):
            return part
        content = bodies.decode(part.body, part.content_type or "text/plain")
        if part.filename is None and self._is_secret("form", part.name, is_secret_name):
            value = content.decode(mediatypes.charset(part.content_type), "replace")
            hidden = self._replaced(value, part.name, label)
            return part if hidden == value else replace(part, body=bodies.Text(hidden))
        if isinstance(part.body, bodies.Binary):
            return part
        redacted = self._body((("content-type", part.content_type or "text/plain"),), content, label)
        changed = bodies.encode(part.content_type or "text/plain", redacted)
        return replace(part, body=changed if isinstance(changed, (bodies.Json, bodies.Text)) else part.body)

    def _json(self, text: str, media: str, label: Label) -> str:
        if not (NAME_HINT.search(text) or any(shape.hint in text for shape in SHAPES) or self._has_own_json_rules()):
            return text
        if not _is_json(text):
            return self._loose_text(text, media, label)
        added, kept = self._places("add", text), self._places("keep", text)

        def visit(path: Sequence[str | int], token: str) -> str | None:
            place = tuple(path)
            return None if place in kept else self._json_value(path, token, place in added, label)

        return tokens.replace_values(text, visit)

    def _json_value(self, path: Sequence[str | int], token: str, named: bool, label: Label) -> str | None:
        name = next((step for step in reversed(path) if isinstance(step, str)), "")
        secret = named or is_secret_name(name)
        value = tokens.string_value(token)
        if value is None:
            return "0" if secret and token[0] in "-0123456789" else None
        hidden = self._replaced(value, name or "value", label) if secret else self._loose_text(value, "", label)
        return None if hidden == value else tokens.string_token(hidden, token)

    def _loose_text(self, text: str, media: str, label: Label) -> str:
        """Text that may hold JSON or links in it; scripts and styles are only searched for shapes."""
        if media not in _SCRIPTS and NAME_HINT.search(text):
            text = _QUOTED_MEMBER.sub(lambda match: self._member(match, label), text)
            text = self._parameters(text, label)
        return self.text(text, label)

    def _member(self, match: re.Match[str], label: Label) -> str:
        before, name, between, value = match.groups()
        if not is_secret_name(name):
            return match.group()
        return f"{before}{name}{between}{self._replaced(value, name, label)}"

    def _text_with_parameters(self, text: str, label: Label) -> str:
        return self.text(self._parameters(text, label), label)

    def _parameters(self, text: str, label: Label) -> str:
        if "=" not in text:
            return text
        return _URL_PARAMETER.sub(lambda match: match.group(1) + self._parameter(match.group(2), "query", label), text)

    def _group(self, match: re.Match[str], name: str, label: Label) -> str:
        """The match with its `secret` group replaced, or all of it when the shape has none."""
        if "secret" not in match.re.groupindex:
            return self._replaced(match.group(), name, label)
        start, end = match.span("secret")
        offset = match.start()
        hidden = self._replaced(match.group("secret"), name, label)
        return match.group()[: start - offset] + hidden + match.group()[end - offset :]

    def _replaced(self, value: str, name: str, label: Label) -> str:
        if not value or PLACEHOLDER.fullmatch(value):
            return value
        if any(expression.fullmatch(value) for expression in self._kept_values):
            return value
        return label(name, value)

    def _is_secret(self, kind: str, name: str, by_default: Callable[[str], bool]) -> bool:
        if _names(self._kept[kind], name):
            return False
        return _names(self._added[kind], name) or by_default(name)

    def _has_own_json_rules(self) -> bool:
        return bool(self._added["json"] or self._added_values)

    def _places(self, which: str, text: str) -> frozenset[Location]:
        selectors = (self._added if which == "add" else self._kept)["json"]
        if not selectors:
            return frozenset()
        value: Any = tokens.parse(text)
        return frozenset(place for selector in selectors for place in selector.find(value))


def _by_kind(selectors: Iterable[Selector]) -> dict[str, list[Selector]]:
    found: dict[str, list[Selector]] = {kind: [] for kind in KINDS}
    for selector in selectors:
        found[selector.kind].append(selector)
    return found


def _names(selectors: list[Selector], name: str) -> bool:
    return any(selector.name.lower() == name.lower() for selector in selectors)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


_SHOWN = 300
_UNNAMEABLE = re.compile(r"[^a-z0-9_.\-]")
_SCRIPTS = frozenset(("text/javascript", "application/javascript", "application/x-javascript", "text/css"))
_QUOTED_MEMBER = re.compile(r'("|\\")([A-Za-z0-9_.\-]{2,64})((?:\\)?"\s*:\s*(?:\\)?")((?:[^"\\]|\\[^"])+)')
_URL_PARAMETER = re.compile(r"([?&#]|&amp;)([A-Za-z0-9_.\-\[\]%]{2,64}=[A-Za-z0-9%._~+/=\-]+)")
