"""Parameters of URLs that stand somewhere in a text: found, changed, and put back."""

import re
from collections.abc import Callable

from replaymock.http.uri import encode_pair, readable
from replaymock.placeholders import PLACEHOLDER


def replace_parameters(text: str, runs_on: Callable[[str], bool], change: Callable[[str, bool], str]) -> str:
    """Text in which each `?name=value` is what `change` makes of it, told whether its value runs on.

    A value whose name says so runs on to where a parameter can end at last, any other to where one mostly does.
    """
    if "=" not in text:
        return text
    out: list[str] = []
    kept_from = position = 0
    while match := _NAME.search(text, position):
        is_long = runs_on(match.group("name"))
        value = (_WHOLE_VALUE if is_long else _VALUE).match(text, match.end())
        position = value.end() if value else match.end()
        item = text[match.start("name") : position]
        changed = change(item, is_long)
        if changed != item:
            out += [text[kept_from : match.start("name")], changed]
            kept_from = position
    return "".join([*out, text[kept_from:]])


def readable_placeholder(item: str) -> str:
    """A parameter whose placeholder, if it has one, stands there as it is: clients send them percent-encoded."""
    if "%" not in item:
        return item
    name, equals, value = item.replace("+", " ").partition("=")
    value = readable(value)
    return encode_pair(readable(name), value) if equals and PLACEHOLDER.search(value) else item


_NAME = re.compile(r"(?:^|[?&#;]|&amp;)(?P<name>[A-Za-z0-9_][A-Za-z0-9_.\-\[\]%]{0,63})=", re.MULTILINE)
_VALUE = re.compile(r"""[^?&#;"'<>\s\\]*""")
_WHOLE_VALUE = re.compile(r"""[^&#"'<>\s\\]*""")
