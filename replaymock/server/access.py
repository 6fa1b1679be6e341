"""Which requests are served: valid ones, sent to a name of this server, by clients that may use it.

A browser lets every web page send requests here, but says so. `Host` is the name that the page used, and anybody can
make a name point to a loopback address (DNS rebinding). `Origin` and `Sec-Fetch-Site` (Fetch standard; Fetch metadata)
say whose page it is.
"""

import re

from replaymock.errors import RequestRefused
from replaymock.http import websocket_handshake
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import HOST, TOKEN, get, has
from replaymock.http.messages import Request


class HostGuard:
    """Refuses requests to names that are not this server's, and those of foreign pages.

    Its names are those of the loopback and the `allowed` ones; any name, if it listens on another address and none is
    allowed. `forwards` says that requests go upstream, `adds_credentials` that the server adds credentials of its own.
    """

    def __init__(
        self,
        address: str,
        allowed: tuple[str, ...],
        cors: CorsPolicy,
        *,
        forwards: bool = False,
        adds_credentials: bool = False,
    ) -> None:
        self._takes_any = not allowed and address != "::1" and not _LOOPBACK.fullmatch(address)
        self._allowed = frozenset(allowed)
        self._cors = cors
        self._forwards = forwards
        self._adds_credentials = adds_credentials

    def check(self, request: Request) -> None:
        """RequestRefused if a request may not go upstream. On replay all are served."""
        if not self._forwards:
            return
        if has(request.headers, "host"):  # only HTTP/1.0 may leave it out, and no browser does
            self.check_host(request)
        if self._adds_credentials and not self._may_use_credentials(request):
            raise RequestRefused(
                403,
                "origin_not_allowed",
                "this server adds credentials of its own (--header, --client-cert), which pages of other sites may not "
                "use: allow this one by --cors-origin ORIGIN; its images and scripts need the attribute crossorigin",
            )

    def check_websocket(self, request: Request, version: str) -> None:
        """RequestRefused if a request for a WebSocket is not valid, or comes from a page of another site.

        CORS does not keep such a page from opening one (RFC 6455 section 10.2).
        """
        websocket_handshake.validate_handshake(request, version)
        if has(request.headers, "origin") and not self._cors.credentialed_origin(request.headers):
            detail = "a page of this origin may not open a WebSocket here; allow it by --cors-origin ORIGIN"
            raise RequestRefused(403, "origin_not_allowed", detail)

    def check_host(self, request: Request) -> None:
        """RequestRefused if the Host of a request is no name of this server."""
        name = _PORT.sub("", get(request.headers, "host")).lower()
        if not (self._takes_any or name in self._allowed or _LOOPBACK.fullmatch(name)):
            shown = name if _NAME.fullmatch(name) else "NAME"
            raise RequestRefused(
                403, "host_not_allowed", f"this server is not known as this Host: allow it by --allow-host {shown}"
            )

    def is_cross_site(self, request: Request) -> bool:
        """Whether a browser says that the request comes from a page of another origin than this server's."""
        site = get(request.headers, "sec-fetch-site", "none")
        return site not in ("none", "same-origin") or get(request.headers, "origin") not in ("", _own_origin(request))

    def _may_use_credentials(self, request: Request) -> bool:
        """Whether a request comes from no page, from one of this server or of a listed origin, or from a link.

        As with `SameSite=Lax` cookies, a page may link to a response that it cannot read.
        """
        origin = get(request.headers, "origin")
        if origin:
            return origin == _own_origin(request) or bool(self._cors.credentialed_origin(request.headers))
        if get(request.headers, "sec-fetch-site") != "cross-site":
            return True
        is_link = get(request.headers, "sec-fetch-mode") == "navigate" and get(request.headers, "sec-fetch-dest") in (
            "",
            "document",
        )
        return is_link and request.method in ("GET", "HEAD")


def _own_origin(request: Request) -> str:
    return f"http://{get(request.headers, 'host').lower()}"


_LOOPBACK = re.compile(r"localhost\.?|(?:[a-z0-9_\-]+\.)+localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")
_NAME = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9._\-]+")
_PORT = re.compile(r":[0-9]+\Z")


def validate_request(request: Request, version: str) -> None:
    """RequestRefused unless target, framing and Host are as RFC 9112 sections 3 and 6 require."""
    if not request.target.startswith("/"):
        raise RequestRefused(400, "bad_request", "the request target must begin with / (this is no forward proxy)")
    if "#" in request.target:
        raise RequestRefused(400, "bad_request", "a request target has no fragment")
    # One pass for all three headers, since every request goes through here.
    values_of: dict[str, list[str]] = {"host": [], "content-length": [], "transfer-encoding": []}
    for name, value in request.headers:
        values = values_of.get(name.lower())
        if values is not None:
            values.append(value)
    hosts, lengths, codings = values_of.values()
    if len(hosts) > 1 or (not hosts and version != "HTTP/1.0") or (hosts and not HOST.fullmatch(hosts[0])):
        raise RequestRefused(400, "bad_request", "send exactly one Host header, with a host name and a port")
    if len(lengths) > 1 or (lengths and not _LENGTH.fullmatch(lengths[0])):
        raise RequestRefused(400, "bad_request", "send one Content-Length, in digits")
    if codings and (lengths or version == "HTTP/1.0" or len(codings) > 1 or codings[0].lower() != "chunked"):
        raise RequestRefused(400, "bad_request", "send Transfer-Encoding: chunked alone, without Content-Length")
    if not TOKEN.fullmatch(request.method) or request.method == "CONNECT":
        raise RequestRefused(400, "bad_request", f"method {request.method[:20]} is not served here")


def over_limit(max_body: int) -> RequestRefused:
    """The refusal of a request whose body has more than `max_body` bytes."""
    return RequestRefused(
        413, "body_too_large", f"the request body is larger than {max_body} bytes; allow more by --max-body"
    )


_LENGTH = re.compile(r"[0-9]{1,18}")
