"""Replaces the upstream's origin: by `{{origin}}` in cassettes, and by our own in responses to the client.

Only a whole origin counts (RFC 6454): never the beginning of a longer host or port. `Set-Cookie` also loses what does
not work on a plain-http localhost.
"""

import re
from collections.abc import Iterator

from replaymock.http.headers import Headers
from replaymock.placeholders import ORIGIN

_TOKEN_BYTES = ORIGIN.encode("ascii")


class OriginRewriter:
    """Finds and replaces the origins of the upstreams in text, also where JSON escapes their slashes."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        # Every spelling contains one of these. Few texts do, and the expression is slow.
        self._names = tuple({origin.partition("://")[2].lower().encode("ascii") for origin in origins})
        spellings = {spelling for origin in origins for spelling in _spellings(origin)}
        self._spellings = tuple(sorted((text.encode("ascii") for text in spellings), key=len, reverse=True))
        alternatives = b"|".join(re.escape(spelling) for spelling in self._spellings) or b"(?!)"
        self._expression = re.compile(
            rb"(?<![A-Za-z0-9])(?:" + alternatives + rb")(?![A-Za-z0-9\-_@%]|\.[A-Za-z0-9]|:[0-9])", re.IGNORECASE
        )

    def to_token(self, data: bytes) -> bytes:
        """Replaces each upstream origin by `{{origin}}`."""
        return self._expression.sub(_TOKEN_BYTES, data) if self._may_be_in(data) else data

    def to_origin(self, data: bytes, origin: str) -> bytes:
        """Replaces each upstream origin by `origin`, with slashes escaped as in the text."""
        if not self._may_be_in(data):
            return data
        return self._expression.sub(lambda match: _spelled_like(match.group(), origin), data)

    def find(self, data: bytes) -> Iterator[re.Match[bytes]]:
        """Finds the upstream origins in a text."""
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

    def safe_prefix(self, data: bytes) -> int:
        """How many bytes of a stream can be passed on. What follows may be the beginning of an origin."""
        tail = data[-(len(self._spellings[0]) + 2) :].lower() if self._spellings else b""
        for offset in range(len(tail)):
            piece = tail[offset:]
            if any(_may_become(piece, spelling.lower()) for spelling in self._spellings):
                return len(data) - len(tail) + offset
        return len(data)


class StreamingOriginRewriter:
    """Replaces origins in a body that arrives in pieces. Holds back only what may be the beginning of one."""

    def __init__(self, origins: OriginRewriter, origin: str) -> None:
        self._origins = origins
        self._origin = origin
        self._before = b""
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Gives what can be passed on now."""
        data = self._held + data
        return self._replace_until(data, self._origins.safe_prefix(data))

    def finish(self) -> bytes:
        """Gives what was held back."""
        return self._replace_until(self._held, len(self._held))

    def _replace_until(self, data: bytes, cut: int) -> bytes:
        """Replaces origins in the part before `cut`.

        The bytes on both sides of it decide whether an origin is whole.
        """
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
    r"""Replaces `{{origin}}` in stored text by our origin, escaped if the slash after it is (`{{origin}}\/x`)."""
    plain = origin.encode("latin-1")
    escaped = plain.replace(b"/", b"\\/")
    return _STORED.sub(lambda match: escaped + b"\\/" if match.group(1) else plain, data)


def local_cookie(set_cookie: str) -> str:
    """Removes `Domain`, `Secure`, `SameSite=None` and `Partitioned` from a `Set-Cookie` (RFC 6265bis section 5.4)."""
    pair, *attributes = set_cookie.split(";")
    remaining = [attribute for attribute in attributes if not _UNKEEPABLE.fullmatch(attribute.strip())]
    return ";".join([pair, *remaining])


def local_cookies(headers: Headers) -> Headers:
    """Makes every `Set-Cookie` work on a plain-http localhost."""
    return tuple((name, local_cookie(value) if name.lower() == "set-cookie" else value) for name, value in headers)


def under_base_path(headers: Headers, base: str) -> Headers:
    """Puts `base` before the paths in headers: where a redirect leads, and which paths a cookie is for."""
    if not base:
        return headers
    return tuple((name, _prefixed(name.lower(), value, base)) for name, value in headers)


def prefixed_cookies(headers: Headers) -> list[str]:
    """The names of cookies that browsers refuse over plain http, whatever their attributes (`__Host-`, `__Secure-`)."""
    names = [value.partition("=")[0].strip() for name, value in headers if name.lower() == "set-cookie"]
    return [name for name in names if name.lower().startswith(("__host-", "__secure-"))]


def _prefixed(name: str, value: str, base: str) -> str:
    if name in ("location", "content-location"):
        return base + value if value.startswith("/") and not value.startswith("//") else value
    return _COOKIE_PATH.sub(lambda match: match.group(1) + base, value) if name == "set-cookie" else value


def _spellings(origin: str) -> list[str]:
    scheme, _, host = origin.partition("://")
    default_port = {"http": ":80", "https": ":443"}[scheme]
    hosts = [host] if re.search(r":[0-9]+$", host) else [host, host + default_port]
    return [f"{scheme}:{slashes}{name}" for name in hosts for slashes in ("//", r"\/\/")]


def _spelled_like(like: bytes, origin: str) -> bytes:
    plain = origin.encode("latin-1")
    return plain.replace(b"/", b"\\/") if b"\\/" in like else plain


def _may_become(piece: bytes, spelling: bytes) -> bool:
    if piece.startswith(spelling):
        return len(piece) < len(spelling) + 2
    return spelling.startswith(piece)


_STORED = re.compile(rb"\{\{origin\}\}(\\/)?")
_COOKIE_PATH = re.compile(r"(;\s*path\s*=\s*)(?=/)", re.IGNORECASE)
_UNKEEPABLE = re.compile(r"domain(\s*=.*)?|secure|samesite\s*=\s*none|partitioned", re.IGNORECASE | re.DOTALL)
