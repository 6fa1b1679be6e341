"""Shapes of credentials, and the quick look that tells of most texts that they hold none. `vendors` has the table.

A shape matches a whole credential, or holds it in a group named `secret`. Its hints are texts one of which every match
contains; one without hints is looked for as it is.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from urllib.parse import unquote

from msgspec import Struct

from replaymock.redaction.wording import is_readable

Check = Callable[[str], bool]


def is_no_name(value: str) -> bool:
    """Whether a value is none of the names that code is written in."""
    return not is_readable(value)


class CredentialPattern(Struct, frozen=True):
    """A kind of credential. `check` refuses matches that only look like one, and `in_code` those in code.

    One that is not `spaced` is a run of characters without white space, not too short, and no number, nor is it in the
    middle of something in base64.
    """

    name: str
    hints: tuple[str, ...]
    pattern: str
    check: Check | None = None
    in_code: Check = is_no_name
    spaced: bool = False

    @property
    def expression(self) -> re.Pattern[str]:
        """The pattern compiled, when it is first asked for: most never are."""
        return _compiled(self.pattern)

    @property
    def secret(self) -> str | int:
        """The group of a match that is to be hidden."""
        return "secret" if "secret" in self.expression.groupindex else 0

    def replaced(self, text: str, hide: Callable[[str], str], *, is_code: bool = False) -> str:
        """Text in which each credential of this shape is what `hide` makes of it."""
        secret = self.secret
        is_inside = _is_in_base64 if is_code else _is_in_data_url

        def one(match: re.Match[str]) -> str:
            value = match.group(secret)
            if not self.spaced and (_is_filler(match.group(), value) or is_inside(match)):
                return match.group()
            if (self.check and not self.check(value)) or (is_code and not self.in_code(value)):
                return match.group()
            start, end = (position - match.start() for position in match.span(secret))
            return match.group()[:start] + hide(value) + match.group()[end:]

        return self.expression.sub(one, text)

    def may_be_in(self, text: str) -> bool:
        """Whether a text has one of the hints; a match, where there are none."""
        if not self.hints:
            return self.expression.search(text) is not None
        return any(hint in text for hint in self.hints)


class KeywordIndex:
    """The hints of a table of shapes, all looked for at once."""

    def __init__(self, table: Sequence[CredentialPattern]) -> None:
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


class CredentialScanner:
    """A table of shapes, and quick looks that tell of most texts that they hold none of them."""

    def __init__(self, table: Sequence[CredentialPattern]) -> None:
        self._table = table
        self._hintless = [place for place, shape in enumerate(table) if not shape.hints]
        self.anywhere = any(shape.spaced and not shape.hints for shape in table)

    @cached_property
    def _hints(self) -> KeywordIndex:
        return KeywordIndex(self._table)

    def likely(self, text: str) -> list[CredentialPattern]:
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
        return text if self.anywhere else candidate_runs(text)

    def may_be_in(self, text: str) -> bool:
        """Whether a text as `looked_at` may hold one at all."""
        return any(shape.may_be_in(text) and (shape.spaced or shape.expression.search(text)) for shape in self._table)


def _at_beginnings(hint: str, by_hint: dict[str, set[int]]) -> Iterator[set[int]]:
    beginnings = (hint[:end] for end in range(1, len(hint) + 1))
    return (by_hint[beginning] for beginning in beginnings if beginning in by_hint)


def candidate_runs(text: str) -> str:
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


def _is_filler(matched: str, value: str) -> bool:
    """Whether a match is a number, which in a long text is not looked at, or mostly one character over and over."""
    return not matched.strip(_NUMERIC) or max(map(value.count, set(value))) * 2 > len(value)


def _is_in_base64(match: re.Match[str]) -> bool:
    """Whether a match in code is part of a longer run of base64, in which by chance there is anything."""
    text, start, end = match.string, match.start(), match.end()
    before = _RUN_BEFORE.search(text[max(0, start - _LOOKED_AROUND) : start])
    after = _RUN_AFTER.match(text[end : end + _LOOKED_AROUND])
    return any(run is not None and _is_encoded(run.group()) for run in (before, after))


def _is_in_data_url(match: re.Match[str]) -> bool:
    """Whether a match is part of what a `data:` URL has in base64."""
    text, end = match.string, match.start()
    begins = text.rfind(_DATA, max(0, end - _LONGEST_DATA), end) + len(_DATA)
    return begins >= len(_DATA) and _ENCODED.fullmatch(text, begins, end) is not None


def _is_encoded(run: str) -> bool:
    """Whether a run of letters, digits, `+` and `/` is rather base64 than a path, which is made of words."""
    if len(run) < _SHORTEST_ENCODED:
        return False
    return _REPEATED.search(run) is not None or len(_TURN.findall(run)) * 3 > len(run)


def is_key_block(block: str) -> bool:
    """Whether between the lines of a PEM block (RFC 7468) there is a key, in text, JSON or the strings of a program."""
    inner = _PEM_HEADER.sub("", block[block.index("-----", 5) + 5 : block.rindex("-----END")])
    key = _PEM_BETWEEN.sub("", _PEM_JOINED.sub("", inner))
    return _PEM_KEY.fullmatch(key) is not None and not is_readable(key)


def is_password_of_url(value: str) -> bool:
    """Whether a password in a URL of a program is rather a real one than an example (`user:pass@`)."""
    value = unquote(value)
    return len(value) >= _SHORTEST_PASSWORD and any(map(str.isdigit, value))


def is_bearer_of_app(value: str) -> bool:
    """Whether what begins with many `A` goes on as a token does, and not as a table of small numbers."""
    rest = value.lstrip("A")
    return rest.count("A") * _RARELY <= len(rest)


def is_card_number(text: str) -> bool:
    """Whether digits pass the check of ISO/IEC 7812 (Luhn) and begin as the cards of an issuer do."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    is_issued = digits[:1] in ([2], [3], [4], [5], [6]) and len(set(digits)) > 1
    return is_issued and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_user_and_password(encoded: str) -> bool:
    """Whether base64 is of a pair with a colon (RFC 7617), and no word that could be some."""
    try:
        decoded = base64.b64decode(encoded, validate=True)
        return b":" in decoded and decoded.decode("utf-8").isprintable()
    except (binascii.Error, UnicodeDecodeError):
        return False


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


