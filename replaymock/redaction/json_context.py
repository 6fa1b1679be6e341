"""What the neighbours of a JSON member tell of its value; and whether a text can hold a secret at all."""

import json
import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from replaymock.http import json_tokens
from replaymock.redaction import nested_text
from replaymock.redaction.secret_names import ASCII_ESCAPE, is_secret_name, may_name_secret

Place = tuple[str | int, ...]


def secrets_named_by_siblings(text: str) -> dict[Place, str]:
    """The places in valid JSON of what a member beside it names as a secret, with that name.

    Those are lists of fields, such as `{"name": "Authorization", "value": …}` in either order, and the parameters of
    OAuth (RFC 6749), such as `code` beside `redirect_uri`.
    """
    has_lists = _HEADER_LIST.search(text) is not None
    if not (has_lists or any(map(is_secret_name, _FIELD.findall(text))) or is_of_oauth(text)):
        return {}
    found: dict[Place, str] = {}
    parents: dict[Place, set[str]] = {}
    for start, end, path in json_tokens.iter_tokens(text):
        if not path or not isinstance(path[-1], str):
            if has_lists:
                found |= _in_header_list(path or (), text[start:end])
            continue
        parent, key = tuple(path[:-1]), path[-1]
        parents.setdefault(parent, set()).add(key)
        if key.lower() in _NAMING:
            name = json_tokens.string_value(text[start:end])
            if name and is_secret_name(name):
                found |= {(*parent, value): name for value in _VALUES}
    for parent, keys in parents.items():
        found |= {(*parent, name): name for name in oauth_parameters(keys)}
    return found


def _in_header_list(path: Sequence[str | int], token: str) -> dict[Place, str]:
    """The place after a header's name: `"rawHeaders": ["Authorization", …]`, `"headers": [["Authorization", …]]`."""
    above = next((step for step in reversed(path) if isinstance(step, str)), "")
    if not (above.lower().endswith("headers") and isinstance(path[-1], int) and path[-1] % 2 == 0):
        return {}
    name = json_tokens.string_value(token) or ""
    return {(*path[:-1], path[-1] + 1): name} if is_secret_name(name) else {}


def is_of_oauth(text: str) -> bool:
    """Whether a JSON text may hold a message of OAuth."""
    return _OAUTH_MEMBER.search(text) is not None and any(f'"{name}"' in text for name in _OAUTH)


def oauth_parameters(names: Iterable[str]) -> frozenset[str]:
    """Which of the names that stand together are those of secrets of OAuth: `code` alone is any code."""
    given = frozenset(names)
    return frozenset() if _OAUTH.isdisjoint(given) else given & _OAUTH_SECRETS


def oauth_in(text: str) -> frozenset[str]:
    """Which names of parameters in a text are those of secrets of OAuth: of a redirect, `code` and `state`."""
    if not any(mark in text for mark in _OAUTH_MARKS):
        return frozenset()
    found = oauth_parameters(query_names(text))
    is_redirect = (
        not found and "code=" in text and "state=" in text and _LONG_CODE.search(text) and _LONG_STATE.search(text)
    )
    return frozenset(("code", "state")) if is_redirect else found


def query_names(text: str) -> Sequence[str]:
    """The names of the parameters in a text that ends with a query or is one."""
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

# A code for a country or a state of the union is shorter.
_LONG_CODE = re.compile(r"(?:^|[?&#])code=[^&#\s\"'<>]{16,}")

_LONG_STATE = re.compile(r"(?:^|[?&#])state=[^&#\s\"'<>]{8,}")

# What only a message of OAuth or OpenID Connect has, and what is secret beside it.
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
    """Whether JSON text surely has no secret name, and no value that tells of one by `name=`, `name:` or `<name>`.

    `has_shape` finds what looks like a credential.
    """
    if ASCII_ESCAPE.search(text) or not _is_strict_json(text):
        return False
    strings = set(_STRING.findall(text))
    names = {found for found, colon in strings if colon}
    if any(map(_may_be_secret, names)) or is_of_oauth(text):
        return False
    if has_shape(text) or nested_text.may_hold(text):
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
