"""What goes wrong upstream, and what is said of it."""

import asyncio
import socket
import ssl

import httpx
import pytest

from replaymock.errors import UpstreamError
from replaymock.proxy.errors import translate_errors
from replaymock.proxy.options import UpstreamOptions
from replaymock.proxy.routes import Upstream


def _caused(outer: Exception, cause: Exception) -> Exception:
    outer.__cause__ = cause
    return outer


VERIFY = ssl.SSLCertVerificationError(1, "failed")
VERIFY.verify_message = "self-signed certificate"
UNKNOWN = socket.gaierror(-2, "Name or service not known")
OTHER = ssl.SSLError(1, "no application protocol")
OTHER.reason = "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"
TRANSLATIONS: list[tuple[Exception, bool, int, str, str]] = [
    (_caused(httpx.ConnectError("x"), VERIFY), False, 502, "tls_verification_failed", "--insecure"),
    (_caused(httpx.ConnectError("x"), VERIFY), False, 502, "tls_verification_failed", "--ca-file FILE"),
    (_caused(httpx.ConnectError("x"), VERIFY), True, 502, "tls_verification_failed", "self-signed certificate"),
    (httpx.ConnectTimeout("x"), False, 504, "upstream_timeout", "within 10 s; allow more by --connect-timeout"),
    (httpx.ReadTimeout("x"), False, 504, "upstream_timeout", "within 60 s; allow more by --read-timeout"),
    (httpx.WriteTimeout("x"), False, 504, "upstream_timeout", "--read-timeout"),
    (_caused(httpx.ConnectError("x"), UNKNOWN), False, 502, "upstream_unreachable", "cannot be found: Name or service"),
    (_caused(httpx.ConnectError("x"), ConnectionRefusedError()), False, 502, "upstream_unreachable", "refuses"),
    (
        _caused(httpx.ConnectError("x"), ExceptionGroup("both", [OSError("no route"), ConnectionRefusedError()])),
        False,
        502,
        "upstream_unreachable",
        "refuses the connection",
    ),
    (
        _caused(httpx.ConnectError("x"), ssl.SSLError(1, "wrong version")),
        False,
        502,
        "upstream_unreachable",
        "TLS handshake",
    ),
    (_caused(httpx.ConnectError("x"), OTHER), False, 502, "upstream_unreachable", "(--upstream-http2)?"),
    (httpx.ConnectError("no route"), False, 502, "upstream_unreachable", "cannot be connected to: no route"),
    (httpx.ConnectError(""), True, 502, "upstream_unreachable", "--upstream-proxy (connection failed)"),
    (httpx.ProxyError("407"), True, 502, "upstream_unreachable", "through --upstream-proxy (407)"),
    (httpx.RemoteProtocolError("peer closed"), False, 502, "upstream_unreachable", "broke the connection"),
    (httpx.ReadError(""), False, 502, "upstream_unreachable", "(ReadError)"),
    (ConnectionResetError(), False, 502, "upstream_unreachable", "broke the connection"),
]


@pytest.mark.parametrize(("error", "proxied", "status", "code", "said"), TRANSLATIONS)
def test_each_failure_is_named_with_its_remedy(
    error: Exception, proxied: bool, status: int, code: str, said: str
) -> None:
    options = UpstreamOptions(connect_timeout=10, read_timeout=60, proxy="http://proxy" if proxied else "")
    with pytest.raises(UpstreamError) as caught, translate_errors(Upstream("/api", "http://backend:9"), options):
        raise error
    assert (caught.value.status, caught.value.code) == (status, code)
    assert "http://backend:9" in caught.value.detail
    assert said in caught.value.detail


def test_what_is_no_failure_of_upstream_is_left_alone() -> None:
    for error in (ZeroDivisionError(), asyncio.CancelledError()):
        with pytest.raises(type(error)), translate_errors(Upstream("", "http://x"), UpstreamOptions()):
            raise error
