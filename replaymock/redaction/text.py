"""Secrets inside one text: by the names they are given in URLs, forms, JSON and markup, and by their shape.

Knows texts, not messages. `redaction` says which text of a message is of which kind.
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
    is_of_oauth,
    is_surely_clean,
    oauth_in,
    oauth_parameters,
    secrets_named_by_siblings,
)
from replaymock.redaction.placeholders import (
    ANONYMOUS,
    OpaqueJwts,
    PlaceholderFactory,
    anonymous,
    is_of_answer,
    nameable,
    opaque_jwts,
    unnumbered,
)
from replaymock.redaction.secret_names import (
    ASCII_ESCAPE,
    COUNTS_TOO,
    HARMLESS_BELOW,
    hides_subtree,
    is_harmless_value,
    is_label,
    is_of_message_security,
    is_secret_name,
    is_ui_text_container,
    may_name_secret,
    plain_name,
)
from replaymock.redaction.wording import Texts, is_message

Selectors = dict[str, list[Selector]]


class TextRedactor:
    """Applies the tables of `secrets`, and what a team added to them and exempts from them, to texts."""

    def __init__(
        self,
        added: Selectors,
        kept: Selectors,
        shapes: Sequence[CredentialPattern] = (),
        rules: Sequence[GitleaksRule] = (),
    ) -> None:
        self._shapes = CredentialScanner((*CREDENTIALS, *CONTEXTUAL, *shapes))
        self._rules = RuleSet(rules)
        self._added = added
        self._kept = kept
        self._added_values = [re.compile(selector.name) for selector in added["value"]]
        self._kept_values = [re.compile(selector.name) for selector in kept["value"]]
        self._is_by_the_tables = not (self._added_values or rules or self._shapes.anywhere)
        self._told = lru_cache(_NAMES_REMEMBERED)(self._tellable)

    def shapes(self, text: str, label: PlaceholderFactory) -> str:
        """Text with the values in it that have the shape of a credential replaced."""
        return self._shaped(text, self._shapes.likely(text), label)

    def _shaped(
        self, text: str, likely: Sequence[CredentialPattern], label: PlaceholderFactory, *, is_code: bool = False
    ) -> str:
        for shape in likely:
            text = shape.replaced(text, partial(self.replaced, name=shape.name, label=label), is_code=is_code)
        text = self._rules.hidden(text, partial(self.replaced, label=label))
        for expression in self._added_values:
            text = expression.sub(lambda match: self.replaced(match.group(), "value", label), text)
        return text

    def path(self, path: str, label: PlaceholderFactory) -> str:
        """A sent path: shapes, and in each segment, decoded, also `;name=value` and URLs."""
        found = self.shapes(path, label)
        if "%" not in found and ";" not in found and not self._rules.may_be_in(found):
            return found
        return "/".join(self._segment(segment, label) for segment in found.split("/"))

    def urlencoded(self, query: str, kind: str, label: PlaceholderFactory) -> str:
        """A sent query, or a form; `kind` is the kind of selector that holds for its names."""
        if not query:
            return query
        oauth = oauth_in(query)
        found = (self._parameter(item, kind, label, oauth) for item in query.split("&"))
        return "&".join(map(loose_text.readable_placeholder, found))

    def named(self, kind: str, name: str, value: str, label: PlaceholderFactory) -> str:
        """A value found under a name."""
        if self.is_secret(kind, name, is_secret_name):
            return self.replaced(value, name, label)
        # Readable text spells a percent sign `%25` where it could be taken for an escape.
        hidden = self.beside(name, self.deep(found := value.replace("%25", "%"), label), label)
        return value if hidden == found else literal_percents(hidden)

    def beside(self, name: str, value: str, label: PlaceholderFactory) -> str:
        """A value without what a team's own rules know by the name beside it."""
        return self._rules.beside(name, value, partial(self.replaced, label=label))

    def json(self, text: str, label: PlaceholderFactory, *, is_of_texts: bool = False) -> str:
        """JSON text, each value by the keys above it and by what it says; what is no JSON is searched as loose text.

        In what `is_of_texts` for people, such as a translation, words are no secrets.
        """
        if not self._may_hold_secrets(text) or self.is_clean(text):
            return text
        if not json_tokens.is_valid(text):
            return self.loose(text, label)
        return self.walked(text, label, is_of_texts=is_of_texts)

    def is_clean(self, text: str) -> bool:
        """Whether JSON text surely holds nothing to hide, seen without taking it apart."""
        if self._added["json"] or self._added_values or self._rules.may_be_in(text):
            return False
        return is_surely_clean(text, lambda found: self.shapes(found, anonymous) != found)

    def walked(self, text: str, label: PlaceholderFactory, *, is_of_texts: bool = False) -> str:
        """Valid JSON text, each value looked at."""
        texts = Texts(partial(_strings, text), is_known=is_of_texts)
        added, kept, named = self._places("add", text), self._places("keep", text), secrets_named_by_siblings(text)

        def visit(path: Sequence[str | int], token: str) -> str | None:
            place = tuple(path) if added or kept or named else ()
            if place in kept:
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

    def loose(self, text: str, label: PlaceholderFactory) -> str:
        """Text that may be JSON, hold lines of it, markup with or without code, or links."""
        return self._around_code(text, label, self._loose)

    def _around_code(
        self, text: str, label: PlaceholderFactory, search: Callable[[str, PlaceholderFactory], str]
    ) -> str:
        """Text as it is searched, but for the code in it if it is a page."""
        if not code.may_be_in(text):
            return search(text, label)
        script, data = partial(self.script, label=label), partial(self.json, label=label)
        return code.replace_around(text, script, data, lambda rest: search(rest, label))

    def _loose(self, text: str, label: PlaceholderFactory) -> str:
        is_spelled = ASCII_ESCAPE.search(text) or _ENCODED.search(text)
        if not (is_spelled or may_name_secret(text) or is_of_oauth(text) or self._rules.may_be_in(text)):
            return self.shapes(text, label)
        if text.lstrip()[:1] in ("{", "[") and json_tokens.is_valid(text):
            return self.json(text, label)
        if "\n" in text:
            text = nested_text.replace_lines(text, lambda said: self.json(said, label))
        text = loose_text.redact_assignments(text, lambda match: self._member(match, label))
        if "<" in text:
            text = loose_text.redact_attributes(
                text,
                lambda match: self._member(match, label),
                lambda value, name: self.replaced(value, name, label),
                oauth_parameters(loose_text.names(text)),
            )
        return self.shapes(self._parameters(text, label), label)

    def deep(self, text: str, label: PlaceholderFactory) -> str:
        """A whole value: as loose text, also behind percent-encoding and base64, where ordinals cannot be told."""
        if self._is_by_the_tables and is_everyday(text):
            return text
        return self._around_code(text, label, self._deep)

    def _deep(self, text: str, label: PlaceholderFactory) -> str:
        found = self._loose(text, label)
        if len(text) < _SHORTEST_ENCODED:
            return found
        if _ENCODED.search(found):
            found = nested_text.replace_percent(found, lambda inner: self.loose(inner, label))
        return nested_text.replace_base64(found, lambda inner: self.loose(inner, unnumbered(label)))

    def script(self, text: str, label: PlaceholderFactory) -> str:
        """Code: by shapes only, also right behind an escape for the end of a line."""
        likely = self._shapes.likely(text)
        if self._is_by_the_tables and not likely:
            return text
        mark = next((mark for mark in _LINE_ENDS if mark not in text), "") if "\\n" in text else ""
        found = self._shaped(text.replace("\\n", mark) if mark else text, likely, label, is_code=True)
        return found.replace(mark, "\\n") if mark else found

    def source(self, text: str, label: PlaceholderFactory, *, is_of_texts: bool = False) -> str:
        """A body of code: one that only hands JSON to a function (JSONP) as that JSON."""
        found = nested_text.replace_argument(text, partial(self.json, label=label, is_of_texts=is_of_texts))
        return self.script(text, label) if found is None else found

    def events(self, text: str, label: PlaceholderFactory) -> str:
        """A stream of events, also JSON that is spread over the lines of one."""
        return self.deep(nested_text.replace_in_events(text, lambda said: self.json(said, label)), label)

    def replaced(self, value: str, name: str, label: PlaceholderFactory) -> str:
        """The placeholder of a value, unless it begins with one and holds no credential, is empty or is exempt.

        Where a value ends depends on what is around it, which may have been hidden since: what was hidden stays so.
        """
        if not value or (REDACTED.match(value) and not self._shapes.are_in(value)) or is_harmless_value(name, value):
            return value
        # A request may say any password; an answer has forms and messages that speak of one.
        speaks_of_one = is_of_answer(label) and is_label(name, value)
        is_kept = any(expression.fullmatch(value) for expression in self._kept_values)
        if is_kept or (speaks_of_one and self.loose(value, anonymous) == value):
            return value
        if jwt.is_hidden(value):
            return ANONYMOUS if label is anonymous else value
        # The anonymous placeholder has no name, and what looks for secrets in names asks for it.
        placeholder = label(name if label is anonymous else self._told(name), value)
        if placeholder == ANONYMOUS or "." not in value or isinstance(label, OpaqueJwts):
            return placeholder
        return jwt.without_signature(value, placeholder, lambda claims: self._claims(claims, label)) or placeholder

    def _tellable(self, name: str) -> str:
        """What a placeholder calls a value under this name, which may hold a secret itself."""
        said = f"{name} {nameable(name)}"
        return name if name in self._rules.names or self.shapes(said, anonymous) == said else "value"

    def is_secret(self, kind: str, name: str, by_default: Callable[[str], bool]) -> bool:
        """Whether values under this name are secret, by the team's rules or else by default."""
        return not self.is_kept(kind, name) and (is_named(self._added[kind], name) or by_default(name))

    def is_kept(self, kind: str, name: str) -> bool:
        """Whether the team exempts values under this name."""
        return bool(self._kept[kind]) and is_named(self._kept[kind], name)

    def _claims(self, claims: str, label: PlaceholderFactory) -> str:
        def visit(path: Sequence[str | int], token: str) -> str | None:
            value = json_tokens.string_value(token)
            if value and path and path[0] in jwt.SECRET_CLAIMS:
                return json_tokens.string_token(self.replaced(value, str(path[0]), label), token)
            return None

        return json_tokens.replace_values(self.json(claims, label), visit)

    def _segment(self, segment: str, label: PlaceholderFactory) -> str:
        decoded = readable(segment) if "%" in segment else segment
        first, *parameters = decoded.split(";")
        found = ";".join([self.loose(first, label), *(self._matrix_parameter(item, label) for item in parameters)])
        return segment if found == decoded else encode_segment(found)

    def _matrix_parameter(self, item: str, label: PlaceholderFactory) -> str:
        name, equals, value = item.partition("=")
        secret = equals and is_secret_name(name)
        return name + equals + self.replaced(value, name, label) if secret else self.loose(item, label)

    def _parameter(self, item: str, kind: str, label: PlaceholderFactory, oauth: frozenset[str] = frozenset()) -> str:
        name, equals, value = item.replace("+", " ").partition("=")
        name, value = readable(name), readable(value)
        hidden_name = self.loose(name, label)
        if name in oauth and not self.is_kept(kind, name):
            hidden = self.replaced(value, name, label)
        elif "%252525" in value and not is_secret_name(name):
            hidden = self.shapes(value, label)  # four times encoded is as deep as links in links are followed
        else:
            hidden = self.named(kind, name, value, label)
        if hidden_name != name:  # which the next time says nothing of the value
            hidden = self.named(kind, hidden_name, hidden, label)
        elif hidden == value:
            return item
        return encode_pair(hidden_name, hidden if equals else None)

    def _parameters(self, text: str, label: PlaceholderFactory) -> str:
        oauth = oauth_in(text)

        def is_secret(name: str) -> bool:
            return self.is_secret("query", name, lambda name: name in oauth or is_secret_name(name))

        def change(item: str, secret: bool) -> str:
            is_looked_at = secret or "%" in item or self._rules.may_be_in(item)
            found = self._parameter(item, "query", label, oauth) if is_looked_at else item  # or hidden as known
            return loose_text.readable_placeholder(found) if _ENCODED.search(item) else found

        return loose_text.redact_url_parameters(text, is_secret, change)

    def _json_value(
        self, path: Sequence[str | int], token: str, named: str, label: PlaceholderFactory, texts: Texts
    ) -> str | None:
        if token in ("null", "true", "false"):
            return None
        names = [step for step in path if isinstance(step, str)]
        name = named or (names[-1] if names else "")
        above = next((at for at, found in enumerate(names[:-1]) if hides_subtree(found)), None)
        if above is not None and not any(plain_name(found) in HARMLESS_BELOW for found in names[above + 1 :]):
            named = name = name if is_secret_name(name) else names[above]
        secret = bool(named) or is_secret_name(name)
        value = json_tokens.string_value(token)
        if value is None:
            secret = secret and (bool(named) or not is_ui_text_container(names[:-1]))
            return self._json_number(token, name, secret, bool(named), label)
        is_said = not named and is_ui_text_container(names[:-1]) and is_message(value)
        if secret and not (is_said or (is_of_answer(label) and texts.have(name, value))):
            hidden = self.replaced(value, name or "value", label)
        else:
            hidden = self.beside(name, self.deep(value, label), label)
        return None if hidden == value else json_tokens.string_token(hidden, token)

    def _json_number(self, token: str, name: str, secret: bool, named: bool, label: PlaceholderFactory) -> str | None:
        if secret:
            return None if not named and plain_name(name) in COUNTS_TOO else self._zero(token, name, label)
        if self.beside(name, self.shapes(token, anonymous), anonymous) == token:
            return None
        self.beside(name, self.shapes(token, label), label)  # tells of what kind it is
        return "0"

    def _zero(self, number: str, name: str, label: PlaceholderFactory) -> str:
        if number != "0" and label is not anonymous:
            label(self._told(name), number)
        return "0"

    def _member(self, match: re.Match[str], label: PlaceholderFactory) -> str:
        before, name, between, value = match.groups()
        if not (is_secret_name(name.rpartition(":")[2]) or is_of_message_security(name, match.string)):
            return match.group()
        is_number = between[-1:] not in ('"', "'") and _NUMBER.fullmatch(value)
        return before + name + between + (self._zero if is_number else self.replaced)(value, name, label)

    def _may_hold_secrets(self, text: str) -> bool:
        if self._added["json"] or self._added_values or self._rules.may_be_in(text):
            return True
        if may_name_secret(text) or ASCII_ESCAPE.search(text) or is_of_oauth(text):
            return True
        looked = self._shapes.looked_at(text.replace("\\/", "/"))
        return bool(looked) and (self._shapes.may_be_in(looked) or nested_text.may_hold(looked))

    def _places(self, which: str, text: str) -> frozenset[Place]:
        selectors = (self._added if which == "add" else self._kept)["json"]
        if not selectors:
            return frozenset()
        value = json_tokens.parse(text)
        return frozenset(place for selector in selectors for place in selector.find(value))


def _strings(text: str) -> list[str]:
    """The values of JSON text as strings, where a digit stands for what is none."""
    values = (text[start:end] for start, end, path in json_tokens.iter_tokens(text) if path is not None)
    return ["0" if (said := json_tokens.string_value(value)) is None else said for value in values if value != "null"]


_NAMES_REMEMBERED = 1024
# What stands for the end of a line in a string of a program, while it is searched.
_LINE_ENDS = "\ue000\ue002\ue003"
_NUMBER = re.compile(r"-?[0-9][0-9.eE+\-]*")
_SHORTEST_ENCODED = 12
_ENCODED = re.compile(r"%(?:25)*[2-7][0-9A-Fa-f]")
