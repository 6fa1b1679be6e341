"""Where requests go: which upstream a path belongs to."""

import re
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from replaymock.errors import UsageError
from replaymock.http.headers import HOST
from replaymock.redaction.redactor import redact_url


class Upstream(Struct, frozen=True):
    """A backend and the path prefix it is asked for; `base` is put before each target."""

    prefix: str
    origin: str
    base: str = ""


def parse_upstream(text: str) -> Upstream:
    """An upstream from `[PREFIX=]URL`. UsageError when it is no absolute http or https URL."""
    prefix, equals, url = text.partition("=") if text.startswith("/") else ("", "", text)
    if text.startswith("/") and not equals:
        raise UsageError(f"--upstream {redact_url(text)!r}: a prefix needs a URL, as in {text}=https://api.example.com")
    without = _WITHOUT_SLASH.fullmatch(text)
    if without:
        shown = f"{without['prefix']}={redact_url(without['url'])}"
        raise UsageError(f"--upstream {shown!r}: a prefix begins with /: /{shown}")
    parts = _split_url(url, text)
    default = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return Upstream(prefix.rstrip("/"), f"{parts.scheme}://{host}{port}", parts.path.rstrip("/"))


def _split_url(url: str, text: str) -> SplitResult:
    parts = _usable_url(url)
    if parts is None:
        raise UsageError(f"--upstream {redact_url(text)!r}: write a whole URL, as in https://api.example.com")
    if parts.username or parts.password:
        raise UsageError("--upstream: leave the credentials out of the URL; give them by --header 'Authorization: …'")
    host = parts.hostname or ""
    if not HOST.fullmatch(f"[{host}]" if ":" in host else host):
        advice = "use letters, digits, dots and hyphens, and the xn-- form for any other letter"
        raise UsageError(f"--upstream {redact_url(text)!r}: {host!r} is no host name; {advice}")
    if not _URL.fullmatch(url):
        raise UsageError(
            f"--upstream {redact_url(text)!r}: percent-encode what is not visible ASCII, such as a blank as %20"
        )
    if parts.query or parts.fragment:
        raise UsageError(f"--upstream {redact_url(text)!r}: leave the query and the fragment out")
    return parts


def _usable_url(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname and port != 0 else None


_WITHOUT_SLASH = re.compile(r"(?P<prefix>[\w.~%-][\w.~%/-]*)=(?P<url>https?://.*)", re.DOTALL)
_URL = re.compile(r"[!-~]+")
