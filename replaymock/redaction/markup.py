"""Tags of HTML and XML: attributes that are secret by their own name, or by the one that stands beside them."""

import re
from collections.abc import Callable

from replaymock.redaction.secret_names import is_secret_name, may_name_secret

Change = Callable[[re.Match[str]], str]


def replace_in_tags(
    text: str, change: Change, hide: Callable[[str, str], str], also: frozenset[str] = frozenset()
) -> str:
    """Markup in which each attribute is what `change` makes of it.

    Each match is of what stands before a name, the name, what is between, and the value. `hide(value, name)` gives what
    stands for a value whose name is that of the whole tag: `<input name="password" value="…">`. `also` are names
    that are secret in this text.
    """
    return _TAG.sub(lambda match: _tag(match.group(), change, hide, also), text)


def names(text: str) -> list[str]:
    """The names of the fields of forms in a text."""
    return _FIELD_NAME.findall(text) if "<input" in text else []


def _tag(tag: str, change: Change, hide: Callable[[str, str], str], also: frozenset[str]) -> str:
    if not also and not may_name_secret(tag):
        return tag
    attributes = {found[0].lower(): found[1] or found[2] or found[3] for found in _ATTRIBUTE.findall(tag)}
    tag = _NAMED_ATTRIBUTE.sub(change, tag)
    name = next((attributes[key] for key in ("name", "property", "key", "id") if attributes.get(key)), "")
    is_choice = attributes.get("type", "").lower() in _CHOICES or tag[1:7].lower() in ("button", "option")
    if is_choice or not (name in also or is_secret_name(name)):
        return tag
    return _TAG_VALUE.sub(lambda match: match.group(1) + hide(match.group(2), name), tag)


_CHOICES = frozenset(("submit", "checkbox", "radio", "button"))
_FIELD_NAME = re.compile(r"""<input\s[^<>]*?\bname=["']?([A-Za-z_]{2,32})""")
_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_NAMED_ATTRIBUTE = re.compile(
    r"""(\s(?:data-)?)([A-Za-z_][A-Za-z0-9_.:\-]{1,63})(\s*=\s*(?:"|')?)((?<=["'])[^"'<>]+|[^\s"'<>=]+)"""
)
_ATTRIBUTE = re.compile(r"""(?<![A-Za-z\-])([A-Za-z\-]++)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>=]+))""")
_TAG_VALUE = re.compile(r"""(?i)(\s(?:value|content)\s*=\s*["']?)((?<=["'])[^"'<>]+|[^\s"'<>=]+)""")
