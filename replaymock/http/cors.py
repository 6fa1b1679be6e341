"""Cross-origin answers (Fetch standard, section 3.2), computed here and never taken from upstream or a cassette.

A loopback or listed origin is echoed with credentials; any other, `null` and none get `*` without.
"""

import re
from collections.abc import Iterable

from replaymock.http.headers import TOKEN, Headers, get, has, is_cors
from replaymock.http.messages import Request

MAX_AGE = "10"


class CorsPolicy:
    """The CORS policy of one server."""

    def __init__(self, listed: tuple[str, ...] = (), *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._listed = frozenset(listed)

    def echoed(self, headers: Headers) -> str:
        """The request's origin if it is to be echoed with credentials; empty for every other."""
        origin = get(headers, "origin")
        return origin if origin in self._listed or _LOOPBACK.fullmatch(origin) else ""

    def apply(self, headers: Headers, echoed: str) -> Headers:
        """Response headers with CORS replaced by this policy's, and `Origin` in `Vary`."""
        if not self.enabled:
            return headers
        plain = tuple(pair for pair in headers if not is_cors(pair[0].lower()))
        exposed = _exposed(name for name, _ in plain)
        found = add_vary(plain, "Origin") + _allow_origin(echoed)
        return (*found, ("Access-Control-Expose-Headers", exposed))

    def is_preflight(self, request: Request) -> bool:
        """Whether a request is a preflight that is answered here."""
        return (
            self.enabled
            and request.method == "OPTIONS"
            and has(request.headers, "origin")
            and has(request.headers, "access-control-request-method")
        )

    def preflight(self, request: Request) -> Headers:
        """The headers of the 204 that answers a preflight: what it asks for, as far as the names are tokens."""
        method = get(request.headers, "access-control-request-method")
        asked = get(request.headers, "access-control-request-headers").split(",")
        names = [name.strip() for name in asked if TOKEN.fullmatch(name.strip())]
        found = (*_allow_origin(self.echoed(request.headers)), ("Vary", "Origin"), ("Access-Control-Max-Age", MAX_AGE))
        if TOKEN.fullmatch(method):
            found = (*found, ("Access-Control-Allow-Methods", method))
        return (*found, ("Access-Control-Allow-Headers", ", ".join(names))) if names else found


def add_vary(headers: Headers, name: str) -> Headers:
    """The headers with `name` in `Vary`."""
    value = get(headers, "vary")
    members = [member.strip().lower() for member in value.split(",")]
    if name.lower() in members or "*" in members:
        return headers
    rest = tuple(pair for pair in headers if pair[0].lower() != "vary")
    return (*rest, ("Vary", f"{value}, {name}" if value else name))


def _allow_origin(echoed: str) -> Headers:
    if echoed:
        return (("Access-Control-Allow-Origin", echoed), ("Access-Control-Allow-Credentials", "true"))
    return (("Access-Control-Allow-Origin", "*"),)


def _exposed(names: Iterable[str]) -> str:
    # Every answer says when it is given, once it is on its way.
    unique = {name.lower(): name for name in ("Date", *names) if name.lower() not in _NEVER_EXPOSED}
    return ", ".join(unique.values())


_NEVER_EXPOSED = frozenset(("set-cookie", "set-cookie2", "vary"))
_LOOPBACK = re.compile(
    r"https?://(?:localhost|(?:[A-Za-z0-9_\-]+\.)+localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?"
)
