"""A team's own rules for secrets, as its configuration of gitleaks says them, applied to texts.

Where a rule looks for a name beside the secret (`acme_key = "…"`), a value is shown to it beside its own name.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct

from replaymock.placeholders import REDACTED
from replaymock.redaction.gitleaks.expressions import Expression, Match, searchable

Hide = Callable[[str, str], str]
"""From a secret and the name of its rule to what stands for it."""


class Allowlist(Struct, frozen=True):
    """What a rule leaves alone: by expressions for the `secret`, the `match` or its `line`, or by words in the secret.

    With `all_of`, both have to say so.
    """

    expressions: tuple[Expression, ...] = ()
    target: str = "secret"
    words: tuple[str, ...] = ()
    all_of: bool = False

    def holds(self, text: str, match: tuple[int, int], secret: str) -> bool:
        """Whether a secret is none, which was found in a text by this match."""
        verdicts = []
        if self.expressions:
            shown = _TARGETS[self.target](text, *match) if self.target in _TARGETS else secret
            verdicts.append(any(expression.search(shown) for expression in self.expressions))
        if self.words:
            verdicts.append(any(word in secret.lower() for word in self.words))
        return bool(verdicts) and (all(verdicts) if self.all_of else any(verdicts))


class GitleaksRule(Struct, frozen=True):
    """A kind of secret. `group` is what holds it; 0 is the first group that holds anything, or else all of the match.

    `keywords` are in lower case; without one of them in it, a text is not searched.
    """

    name: str
    expression: Expression
    keywords: tuple[str, ...] = ()
    group: int = 0
    entropy: float = 0.0
    allowed: tuple[Allowlist, ...] = ()

    def replaced(self, text: str, hide: Hide, begin: int = 0, end: int | None = None) -> str:
        """Text in which each secret of this kind, as far as it is between two places, is what `hide` makes of it."""
        searched, last = searchable(text), 0
        pieces: list[str] = []
        for match in self.expression.finditer(searched):
            start, stop = self._secret(match, searched)
            if start == stop or self._is_none(searched, match.span(), searched[start:stop]):
                continue
            start, stop = max(start, begin), min(stop, len(text) if end is None else end)
            if start < stop and not _is_hidden(text, start, stop):
                pieces += (text[last:start], hide(text[start:stop], self.name))
                last = stop
        return "".join((*pieces, text[last:])) if pieces else text

    def _secret(self, match: Match, text: str) -> tuple[int, int]:
        """Where what is secret of a match begins and ends."""
        groups = [self.group] if self.group else range(1, self.expression.groups + 1)
        filled = next((group for group in groups if match.group(group)), None)
        if filled is not None:
            return match.span(filled)
        start, end = match.span()
        if self.group:
            return start, start
        said = text[start:end]
        return start + len(said) - len(said.lstrip("\n")), end - len(said) + len(said.rstrip("\n"))

    def _is_none(self, text: str, match: tuple[int, int], secret: str) -> bool:
        if self.entropy and entropy(secret) <= self.entropy:
            return True
        return any(allowance.holds(text, match, secret) for allowance in self.allowed)


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
                changed = rule.replaced(before + value + after, hide, len(before), len(before) + len(value))
                value = changed[len(before) : len(changed) - len(after)]
        return value

    def _likely(self, lowered: str) -> list[GitleaksRule]:
        """The rules that a text in lower case may be searched by."""
        likely = {place for keyword, places in self._places.items() if keyword in lowered for place in places}
        return [self._rules[place] for place in (sorted(likely.union(self._always)) if likely else self._always)]


def entropy(text: str) -> float:
    """The entropy of a text after Shannon, in bits for each character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def _line(text: str, start: int, end: int) -> str:
    """The lines that a match is in."""
    last = text.find("\n", end)
    return text[text.rfind("\n", 0, start) + 1 : last if last >= 0 else len(text)]


_TARGETS: dict[str, Callable[[str, int, int], str]] = {"match": lambda text, start, end: text[start:end], "line": _line}


def _is_hidden(text: str, start: int, end: int) -> bool:
    return any(mark.start() <= start and end <= mark.end() for mark in _HIDDEN.finditer(text))


_ENCODED = re.compile(r"%(?:25)*[2-7][0-9a-f]")
_HIDDEN = re.compile(rf"{REDACTED.pattern}|%7[Bb]%7[Bb]redacted(?:(?!%7[BbDd]).)*%7[Dd]%7[Dd]")
