"""Changes text inside text: base64, percent-encoding, data of events, arguments of calls.

The inner text is passed to a function, and its result is encoded again in the same way.
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
"""Longer runs are images and the like, and are skipped."""


def replace_base64(text: str, change: Change) -> str:
    """Applies `change` to all text that is encoded in base64, in either alphabet."""
    if "\n" in text:
        text = _WRAPPED.sub(lambda match: _rewrapped(match.group(), change), text)
    return _RUN.sub(lambda match: _changed(match.group(), change), text)


def replace_percent(text: str, change: Change, levels: int = 3) -> str:
    """Applies `change` to each word that is percent-encoded, up to `levels` times over."""
    return _WORD.sub(lambda match: _changed_word(match.group(), change, levels), text)


def may_hold(text: str) -> bool:
    """Whether a text contains a run that may be text in base64."""
    return any(_decoded(match.group()) is not None for match in _RUN.finditer(text))


def _changed_word(word: str, change: Change, levels: int) -> str:
    if not PERCENT_ENCODED.search(word):
        return word
    decoded = readable(word)
    changed = change(decoded)
    if levels > 1:
        inner = changed.replace("%25", "%")
        deeper = replace_percent(inner, change, levels - 1)
        changed = changed if deeper == inner else literal_percents(deeper)
    return word if changed == decoded else encode_component(changed)


def _rewrapped(lines: str, change: Change) -> str:
    """Base64 in lines (RFC 2045 section 6.8). A changed one gets lines of the same length."""
    end = "\r\n" if "\r\n" in lines else "\n"
    first, *others = lines.split(end)
    run = first + "".join(others)
    new = _changed(run, change)
    return lines if new == run else end.join(new[at : at + len(first)] for at in range(0, len(new), len(first)))


def _changed(run: str, change: Change) -> str:
    decoded = _decoded(run)
    if decoded is None:
        return run
    changed = change(decoded)
    if changed == decoded:
        return run
    encoded = base64.b64encode(changed.encode("utf-8")).decode("ascii")
    if "-" in run or "_" in run:
        encoded = encoded.translate(_TO_URL)
    return encoded if run.endswith("=") else encoded.rstrip("=")


def _decoded(run: str) -> str | None:
    """The text behind a run; None if it is not text."""
    if len(run) > MAX_RUN or not _text(run[:_LOOKED_AT], is_whole=len(run) <= _LOOKED_AT):
        return None
    return _text(run, is_whole=True)


def _text(run: str, *, is_whole: bool) -> str | None:
    plain = run.rstrip("=").translate(_FROM_URL)
    if len(plain) % 4 == 1:
        return None
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        text = codecs.getincrementaldecoder("utf-8")().decode(data, is_whole)
    except (binascii.Error, UnicodeDecodeError):
        return None
    return None if _CONTROL.search(text) else text


_LOOKED_AT = 64

_RUN = re.compile(r"(?<![A-Za-z0-9+/_\-=.%])[A-Za-z0-9+/_\-]{20,}+={0,2}(?![A-Za-z0-9+/_\-=.%])")

_WRAPPED = re.compile(r"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]{1,76}={0,2}(?![A-Za-z0-9+/=])")

_WORD = re.compile(r"[^\s/?#&=:,;$@+\"'<>{}\\]+")

PERCENT_ENCODED = re.compile(r"%(?:25)*[2-7][0-9A-Fa-f]")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ufffd]")

_TO_URL = str.maketrans("+/", "-_")

_FROM_URL = str.maketrans("-_", "+/")


def replace_lines(text: str, change: Change) -> str:
    """Applies `change` to each line that is JSON, also as the data of an event."""
    return _EVENT_LINE.sub(lambda match: match.group(1) + _changed_if_valid(match.group(2), change), text)


def replace_in_events(text: str, change: Change) -> str:
    """Applies `change` to JSON that extends over several `data:` lines. The number of lines stays."""
    return _DATA.sub(lambda match: _changed_lines(match.group(), change), text)


def replace_argument(text: str, change: Change) -> str | None:
    """Applies `change` to the JSON that a script passes to a function (JSONP); None for any other script."""
    match = _CALL.fullmatch(text)
    if match is None or not json_tokens.is_valid(match.group(2)):
        return None
    return match.group(1) + change(match.group(2)) + match.group(3)


def _changed_if_valid(text: str, change: Change) -> str:
    return change(text) if json_tokens.is_valid(text) else text


def _changed_lines(block: str, change: Change) -> str:
    lines = [_FIELD.fullmatch(line) for line in block.split("\n")]
    fields = [line.groups() for line in lines if line]
    json_text = "\n".join(value for _, value, _ in fields)
    if len(fields) != len(lines) or not json_tokens.is_valid(json_text):
        return block
    # No token of JSON contains a line break, so the number of lines stays.
    changed = change(json_text).split("\n")
    return "\n".join(before + value + end for (before, _, end), value in zip(fields, changed, strict=True))


_EVENT_LINE = re.compile(r"^((?:data:)?[ \t]*)([{\[][^\r\n]*[}\]])(?=[ \t]*\r?$)", re.MULTILINE)

_FIELD = re.compile(r"(data:[ ]?)(.*?)(\r?)", re.DOTALL)

_DATA = re.compile(r"^data:[^\n]*(?:\ndata:[^\n]*)+", re.MULTILINE)

# The functions of module systems do not wait for data.
_CALL = re.compile(
    r"(\s*(?:/\*\*/\s*)?(?!(?:define|require|System)\b)[A-Za-z_$][\w$.\[\]]{0,99}\(\s*)([\[{].*[\]}])(\s*+\)\s*+;?\s*+)",
    re.DOTALL,
)
