"""Finds credentials by their shape. A quick check first sorts out the many texts that contain none.

A pattern matches a whole credential, or has it in a group named `secret`. Every match contains one of the hints. A
pattern without hints is always searched for. The table is in `credential_patterns`.
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


def is_unreadable(value: str) -> bool:
    """Whether a value does not read like a name in code."""
    return not is_readable(value)


class CredentialPattern(Struct, frozen=True):
    """The shape of a kind of credential.

    `check` rejects matches that only look like one, and `in_code` those in code. Unless it `has_spaces`, a match is
    a long run without white space. It is not a number, and not in the middle of base64.
    """

    name: str
    hints: tuple[str, ...]
    pattern: str
    check: Check | None = None
    in_code: Check = is_unreadable
    has_spaces: bool = False

    @property
    def expression(self) -> re.Pattern[str]:
        """The pattern, compiled when first used: most never are."""
        return _compiled(self.pattern)

    @property
    def secret(self) -> str | int:
        """The group of a match that is to be hidden."""
        return "secret" if "secret" in self.expression.groupindex else 0

    def redact(self, text: str, hide: Callable[[str], str], *, is_code: bool = False) -> str:
        """Applies `hide` to each credential of this shape in a text."""
        secret = self.secret
        is_inside = _is_in_base64 if is_code else _is_in_data_url

        def redact_match(match: re.Match[str]) -> str:
            value = match.group(secret)
            if not self.has_spaces and (_is_filler(match.group(), value) or is_inside(match)):
                return match.group()
            if (self.check and not self.check(value)) or (is_code and not self.in_code(value)):
                return match.group()
            start, end = (position - match.start() for position in match.span(secret))
            return match.group()[:start] + hide(value) + match.group()[end:]

        return self.expression.sub(redact_match, text)

    def may_be_in(self, text: str) -> bool:
        """Whether a text contains one of the hints, or a match if there are no hints."""
        if not self.hints:
            return self.expression.search(text) is not None
        return any(hint in text for hint in self.hints)


class KeywordIndex:
    """Searches for the hints of all patterns at once."""

    def __init__(self, table: Sequence[CredentialPattern]) -> None:
        by_hint: dict[str, set[int]] = {}
        for position, shape in enumerate(table):
            for hint in shape.hints:
                by_hint.setdefault(hint, set()).add(position)
        # The longest hint matches first, so it also counts for the hints it begins with.
        self._positions = {hint: set().union(*_at_beginnings(hint, by_hint)) for hint in by_hint}
        self._expression = re.compile("|".join(map(re.escape, sorted(by_hint, key=len, reverse=True))))

    def positions(self, text: str) -> set[int]:
        """The positions in the table of the patterns that have a hint in a text."""
        positions: set[int] = set()
        match = self._expression.search(text)
        while match:
            positions |= self._positions[match.group()]
            match = self._expression.search(text, match.start() + 1)
        return positions


class CredentialScanner:
    """Finds the credentials of a table of patterns."""

    def __init__(self, table: Sequence[CredentialPattern]) -> None:
        self._table = table
        self._hintless = [position for position, shape in enumerate(table) if not shape.hints]
        self.anywhere = any(shape.has_spaces and not shape.hints for shape in table)

    @cached_property
    def _hints(self) -> KeywordIndex:
        return KeywordIndex(self._table)

    def likely(self, text: str) -> list[CredentialPattern]:
        """The patterns that may match a text."""
        searchable = self.searchable_part(text)
        if not searchable:
            return []
        if len(searchable) > _WORTH_SPLITTING:
            return [shape for shape in self._table if shape.may_be_in(searchable)]
        positions = self._hints.positions(searchable)
        positions.update(position for position in self._hintless if self._table[position].may_be_in(searchable))
        return [self._table[position] for position in sorted(positions)] if positions else []

    def has_match(self, text: str) -> bool:
        """Whether a text contains a credential."""
        return any(shape.redact(text, lambda _match: "") != text for shape in self.likely(text))

    def searchable_part(self, text: str) -> str:
        """The part of a text that can contain a credential."""
        return text if self.anywhere else candidate_runs(text)

    def may_be_in(self, text: str) -> bool:
        """Whether the text from `searchable_part` may contain a credential at all."""
        return any(
            shape.may_be_in(text) and (shape.has_spaces or shape.expression.search(text)) for shape in self._table
        )


def _at_beginnings(hint: str, by_hint: dict[str, set[int]]) -> Iterator[set[int]]:
    beginnings = (hint[:end] for end in range(1, len(hint) + 1))
    return (by_hint[beginning] for beginning in beginnings if beginning in by_hint)


def candidate_runs(text: str) -> str:
    """The parts of a text that can contain a credential.

    Long texts consist mostly of short words and numbers, which cannot.
    """
    if len(text) < _WORTH_SPLITTING:
        return text if _RUN.search(text) or any(mark in text for mark in _MARKS) else ""
    runs = text.encode("utf-8", "surrogatepass").translate(_SPACED).split()
    candidates = [run for run in runs if len(run) >= SHORTEST and run.strip(_OF_NUMBERS)]
    marks = [mark for mark in _MARKS if mark in text]
    return "\n".join([b"\n".join(candidates).decode("ascii"), *marks])


def is_everyday(text: str) -> bool:
    """Whether a short text is only words, a number, a date or an id. It neither is a credential nor names one."""
    if len(text) >= _WORTH_SPLITTING:
        return False
    return _WORTH_LOOKING_AT.search(text) is None or not text.strip(_NUMERIC)


def _is_filler(matched: str, value: str) -> bool:
    """Whether a match is a number, which long texts are not searched for, or mostly one repeated character."""
    return not matched.strip(_NUMERIC) or max(map(value.count, set(value))) * 2 > len(value)


def _is_in_base64(match: re.Match[str]) -> bool:
    """Whether a match in code is part of a longer run of base64, where any shape may occur by chance."""
    text, start, end = match.string, match.start(), match.end()
    before = _RUN_BEFORE.search(text[max(0, start - _LOOKED_AROUND) : start])
    after = _RUN_AFTER.match(text[end : end + _LOOKED_AROUND])
    return any(run is not None and _is_encoded(run.group()) for run in (before, after))


def _is_in_data_url(match: re.Match[str]) -> bool:
    """Whether a match is part of the base64 of a `data:` URL."""
    text, end = match.string, match.start()
    begins = text.rfind(_DATA, max(0, end - _LONGEST_DATA), end) + len(_DATA)
    return begins >= len(_DATA) and _ENCODED.fullmatch(text, begins, end) is not None


def _is_encoded(run: str) -> bool:
    """Whether a run of letters, digits, `+` and `/` is base64 rather than a path, which consists of words."""
    if len(run) < _SHORTEST_ENCODED:
        return False
    return _REPEATED.search(run) is not None or len(_TURN.findall(run)) * 3 > len(run)


def is_key_block(block: str) -> bool:
    """Whether a PEM block (RFC 7468) contains a key.

    It may be in plain text, in JSON, or in the strings of a program.
    """
    inner = _PEM_HEADER.sub("", block[block.index("-----", 5) + 5 : block.rindex("-----END")])
    key = _PEM_BETWEEN.sub("", _PEM_JOINED.sub("", inner))
    return _PEM_KEY.fullmatch(key) is not None and not is_readable(key)


def is_url_password(value: str) -> bool:
    """Whether a password in a URL in code is a real one rather than an example (`user:pass@`)."""
    value = unquote(value)
    return len(value) >= _SHORTEST_PASSWORD and any(map(str.isdigit, value))


def is_app_bearer(value: str) -> bool:
    """Whether the rest of a value after many `A` looks like a token rather than a table of small numbers."""
    tail = value.lstrip("A")
    return tail.count("A") * _RARELY <= len(tail)


def is_card_number(text: str) -> bool:
    """Whether digits pass the Luhn check (ISO/IEC 7812) and begin like those of a card issuer."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    is_issued = digits[:1] in ([2], [3], [4], [5], [6]) and len(set(digits)) > 1
    return is_issued and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_user_and_password(encoded: str) -> bool:
    """Whether base64 decodes to a user and a password with a colon between them (RFC 7617)."""
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
# A change between small letters, capitals and digits. Words have few.
_TURN = re.compile(r"[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])")
_PEM_HEADER = re.compile(r"[A-Z][A-Za-z\-]+: [^\r\n\\\"'<]*")
# The gap between two strings of a program, and the marks at line ends and in comments and events.
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
