"""Authentication of a connection rather than a request: NTLM, Negotiate (RFC 4559) and Kerberos.

Every later request on such a connection comes from the user who logged in on it.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from replaymock.http.headers import Headers, get

UNAUTHORIZED = 401


@lru_cache(maxsize=128)
def is_login(headers: Headers) -> bool:
    """Whether a request logs in on its connection."""
    return any(name.lower() in _CREDENTIALS and _SCHEME.match(value) for name, value in headers)


def is_challenge(status: int, headers: Headers) -> bool:
    """Whether a response asks the client to log in on its connection, or is a step of that."""
    return status == UNAUTHORIZED and bool(_challenges(headers))


def is_challenge_step(headers: Headers) -> bool:
    """Whether a challenge is an intermediate step.

    Only the client that asked can continue with its token, and only once.
    """
    return any(challenge[2] for challenge in _challenges(headers))


def without_tokens(value: str, replaced: Callable[[str], str]) -> str:
    """The value of `WWW-Authenticate` with each token replaced by `replaced(token)`."""
    return _CHALLENGE.sub(lambda match: match[1] + replaced(match[2]) if match[2] else match.group(), value)


def _challenges(headers: Headers) -> list[re.Match[str]]:
    value = _QUOTED.sub('""', get(headers, "www-authenticate"))
    return list(_CHALLENGE.finditer(value))


_CREDENTIALS = frozenset(("authorization", "proxy-authorization"))
_SCHEME = re.compile(r"[ \t]*(?:NTLM|Negotiate|Kerberos)(?![^ \t,])", re.IGNORECASE)
# Other challenges may stand before and after one in the same value. A token is anything but a quoted parameter.
_CHALLENGE = re.compile(
    r'((?:^|,)[ \t]*+(?:NTLM|Negotiate|Kerberos)(?![^ \t,])[ \t]*+)([^\s,"]++(?=[ \t]*+(?:,|$)))?', re.IGNORECASE
)
# A quoted string that is never closed goes on to the end.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)')
