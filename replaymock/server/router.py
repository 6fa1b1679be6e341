"""Decides which way each request goes: once, for HTTP, WebSockets and the fast path alike."""

from enum import Enum, auto

from msgspec import Struct

from replaymock.errors import RequestRefused
from replaymock.http.cors import CorsPolicy
from replaymock.http.messages import Request
from replaymock.http.rendered import RenderedResponse, frame
from replaymock.http.websocket_handshake import is_upgrade
from replaymock.replay.engine import Hit, Mode, ReplayEngine
from replaymock.replay.sessions import assign
from replaymock.server.access import HostGuard
from replaymock.server.admin.endpoints import is_admin_path


class Route(Enum):
    """The way a request goes."""

    REFUSED = auto()
    OWN_ENDPOINT = auto()
    WEBSOCKET = auto()
    PREFLIGHT = auto()
    REPLAY = auto()
    LOOK_UP_THEN_FORWARD = auto()
    FORWARD = auto()


LOOKED_UP = (Route.REPLAY, Route.LOOK_UP_THEN_FORWARD)
"""The routes on which cassettes are looked up."""

FORWARDED = (Route.FORWARD, Route.LOOK_UP_THEN_FORWARD)
"""The routes on which upstream may be asked, so that the request body may have any size."""

# A member of an enumeration is slow to look up in Python 3.11, and these are compared for every request.
_REPLAY = Route.REPLAY


class RoutedRequest(Struct, frozen=True):
    """A request with its session, and its route; `refusal` is the reason if that is `REFUSED`."""

    request: Request
    route: Route
    refusal: RequestRefused | None = None


class Router:
    """Finds the route of a request. `session_header` is the header, in lower case, that may name its session."""

    def __init__(self, mode: Mode, cors: CorsPolicy, guard: HostGuard, session_header: str) -> None:
        self._cors = cors
        self._guard = guard
        self._session_header = session_header
        self._by_mode = _route_of(mode)

    def route(self, request: Request, version: str = "HTTP/1.1") -> RoutedRequest:
        """The route of a request whose target, framing and Host are valid for this HTTP version.

        Own endpoints come first, so that neither upstream nor a cassette can take their place. Then comes what may not
        be served to this client, then WebSockets and preflights. The mode decides on the rest.
        """
        try:
            request = assign(request, self._session_header)
            if is_admin_path(request.path):
                return RoutedRequest(request, Route.OWN_ENDPOINT)
            self._guard.check(request)
            if is_upgrade(request):
                self._guard.check_websocket(request, version)
                return RoutedRequest(request, Route.WEBSOCKET)
        except RequestRefused as error:
            return RoutedRequest(request, Route.REFUSED, error)
        if self._cors.is_preflight(request):
            return RoutedRequest(request, Route.PREFLIGHT)
        return RoutedRequest(request, self._by_mode)


class RoutedAnswers:
    """Responses without an upstream. This is the one place in the server that asks the engine for them."""

    def __init__(self, router: Router, engine: ReplayEngine) -> None:
        self._router = router
        self._engine = engine

    def answer(self, routed: RoutedRequest) -> RenderedResponse | None:
        """The response to a request that is no own endpoint; None if upstream is asked."""
        if routed.route in LOOKED_UP:
            return self._engine.answer(routed.request)
        if routed.route is Route.PREFLIGHT:
            return frame(204, "No Content", self._engine.cors.preflight(routed.request))
        return None

    async def answer_large(self, routed: RoutedRequest) -> RenderedResponse | None:
        """`answer` for a large request that is looked up: a thread makes its canonical form meanwhile."""
        return self._engine.answer(routed.request, await self._engine.canonicalize(routed.request))

    def constant_answer(self, request: Request) -> Hit | None:
        """The response that all equal requests get until a cassette changes; None if there is no such response."""
        # Whatever goes wrong here goes wrong again in the server, where it is answered and reported.
        try:
            routed = self._router.route(request)
            return self._engine.constant_answer(routed.request) if routed.route is _REPLAY else None
        except Exception:
            return None

    def answer_at_once(self, request: Request) -> Hit | None:
        """The response to this request, which then counts as made; None, and nothing changed, if it may take time."""
        try:
            routed = self._router.route(request)
            return self._engine.answer_at_once(routed.request) if routed.route is _REPLAY else None
        except Exception:
            return None


def _route_of(mode: Mode) -> Route:
    if not mode.forward:
        return Route.REPLAY
    return Route.LOOK_UP_THEN_FORWARD if mode.lookup else Route.FORWARD
