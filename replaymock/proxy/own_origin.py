"""Where a client says that it is (`Origin`, `Referer`) or what is to go (`Destination`), as the backend knows it.

Only this server's own origin is replaced, and only as a whole (RFC 6454): scheme, host and port, however spelled.
"""

import ipaddress
import re
from collections.abc import Container

from replaymock.http.headers import Headers
from replaymock.http.own_paths import SESSION_BASE
from replaymock.proxy.routes import Upstream

Own = frozenset[str]
"""The origins that are this server, each in the form `normal` gives."""

NAMES = frozenset(("origin", "referer", "destination"))
"""The headers that say where a client is, or where something goes."""


def own(host: str, port: int) -> Own:
    """The origins of a server that listens on a port of a host; the loopback has three names."""
    names = ("localhost", "127.0.0.1", "::1", *([host] if host not in _ANY_ADDRESS else []))
    return frozenset(normal(f"http://{f'[{name}]' if ':' in name else name}:{port}") for name in names)


def normal(origin: str) -> str:
    """An origin in the one form of all its spellings; what is none stays as it is."""
    match = _ORIGIN.fullmatch(origin)
    if not match:
        return origin
    scheme, host, port = match.group(1).lower(), match.group(2).lower(), int(match.group(3) or 0)
    host = _shortest(host) if host.startswith("[") else host.removesuffix(".")
    return f"{scheme}://{host}" + (f":{port}" if port not in (0, _PORTS[scheme]) else "")


def to_backend(headers: Headers, here: Own, upstream: Upstream, signed: Container[str] = ()) -> Headers:
    """Headers in which what names this server names the upstream, but where a signature covers it."""
    if not any(name.lower() in NAMES for name, _ in headers):
        return headers
    return tuple((name, _as_backend_knows_it(name.lower(), value, here, upstream, signed)) for name, value in headers)


def _as_backend_knows_it(name: str, value: str, here: Own, upstream: Upstream, signed: Container[str]) -> str:
    if name not in NAMES or name in signed:
        return value
    if name == "origin":
        return upstream.origin if normal(value) in here else value
    url = _URL.fullmatch(value)
    if url and normal(url.group(1)) in here:
        return upstream.origin + upstream.base + _SESSION.sub("", url.group(2))
    if name == "destination" and _PATH.match(value):
        return upstream.base + _SESSION.sub("", value)
    return value


def _shortest(host: str) -> str:
    try:
        return f"[{ipaddress.ip_address(host[1:-1])}]"
    except ValueError:
        return host


_ANY_ADDRESS = frozenset(("", "0.0.0.0", "::"))  # noqa: S104 - not bound here, only known to be no name
_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._\-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_URL = re.compile(r"([A-Za-z]+://[^/?#\s\\]*)((?:[/?#].*)?)", re.DOTALL)
_PATH = re.compile(r"/(?!/)")
_SESSION = re.compile(rf"\A{re.escape(SESSION_BASE)}[^/?#]*")
