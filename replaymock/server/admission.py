"""Which requests are served at all: refused is what RFC 9112 forbids, and what only a forward proxy would take."""

import re

from replaymock.errors import RequestRefused
from replaymock.http.headers import HOST, TOKEN
from replaymock.http.messages import Request


def check(request: Request, version: str) -> None:
    """Raises RequestRefused unless target, framing and Host are as RFC 9112 sections 3 and 6 want them."""
    if not request.target.startswith("/"):
        raise RequestRefused(400, "bad_request", "the request target must begin with / (this is no forward proxy)")
    if "#" in request.target:
        raise RequestRefused(400, "bad_request", "a request target has no fragment")
    # One pass for all three, since every request goes through here.
    found: dict[str, list[str]] = {"host": [], "content-length": [], "transfer-encoding": []}
    for name, value in request.headers:
        values = found.get(name.lower())
        if values is not None:
            values.append(value)
    hosts, lengths, codings = found.values()
    if len(hosts) > 1 or (not hosts and version != "HTTP/1.0") or (hosts and not HOST.fullmatch(hosts[0])):
        raise RequestRefused(400, "bad_request", "send exactly one Host header, with a host name and a port")
    if len(lengths) > 1 or (lengths and not _LENGTH.fullmatch(lengths[0])):
        raise RequestRefused(400, "bad_request", "send one Content-Length, in digits")
    if codings and (lengths or version == "HTTP/1.0" or len(codings) > 1 or codings[0].lower() != "chunked"):
        raise RequestRefused(400, "bad_request", "send Transfer-Encoding: chunked alone, without Content-Length")
    if not TOKEN.fullmatch(request.method) or request.method == "CONNECT":
        raise RequestRefused(400, "bad_request", f"method {request.method[:20]} is not served here")


def over_limit(max_body: int) -> RequestRefused:
    """The refusal of a request whose body is larger than `max_body` bytes."""
    return RequestRefused(
        413, "body_too_large", f"the request body is larger than {max_body} bytes; allow more by --max-body"
    )


_LENGTH = re.compile(r"[0-9]{1,18}")
