"""Decides whether a value reads like words, for people or in code, rather than like a secret.

It judges by the letters alone, without a dictionary. In doubt a value is a secret.
"""

import re
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache


@lru_cache(maxsize=1024)
def is_readable(text: str) -> bool:
    """Whether nearly all letters of a text belong to readable words: `nextPageToken`, `super-zebra42`."""
    pieces = _PIECE.findall(text)
    letters = sum(map(len, pieces))
    return letters > 0 and sum(len(piece) for piece in pieces if _is_word(piece)) >= letters * _MOST


@lru_cache(maxsize=1024)
def is_random_looking(value: str) -> bool:
    """Whether a value looks random: mostly long runs of mixed letters and digits."""
    if len(value) < _LEAST_CHANCE or _CALL.search(value):
        return False
    chance = sum(len(run) for run in _RUN.findall(value) if _is_random_run(run))
    return chance >= _LEAST_CHANCE and chance * 2 >= len(value)


def is_code_fragment(value: str) -> bool:
    """Whether a value has the punctuation of code: `getItem(`, `e.secret`, `"),`."""
    if _OF_PROGRAMS.search(value):
        return True
    return _DOTTED.fullmatch(value) is not None and sum(map(str.isdigit, value)) < _DIGITS_OF_A_VALUE


def is_interface_text(value: str) -> bool:
    """Whether a value reads like a text of a user interface, in any language."""
    words = _STAND_IN.sub(" ", value).split()
    return any(any(map(str.isalpha, word)) for word in words) and not any(map(_is_unlike_word, words))


def is_message(value: str) -> bool:
    """Whether a value where messages are expected is one: it reads as text, or is a sentence without random parts."""
    return is_interface_text(value) or (" " in value.strip() and not any(map(is_random_looking, value.split())))


def mentions(value: str, name: str) -> bool:
    """Whether a text has a word with the same beginning as one of a name: `Forgot PIN?` mentions `user_pin`."""
    beginnings = {word[:_BEGINNING].lower() for word in _WORD.findall(name)}
    return any(word[:_BEGINNING].lower() in beginnings for word in _WORD.findall(value))


class InterfaceTexts:
    """The strings of a document. Whether they are texts for people is decided when it is first needed."""

    def __init__(self, strings: Callable[[], Iterable[str]], *, is_known: bool) -> None:
        self._strings = strings
        self._is_known = is_known

    @cached_property
    def _size(self) -> int:
        """The number of texts; 0 if the document contains other data."""
        strings = [value for value in self._strings() if value]
        texts = [value for value in strings if is_interface_text(value) and not _DATA.fullmatch(value)]
        if len(strings) - len(texts) > len(strings) // _TEXTS_FOR_ONE_OTHER:
            return 0
        return len(texts) if sum(map(_is_for_people, texts)) * 2 >= len(texts) else 0

    def contains(self, name: str, value: str) -> bool:
        """Whether a value is one of these texts. If there are few, it must also mention its name."""
        if not is_interface_text(value):
            return False
        if self._is_known:
            return True
        fewest = _FEWEST_TEXTS if mentions(value, name) else _MANY_TEXTS
        return self._size >= fewest and (_is_for_people(value) or mentions(value, name))


@lru_cache(maxsize=1024)
def is_translation_path(path: str) -> bool:
    """Whether a path is that of a file of texts: `/locales/en.json`, `/i18n/login`, `/messages.de-AT.json`."""
    *folders, name = path.partition("?")[0].lower().split("/")
    if not _FOLDERS.isdisjoint(folders):
        return True
    stem, _, extension = name.rpartition(".")
    parts = stem.replace("_", "-").split(".")
    return extension in ("json", "arb") and (parts[0] in _FOLDERS or any(map(_LANGUAGE.fullmatch, parts)))


def _is_for_people(text: str) -> bool:
    """Whether a text is more than one lower-case word, which could be a password or a name in code."""
    return " " in text.strip() or text[:1].isupper() or not text.isascii()


def _is_word(piece: str) -> bool:
    if not piece.isascii():
        return True
    lower = piece.lower()
    if len(piece) < _SHORTEST_WORD or (piece.isupper() and lower != piece):
        return lower in _SHORT_WORDS or (len(piece) > _LONGEST_ACRONYM and _UNREADABLE.search(lower) is None)
    return _UNREADABLE.search(lower) is None


