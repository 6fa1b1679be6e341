"""Regular expressions as Go writes them (RE2), for Python's `re` in ASCII mode.

Translated is what means the same; what `re` has no word for is refused with the reason.
"""

import re
from collections.abc import Iterator


class Untranslatable(ValueError):
    """An expression that `re` cannot take; the text says why."""


def compiled(expression: str) -> re.Pattern[str]:
    """The expression compiled. Untranslatable with the reason."""
    try:
        return re.compile(translated(expression), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise Untranslatable(str(error)) from error


def translated(expression: str) -> str:
    """The expression as Python writes it."""
    return "".join(_Translation(expression).parts())


class _Translation:
    """Goes over an expression once. A frame for each open group: whether it is in multi-line mode, its scoped flags.

    Flags that RE2 takes anywhere, `a(?i)b|c`, hold to the end of their group: `a(?i:b)|(?i:c)` says so to Python.
    """

    def __init__(self, expression: str) -> None:
        self._text = expression
        self._at = 0
        self._frames: list[tuple[bool, list[str]]] = [(False, [])]

    def parts(self) -> Iterator[str]:
        while self._at < len(self._text):
            yield self._part(self._text[self._at])
        yield ")" * len(self._frames[0][1])

    def _part(self, letter: str) -> str:
        if letter == "\\":
            return self._escape()
        if letter == "[":
            return self._class()
        self._at += 1
        is_multiline, scopes = self._frames[-1]
        match letter:
            case "(":
                return self._group()
            case ")" if len(self._frames) > 1:
                self._frames.pop()
                return ")" * len(scopes) + ")"
            case "|":
                return ")" * len(scopes) + "|" + "".join(scopes)
            case "$" if not is_multiline:
                return r"\Z"
            case "{" if self._text.startswith(",", self._at):
                return r"\{"  # `{,5}` is text to RE2, a count to Python
        return letter

    def _group(self) -> str:
        is_multiline, scopes = self._frames[-1]
        named, flags = _NAMED.match(self._text, self._at), _FLAGS.match(self._text, self._at)
        if flags is None:
            self._frames.append((is_multiline, []))
            self._at = named.end() if named else self._at
            return f"(?P<{named.group(1)}>" if named else "("
        self._at = flags.end()
        switched, end = flags.groups()
        on, _, off = switched.partition("-")
        if "U" in switched:
            raise Untranslatable("(?U) is not known to Python")
        is_multiline = (is_multiline or "m" in on) and "m" not in off
        scope = f"(?{''.join(sorted(set(on)))}{'-' if off else ''}{''.join(sorted(set(off)))}:"
        if end == ":":
            self._frames.append((is_multiline, []))
            return scope
        self._frames[-1] = (is_multiline, [*scopes, scope])
        return scope

    def _escape(self) -> str:
        quoted = _QUOTED.match(self._text, self._at)
        if quoted:
            self._at = quoted.end()
            return re.escape(quoted.group(1))
        if self._text.startswith(r"\z", self._at):
            self._at += 2
            return r"\Z"
        return self._letter()

    def _letter(self) -> str:
        """An escape that may stand in a class too."""
        long = _LONG_HEX.match(self._text, self._at)
        if long:
            self._at = long.end()
            return f"\\U{int(long.group(1), 16):08x}"
        escape = self._text[self._at : self._at + 2]
        if escape in (r"\p", r"\P", r"\C"):
            raise Untranslatable(f"{escape} is not known to Python")
        self._at += 2
        return escape

    def _class(self) -> str:
        """A class in brackets; what Python may once read as an operation on sets is escaped."""
        out = ["[^" if self._text.startswith("[^", self._at) else "["]
        self._at += len(out[0])
        if self._text.startswith("]", self._at):
            out.append(r"\]")
            self._at += 1
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == "\\":
                out.append(self._letter())
                continue
            if letter == "[" and (posix := _POSIX.match(self._text, self._at)):
                self._at = posix.end()
                out.append(_posix(posix))
                continue
            self._at += 1
            if letter == "]":
                return "".join([*out, "]"])
            doubled = letter == "-" and out[-1] == "-"
            out.append(f"\\{letter}" if letter in "[&|~" or doubled else letter)
        raise Untranslatable("a class has no end")


def _posix(match: re.Match[str]) -> str:
    negated, name = match.groups()
    if name not in _POSIX_CLASSES or (negated and name not in _POSIX_COMPLEMENTS):
        raise Untranslatable(f"{match.group()} is not known to Python")
    return _POSIX_COMPLEMENTS[name] if negated else _POSIX_CLASSES[name]


_FLAGS = re.compile(r"\?((?:[imsU]+|(?=-))(?:-[imsU]+)?|)([:)])")
_NAMED = re.compile(r"\?P?<([A-Za-z_0-9]+)>")
_QUOTED = re.compile(r"\\Q([\s\S]*?)(?:\\E|\Z)")
_LONG_HEX = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_POSIX = re.compile(r"\[:(\^?)([a-z]+):\]")
_POSIX_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t-\r ",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}
_POSIX_COMPLEMENTS = {"digit": r"\D", "space": r"\S", "word": r"\W"}
