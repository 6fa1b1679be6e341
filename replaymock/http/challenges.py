"""Authentication that holds for a connection and not for a request: NTLM, Negotiate (RFC 4559) and Kerberos.

Who has logged in on a connection is who every later request on it comes from.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from replaymock.http.headers import Headers, get

UNAUTHORIZED = 401


@lru_cache(maxsize=128)
def is_spoken(headers: Headers) -> bool:
    """Whether a request logs in on its connection."""
    return any(name.lower() in _CREDENTIALS and _SCHEME.match(value) for name, value in headers)


def is_offered(status: int, headers: Headers) -> bool:
    """Whether an answer asks to log in on its connection, or is a step of that."""
    return status == UNAUTHORIZED and bool(_challenges(headers))


def is_step(headers: Headers) -> bool:
    """Whether what is offered is a step in the middle, with a token that only who asked can go on from, and once."""
    return any(challenge[2] for challenge in _challenges(headers))


def without_tokens(value: str, replaced: Callable[[str], str]) -> str:
    """The value of `WWW-Authenticate` in which each token is what `replaced` makes of it."""
    return _CHALLENGE.sub(lambda found: found[1] + replaced(found[2]) if found[2] else found.group(), value)


def _challenges(headers: Headers) -> list[re.Match[str]]:
    value = _QUOTED.sub('""', get(headers, "www-authenticate"))
    return list(_CHALLENGE.finditer(value))


_CREDENTIALS = frozenset(("authorization", "proxy-authorization"))
_SCHEME = re.compile(r"[ \t]*(?:NTLM|Negotiate|Kerberos)(?![^ \t,])", re.IGNORECASE)
# Other challenges may stand before and behind one in the same value. A token is what is no parameter in quotes.
_CHALLENGE = re.compile(
    r'((?:^|,)[ \t]*+(?:NTLM|Negotiate|Kerberos)(?![^ \t,])[ \t]*+)([^\s,"]++(?=[ \t]*+(?:,|$)))?', re.IGNORECASE
)
# One that is never closed goes on to the end.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)')
