"""JSON Web Tokens as text (RFC 7519): their claims of time can be moved, whatever their signature says afterwards."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence

from replaymock import tokens

TIME_CLAIMS = frozenset(("exp", "nbf", "iat", "auth_time"))
"""The claims that hold a NumericDate (RFC 7519 section 4.1, OpenID Connect Core section 2)."""

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


def _changed(header: str, claims: str, move: MoveNumber) -> str | None:
    """The claims with their times moved, encoded as they were; None where this is no token, or none moves."""
    stated = _object(claims)
    if stated is None or _object(header) is None:
        return None

    def visit(path: Sequence[str | int], token: str) -> str | None:
        return move(token) if len(path) == 1 and path[0] in TIME_CLAIMS else None

    found = tokens.replace_values(stated, visit)
    return _encoded(found) if found != stated else None


def _object(part: str) -> str | None:
    """The JSON object behind base64url without padding (RFC 7515 section 2)."""
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True).decode("utf-8")
        found = tokens.parse(text)
    except (binascii.Error, ValueError):
        return None
    return text if isinstance(found, dict) else None


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8")).decode("ascii").rstrip("=")


# An object begins with a brace, which is `e` and one of a few letters in base64. A hidden signature is a placeholder.
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_\-.])(e[wy][A-Za-z0-9_\-]{4,})\.(e[wy][A-Za-z0-9_\-]{4,})"
    r"\.([A-Za-z0-9_\-]+|\{\{redacted(?::[^{}]*)?\}\}|(?![A-Za-z0-9_\-.]))"
)
