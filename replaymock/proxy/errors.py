"""What is said when a backend gives no whole answer: httpx's errors, each with its cause and its remedy.

httpx.LocalProtocolError                 -> RequestRefused 400, the request cannot be sent
httpx.ConnectTimeout, TimeoutException   -> UpstreamError 504, with the option that allows more
every other TransportError and OSError   -> UpstreamError 502, unreachable or broken off
`-- caused by a certificate              -> UpstreamError 502, with the options that trust it
"""

import socket
import ssl

import httpx

from replaymock.errors import RequestRefused, UpstreamError
from replaymock.proxy.options import UpstreamOptions
from replaymock.proxy.routes import Upstream


class translate_errors:  # noqa: N801 - reads as a statement
    """Turns httpx's errors into UpstreamError or RequestRefused, in one place."""

    def __init__(self, upstream: Upstream, options: UpstreamOptions) -> None:
        self._origin = upstream.origin
        self._options = options

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, httpx.LocalProtocolError):
            raise RequestRefused(400, "bad_request", f"the request cannot be sent on: {error}") from error
        if isinstance(error, (httpx.TransportError, OSError)):
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> UpstreamError:
        origin = self._origin
        verification = _cause(error, ssl.SSLCertVerificationError)
        if isinstance(verification, ssl.SSLCertVerificationError):
            reason = verification.verify_message
            advice = "trust its authority by --ca-file FILE, or skip the check by --insecure"
            return UpstreamError(
                502, "tls_verification_failed", f"the certificate of {origin} is not trusted: {reason}; {advice}"
            )
        if isinstance(error, httpx.ConnectTimeout):
            seconds = self._options.connect_timeout
            return self._timeout("did not accept the connection", seconds, "--connect-timeout")
        if isinstance(error, httpx.TimeoutException):
            return self._timeout("sent nothing", self._options.read_timeout, "--read-timeout")
        reason = _why_unreachable(error, proxied=bool(self._options.proxy))
        return UpstreamError(502, "upstream_unreachable", f"{origin} {reason}")

    def _timeout(self, what: str, seconds: float, option: str) -> UpstreamError:
        detail = f"{self._origin} {what} within {seconds:g} s; allow more by {option} SECONDS"
        return UpstreamError(504, "upstream_timeout", detail)


def _why_unreachable(error: Exception, *, proxied: bool) -> str:
    if proxied and isinstance(error, (httpx.ProxyError, httpx.ConnectError)) and not _cause(error, ssl.SSLError):
        reason = str(error) or "connection failed"
        return f"cannot be reached through --upstream-proxy ({reason}); does the proxy run there?"
    unknown = _cause(error, socket.gaierror)
    if unknown:
        return f"cannot be found: {getattr(unknown, 'strerror', None) or unknown}; check the host name in --upstream"
    if _cause(error, ConnectionRefusedError):
        return "refuses the connection; is the backend running there?"
    handshake = _cause(error, ssl.SSLError)
    if handshake:
        reason = getattr(handshake, "reason", None) or ""
        only_http2 = "NO_APPLICATION_PROTOCOL" in reason
        question = "does it speak only HTTP/2 (--upstream-http2)" if only_http2 else "is the scheme in --upstream right"
        return f"failed the TLS handshake: {error}; {question}?"
    if isinstance(error, httpx.ConnectError):
        return f"cannot be connected to: {str(error) or 'connection failed'}; check --upstream"
    return f"broke the connection before its answer was whole ({str(error) or type(error).__name__})"


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The error of this kind among an error, its causes, and the errors it is made of."""
    while error is not None:
        if isinstance(error, kind):
            return error
        if isinstance(error, BaseExceptionGroup):
            causes = (_cause(part, kind) for part in error.exceptions)
            return next((cause for cause in causes if cause), None)
        error = error.__cause__ or error.__context__
    return None
