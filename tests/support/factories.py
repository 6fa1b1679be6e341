"""Values for tests, with defaults for everything a test does not speak of."""

from collections.abc import Mapping

from replaymock.cassettes.model import Cassette, CassetteRequest, RecordedResponse
from replaymock.cassettes.reader import SidecarLoader
from replaymock.http.headers import Headers
from replaymock.http.messages import Exchange, Request, Response

JSON = (("content-type", "application/json"),)


def a_request(method: str = "GET", target: str = "/items", headers: Headers = (), body: bytes = b"") -> Request:
    return Request(method, target, headers, body)


def a_response(
    status: int = 200, headers: Headers = JSON, body: bytes = b'{"items":[]}', reason: str = "OK"
) -> Response:
    return Response(status, reason, headers, body)


def an_exchange(request: Request | None = None, response: Response | None = None) -> Exchange:
    return Exchange(request or a_request(), response or a_response(), "2026-11-22T13:00:00Z", 41)


def recorded(
    body: bytes = b'{"items":[]}', status: int = 200, headers: Headers = JSON, **more: object
) -> RecordedResponse:
    return RecordedResponse(status, "OK", headers, body, **more)  # type: ignore[arg-type]


def a_cassette(path: str = "/items", *responses: RecordedResponse, method: str = "GET") -> Cassette:
    return Cassette(CassetteRequest(method, path), responses or (recorded(),))


def beside(files: Mapping[str, bytes]) -> SidecarLoader:
    """Sidecars that are taken from these files, all of them into memory."""
    return SidecarLoader(lambda name, _most: files[name])
