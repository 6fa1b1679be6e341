"""JSON Web Tokens as text (RFC 7519): their claims of time can be moved, whatever their signature says afterwards.

A hidden one has a placeholder for its signature, in base64url as a signature is, so that it can still be decoded.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence

from replaymock.http import json_tokens

TIME_CLAIMS = frozenset(("exp", "nbf", "iat", "auth_time"))
"""The claims that hold a NumericDate (RFC 7519 section 4.1, OpenID Connect Core section 2)."""

FRESH_CLAIMS = TIME_CLAIMS | {"jti", "updated_at"}
"""The claims that differ from one token to the next for the same person and purpose."""

SECRET_CLAIMS = frozenset(("sid", "nonce", "session_state", "at_hash", "c_hash", "s_hash"))
"""The claims that are secret, or made of what is, besides those with a secret name."""

MoveNumber = Callable[[str], str | None]


def replace_times(text: str, move: MoveNumber, swapped: Callable[[str, str], None]) -> str:
    """Text in which the tokens' claims of time are what `move` makes of their digits; None leaves one as it is.

    Key order, white space and every other claim stay, and so does the signature. `swapped` is told of each token that
    changed: as it is now, and as it was.
    """
    if "." not in text:
        return text

    def replaced(match: re.Match[str]) -> str:
        header, claims, signature = match.groups()
        changed = _changed(header, claims, move)
        if changed is None:
            return match.group()
        now = f"{header}.{changed}.{signature}"
        swapped(now, match.group())
        return now

    return _TOKEN.sub(replaced, text)


def without_signature(token: str, placeholder: str, hide: Callable[[str], str]) -> str | None:
    """A whole token with its claims as `hide` makes them and no signature; None where it is no token of two objects."""
    match = _WHOLE.fullmatch(token)
    header, claims = (_object(part) for part in match.groups()) if match else (None, None)
    if match is None or header is None or claims is None:
        return None
    found = hide(claims)
    return f"{match.group(1)}.{match.group(2) if found == claims else _encoded(found)}.{_encoded(placeholder)}"


def is_hidden(token: str) -> bool:
    """Whether a text is a token without its signature."""
    return _HIDDEN.fullmatch(token) is not None


def forget(text: str, placeholder: str) -> str:
    """Text with a placeholder for each hidden token."""
    return _replaced(text, lambda _token: placeholder)


def as_placeholders(text: str) -> str:
    """Text with the placeholder that its signature says for each hidden token."""
    return _replaced(text, lambda token: _decoded(token[2]) or ".".join(token))


def without_fresh_claims(text: str, forget_names: Callable[[str], str]) -> str:
    """Text in which each hidden token is the claims in it that do not change with every issue, without ordinals."""
    return _replaced(text, lambda token: _lasting(token, forget_names))


def _replaced(text: str, change: Callable[[Sequence[str]], str]) -> str:
    """Text in which each hidden token is what `change` makes of its three parts."""
    if MARK not in text:
        return text
    return _HIDDEN_IN_RUN.sub(lambda match: match.group(1) + change(match.groups()[1:]), text)


def _lasting(token: Sequence[str], forget_names: Callable[[str], str]) -> str:
    stated = _object(token[1])
    if stated is None:
        return ".".join(token)
    claims = json_tokens.parse(forget_names(stated))
    return json_tokens.canonical({name: value for name, value in claims.items() if name not in FRESH_CLAIMS})


def _changed(header: str, claims: str, move: MoveNumber) -> str | None:
    """The claims with their times moved, encoded as they were; None where this is no token, or none moves."""
    stated = _object(claims)
    if stated is None or _object(header) is None:
        return None

    def visit(path: Sequence[str | int], token: str) -> str | None:
        return move(token) if len(path) == 1 and path[0] in TIME_CLAIMS else None

    found = json_tokens.replace_values(stated, visit)
    return _encoded(found) if found != stated else None


def _object(part: str) -> str | None:
    """The JSON object behind base64url without padding (RFC 7515 section 2)."""
    text = _decoded(part)
    try:
        return text if text and isinstance(json_tokens.parse(text), dict) else None
    except ValueError:
        return None


def _decoded(part: str) -> str:
    """The text behind base64url; empty where there is none."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8")).decode("ascii").rstrip("=")


# An object begins with a brace, which is `e` and one of a few letters in base64. A hidden signature is a placeholder.
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_\-.])(e[wy][A-Za-z0-9_\-]{4,})\.(e[wy][A-Za-z0-9_\-]{4,})"
    r"\.([A-Za-z0-9_\-]+|\{\{redacted(?::[^{}]*)?\}\}|(?![A-Za-z0-9_\-.]))"
)
_WHOLE = re.compile(r"(e[wy][A-Za-z0-9_\-]{4,})\.(e[wy][A-Za-z0-9_\-]{4,})\.[A-Za-z0-9_\-]*")
# `{{redacted` in base64url; what follows are a colon and the name, or the two braces.
MARK = "e3tyZWRhY3RlZ"
_HIDDEN = re.compile(
    rf"(e[wy][A-Za-z0-9_\-]{{4,}})\.(e[wy][A-Za-z0-9_\-]{{4,}})\.({MARK}(?:H19|D[o-r][A-Za-z0-9_\-]*))"
)
# In a text it may follow an escape (`\neyJ`, `%3DeyJ`). That the rest of one is there is looked at once for each run.
_HIDDEN_IN_RUN = re.compile(
    rf"(?<![A-Za-z0-9_\-])(?=[A-Za-z0-9_\-]++\.e[wy][A-Za-z0-9_\-]{{4,}}+\.{MARK})"
    rf"([A-Za-z0-9_\-]*?){_HIDDEN.pattern}"
)
