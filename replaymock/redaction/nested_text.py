"""Text inside text: base64, percent-encoding, data of events, arguments of calls.

What is found is handed to a function, and what that makes of it is written back in the same form.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Callable

from replaymock.http import json_tokens
from replaymock.http.uri import encode_component, literal_percents, readable

Change = Callable[[str], str]

MAX_RUN = 256 * 1024
"""Longer runs are images and the like, and let be."""


def replace_base64(text: str, change: Change) -> str:
    """Text in which what is encoded in base64, in either alphabet, is what `change` makes of it."""
    if "\n" in text:
        text = _WRAPPED.sub(lambda match: _rewrapped(match.group(), change), text)
    return _RUN.sub(lambda match: _changed(match.group(), change), text)


def replace_percent(text: str, change: Change, levels: int = 3) -> str:
    """Text in which each word that is percent-encoded, up to so many times over, is what `change` makes of it."""
    return _WORD.sub(lambda match: _changed_word(match.group(), change, levels), text)


def may_hold(text: str) -> bool:
    """Whether a text has a run that may be a text in base64."""
    return any(_decoded(match.group()) is not None for match in _RUN.finditer(text))


def _changed_word(word: str, change: Change, levels: int) -> str:
    if not _PERCENT.search(word):
        return word
    decoded = readable(word)
    found = change(decoded)
    if levels > 1:
        inner = found.replace("%25", "%")
        deeper = replace_percent(inner, change, levels - 1)
        found = found if deeper == inner else literal_percents(deeper)
    return word if found == decoded else encode_component(found)


def _rewrapped(lines: str, change: Change) -> str:
    """Base64 in lines (RFC 2045 section 6.8), in lines of the same length where it changed."""
    end = "\r\n" if "\r\n" in lines else "\n"
    first, *rest = lines.split(end)
    run = first + "".join(rest)
    found = _changed(run, change)
    return lines if found == run else end.join(found[at : at + len(first)] for at in range(0, len(found), len(first)))


def _changed(run: str, change: Change) -> str:
    decoded = _decoded(run)
    if decoded is None:
        return run
    found = change(decoded)
    if found == decoded:
        return run
    encoded = base64.b64encode(found.encode("utf-8")).decode("ascii")
    if "-" in run or "_" in run:
        encoded = encoded.translate(_TO_URL)
    return encoded if run.endswith("=") else encoded.rstrip("=")


def _decoded(run: str) -> str | None:
    """The text behind a run; None where it is none."""
    if len(run) > MAX_RUN or not _text(run[:_LOOKED_AT], whole=len(run) <= _LOOKED_AT):
        return None
    return _text(run, whole=True)


def _text(run: str, *, whole: bool) -> str | None:
    plain = run.rstrip("=").translate(_FROM_URL)
    if len(plain) % 4 == 1:
        return None
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        text = codecs.getincrementaldecoder("utf-8")().decode(data, whole)
    except (binascii.Error, UnicodeDecodeError):
        return None
    return None if _CONTROL.search(text) else text


_LOOKED_AT = 64

_RUN = re.compile(r"(?<![A-Za-z0-9+/_\-=.%])[A-Za-z0-9+/_\-]{20,}+={0,2}(?![A-Za-z0-9+/_\-=.%])")

_WRAPPED = re.compile(r"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]{1,76}={0,2}(?![A-Za-z0-9+/=])")

_WORD = re.compile(r"[^\s/?#&=:,;$@+\"'<>{}\\]+")

_PERCENT = re.compile(r"%(?:25)*[2-7][0-9A-Fa-f]")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ufffd]")

_TO_URL = str.maketrans("+/", "-_")

_FROM_URL = str.maketrans("-_", "+/")


def replace_lines(text: str, change: Change) -> str:
    """Text in which each line that is JSON, also as the data of an event, is what `change` makes of it."""
    return _EVENT_LINE.sub(lambda match: match.group(1) + _valid(match.group(2), change), text)


def replace_in_events(text: str, change: Change) -> str:
    """An event stream in which JSON over several `data:` lines is what `change` makes of it, on as many lines."""
    return _DATA.sub(lambda match: _lines(match.group(), change), text)


def replace_argument(text: str, change: Change) -> str | None:
    """A script that only hands JSON to a function (JSONP), with what `change` makes of that; None for any other."""
    match = _CALL.fullmatch(text)
    if match is None or not json_tokens.is_valid(match.group(2)):
        return None
    return match.group(1) + change(match.group(2)) + match.group(3)


def _valid(text: str, change: Change) -> str:
    return change(text) if json_tokens.is_valid(text) else text


def _lines(block: str, change: Change) -> str:
    lines = [_FIELD.fullmatch(line) for line in block.split("\n")]
    fields = [line.groups() for line in lines if line]
    said = "\n".join(value for _, value, _ in fields)
    if len(fields) != len(lines) or not json_tokens.is_valid(said):
        return block
    # A line break is never inside a token of JSON, so there are as many lines afterwards.
    found = change(said).split("\n")
    return "\n".join(before + value + end for (before, _, end), value in zip(fields, found, strict=True))


_EVENT_LINE = re.compile(r"^((?:data:)?[ \t]*)([{\[][^\r\n]*[}\]])(?=[ \t]*\r?$)", re.MULTILINE)

_FIELD = re.compile(r"(data:[ ]?)(.*?)(\r?)", re.DOTALL)

_DATA = re.compile(r"^data:[^\n]*(?:\ndata:[^\n]*)+", re.MULTILINE)

# What modules are made by is no function that waits for data.
_CALL = re.compile(
    r"(\s*(?:/\*\*/\s*)?(?!(?:define|require|System)\b)[A-Za-z_$][\w$.\[\]]{0,99}\(\s*)([\[{].*[\]}])(\s*+\)\s*+;?\s*+)",
    re.DOTALL,
)
