"""JSON Web Tokens as text (RFC 7519). Their times can be moved; signatures are neither checked nor renewed.

A hidden token has a placeholder as its signature, in base64url, so that it can still be decoded.
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
"""Claims that are secret, or derived from a secret, though their names do not say so."""

MoveNumber = Callable[[str], str | None]


def replace_times(text: str, move: MoveNumber, swapped: Callable[[str, str], None]) -> str:
    """Applies `move` to the digits of every time claim in every token; None from it keeps them.

    Key order, white space, other claims and the signature stay. `swapped(new, old)` is called for each changed token.
    """
    if "." not in text:
        return text

    def replaced(match: re.Match[str]) -> str:
        header, claims, signature = match.groups()
        changed = _moved_claims(header, claims, move)
        if changed is None:
            return match.group()
        moved = f"{header}.{changed}.{signature}"
        swapped(moved, match.group())
        return moved

    return _TOKEN.sub(replaced, text)


def without_signature(token: str, placeholder: str, hide: Callable[[str], str]) -> str | None:
    """A token with its claims as `hide` makes them and a placeholder for its signature; None if it is not a token."""
    match = _WHOLE.fullmatch(token)
    header, claims = (_object(part) for part in match.groups()) if match else (None, None)
    if match is None or header is None or claims is None:
        return None
    hidden = hide(claims)
    return f"{match.group(1)}.{match.group(2) if hidden == claims else _encoded(hidden)}.{_encoded(placeholder)}"


def is_hidden(token: str) -> bool:
    """Whether a text is a token without its signature."""
    return _HIDDEN.fullmatch(token) is not None


def replace_hidden(text: str, placeholder: str) -> str:
    """Replaces each hidden token by a placeholder."""
    return _replaced(text, lambda _token: placeholder)


def as_placeholders(text: str) -> str:
    """Replaces each hidden token by the placeholder in its signature."""
    return _replaced(text, lambda token: _decoded(token[2]) or ".".join(token))


def without_fresh_claims(text: str, forget_names: Callable[[str], str]) -> str:
    """Replaces each hidden token by those of its claims that stay the same with every issue, without ordinals."""
    return _replaced(text, lambda token: _lasting_claims(token, forget_names))


def _replaced(text: str, change: Callable[[Sequence[str]], str]) -> str:
    """Applies `change` to the three parts of each hidden token."""
    if MARK not in text:
        return text
    return _HIDDEN_IN_RUN.sub(lambda match: match.group(1) + change(match.groups()[1:]), text)


def _lasting_claims(token: Sequence[str], forget_names: Callable[[str], str]) -> str:
    decoded = _object(token[1])
    if decoded is None:
        return ".".join(token)
    claims = json_tokens.parse(forget_names(decoded))
    return json_tokens.canonical({name: value for name, value in claims.items() if name not in FRESH_CLAIMS})


def _moved_claims(header: str, claims: str, move: MoveNumber) -> str | None:
    """The claims with their times moved, encoded as before; None if this is not a token, or nothing moved."""
    decoded = _object(claims)
    if decoded is None or _object(header) is None:
        return None

    def visit(path: Sequence[str | int], token: str) -> str | None:
        return move(token) if len(path) == 1 and path[0] in TIME_CLAIMS else None

    moved = json_tokens.replace_values(decoded, visit)
    return _encoded(moved) if moved != decoded else None


def _object(part: str) -> str | None:
    """The JSON object behind base64url without padding (RFC 7515 section 2); None if there is none."""
    text = _decoded(part)
    try:
        return text if text and isinstance(json_tokens.parse(text), dict) else None
    except ValueError:
        return None


def _decoded(part: str) -> str:
    """The text behind base64url; empty if there is none."""
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
# `{{redacted` in base64url. A colon and the name, or two braces, follow.
MARK = "e3tyZWRhY3RlZ"
_HIDDEN = re.compile(
    rf"(e[wy][A-Za-z0-9_\-]{{4,}})\.(e[wy][A-Za-z0-9_\-]{{4,}})\.({MARK}(?:H19|D[o-r][A-Za-z0-9_\-]*))"
)
# In a text a token may follow an escape (`\neyJ`, `%3DeyJ`). The lookahead is tried once for each run.
_HIDDEN_IN_RUN = re.compile(
    rf"(?<![A-Za-z0-9_\-])(?=[A-Za-z0-9_\-]++\.e[wy][A-Za-z0-9_\-]{{4,}}+\.{MARK})"
    rf"([A-Za-z0-9_\-]*?){_HIDDEN.pattern}"
)
