"""Secrets that follow from neighbouring members in JSON, and a fast pre-check for texts without any secret."""

import json
import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from replaymock.http import json_tokens
from replaymock.redaction import nested_text
from replaymock.redaction.secret_names import ASCII_ESCAPE, is_secret_name, may_name_secret

Place = tuple[str | int, ...]


def secrets_named_by_siblings(text: str) -> dict[Place, str]:
    """The places in valid JSON whose values a sibling marks as secret, each with the name of the secret.

    Siblings are lists of fields, such as `{"name": "Authorization", "value": …}` in either order, and parameters of
    OAuth (RFC 6749), such as `code` beside `redirect_uri`.
    """
    has_lists = _HEADER_LIST.search(text) is not None
    if not (has_lists or any(map(is_secret_name, _FIELD.findall(text))) or may_be_oauth(text)):
        return {}
    secrets: dict[Place, str] = {}
    parents: dict[Place, set[str]] = {}
    for start, end, path in json_tokens.iter_tokens(text):
        if not path or not isinstance(path[-1], str):
            if has_lists:
                secrets |= _header_list_secret(path or (), text[start:end])
            continue
        parent, key = tuple(path[:-1]), path[-1]
        parents.setdefault(parent, set()).add(key)
        if key.lower() in _NAMING:
            name = json_tokens.string_value(text[start:end])
            if name and is_secret_name(name):
                secrets |= {(*parent, value): name for value in _VALUES}
    for parent, keys in parents.items():
        secrets |= {(*parent, name): name for name in oauth_parameters(keys)}
    return secrets


def _header_list_secret(path: Sequence[str | int], token: str) -> dict[Place, str]:
    """The place after a header's name: `"rawHeaders": ["Authorization", …]`, `"headers": [["Authorization", …]]`."""
    above = next((step for step in reversed(path) if isinstance(step, str)), "")
    if not (above.lower().endswith("headers") and isinstance(path[-1], int) and path[-1] % 2 == 0):
        return {}
    name = json_tokens.string_value(token) or ""
    return {(*path[:-1], path[-1] + 1): name} if is_secret_name(name) else {}


def may_be_oauth(text: str) -> bool:
    """Whether a JSON text may contain an OAuth message."""
    return _OAUTH_MEMBER.search(text) is not None and any(f'"{name}"' in text for name in _OAUTH)


def oauth_parameters(names: Iterable[str]) -> frozenset[str]:
    """Which of these names, found together, are secrets of OAuth. A `code` alone may be any code."""
    given = frozenset(names)
    return frozenset() if _OAUTH.isdisjoint(given) else given & _OAUTH_SECRETS


def oauth_names_in(text: str) -> frozenset[str]:
    """Which parameter names in a text are secrets of OAuth. In a redirect they are `code` and `state`."""
    if not any(mark in text for mark in _OAUTH_MARKS):
        return frozenset()
    names = oauth_parameters(query_names(text))
    is_redirect = (
        not names and "code=" in text and "state=" in text and _LONG_CODE.search(text) and _LONG_STATE.search(text)
    )
    return frozenset(("code", "state")) if is_redirect else names


def query_names(text: str) -> Sequence[str]:
    """The names of the parameters in a text that is a query or ends with one."""
    return _PARAMETER.findall(text)


_NAMING = frozenset("name key field header id k param parameter attribute property variable".split())

_VALUES = ("value", "Value", "v", "val", "content", "data", "values")

_FIELD = re.compile(
    r'"(?:name|key|field|header|id|k|param(?:eter)?|attribute|property|variable)"\s*+:\s*+"([^"\\]{2,64}+)"',
    re.IGNORECASE,
)

_OAUTH_MEMBER = re.compile(r'"(?:code|state|nonce|user_code)"\s*+:')

_HEADER_LIST = re.compile(r'headers"\s*+:\s*+\[\s*+(?:\[\s*+)?"', re.IGNORECASE)

_OAUTH_MARKS = ("code=", "state=", "State=", "code_challenge=")

# Codes of countries and states are shorter.
_LONG_CODE = re.compile(r"(?:^|[?&#])code=[^&#\s\"'<>]{16,}")

_LONG_STATE = re.compile(r"(?:^|[?&#])state=[^&#\s\"'<>]{8,}")

# Names that only an OAuth or OpenID Connect message has, and those that are secret beside them.
_OAUTH = frozenset(
    (
        "client_id redirect_uri grant_type response_type code_verifier code_challenge id_token session_state "
        "clientId redirectUri grantType responseType codeVerifier codeChallenge device_code SAMLRequest SAMLResponse"
    ).split()
)

_OAUTH_SECRETS = frozenset(
    ("code", "state", "nonce", "session_state", "device_code", "user_code", "code_challenge", "RelayState")
)

_PARAMETER = re.compile(r"(?:^|[?&#;])([A-Za-z0-9_]{2,32})=")


def is_surely_clean(text: str, has_shape: Callable[[str], bool]) -> bool:
    """Whether a JSON text certainly contains no secret, so that the full scan can be skipped.

    `has_shape` says whether a text contains a credential.
    """
    if ASCII_ESCAPE.search(text) or not _is_strict_json(text):
        return False
    strings = set(_STRING.findall(text))
    names = {string for string, colon in strings if colon}
    if any(map(_may_be_secret, names)) or may_be_oauth(text):
        return False
    if has_shape(text) or nested_text.may_hold(text):
        return False
    return not any(_may_hold_secret(string, has_shape) for string, colon in strings if not colon)


def _may_hold_secret(string: str, has_shape: Callable[[str], bool]) -> bool:
    """Whether a string, as written in JSON, may hold a secret that a search of the whole text does not see."""
    if "\\" in string:
        string = json.loads(f'"{string}"', strict=False)
        if has_shape(string):
            return True
    # A string that equals such a name may be one in a list of fields: {"name": "Authorization", "value": …}.
    if _LIKE_MEMBER.search(string) is None:
        return len(string) <= _LONGEST_NAME and is_secret_name(string)
    return may_name_secret(string) or may_be_oauth(string) or "%" in string


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
