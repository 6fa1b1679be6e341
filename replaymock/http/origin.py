"""The upstream's own origin, written `{{origin}}` in cassettes and replaced by the caller's when served.

Only a whole origin counts (RFC 6454): never the beginning of a longer host or port. Cookies lose here what a plain-http
localhost cannot keep.
"""

import re
from collections.abc import Iterator

from replaymock.http.headers import Headers
from replaymock.placeholders import ORIGIN

_TOKEN_BYTES = ORIGIN.encode("ascii")


class OriginRewriter:
    """The origins of the upstreams, found in text as sent and as JSON escapes it."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        # What every spelling holds: hardly any text does, and the expression is slow.
        self._names = tuple({origin.partition("://")[2].lower().encode("ascii") for origin in origins})
        spellings = {spelling for origin in origins for spelling in _spellings(origin)}
        self._spellings = tuple(sorted((text.encode("ascii") for text in spellings), key=len, reverse=True))
        alternatives = b"|".join(re.escape(spelling) for spelling in self._spellings) or b"(?!)"
        self._expression = re.compile(
            rb"(?<![A-Za-z0-9])(?:" + alternatives + rb")(?![A-Za-z0-9\-_@%]|\.[A-Za-z0-9]|:[0-9])", re.IGNORECASE
        )

    def to_token(self, data: bytes) -> bytes:
        """Text with each upstream origin as `{{origin}}`."""
        return self._expression.sub(_TOKEN_BYTES, data) if self._may_be_in(data) else data

    def to_origin(self, data: bytes, origin: str) -> bytes:
        """Text with each upstream origin as `origin`, escaped as the one it stands for."""
        if not self._may_be_in(data):
            return data
        return self._expression.sub(lambda match: _spelled_like(match.group(), origin), data)

    def find(self, data: bytes) -> Iterator[re.Match[bytes]]:
        """Where upstream origins are in a text."""
        return self._expression.finditer(data)

    def header_to_token(self, value: str) -> str:
        """`to_token` for a header value."""
        return self.to_token(value.encode("latin-1")).decode("latin-1")

    def header_to_origin(self, value: str, origin: str) -> str:
        """`to_origin` for a header value."""
        return self.to_origin(value.encode("latin-1"), origin).decode("latin-1")

    def _may_be_in(self, data: bytes) -> bool:
        lowered = data.lower()
        return any(name in lowered for name in self._names)

    def held_back(self, data: bytes) -> int:
        """Where the part of a stream begins that may yet turn out to be an origin; the length when nothing may."""
        tail = data[-(len(self._spellings[0]) + 2) :].lower() if self._spellings else b""
        for offset in range(len(tail)):
            piece = tail[offset:]
            if any(_may_become(piece, spelling.lower()) for spelling in self._spellings):
                return len(data) - len(tail) + offset
        return len(data)


class StreamingOriginRewriter:
    """Replaces origins in a body that comes in pieces, holding back only what may be the beginning of one."""

    def __init__(self, origins: OriginRewriter, origin: str) -> None:
        self._origins = origins
        self._origin = origin
        self._before = b""
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What can be passed on now."""
        data = self._held + data
        return self._pass(data, self._origins.held_back(data))

    def finish(self) -> bytes:
        """What was held back."""
        return self._pass(self._held, len(self._held))

    def _pass(self, data: bytes, cut: int) -> bytes:
        """The part before `cut` with origins replaced; what comes after it, and before, tells whether one is whole."""
        data = self._before + data
        start = len(self._before)
        end = start + cut
        out = []
        for match in self._origins.find(data):
            if start <= match.start() < end:
                out += [data[start : match.start()], _spelled_like(match.group(), self._origin)]
                start = match.end()
        end = max(start, end)
        self._before, self._held = data[:end][-1:], data[end:]
        return b"".join([*out, data[start:end]])


def from_token(data: bytes, origin: str) -> bytes:
    r"""Stored text with `{{origin}}` as the caller's origin, escaped where the slash after it is (`{{origin}}\/x`)."""
    plain = origin.encode("latin-1")
    escaped = plain.replace(b"/", b"\\/")
    return _STORED.sub(lambda match: escaped + b"\\/" if match.group(1) else plain, data)


def local_cookie(set_cookie: str) -> str:
    """A `Set-Cookie` value without `Domain`, `Secure`, `SameSite=None` and `Partitioned` (RFC 6265bis section 5.4)."""
    pair, *attributes = set_cookie.split(";")
    kept = [attribute for attribute in attributes if not _UNKEEPABLE.fullmatch(attribute.strip())]
    return ";".join([pair, *kept])


def local_cookies(headers: Headers) -> Headers:
    """Headers with every `Set-Cookie` made fit for a plain-http localhost."""
    return tuple((name, local_cookie(value) if name.lower() == "set-cookie" else value) for name, value in headers)


def under_base_path(headers: Headers, base: str) -> Headers:
    """Headers whose own paths lead to below `base`: where a redirect goes, and which paths a cookie is for."""
    if not base:
        return headers
    return tuple((name, _below(name.lower(), value, base)) for name, value in headers)


def prefixed_cookies(headers: Headers) -> list[str]:
    """The names of cookies a browser refuses over plain http, whatever their attributes (`__Host-`, `__Secure-`)."""
    names = [value.partition("=")[0].strip() for name, value in headers if name.lower() == "set-cookie"]
    return [name for name in names if name.lower().startswith(("__host-", "__secure-"))]


def _below(name: str, value: str, base: str) -> str:
    if name in ("location", "content-location"):
        return base + value if value.startswith("/") and not value.startswith("//") else value
    return _COOKIE_PATH.sub(lambda match: match.group(1) + base, value) if name == "set-cookie" else value


def _spellings(origin: str) -> list[str]:
    scheme, _, host = origin.partition("://")
    default_port = {"http": ":80", "https": ":443"}[scheme]
    hosts = [host] if re.search(r":[0-9]+$", host) else [host, host + default_port]
    return [f"{scheme}:{slashes}{name}" for name in hosts for slashes in ("//", r"\/\/")]


def _spelled_like(found: bytes, origin: str) -> bytes:
    plain = origin.encode("latin-1")
    return plain.replace(b"/", b"\\/") if b"\\/" in found else plain


def _may_become(piece: bytes, spelling: bytes) -> bool:
    if piece.startswith(spelling):
        return len(piece) < len(spelling) + 2
    return spelling.startswith(piece)


_STORED = re.compile(rb"\{\{origin\}\}(\\/)?")
_COOKIE_PATH = re.compile(r"(;\s*path\s*=\s*)(?=/)", re.IGNORECASE)
_UNKEEPABLE = re.compile(r"domain(\s*=.*)?|secure|samesite\s*=\s*none|partitioned", re.IGNORECASE | re.DOTALL)
