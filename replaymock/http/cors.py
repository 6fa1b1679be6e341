"""CORS headers (Fetch standard, section 3.2): computed here, never taken from upstream or a cassette.

A loopback or listed origin is echoed with credentials. Any other, `null` and an absent one get `*` without.
"""

import re
from collections.abc import Iterable

from replaymock.http.headers import TOKEN, Headers, get, has, is_cors
from replaymock.http.messages import Request

MAX_AGE = "10"


class CorsPolicy:
    """The CORS policy of one server."""

    def __init__(self, listed: tuple[str, ...] = (), *, is_enabled: bool = True) -> None:
        self.is_enabled = is_enabled
        self._listed = frozenset(listed)

    def credentialed_origin(self, headers: Headers) -> str:
        """The origin of a request if it is to be echoed_origin with credentials; else an empty string."""
        origin = get(headers, "origin")
        return origin if origin in self._listed or _LOOPBACK.fullmatch(origin) else ""

    def apply(self, headers: Headers, echoed_origin: str) -> Headers:
        """Replaces the CORS headers of a response by those of this policy, and adds `Origin` to `Vary`."""
        if not self.is_enabled:
            return headers
        others = tuple(pair for pair in headers if not is_cors(pair[0].lower()))
        exposed = _exposed(name for name, _ in others)
        allowed = add_vary(others, "Origin") + _allow_origin(echoed_origin)
        return (*allowed, ("Access-Control-Expose-Headers", exposed))

    def is_preflight(self, request: Request) -> bool:
        """Whether a request is a preflight that is answered here."""
        return (
            self.is_enabled
            and request.method == "OPTIONS"
            and has(request.headers, "origin")
            and has(request.headers, "access-control-request-method")
        )

    def preflight(self, request: Request) -> Headers:
        """The headers of the 204 for a preflight. They allow what it asks for, as far as the names are valid tokens."""
        method = get(request.headers, "access-control-request-method")
        requested = get(request.headers, "access-control-request-headers").split(",")
        names = [name.strip() for name in requested if TOKEN.fullmatch(name.strip())]
        headers = (
            *_allow_origin(self.credentialed_origin(request.headers)),
            ("Vary", "Origin"),
            ("Access-Control-Max-Age", MAX_AGE),
        )
        if TOKEN.fullmatch(method):
            headers = (*headers, ("Access-Control-Allow-Methods", method))
        return (*headers, ("Access-Control-Allow-Headers", ", ".join(names))) if names else headers


def add_vary(headers: Headers, name: str) -> Headers:
    """Adds `name` to `Vary`, unless it is there already."""
    value = get(headers, "vary")
    members = [member.strip().lower() for member in value.split(",")]
    if name.lower() in members or "*" in members:
        return headers
    others = tuple(pair for pair in headers if pair[0].lower() != "vary")
    return (*others, ("Vary", f"{value}, {name}" if value else name))


def _allow_origin(echoed_origin: str) -> Headers:
    if echoed_origin:
        return (("Access-Control-Allow-Origin", echoed_origin), ("Access-Control-Allow-Credentials", "true"))
    return (("Access-Control-Allow-Origin", "*"),)


def _exposed(names: Iterable[str]) -> str:
    # `Date` is added to every response when it is sent.
    unique = {name.lower(): name for name in ("Date", *names) if name.lower() not in _NEVER_EXPOSED}
    return ", ".join(unique.values())


_NEVER_EXPOSED = frozenset(("set-cookie", "set-cookie2", "vary"))
_LOOPBACK = re.compile(
    r"https?://(?:localhost|(?:[A-Za-z0-9_\-]+\.)+localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?"
)