def _is_random_run(run: str) -> bool:
    digits = sum(map(str.isdigit, run))
    if digits == len(run):
        return False
    turns = len(_TURN.findall(run))
    if turns >= _MANY_TURNS and turns * _PER_TURN >= len(run):
        return True
    is_mixed = run not in (run.lower(), run.upper(), run.capitalize())
    if digits < _DIGITS_OF_A_VALUE and not (is_mixed and len(run) >= _LEAST_CHANCE):
        return False
    return len(set(run)) > _FEWEST_CHARACTERS and not is_readable(run)


def _is_unlike_word(word: str) -> bool:
    """Whether a word is not one: letters mixed with digits, or in a case that no word has."""
    core = word.strip(_AROUND_WORDS)
    if not core or not core.isascii():
        return False
    digits = sum(map(str.isdigit, core))
    if digits:
        return len(core) >= _LONGEST_TERM and digits < len(core) and not _TERM.fullmatch(core)
    is_usual = len(core) < _LONGEST_TERM or core in (core.lower(), core.upper(), core.capitalize())
    return not (is_usual or is_readable(core))


_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")
_MOST = 0.8
_SHORTEST_WORD = 3
_LONGEST_ACRONYM = 5
_UNREADABLE = re.compile(r"^[^aeiouy]+$|[^aeiouy]{5}|[aeiouy]{5}")
_SHORT_WORDS = frozenset(
    (
        "a i an as at be by do go he id if in is it js me my no of ok on or so to ui up us we db io ip os url uri "
        "api css html http https xml jwt sql ssl tls dns rsa aes sha hmac csrf xsrf uuid guid json oauth oidc saml "
        "mfa otp totp pin key get set has not and for the new old all any one two log map max min num raw ref src "
        "sub sum tag txt utf val var md hex str int ssh ssl dsn sid"
    ).split()
)
_LEAST_CHANCE = 16
_FEWEST_CHARACTERS = 4
_DIGITS_OF_A_VALUE = 2
_RUN = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9]{8,}")
# A change from letter to digit or back. No name has many of them.
_TURN = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
_MANY_TURNS = 4
_PER_TURN = 4
_CALL = re.compile(r"[A-Za-z0-9_$)\]]\(|=>|\)[;,]")
_OF_PROGRAMS = re.compile(r"""[(){};"'`<>\\]|=>|&&|\|\||[!=]==|\A[)\],;.:?=]|[,:\[?]\Z""")
_DOTTED = re.compile(r"[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)+", re.ASCII)
# `{{name}}`, `{count}`, `%{name}`, `%(name)s`, `%1$s`, `$t(a.b)`, `<b>`, `&nbsp;`, and an address.
_STAND_IN = re.compile(
    r"\{\{[^{}]*\}\}|[%$#]?\{[^{}]*\}|%\([^()]*\)[a-z]|%[0-9]*\$?[a-z@]|\$t\([^()]*\)|</?[a-zA-Z][^<>]*>|&#?\w+;"
    r"|https?://[\w.\-/]+"
)
_AROUND_WORDS = "()[]{}<>.,;:!?'\"’‘“”«»…*/-–—+&@#|=`"
_LONGEST_TERM = 8
# `8-character`, `SHA-256`, `OAuth2`, `X.509v3`, `2-factor`.
_TERM = re.compile(r"[0-9]{1,4}[.\-][A-Za-z]+|[A-Za-z]+[.\-]?[0-9]{1,4}(?:v[0-9])?|[0-9]+[.,:/\-][0-9.,:/\-]+[a-z%]*")
_BEGINNING = 4
_WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}")
_FEWEST_TEXTS = 3
_MANY_TEXTS = 8
_TEXTS_FOR_ONE_OTHER = 10
# A number, a date, an address. Documents of texts have few.
_DATA = re.compile(r"[0-9][0-9.,:TZ+/\-]*|\S+@\S+|https?://\S+|/\S*")
_FOLDERS = frozenset(
    (
        "locales locale i18n l10n lang langs language languages translation translations intl nls lng lngs "
        "localization localisation strings phrases dictionaries"
    ).split()
)
_LANGUAGE = re.compile(r"(?:[a-z]{2,16}-)?[a-z]{2}(?:-[a-z]{4})?(?:-[a-z]{2})?")
