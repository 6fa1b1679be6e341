"""JSON that holds nothing to hide, though some of its words are those of secrets: most such texts are.

Never says so of a text in which `hiding` would find something; of one it is not sure of, it says no.
"""

import json
import re
from collections.abc import Callable

import msgspec

from replaymock.redaction import encoded
from replaymock.redaction.places import is_of_oauth
from replaymock.redaction.secret_names import ASCII_ESCAPE, is_secret_name, may_name_secret


def is_clean(text: str, has_shape: Callable[[str], bool]) -> bool:
    """Whether JSON text surely has no secret name, and no value that tells of one by `name=`, `name:` or `<name>`.

    `has_shape` finds what looks like a credential.
    """
    if ASCII_ESCAPE.search(text) or not _is_strict_json(text):
        return False
    strings = set(_STRING.findall(text))
    names = {found for found, colon in strings if colon}
    if any(map(_may_be_secret, names)) or is_of_oauth(text):
        return False
    if has_shape(text) or encoded.may_hold(text):
        return False
    return not any(_may_tell(found, has_shape) for found, colon in strings if not colon)


def _may_tell(found: str, has_shape: Callable[[str], bool]) -> bool:
    """Whether a string, as it stands in JSON, may hold something to hide that cannot be seen in the text as a whole."""
    if "\\" in found:
        found = json.loads(f'"{found}"', strict=False)
        if has_shape(found):
            return True
    # A string that is such a name may be one in a list of fields: {"name": "Authorization", "value": …}.
    if _LIKE_MEMBER.search(found) is None:
        return len(found) <= _LONGEST_NAME and is_secret_name(found)
    return may_name_secret(found) or is_of_oauth(found) or "%" in found


def _may_be_secret(name: str) -> bool:
    return len(name) > _LONGEST_NAME or "\\" in name or is_secret_name(name)


def _is_strict_json(text: str) -> bool:
    try:
        _STRICT.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True


_STRICT = msgspec.json.Decoder(msgspec.Raw)
_STRING = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(\s*:)?')
_LIKE_MEMBER = re.compile(r"[:=<%]")
_LONGEST_NAME = 64
