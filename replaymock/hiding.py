"""Secrets inside one text: by the names they are given in URLs, forms, JSON and markup, and by their shape.

Knows texts, not messages. `redaction` says which text of a message is of which kind.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from replaymock import tokens
from replaymock.glance import is_clean
from replaymock.rewrites import Location, Selector
from replaymock.secrets import (
    ASCII_ESCAPE,
    COUNTS_TOO,
    HARMLESS_BELOW,
    SHAPES,
    TEXTS_FOR_PEOPLE,
    hides_below,
    is_harmless_value,
    is_secret_name,
    may_name_secret,
    plain_name,
)
from replaymock.targets import PLACEHOLDER, encode_pair, encode_segment, readable

Label = Callable[[str, str], str]
"""From the name a value was found under and the value to its placeholder."""

Selectors = dict[str, list[Selector]]


class Hider:
    """Applies the tables of `secrets`, and what a team added to them and exempts from them, to texts."""

    def __init__(self, added: Selectors, kept: Selectors) -> None:
        self._added = added
        self._kept = kept
        self._added_values = [re.compile(selector.name) for selector in added["value"]]
        self._kept_values = [re.compile(selector.name) for selector in kept["value"]]

    def shapes(self, text: str, label: Label) -> str:
        """Text with the values in it that have the shape of a credential replaced."""
        for shape in SHAPES:
            if shape.hint in text:
                text = shape.expression.sub(partial(self._group, name=shape.name, label=label), text)
        for expression in self._added_values:
            text = expression.sub(lambda match: self.replaced(match.group(), "value", label), text)
        return text

    def path(self, path: str, label: Label) -> str:
        """A sent path: shapes, and in each segment, decoded, also `;name=value` and URLs."""
        found = self.shapes(path, label)
        if "%" not in found and ";" not in found:
            return found
        return "/".join(self._segment(segment, label) for segment in found.split("/"))

    def urlencoded(self, query: str, kind: str, label: Label) -> str:
        """A sent query, or a form; `kind` is the kind of selector that holds for its names."""
        if not query:
            return query
        return "&".join(self._parameter(item, kind, label) for item in query.split("&"))

    def named(self, kind: str, name: str, value: str, label: Label) -> str:
        """A value found under a name."""
        if self.is_secret(kind, name, is_secret_name):
            return self.replaced(value, name, label)
        return self.loose(value, label)

    def json(self, text: str, label: Label) -> str:
        """JSON text, each value by the keys above it and by what it says; what is no JSON is searched as loose text."""
        if not self._may_hold_secrets(text) or self.is_clean(text):
            return text
        if not _is_json(text):
            return self.loose(text, label)
        return self.walked(text, label)

    def is_clean(self, text: str) -> bool:
        """Whether JSON text surely holds nothing to hide, seen without taking it apart."""
        return not (self._added["json"] or self._added_values) and is_clean(text, self._has_shape)

    def _has_shape(self, text: str) -> bool:
        return self.shapes(text, _hidden) != text

    def walked(self, text: str, label: Label) -> str:
        """Valid JSON text, each value looked at."""
        added, kept = self._places("add", text), self._places("keep", text)
        named: set[tuple[str | int, ...]] = set()

        def visit(path: Sequence[str | int], token: str) -> str | None:
            place = tuple(path)
            if place in kept:
                return None
            if place and place[-1] == "name" and is_secret_name(tokens.string_value(token) or ""):
                # Lists of fields, such as headers: {"name": "Authorization", "value": …}.
                named.add((*place[:-1], "value"))
            return self._json_value(path, token, place in added or place in named, label)

        def visit_key(token: str) -> str | None:
            key = tokens.string_value(token) or ""
            hidden = self.shapes(key, label)
            return None if hidden == key else tokens.string_token(hidden, token)

        return tokens.replace_values(text, visit, visit_key)

    def loose(self, text: str, label: Label) -> str:
        """Text that may be JSON, hold lines of it, code, markup or links."""
        if not (may_name_secret(text) or ASCII_ESCAPE.search(text)):
            return self.shapes(text, label)
        if text.lstrip()[:1] in ("{", "[") and _is_json(text):
            return self.json(text, label)
        if "\n" in text:
            text = _JSON_LINE.sub(lambda match: self._line(match, label), text)
        for expression in (_ESCAPED_MEMBER, _MEMBER, _QUOTED_MEMBER):
            text = expression.sub(lambda match: self._member(match, label), text)
        if "<" in text:
            text = _ELEMENT.sub(lambda match: self._member(match, label), text)
            text = _TAG.sub(lambda match: self._tag(match.group(), label), text)
        return self.shapes(self._parameters(text, label), label)

    def replaced(self, value: str, name: str, label: Label) -> str:
        """The placeholder of a value, unless it is one, is empty or is exempt."""
        if not value or PLACEHOLDER.fullmatch(value) or is_harmless_value(name, value):
            return value
        if any(expression.fullmatch(value) for expression in self._kept_values):
            return value
        return label(name, value)

    def is_secret(self, kind: str, name: str, by_default: Callable[[str], bool]) -> bool:
        """Whether values under this name are secret, by the team's rules or else by default."""
        if _names(self._kept[kind], name):
            return False
        return _names(self._added[kind], name) or by_default(name)

    def _segment(self, segment: str, label: Label) -> str:
        decoded = readable(segment) if "%" in segment else segment
        found = decoded
        if ";" in decoded:
            found = _MATRIX_PARAMETER.sub(lambda match: self._member(match, label), found)
        found = self.loose(found, label)
        if found == decoded:
            return segment
        return encode_segment(found)

    def _parameter(self, item: str, kind: str, label: Label) -> str:
        name, equals, value = item.replace("+", " ").partition("=")
        name, value = readable(name), readable(value)
        hidden_name = self.loose(name, label)
        # Four times encoded is as deep as links in links are followed.
        search = self.named if "%252525" not in value or is_secret_name(name) else self._shapes_named
        hidden = search(kind, name, value, label)
        if hidden_name == name and hidden == value and not PLACEHOLDER.search(value):
            return item
        return encode_pair(hidden_name, hidden if equals else None)

    def _shapes_named(self, _kind: str, _name: str, value: str, label: Label) -> str:
        return self.shapes(value, label)

    def _parameters(self, text: str, label: Label) -> str:
        """Text with its `?name=value` searched; the value of a secret runs on to where a URL parameter can end."""
        out: list[str] = []
        kept_from = position = 0
        while match := _PARAMETER_NAME.search(text, position):
            is_secret = self.is_secret("query", match.group("name"), is_secret_name)
            value = (_WHOLE_VALUE if is_secret else _VALUE).match(text, match.end())
            position = value.end() if value else match.end()
            item = text[match.start("name") : position]
            hidden = self._parameter(item, "query", label) if is_secret or "%" in item else item
            if hidden != item:
                out += [text[kept_from : match.start("name")], hidden]
                kept_from = position
        return "".join([*out, text[kept_from:]])

    def _json_value(self, path: Sequence[str | int], token: str, named: bool, label: Label) -> str | None:
        names = [step for step in path if isinstance(step, str)]
        name = names[-1] if names else ""
        above = next((at for at, found in enumerate(names[:-1]) if hides_below(found)), None)
        if above is not None and not any(plain_name(found) in HARMLESS_BELOW for found in names[above + 1 :]):
            named, name = True, name if is_secret_name(name) else names[above]
        for_people = any(found.lower() in TEXTS_FOR_PEOPLE for found in names[:-1])
        secret = named or (is_secret_name(name) and not for_people)
        value = tokens.string_value(token)
        if value is None:
            counts = not named and plain_name(name) in COUNTS_TOO
            return "0" if secret and not counts and token[0] in "-0123456789" else None
        hidden = self.replaced(value, name or "value", label) if secret else self.loose(value, label)
        return None if hidden == value else tokens.string_token(hidden, token)

    def _line(self, match: re.Match[str], label: Label) -> str:
        before, text = match.groups()
        return before + (self.json(text, label) if _is_json(text) else text)

    def _member(self, match: re.Match[str], label: Label) -> str:
        before, name, between, value = match.groups()
        if not is_secret_name(name.rpartition(":")[2]):
            return match.group()
        hidden = "0" if _NUMBER.fullmatch(value) and between[-1:] not in _QUOTES else self.replaced(value, name, label)
        return f"{before}{name}{between}{hidden}"

    def _tag(self, tag: str, label: Label) -> str:
        attributes = {found[0].lower(): found[2] for found in _ATTRIBUTE.findall(tag)}
        name = attributes.get("name") or attributes.get("property") or ""
        if not is_secret_name(name) or attributes.get("type", "").lower() in ("submit", "checkbox", "radio", "button"):
            return tag
        return _TAG_VALUE.sub(lambda match: match.group(1) + self.replaced(match.group(2), name, label), tag)

    def _group(self, match: re.Match[str], name: str, label: Label) -> str:
        """The match with its `secret` group replaced, or all of it when the shape has none."""
        if "secret" not in match.re.groupindex:
            return self.replaced(match.group(), name, label)
        start, end = match.span("secret")
        offset = match.start()
        hidden = self.replaced(match.group("secret"), name, label)
        return match.group()[: start - offset] + hidden + match.group()[end - offset :]

    def _may_hold_secrets(self, text: str) -> bool:
        return bool(
            may_name_secret(text)
            or any(shape.hint in text for shape in SHAPES)
            or ASCII_ESCAPE.search(text)
            or self._added["json"]
            or self._added_values
        )

    def _places(self, which: str, text: str) -> frozenset[Location]:
        selectors = (self._added if which == "add" else self._kept)["json"]
        if not selectors:
            return frozenset()
        value: Any = tokens.parse(text)
        return frozenset(place for selector in selectors for place in selector.find(value))


