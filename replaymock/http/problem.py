"""Our own errors as responses: problem documents (RFC 9457), with CORS like every other response."""

from traceback import extract_tb
from typing import Any

from replaymock.errors import RequestRefused
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers
from replaymock.http.rendered import PROBLEM_TYPE, RenderedResponse, json_response
from replaymock.http.status import standard_reason

UPGRADE_REQUIRED = 426


def problem(status: int, code: str, detail: str, headers: Headers, **members: Any) -> RenderedResponse:
    """A problem document. `code` names the kind for programs; `detail` tells people what happened and what to do."""
    title = standard_reason(status) or "Error"
    value = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, **members}
    return json_response(status, title, value, headers, PROBLEM_TYPE)


def rejection(error: RequestRefused, cors: CorsPolicy, echoed_origin: str) -> RenderedResponse:
    """The response to a request that is not served."""
    headers = cors.apply((("Cache-Status", f"replaymock; detail={error.code}"), *_upgrade(error.status)), echoed_origin)
    return problem(error.status, error.code, error.detail, headers)


def fault(error: BaseException) -> str:
    """Describes an internal error by its type and place. Its message is left out, as it may contain a secret."""
    place = extract_tb(error.__traceback__)[-1]
    return f"a fault in replaymock: {type(error).__name__} at {place.filename.rpartition('/')[2]}:{place.lineno}"


def _upgrade(status: int) -> Headers:
    """The headers that a 426 must have (RFC 9110 section 15.5.22)."""
    if status != UPGRADE_REQUIRED:
        return ()
    return (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"))