SHORTEST = 15
_LOOKED_AROUND = 64
_SHORTEST_ENCODED = 24
_LONGEST_DATA = 256 * 1024
_DATA = ";base64,"
_ENCODED = re.compile(r"[A-Za-z0-9+/]*+")
_RUN_BEFORE = re.compile(r"[A-Za-z0-9+/]+\Z")
_RUN_AFTER = re.compile(r"[A-Za-z0-9+/]+")
_REPEATED = re.compile(r"([A-Za-z0-9+/])\1{7}")
# From one of small letters, capitals and digits to another: words have few.
_TURN = re.compile(r"[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])")
_PEM_HEADER = re.compile(r"[A-Z][A-Za-z\-]+: [^\r\n\\\"'<]*")
# Where one string of a program ends and the next begins, and what ends a line or begins one in a comment or an event.
_PEM_JOINED = re.compile(r"""["'`]\s*[+,.]\s*["'`]|^[ \t]*(?:data:|>+|[*#]|//)""", re.MULTILINE)
_PEM_BETWEEN = re.compile(r"""\\+(?:u000[adAD]|[nrt])|<br ?/?>|&#?\w{1,6};|%0[AD]|[\s"'`\\\ue000\ue002\ue003]""")
_PEM_KEY = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[A-Za-z0-9+/]{40,}={0,2}(?:=[A-Za-z0-9+/]{4})?")
_SHORTEST_PASSWORD = 6
_RARELY = 5
_WORTH_SPLITTING = 512
_MARKS = ("-----BEGIN", "earer ", "asic ", "SSWS ", "curl ", "://", "@")
_RUN = re.compile(r"[\w\-.:/+=@;~%$]{15,}", re.ASCII)
_NUMERIC = "0123456789abcdefABCDEF-:.+TZ"
_OF_NUMBERS = _NUMERIC.encode("ascii")
_OF_RUNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:/+=@;~%$"
_WORTH_LOOKING_AT = re.compile(r"[%:=<\\@]|[\w\-./+;~$]{15}|-----BEGIN|earer |asic |curl ", re.ASCII)
_SPACED = bytes(byte if byte in _OF_RUNS else 32 for byte in range(256))
