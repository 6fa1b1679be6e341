"""A team's own rules for secrets, as its configuration of gitleaks says them, applied to texts.

Where a rule looks for a name beside the secret (`acme_key = "…"`), a value is shown to it beside its own name.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct

from replaymock.placeholders import REDACTED

Hide = Callable[[str, str], str]
"""From a secret and the name of its rule to what stands for it."""


class Allowlist(Struct, frozen=True):
    """What a rule leaves alone: by expressions for the `secret`, the `match` or its `line`, or by words in the secret.

    With `all_of`, both have to say so.
    """

    expressions: tuple[re.Pattern[str], ...] = ()
    target: str = "secret"
    words: tuple[str, ...] = ()
    all_of: bool = False

    def holds(self, found: re.Match[str], secret: str) -> bool:
        """Whether a secret that was found is none."""
        verdicts = []
        if self.expressions:
            text = secret
            if self.target in _TARGETS:
                text = _TARGETS[self.target](found)
            verdicts.append(any(expression.search(text) for expression in self.expressions))
        if self.words:
            verdicts.append(any(word in secret.lower() for word in self.words))
        return bool(verdicts) and (all(verdicts) if self.all_of else any(verdicts))


class GitleaksRule(Struct, frozen=True):
    """A kind of secret. `group` is what holds it; 0 is the first group that holds anything, or else all of the match.

    `keywords` are in lower case; without one of them in it, a text is not searched.
    """

    name: str
    expression: re.Pattern[str]
    keywords: tuple[str, ...] = ()
    group: int = 0
    entropy: float = 0.0
    allowed: tuple[Allowlist, ...] = ()

    def replaced(self, text: str, hide: Hide, begin: int = 0, end: int | None = None) -> str:
        """Text in which each secret of this kind, as far as it is between two places, is what `hide` makes of it."""
        to = len(text) if end is None else end

        def one(found: re.Match[str]) -> str:
            said, start, stop = found.group(), *self._span(found)
            if start == stop or self._is_none(found, text[start:stop]):
                return said
            start, stop = max(start, begin), min(stop, to)
            if start >= stop or _is_hidden(text, start, stop):
                return said
            return text[found.start() : start] + hide(text[start:stop], self.name) + text[stop : found.end()]

        return self.expression.sub(one, text)

    def _span(self, found: re.Match[str]) -> tuple[int, int]:
        groups = [self.group] if self.group else range(1, (found.re.groups or 0) + 1)
        filled = next((group for group in groups if found.group(group)), None)
        if filled is not None:
            return found.span(filled)
        start, end = found.span()
        if self.group:
            return start, start
        said = found.group()
        return start + len(said) - len(said.lstrip("\n")), end - len(said) + len(said.rstrip("\n"))

    def _is_none(self, found: re.Match[str], secret: str) -> bool:
        if self.entropy and entropy(secret) <= self.entropy:
            return True
        return any(allowance.holds(found, secret) for allowance in self.allowed)


class RuleSet:
    """All rules of a team, and their `names`, which are no secrets whatever they look like."""

    def __init__(self, rules: Sequence[GitleaksRule]) -> None:
        self.names = frozenset(rule.name for rule in rules)
        self._rules = rules
        self._places: dict[str, list[int]] = {}
        for place, rule in enumerate(rules):
            for keyword in rule.keywords:
                self._places.setdefault(keyword, []).append(place)
        self._always = [place for place, rule in enumerate(rules) if not rule.keywords]

    def may_be_in(self, text: str) -> bool:
        """Whether JSON text, perhaps with percent-encoding in it, is to be looked at value by value."""
        if not self._rules:
            return False
        lowered = text.lower().replace("\\/", "/")
        return _ENCODED.search(lowered) is not None or bool(self._likely(lowered))

    def hidden(self, text: str, hide: Hide) -> str:
        """Text with the secrets in it replaced."""
        if self._rules and text:
            for rule in self._likely(text.lower()):
                text = rule.replaced(text, hide)
        return text

    def beside(self, name: str, value: str, hide: Hide) -> str:
        """A value with the secrets in it replaced that its name tells of, as in JSON, a header or a query."""
        if not self._rules or not value:
            return value
        around = ((f'"{name}": "', '"'), (f"{name}: ", ""), (f"{name}=", ""))
        for rule in self._likely("\n".join(before + value + after for before, after in around).lower()):
            for before, after in around:
                found = rule.replaced(before + value + after, hide, len(before), len(before) + len(value))
                value = found[len(before) : len(found) - len(after)]
        return value

    def _likely(self, lowered: str) -> list[GitleaksRule]:
        """The rules that a text in lower case may be searched by."""
        found = {place for keyword, places in self._places.items() if keyword in lowered for place in places}
        return [self._rules[place] for place in (sorted(found.union(self._always)) if found else self._always)]


def entropy(text: str) -> float:
    """The entropy of a text after Shannon, in bits for each character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def _line(found: re.Match[str]) -> str:
    end = found.string.find("\n", found.end())
    return found.string[found.string.rfind("\n", 0, found.start()) + 1 : end if end >= 0 else len(found.string)]


_TARGETS: dict[str, Callable[[re.Match[str]], str]] = {"match": lambda found: found.group(), "line": _line}


def _is_hidden(text: str, start: int, end: int) -> bool:
    return any(mark.start() <= start and end <= mark.end() for mark in _HIDDEN.finditer(text))


_ENCODED = re.compile(r"%(?:25)*[2-7][0-9a-f]")
_HIDDEN = re.compile(rf"{REDACTED.pattern}|%7[Bb]%7[Bb]redacted(?:(?!%7[BbDd]).)*%7[Dd]%7[Dd]")
