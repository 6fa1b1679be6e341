"""Remembers secrets by their value and finds them again elsewhere.

Only distinctive values are searched for: long enough, with letters and digits. In code, where names and words have
other meanings, only values that look random.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial

from replaymock.http import media_types
from replaymock.http.headers import media_type
from replaymock.http.messages import Request, Response
from replaymock.http.uri import readable
from replaymock.redaction import code
from replaymock.redaction.secret_names import is_secret_name
from replaymock.redaction.wording import is_code_fragment, is_random_looking, is_readable


class KnownSecrets:
    """The latest few hundred secrets of a recording, each with its placeholder.

    `learned` counts all there ever were.
    """

    def __init__(self, placeholders: Mapping[str, str] | None = None, most: int = 256) -> None:
        self.learned = 0
        self._most = most
        self._placeholders: dict[str, str] = {}
        self._cores: dict[str, str] = {}
        self._words: Counter[bytes] = Counter()
        self._new: dict[str, str] = {}
        for value, placeholder in (placeholders or {}).items():
            self.remember(value, placeholder)

    def remember(self, value: str, placeholder: str) -> None:
        """Remembers a secret, if its value is distinctive."""
        if "%" in value and _ESCAPED.search(value) and is_distinctive(decoded := readable(value)):
            value = decoded  # all its spellings are searched for
        if value in self._placeholders:
            self._placeholders[value] = placeholder
        if value in self._placeholders or not is_distinctive(value):
            return
        self.learned += 1
        self._placeholders[value] = self._new[value] = placeholder
        self._cores[value] = max(_UNESCAPED.findall(value), key=len, default="")
        self._words[_word(value)] += 1
        while len(self._placeholders) > self._most:
            self._forget(next(iter(self._placeholders)))
        while len(self._new) > MAX_NEW:
            del self._new[next(iter(self._new))]

    def _forget(self, value: str) -> None:
        del self._placeholders[value], self._cores[value]
        word = _word(value)
        self._words[word] -= 1
        if not self._words[word]:
            del self._words[word]

    def copy(self) -> "KnownSecrets":
        """A copy without new secrets. Adding to it does not change the original."""
        copy = KnownSecrets(most=self._most)
        copy.learned = self.learned
        copy._placeholders, copy._cores = dict(self._placeholders), dict(self._cores)
        copy._words = self._words.copy()
        return copy

    def replace_by(self, later: "KnownSecrets") -> None:
        """Takes over a copy to which secrets were added, while none were added here."""
        self.learned = later.learned
        self._placeholders, self._cores, self._words = later._placeholders, later._cores, later._words
        self._new |= later._new

    def take_new(self) -> dict[str, str]:
        """Gives the secrets learned since the last call, each with its placeholder."""
        new, self._new = self._new, {}
        return new

    def may_be_in(self, data: bytes) -> bool:
        """Whether data may contain one of the secrets: it contains a word of one. Fast for any number of secrets."""
        secret_words = self._words.keys()
        # A value that consists of escapes only has no word, and may be anywhere.
        if b"" in secret_words or not secret_words.isdisjoint(_words(data)):
            return True
        is_escaped = b"\\" in data or b"%" in data
        return is_escaped and not secret_words.isdisjoint(_words(_unescaped(data)))

    def hide(self, text: str) -> str:
        """Replaces each known value that stands on its own, in any spelling, by its placeholder."""
        if not self._words or not self.may_be_in(text.encode("utf-8", "surrogatepass")):
            return text
        return self._hide(text)

    def _hide(self, text: str, *, is_code: bool = False) -> str:
        for value, core in self._cores.items():
            if core in text and not (is_code and not is_random_looking(value)):
                text = _replaced(text, value, core, self._placeholders[value])
        return text

    def request(self, request: Request) -> Request:
        """The request without known values in its target, headers and body."""
        target, body = self.hide(request.target), self.body(request.body, media_type(request.headers))
        headers = tuple((name, self.hide(value)) for name, value in request.headers)
        if (target, headers, body) == (request.target, request.headers, request.body):
            return request
        return replace(request, target=target, headers=headers, body=body)

    def response(self, response: Response, path: str = "") -> Response:
        """The response without known values in its headers and body. `path` is that of the request."""
        if not self._placeholders:
            return response
        headers = tuple((name, self.hide(value)) for name, value in response.headers)
        return replace(response, headers=headers, body=self.body(response.body, media_type(response.headers), path))

    def body(self, body: bytes, media: str, path: str = "") -> bytes:
        """A text body without known values. These are ASCII, so the charset of the body does not matter."""
        if not body or not self._placeholders or not media_types.is_text(media, body) or not self.may_be_in(body):
            return body
        text = body.decode("latin-1")
        in_code = partial(self._hide, is_code=True)
        if code.is_code(media, path, body):
            redacted = in_code(text)
        elif code.may_be_in(text):
            redacted = code.replace_around(text, in_code, self._hide, self._hide)
        else:
            redacted = self._hide(text)
        return body if redacted == text else redacted.encode("latin-1")


def _word(value: str) -> bytes:
    """The longest run of letters and digits that stands alone in every spelling of a value."""
    return max(_words(_unescaped(value.encode())), key=len, default=b"")


def _words(data: bytes) -> list[bytes]:
    return data.translate(_SEPARATED).split()


def _unescaped(data: bytes) -> bytes:
    """Replaces whatever may be an escape by a space. An escape ends a word, but contains letters."""
    return _ESCAPE.sub(b" ", data)


@lru_cache(maxsize=1024)
def is_distinctive(value: str) -> bool:
    """Whether nothing but this secret is likely to have this value."""
    if len(value) > LONGEST or len(set(value)) < _FEWEST_LETTERS or not _PRINTABLE.fullmatch(value):
        return False
    if is_random_looking(value) and not _PLACEHOLDER.search(value):
        return True
    if not _SPELLED.fullmatch(value) or is_code_fragment(value):
        return False
    digits, has_letters = len(_DIGIT.findall(value)), _LETTER.search(value) is not None
    if digits < _DIGITS_OF_NO_NAME and is_secret_name(value):
        return False  # `accessToken`, `password2`: names that many texts mention
    if not digits:
        return value not in (value.lower(), value.upper(), value.capitalize()) and not is_readable(value)
    return has_letters and not _DATE.match(value)


def _replaced(text: str, value: str, core: str, placeholder: str) -> str:
    """Replaces a value in a text. Only the surroundings of what all its spellings share are searched."""
    expression, before = _spellings(value), value.index(core) * _LONGEST_SPELLING
    out: list[str] = []
    kept_from, at = 0, text.find(core)
    while at >= 0:
        end = at + len(value) * _LONGEST_SPELLING + 1
        match = expression.search(text, max(kept_from, at - before), end)
        if match:
            out += [text[kept_from : match.start()], placeholder]
            kept_from = match.end()
        at = text.find(core, max(at + 1, kept_from))
    return "".join([*out, text[kept_from:]])


@lru_cache(maxsize=1024)
def _spellings(value: str) -> re.Pattern[str]:
    """A value in all its spellings in text, URLs and JSON.

    No letter or digit may be beside it, unless that ends an escape.
    """
    return re.compile(_BEFORE + "".join(map(_spelling, value)) + r"(?![A-Za-z0-9])")


def _spelling(character: str) -> str:
    if _UNESCAPED.fullmatch(character):
        return re.escape(character)
    digits = "".join(f"[{digit}{digit.lower()}]" for digit in f"{ord(character):02X}")
    entities = "".join(f"|{entity}" for entity in _ENTITIES.get(character, ()))
    return rf"(?:\\{{0,8}}{re.escape(character)}|%(?:25)*{digits}|\\+u00{digits}{entities})"


LONGEST = 8192
"""The most characters a distinctive value has."""

MAX_NEW = 10_000
"""The most new secrets that are remembered between two calls of `take_new`."""

_FEWEST_LETTERS = 5
_DIGITS_OF_NO_NAME = 2
# How markup writes its own characters. A query writes a plus for a space.
_ENTITIES = {
    '"': ("&quot;", "&#34;"),
    "'": ("&#39;", "&apos;"),
    "&": ("&amp;",),
    "<": ("&lt;",),
    ">": ("&gt;",),
    " ": (r"\+",),
}
# For one character: eight backslashes and itself, or an escape of an escape of an escape.
_LONGEST_SPELLING = 16
_PRINTABLE = re.compile(r"[ -~]{8,}")
_SPELLED = re.compile(r"[A-Za-z0-9!#$%&()*+,\-./:;=?@\[\]^_|~]+")
_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")
_ESCAPED = re.compile(r"%[2-7][0-9A-Fa-f]")
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[A-Za-z]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|v?[0-9]+(?:\.[0-9]+)+")
_ESCAPE = re.compile(rb"(?<!\\)\\++(?:u[0-9A-Fa-f]{4}|[bfnrt])|%(?:25)*[0-9A-Fa-f]{2}")
_SEPARATED = bytes(code if chr(code).isascii() and chr(code).isalnum() else ord(" ") for code in range(256))
_UNESCAPED = re.compile(r"[A-Za-z0-9_.\-]+")
_BEFORE = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=%25[0-9A-Fa-f]{2})|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"
