"""Own errors as answers: problem documents (RFC 9457), with CORS like every other answer."""

from traceback import extract_tb
from typing import Any

from replaymock.cassettes.model import standard_reason
from replaymock.errors import RequestRefused
from replaymock.http.cors import Cors
from replaymock.http.headers import Headers
from replaymock.http.rendered import PROBLEM_TYPE, Answer, json_answer
from replaymock.matching.matcher import SOCKET, Difference
from replaymock.matching.near_misses import INVALID, OTHER_PROTOCOL, RECORD, Miss, shortened

UPGRADE_REQUIRED = 426


def problem(status: int, code: str, detail: str, headers: Headers, **members: Any) -> Answer:
    """A problem document. `code` names the kind for programs, `detail` says for people what happened and what to do."""
    title = standard_reason(status) or "Error"
    value = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, **members}
    return json_answer(status, title, value, headers, PROBLEM_TYPE)


def refusal(error: RequestRefused, cors: Cors, echoed: str) -> Answer:
    """The answer to a request that is not served."""
    headers = cors.apply((("Cache-Status", f"replaymock; detail={error.code}"), *_upgrade(error.status)), echoed)
    return problem(error.status, error.code, error.detail, headers)


def miss_answer(miss: Miss, status: int, cors: Cors, echoed: str) -> Answer:
    """The answer to a request no cassette matches."""
    detail = f"no cassette matches {miss.request.method} {shortened(miss.request.path)}: {miss.reason}. {advice(miss)}"
    if miss.reason == OTHER_PROTOCOL and miss.request.kind != SOCKET[0]:
        status = UPGRADE_REQUIRED
    headers = cors.apply((("Cache-Status", "replaymock; fwd=uri-miss"), *_upgrade(status)), echoed)
    return problem(status, "no_match", detail, headers, **miss.to_json())


def fault(error: BaseException) -> str:
    """What is told of a fault of this program: its kind and its place. Its own words may say what is secret."""
    place = extract_tb(error.__traceback__)[-1]
    return f"a fault in replaymock: {type(error).__name__} at {place.filename.rpartition('/')[2]}:{place.lineno}"


def _upgrade(status: int) -> Headers:
    """What a 426 must say (RFC 9110 section 15.5.22)."""
    if status != UPGRADE_REQUIRED:
        return ()
    return (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"))


def advice(miss: Miss) -> str:
    """What to do about a miss, as a sentence."""
    if miss.reason == INVALID:
        return "Mend its file, which a warning has named; replaymock check does so, too."
    if miss.is_line:
        new = f"put this line {miss.home.top}"
        line = f"replace the ignore line of {miss.home.file} by" if miss.replaces_line else new
        if any(_is_another_value(found) for near in miss.nearest[:1] for found in near.differences):
            return f"If that matters, {RECORD}; if not, {line}: {miss.hint}"
        return f"To make it hit, {line}: {miss.hint}"
    end = "" if miss.hint.endswith("}") else "."  # a file to be copied ends where it ends
    return f"{miss.hint[:1].upper()}{miss.hint[1:]}{end}"


def _is_another_value(found: Difference) -> bool:
    """Whether both requests say something there, so that they may well ask for different things: page 2 and page 3."""
    return found.field != "path" and found.recorded is not None and found.received is not None