def _names(selectors: list[Selector], name: str) -> bool:
    return any(selector.name.lower() == name.lower() for selector in selectors)


def _is_json(text: str) -> bool:
    try:
        tokens.parse(text)
    except ValueError:
        return False
    return True


def _hidden(_name: str, _value: str) -> str:
    return "{{redacted}}"


_QUOTES = ('"', "'")
_NUMBER = re.compile(r"-?[0-9][0-9.eE+\-]*")
_JSON_LINE = re.compile(r"^((?:data:)?[ \t]*)([{\[][^\r\n]*[}\]])(?=[ \t]*\r?$)", re.MULTILINE)
# Each of these matches what stands before a name, the name, what is between, and the value.
_ESCAPED_MEMBER = re.compile(
    r'(?<!\\)(\\{1,8}")([A-Za-z0-9_.\-]{2,64})(\\{1,8}"\s*:\s*\\{1,8}")((?:[^"\\]|\\{1,8}[^"\\])+)'
)
_MEMBER = re.compile(r'(")([A-Za-z0-9_.\-]{2,64})("\s*:\s*)(-?[0-9][0-9.eE+\-]*)')
_QUOTED_MEMBER = re.compile(
    r"""(["']?(?<![A-Za-z0-9_.\-]))([A-Za-z_][A-Za-z0-9_.\-]{1,63})(["']?\s*:\s*(?:"|'))"""
    r"""((?<=")(?:[^"\\]|\\.)+(?=")|(?<=')(?:[^'\\\n]|\\.)+(?='))"""
)
_ELEMENT = re.compile(
    r"(<)([A-Za-z_][A-Za-z0-9_.:\-]{1,63})((?:\s[^<>]*)?>(?:<!\[CDATA\[)?)([^<>\[\]]+)(?=(?:\]\]>)?</)"
)
_TAG = re.compile(r"<(?:input|meta)\b[^<>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([A-Za-z\-]+)\s*=\s*(["'])(.*?)\2""")
_TAG_VALUE = re.compile(r"""(?i)(\s(?:value|content)\s*=\s*["'])([^"'<>]+)""")
_MATRIX_PARAMETER = re.compile(r"(;)([A-Za-z0-9_.\-]{2,64})(=)([^;]+)")
_PARAMETER_NAME = re.compile(r"(?:^|[?&#;]|&amp;)(?P<name>[A-Za-z0-9_][A-Za-z0-9_.\-\[\]%]{1,63})=", re.MULTILINE)
_VALUE = re.compile(r"""[^?&#;"'<>\s\\]*""")
_WHOLE_VALUE = re.compile(r"""[^&#"'<>\s\\]*""")
