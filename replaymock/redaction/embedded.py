"""JSON on lines of its own, over several of an event stream, or handed to a function: found, changed, and put back."""

import re
from collections.abc import Callable

from replaymock.http import json_tokens

Change = Callable[[str], str]


def replace_lines(text: str, change: Change) -> str:
    """Text in which each line that is JSON, also as the data of an event, is what `change` makes of it."""
    return _LINE.sub(lambda match: match.group(1) + _valid(match.group(2), change), text)


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


_LINE = re.compile(r"^((?:data:)?[ \t]*)([{\[][^\r\n]*[}\]])(?=[ \t]*\r?$)", re.MULTILINE)
_FIELD = re.compile(r"(data:[ ]?)(.*?)(\r?)", re.DOTALL)
_DATA = re.compile(r"^data:[^\n]*(?:\ndata:[^\n]*)+", re.MULTILINE)
# What modules are made by is no function that waits for data.
_CALL = re.compile(
    r"(\s*(?:/\*\*/\s*)?(?!(?:define|require|System)\b)[A-Za-z_$][\w$.\[\]]{0,99}\(\s*)([\[{].*[\]}])(\s*+\)\s*+;?\s*+)",
    re.DOTALL,
)
