"""The response to a miss: a problem document that explains it, and says what to do about it."""

from replaymock.cassettes.model import WEBSOCKET_BODY
from replaymock.http.cors import CorsPolicy
from replaymock.http.problem import UPGRADE_REQUIRED, _upgrade, problem
from replaymock.http.rendered import RenderedResponse
from replaymock.matching.differences import Difference
from replaymock.matching.near_misses import INVALID, OTHER_PROTOCOL, RECORD, Miss, shorten_text


def miss_response(miss: Miss, status: int, cors: CorsPolicy, echoed: str) -> RenderedResponse:
    """The response to a request that no cassette matches."""
    detail = (
        f"no cassette matches {miss.request.method} {shorten_text(miss.request.path)}: {miss.reason}. {advice(miss)}"
    )
    if miss.reason == OTHER_PROTOCOL and miss.request.kind != WEBSOCKET_BODY[0]:
        status = UPGRADE_REQUIRED
    headers = cors.apply((("Cache-Status", "replaymock; fwd=uri-miss"), *_upgrade(status)), echoed)
    return problem(status, "no_match", detail, headers, **miss.to_json())


def advice(miss: Miss) -> str:
    """What to do about a miss, as a sentence."""
    if miss.reason == INVALID:
        return "Mend its file, which a warning has named; replaymock check does so, too."
    if miss.is_line:
        new = f"put this line {miss.location.top}"
        line = f"replace the ignore line of {miss.location.file} by" if miss.replaces_line else new
        if any(_is_another_value(each) for near in miss.nearest[:1] for each in near.differences):
            return f"If that matters, {RECORD}; if not, {line}: {miss.hint}"
        return f"To make it hit, {line}: {miss.hint}"
    end = "" if miss.hint.endswith("}") else "."  # a file to be copied ends where it ends
    return f"{miss.hint[:1].upper()}{miss.hint[1:]}{end}"


def _is_another_value(difference: Difference) -> bool:
    """Whether both requests have a value there, so that they may well ask for different things: page 2 and page 3."""
    return difference.field != "path" and difference.recorded is not None and difference.received is not None
