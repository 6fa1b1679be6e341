"""Finds secrets in a single text: by their names in URLs, forms, JSON and markup, and by their shape.

It knows texts, not messages: `redactor` decides what kind each text of a message is.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial

from replaymock.http import json_tokens, jwt
from replaymock.http.selectors import Selector, is_named
from replaymock.http.uri import encode_pair, encode_segment, literal_percents, readable
from replaymock.placeholders import REDACTED
from replaymock.redaction import code, loose_text, nested_text
from replaymock.redaction.credential_patterns import CONTEXTUAL, CREDENTIALS
from replaymock.redaction.credential_scanner import CredentialPattern, CredentialScanner, is_everyday
from replaymock.redaction.gitleaks.rules import GitleaksRule, RuleSet
from replaymock.redaction.json_context import (
    Place,
    is_surely_clean,
    may_be_oauth,
    oauth_names_in,
    oauth_parameters,
    secrets_named_by_siblings,
)
from replaymock.redaction.placeholders import (
    ANONYMOUS,
    OpaqueJwts,
    PlaceholderFactory,
    anonymous,
    is_for_response,
    opaque_jwts,
    placeholder_name,
    without_ordinals,
)
from replaymock.redaction.secret_names import (
    AMBIGUOUS_NAMES,
    ASCII_ESCAPE,
    HARMLESS_BELOW,
    hides_subtree,
    is_harmless_value,
    is_label,
    is_secret_name,
    is_ui_text_container,
    is_wss_element,
    may_name_secret,
    plain_name,
)
from replaymock.redaction.wording import InterfaceTexts, is_message

Selectors = dict[str, list[Selector]]


class TextRedactor:
    """Applies the tables of secrets, and a team's additions and exemptions, to texts."""

    def __init__(
        self,
        added: Selectors,
        exempt: Selectors,
        shapes: Sequence[CredentialPattern] = (),
        rules: Sequence[GitleaksRule] = (),
    ) -> None:
        self._shapes = CredentialScanner((*CREDENTIALS, *CONTEXTUAL, *shapes))
        self._rules = RuleSet(rules)
        self._added = added
        self._exempt = exempt
        self._added_values = [re.compile(selector.name) for selector in added["value"]]
        self._exempt_values = [re.compile(selector.name) for selector in exempt["value"]]
        self._has_only_tables = not (self._added_values or rules or self._shapes.anywhere)
        self._shown_name = lru_cache(_NAMES_REMEMBERED)(self._safe_name)

    def shapes(self, text: str, label: PlaceholderFactory) -> str:
        """Replaces the values in a text that have the shape of a credential."""
        return self._scan(text, self._shapes.likely(text), label)

    def _scan(
        self, text: str, likely: Sequence[CredentialPattern], label: PlaceholderFactory, *, is_code: bool = False
    ) -> str:
        for shape in likely:
            text = shape.redact(text, partial(self.hide, name=shape.name, label=label), is_code=is_code)
        text = self._rules.hidden(text, partial(self.hide, label=label))
        for expression in self._added_values:
            text = expression.sub(lambda match: self.hide(match.group(), "value", label), text)
        return text

    def path(self, path: str, label: PlaceholderFactory) -> str:
        """A path as sent: searched as a whole, then each decoded segment, also for `;name=value` and URLs."""
        redacted = self.shapes(path, label)
        if "%" not in redacted and ";" not in redacted and not self._rules.may_be_in(redacted):
            return redacted
        return "/".join(self._segment(segment, label) for segment in redacted.split("/"))

    def urlencoded(self, query: str, kind: str, label: PlaceholderFactory) -> str:
        """A query or a form as sent. `kind` is the kind of selector for its names."""
        if not query:
            return query
        oauth = oauth_names_in(query)
        items = (self._parameter(item, kind, label, oauth) for item in query.split("&"))
        return "&".join(map(loose_text.readable_placeholder, items))

    def named_value(self, kind: str, name: str, value: str, label: PlaceholderFactory) -> str:
        """A value with the name it was found under."""
        if self.is_secret(kind, name, is_secret_name):
            return self.hide(value, name, label)
        # Readable text spells a percent sign `%25` if it could be taken for an escape.
        hidden = self.beside(name, self.value(plain := value.replace("%25", "%"), label), label)
        return value if hidden == plain else literal_percents(hidden)

    def beside(self, name: str, value: str, label: PlaceholderFactory) -> str:
        """Applies a team's own rules to a value, considering the name beside it."""
        return self._rules.beside(name, value, partial(self.hide, label=label))

    def json(self, text: str, label: PlaceholderFactory, *, is_of_texts: bool = False) -> str:
        """JSON text: each value is searched by the keys above it and by its content.

        Other text is searched as free text. With `is_of_texts` the document holds texts for people, such as a
        translation. There words are not secrets.
        """
        if not self._may_hold_secrets(text) or self.is_clean(text):
            return text
        if not json_tokens.is_valid(text):
            return self.free_text(text, label)
        return self.valid_json(text, label, is_of_texts=is_of_texts)

    def is_clean(self, text: str) -> bool:
        """Whether JSON text certainly contains no secret. Fast, because the text is not parsed."""
        if self._added["json"] or self._added_values or self._rules.may_be_in(text):
            return False
        return is_surely_clean(text, lambda string: self.shapes(string, anonymous) != string)

    def valid_json(self, text: str, label: PlaceholderFactory, *, is_of_texts: bool = False) -> str:
        """Searches each value of valid JSON text."""
        texts = InterfaceTexts(partial(_strings, text), is_known=is_of_texts)
        added, exempt, named = self._places("add", text), self._places("keep", text), secrets_named_by_siblings(text)

        def visit(path: Sequence[str | int], token: str) -> str | None:
            place = tuple(path) if added or exempt or named else ()
            if place in exempt:
                return None
            name = named.get(place, "")
            if place in added:
                name = next((step for step in reversed(path) if isinstance(step, str)), "value")
            return self._json_value(path, token, name, label, texts)

        def visit_key(token: str) -> str | None:
            key = json_tokens.string_value(token) or ""
            hidden = self.shapes(key, opaque_jwts(label))
            return None if hidden == key else json_tokens.string_token(hidden, token)

        return json_tokens.replace_values(text, visit, cache(visit_key))

    def free_text(self, text: str, label: PlaceholderFactory) -> str:
        """Text that may be JSON, or contain lines of JSON, markup with or without code, or links."""
        return self._around_code(text, label, self._free_text)

    def _around_code(
        self, text: str, label: PlaceholderFactory, search: Callable[[str, PlaceholderFactory], str]
    ) -> str:
        """Applies `search` to a text. If this is a page, the code in it is searched as code."""
        if not code.may_be_in(text):
            return search(text, label)
        script, data = partial(self.script, label=label), partial(self.json, label=label)
        return code.replace_around(text, script, data, lambda rest: search(rest, label))

    def _free_text(self, text: str, label: PlaceholderFactory) -> str:
        is_spelled = ASCII_ESCAPE.search(text) or nested_text.PERCENT_ENCODED.search(text)
        if not (is_spelled or may_name_secret(text) or may_be_oauth(text) or self._rules.may_be_in(text)):
            return self.shapes(text, label)
        if text.lstrip()[:1] in ("{", "[") and json_tokens.is_valid(text):
            return self.json(text, label)
        if "\n" in text:
            text = nested_text.replace_lines(text, lambda data: self.json(data, label))
        text = loose_text.redact_assignments(text, lambda match: self._member(match, label))
        if "<" in text:
            text = loose_text.redact_attributes(
                text,
                lambda match: self._member(match, label),
                lambda value, name: self.hide(value, name, label),
                oauth_parameters(loose_text.names(text)),
            )
        return self.shapes(self._parameters(text, label), label)

    def value(self, text: str, label: PlaceholderFactory) -> str:
        """A whole value: searched as free text, also within percent-encoding and base64.

        There placeholders have no ordinals.
        """
        if self._has_only_tables and is_everyday(text):
            return text
        return self._around_code(text, label, self._value)

    def _value(self, text: str, label: PlaceholderFactory) -> str:
        redacted = self._free_text(text, label)
        if len(text) < _SHORTEST_ENCODED:
            return redacted
        if nested_text.PERCENT_ENCODED.search(redacted):
            redacted = nested_text.replace_percent(redacted, lambda inner: self.free_text(inner, label))
        return nested_text.replace_base64(redacted, lambda inner: self.free_text(inner, without_ordinals(label)))

    def script(self, text: str, label: PlaceholderFactory) -> str:
        """Code: searched by shapes only, also directly after an escaped line break."""
        likely = self._shapes.likely(text)
        if self._has_only_tables and not likely:
            return text
        mark = next((mark for mark in _LINE_ENDS if mark not in text), "") if "\\n" in text else ""
        redacted = self._scan(text.replace("\\n", mark) if mark else text, likely, label, is_code=True)
        return redacted.replace(mark, "\\n") if mark else redacted

    def source(self, text: str, label: PlaceholderFactory, *, is_of_texts: bool = False) -> str:
        """A body of code. If it only passes JSON to a function (JSONP), that is searched as JSON."""
        redacted = nested_text.replace_argument(text, partial(self.json, label=label, is_of_texts=is_of_texts))
        return self.script(text, label) if redacted is None else redacted

    def events(self, text: str, label: PlaceholderFactory) -> str:
        """A stream of events, also with JSON that extends over several lines."""
        return self.value(nested_text.replace_in_events(text, lambda data: self.json(data, label)), label)

    def hide(self, value: str, name: str, label: PlaceholderFactory) -> str:
        """The placeholder of a value. An empty or exempt value stays, and one that begins with a placeholder.

        Where a value ends depends on the text around it, which may have been hidden since. What was hidden stays
        hidden. But if such a value also contains a credential, it is replaced.
        """
        if not value or (REDACTED.match(value) and not self._shapes.has_match(value)) or is_harmless_value(name, value):
            return value
        # Any text may be a password in a request. A response has labels and messages that mention one.
        speaks_of_one = is_for_response(label) and is_label(name, value)
        is_exempt = any(expression.fullmatch(value) for expression in self._exempt_values)
        if is_exempt or (speaks_of_one and self.free_text(value, anonymous) == value):
            return value
        if jwt.is_hidden(value):
            return ANONYMOUS if label is anonymous else value
        # The anonymous placeholder has no name, and searching names for secrets uses it.
        placeholder = label(name if label is anonymous else self._shown_name(name), value)
        if placeholder == ANONYMOUS or "." not in value or isinstance(label, OpaqueJwts):
            return placeholder
        return jwt.without_signature(value, placeholder, lambda claims: self._claims(claims, label)) or placeholder

    def _safe_name(self, name: str) -> str:
        """The name of a value for its placeholder. A name may contain a secret itself."""
        spellings = f"{name} {placeholder_name(name)}"
        return name if name in self._rules.names or self.shapes(spellings, anonymous) == spellings else "value"

    def is_secret(self, kind: str, name: str, by_default: Callable[[str], bool]) -> bool:
        """Whether values under this name are secret: by the team's rules, else by `by_default`."""
        return not self.is_exempt(kind, name) and (is_named(self._added[kind], name) or by_default(name))

    def is_exempt(self, kind: str, name: str) -> bool:
        """Whether the team exempts values under this name."""
        return bool(self._exempt[kind]) and is_named(self._exempt[kind], name)

    def _claims(self, claims: str, label: PlaceholderFactory) -> str:
        def visit(path: Sequence[str | int], token: str) -> str | None:
            value = json_tokens.string_value(token)
            if value and path and path[0] in jwt.SECRET_CLAIMS:
                return json_tokens.string_token(self.hide(value, str(path[0]), label), token)
            return None

        return json_tokens.replace_values(self.json(claims, label), visit)

    def _segment(self, segment: str, label: PlaceholderFactory) -> str:
        decoded = readable(segment) if "%" in segment else segment
        first, *parameters = decoded.split(";")
        redacted = ";".join(
            [self.free_text(first, label), *(self._matrix_parameter(item, label) for item in parameters)]
        )
        return segment if redacted == decoded else encode_segment(redacted)

    def _matrix_parameter(self, item: str, label: PlaceholderFactory) -> str:
        name, equals, value = item.partition("=")
        secret = equals and is_secret_name(name)
        return name + equals + self.hide(value, name, label) if secret else self.free_text(item, label)

    def _parameter(self, item: str, kind: str, label: PlaceholderFactory, oauth: frozenset[str] = frozenset()) -> str:
        name, equals, value = item.replace("+", " ").partition("=")
        name, value = readable(name), readable(value)
        hidden_name = self.free_text(name, label)
        if name in oauth and not self.is_exempt(kind, name):
            hidden = self.hide(value, name, label)
        elif "%252525" in value and not is_secret_name(name):
            hidden = self.shapes(value, label)  # links within links are followed no deeper than four encodings
        else:
            hidden = self.named_value(kind, name, value, label)
        if hidden_name != name:  # next time the hidden name no longer marks the value
            hidden = self.named_value(kind, hidden_name, hidden, label)
        elif hidden == value:
            return item
        return encode_pair(hidden_name, hidden if equals else None)

    def _parameters(self, text: str, label: PlaceholderFactory) -> str:
        oauth = oauth_names_in(text)

        def is_secret(name: str) -> bool:
            return self.is_secret("query", name, lambda name: name in oauth or is_secret_name(name))

        def change(item: str, is_hidden: bool) -> str:
            is_searched = is_hidden or "%" in item or self._rules.may_be_in(item)
            changed = self._parameter(item, "query", label, oauth) if is_searched else item  # or hidden as known
            return loose_text.readable_placeholder(changed) if nested_text.PERCENT_ENCODED.search(item) else changed

        return loose_text.redact_url_parameters(text, is_secret, change)

    def _json_value(
        self, path: Sequence[str | int], token: str, named: str, label: PlaceholderFactory, texts: InterfaceTexts
    ) -> str | None:
        if token in ("null", "true", "false"):
            return None
        names = [step for step in path if isinstance(step, str)]
        name = named or (names[-1] if names else "")
        above = next((at for at, step in enumerate(names[:-1]) if hides_subtree(step)), None)
        if above is not None and not any(plain_name(step) in HARMLESS_BELOW for step in names[above + 1 :]):
            named = name = name if is_secret_name(name) else names[above]
        secret = bool(named) or is_secret_name(name)
        value = json_tokens.string_value(token)
        if value is None:
            secret = secret and (bool(named) or not is_ui_text_container(names[:-1]))
            return self._json_number(token, name, secret, bool(named), label)
        is_plain_message = not named and is_ui_text_container(names[:-1]) and is_message(value)
        if secret and not (is_plain_message or (is_for_response(label) and texts.contains(name, value))):
            hidden = self.hide(value, name or "value", label)
        else:
            hidden = self.beside(name, self.value(value, label), label)
        return None if hidden == value else json_tokens.string_token(hidden, token)

    def _json_number(
        self, token: str, name: str, is_secret: bool, is_named_secret: bool, label: PlaceholderFactory
    ) -> str | None:
        if is_secret:
            return (
                None if not is_named_secret and plain_name(name) in AMBIGUOUS_NAMES else self._zero(token, name, label)
            )
        if self.beside(name, self.shapes(token, anonymous), anonymous) == token:
            return None
        self.beside(name, self.shapes(token, label), label)  # counts the kind of the value
        return "0"

    def _zero(self, number: str, name: str, label: PlaceholderFactory) -> str:
        if number != "0" and label is not anonymous:
            label(self._shown_name(name), number)
        return "0"

    def _member(self, match: re.Match[str], label: PlaceholderFactory) -> str:
        before, name, between, value = match.groups()
        if not (is_secret_name(name.rpartition(":")[2]) or is_wss_element(name, match.string)):
            return match.group()
        is_number = between[-1:] not in ('"', "'") and _NUMBER.fullmatch(value)
        return before + name + between + (self._zero if is_number else self.hide)(value, name, label)

    def _may_hold_secrets(self, text: str) -> bool:
        if self._added["json"] or self._added_values or self._rules.may_be_in(text):
            return True
        if may_name_secret(text) or ASCII_ESCAPE.search(text) or may_be_oauth(text):
            return True
        searchable = self._shapes.searchable_part(text.replace("\\/", "/"))
        return bool(searchable) and (self._shapes.may_be_in(searchable) or nested_text.may_hold(searchable))

    def _places(self, which: str, text: str) -> frozenset[Place]:
        selectors = (self._added if which == "add" else self._exempt)["json"]
        if not selectors:
            return frozenset()
        value = json_tokens.parse(text)
        return frozenset(place for selector in selectors for place in selector.find(value))


def _strings(text: str) -> list[str]:
    """The values of JSON text as strings. A digit stands for a value that is not a string."""
    values = (text[start:end] for start, end, path in json_tokens.iter_tokens(text) if path is not None)
    return [
        "0" if (string := json_tokens.string_value(value)) is None else string for value in values if value != "null"
    ]


_NAMES_REMEMBERED = 1024
# Replaces escaped line breaks in the strings of a program, while it is searched.
_LINE_ENDS = "\ue000\ue002\ue003"
_NUMBER = re.compile(r"-?[0-9][0-9.eE+\-]*")
_SHORTEST_ENCODED = 12
