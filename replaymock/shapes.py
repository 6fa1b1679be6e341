"""Shapes of credentials, and the quick look that tells of most texts that they hold none. `vendors` has the table.

A shape matches a whole credential, or holds it in a group named `secret`. Its hints are texts one of which every match
contains; one without hints is looked for as it is.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache

from msgspec import Struct

Check = Callable[[str], bool]


class Shape(Struct, frozen=True):
    """A kind of credential. `check` refuses matches that only look like one.

    One that is not `spaced` is a run of characters without white space, not too short, and no number.
    """

    name: str
    hints: tuple[str, ...]
    pattern: str
    check: Check | None = None
    spaced: bool = False

    @property
    def expression(self) -> re.Pattern[str]:
        """The pattern compiled, when it is first asked for: most never are."""
        return _compiled(self.pattern)

    @property
    def secret(self) -> str | int:
        """The group of a match that is to be hidden."""
        return "secret" if "secret" in self.expression.groupindex else 0

    def replaced(self, text: str, hide: Callable[[str], str]) -> str:
        """Text in which each credential of this shape is what `hide` makes of it."""
        secret = self.secret

        def one(match: re.Match[str]) -> str:
            is_number = not self.spaced and not match.group().strip(_NUMERIC)  # which in a long text is not looked at
            if is_number or (self.check and not self.check(match.group(secret))):
                return match.group()
            start, end = (position - match.start() for position in match.span(secret))
            return match.group()[:start] + hide(match.group(secret)) + match.group()[end:]

        return self.expression.sub(one, text)

    def may_be_in(self, text: str) -> bool:
        """Whether a text has one of the hints; a match, where there are none."""
        if not self.hints:
            return self.expression.search(text) is not None
        return any(hint in text for hint in self.hints)


class Hints:
    """The hints of a table of shapes, all looked for at once."""

    def __init__(self, table: Sequence[Shape]) -> None:
        by_hint: dict[str, set[int]] = {}
        for place, shape in enumerate(table):
            for hint in shape.hints:
                by_hint.setdefault(hint, set()).add(place)
        # The longest is found first, and speaks for those it begins with.
        self._places = {hint: set().union(*_at_beginnings(hint, by_hint)) for hint in by_hint}
        self._expression = re.compile("|".join(map(re.escape, sorted(by_hint, key=len, reverse=True))))

    def places(self, text: str) -> set[int]:
        """The places in the table of those shapes that have a hint in a text."""
        places: set[int] = set()
        found = self._expression.search(text)
        while found:
            places |= self._places[found.group()]
            found = self._expression.search(text, found.start() + 1)
        return places


class Shapes:
    """A table of shapes, and quick looks that tell of most texts that they hold none of them."""

    def __init__(self, table: Sequence[Shape]) -> None:
        self._table = table
        self._hintless = [place for place, shape in enumerate(table) if not shape.hints]
        self.anywhere = any(shape.spaced and not shape.hints for shape in table)

    @cached_property
    def _hints(self) -> Hints:
        return Hints(self._table)

    def likely(self, text: str) -> list[Shape]:
        """The shapes that a text may hold."""
        looked = self.looked_at(text)
        if not looked:
            return []
        if len(looked) > _WORTH_SPLITTING:
            return [shape for shape in self._table if shape.may_be_in(looked)]
        places = self._hints.places(looked)
        places.update(place for place in self._hintless if self._table[place].may_be_in(looked))
        return [self._table[place] for place in sorted(places)] if places else []

    def are_in(self, text: str) -> bool:
        """Whether a text holds one of these shapes."""
        return any(shape.replaced(text, lambda _found: "") != text for shape in self.likely(text))

    def looked_at(self, text: str) -> str:
        """What of a text can hold one of these shapes."""
        return text if self.anywhere else looked_at(text)

    def may_be_in(self, text: str) -> bool:
        """Whether a text as `looked_at` may hold one at all."""
        return any(shape.may_be_in(text) and (shape.spaced or shape.expression.search(text)) for shape in self._table)


def _at_beginnings(hint: str, by_hint: dict[str, set[int]]) -> Iterator[set[int]]:
    beginnings = (hint[:end] for end in range(1, len(hint) + 1))
    return (by_hint[beginning] for beginning in beginnings if beginning in by_hint)


def looked_at(text: str) -> str:
    """What of a text can hold a credential: long texts are mostly short words and numbers, in which none fits."""
    if len(text) < _WORTH_SPLITTING:
        return text if _RUN.search(text) or any(mark in text for mark in _MARKS) else ""
    runs = text.encode("utf-8", "surrogatepass").translate(_SPACED).split()
    found = [run for run in runs if len(run) >= SHORTEST and run.strip(_OF_NUMBERS)]
    marks = [mark for mark in _MARKS if mark in text]
    return "\n".join([b"\n".join(found).decode("ascii"), *marks])


def is_everyday(text: str) -> bool:
    """Whether a short text is only words, or a number, a date or an id: it neither is a credential nor names one."""
    if len(text) >= _WORTH_SPLITTING:
        return False
    return _WORTH_LOOKING_AT.search(text) is None or not text.strip(_NUMERIC)


def is_card_number(text: str) -> bool:
    """Whether digits pass the check of ISO/IEC 7812 (Luhn) and begin as the cards of an issuer do."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    is_issued = digits[:1] in ([2], [3], [4], [5], [6]) and len(set(digits)) > 1
    return is_issued and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_user_and_password(encoded: str) -> bool:
    """Whether base64 is of a pair with a colon (RFC 7617)."""
    try:
        return b":" in base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


SHORTEST = 15
_WORTH_SPLITTING = 512
_MARKS = ("-----BEGIN", "earer ", "asic ", "SSWS ", "curl ", "://", "@")
_RUN = re.compile(r"[\w\-.:/+=@;~%$]{15,}", re.ASCII)
_NUMERIC = "0123456789abcdefABCDEF-:.+TZ"
_OF_NUMBERS = _NUMERIC.encode("ascii")
_OF_RUNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:/+=@;~%$"
_WORTH_LOOKING_AT = re.compile(r"[%:=<\\@]|[\w\-./+;~$]{15}|-----BEGIN|earer |asic |curl ", re.ASCII)
_SPACED = bytes(byte if byte in _OF_RUNS else 32 for byte in range(256))
