"""The endpoints under `/__replaymock/`: JSON without CORS, for clients that use a name of this server."""

import os
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from replaymock.errors import RequestRefused
from replaymock.http.headers import Headers, get
from replaymock.http.messages import Request
from replaymock.http.own_paths import OWN_PREFIX
from replaymock.http.problem import problem
from replaymock.http.rendered import RenderedResponse, json_response, with_header
from replaymock.http.via import is_from_a_run
from replaymock.replay.engine import ReplayEngine
from replaymock.replay.sessions import Sessions
from replaymock.server.access import HostGuard
from replaymock.server.admin import page
from replaymock.telemetry.journal import AskAll, BroadcastQuestion, Journal
from replaymock.telemetry.subscribers import EventSubscribers

METHOD_NOT_ALLOWED = 405
HEADERS: Headers = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
)


def is_admin_path(path: str) -> bool:
    """Whether a path is one of the server's own, also in spellings that another server would decode to one."""
    if path.startswith(OWN_PREFIX) and path[len(OWN_PREFIX) : len(OWN_PREFIX) + 1] in ("", "/"):
        return True
    # Most paths are plain, and this is called for every request.
    return _UNUSUAL.search(path) is not None and _plain(path).startswith(f"{OWN_PREFIX}/")


class AdminEndpoints:
    """Answers requests to own endpoints. `ask_all` gives the journal of all workers, if there are several."""

    def __init__(
        self,
        engine: ReplayEngine,
        journal: Journal,
        sessions: Sessions,
        subscribers: EventSubscribers,
        guard: HostGuard,
        ask_all: AskAll | None = None,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._sessions = sessions
        self._subscribers = subscribers
        self._guard = guard
        self._ask_all = ask_all

    def needs_all_workers(self, request: Request) -> bool:
        """Whether a request must be answered by `answer_for_all_workers`, because it is about all of them."""
        return self._ask_all is not None and _name(request) in _ABOUT_ALL and self._refusal(request) is None

    async def answer_for_all_workers(self, request: Request) -> RenderedResponse:
        """The response of an endpoint that is about all workers."""
        if self._ask_all is None:
            return self.answer(request)
        question = BroadcastQuestion(reset=_name(request) == "reset", session=request.session or None)
        return self.answer(request, await self._ask_all(question))

    def answer(self, request: Request, journal: Journal | None = None) -> RenderedResponse:
        """The response of an endpoint. `journal` is that of all workers, if there are several."""
        refused = self._refusal(request)
        if refused:
            return refused
        _, respond = _ENDPOINTS[_name(request)]
        answer = respond(self, request, journal or self._journal)
        return answer if isinstance(answer, RenderedResponse) else json_response(200, "OK", answer, HEADERS)

    def _refusal(self, request: Request) -> RenderedResponse | None:
        try:
            self._check(request)
        except RequestRefused as error:
            refused = problem(error.status, error.code, error.detail, HEADERS)
            if error.status == METHOD_NOT_ALLOWED:
                return with_header(refused, f"Allow: {_ENDPOINTS[_name(request)][0]}".encode("ascii"))
            return refused
        return None

    def _check(self, request: Request) -> None:
        name = _name(request)
        if name not in _ENDPOINTS:
            listed = ", ".join(f"{OWN_PREFIX}/{name}" for name in _ENDPOINTS if name not in page.FILES)
            raise RequestRefused(404, "unknown_endpoint", f"there is no {request.path}; there are {listed}")
        if is_from_a_run(get(request.headers, "via")):
            detail = "this is not told by way of another replaymock; ask this one itself"
            raise RequestRefused(403, "not_by_proxy", detail)
        method, _ = _ENDPOINTS[name]
        if name not in _OPEN_TO_ANY_HOST:
            self._guard.check_host(request)
        if request.method not in ((method, "HEAD") if method == "GET" else (method,)):
            raise RequestRefused(METHOD_NOT_ALLOWED, "method_not_allowed", f"{request.path} takes {method}")
        if (method != "GET" or name in _NOT_EMBEDDED) and self._guard.is_cross_site(request):
            raise RequestRefused(403, "cross_site", "a page of another origin may not ask for this")

    def _health(self, _request: Request, _journal: Journal) -> "_Answer":
        return {"status": "ok"}

    def _ready(self, _request: Request, _journal: Journal) -> "_Answer":
        mode = "record" if self._engine.mode.save else "replay"
        counts = {"cassettes": len(self._engine.index), "broken": len(self._engine.lookup.broken)}
        return {"status": "ready", "mode": mode, "pid": os.getpid(), **counts}

    def _misses(self, _request: Request, journal: Journal) -> "_Answer":
        return {"misses": journal.misses()}

    def _requests(self, _request: Request, _journal: Journal) -> "_Answer":
        return {"requests": self._journal.requests()}

    def _unused(self, _request: Request, journal: Journal) -> "_Answer":
        return {"unused": sorted(journal.unused(self._engine.index.entries))}

    def _cassettes(self, _request: Request, _journal: Journal) -> "_Answer":
        return {
            "cassettes": [
                {
                    "file": entry.file,
                    "method": entry.canonical.method,
                    "path": entry.request.path,
                    "responses": len(entry.after_writes),
                }
                for entry in self._engine.index.entries.values()
            ],
            "broken": [str(error) for error in self._engine.lookup.broken.values()],
        }

    def _each_session(self, _request: Request, _journal: Journal) -> "_Answer":
        return {
            "sessions": [
                {"session": name or None, "writes": session.writes, "positions": session.positions}
                for name, session in self._sessions.all()
            ]
        }

    def _reset(self, request: Request, _journal: Journal) -> "_Answer":
        name = request.session or None
        self._sessions.reset(name)
        return {"status": "reset", "session": name}

    def _page(self, request: Request, _journal: Journal) -> "_Answer":
        return page.page(_name(request), HEADERS)

    def _events(self, _request: Request, _journal: Journal) -> "_Answer":
        return page.events(self._subscribers, self._journal, HEADERS)


def _name(request: Request) -> str:
    return request.path.removeprefix(OWN_PREFIX).strip("/") if request.path.startswith(OWN_PREFIX) else request.path


def _plain(path: str) -> str:
    """A path decoded a few times, without dot segments: what the most lenient server would take it for."""
    for _ in range(_TIMES_DECODED):
        path = unquote(path)
    segments: list[str] = []
    for segment in path.replace("\\", "/").split("/"):
        if segment == "..":
            segments = segments[:-1]
        elif segment not in ("", "."):
            segments.append(segment)
    return "/" + "/".join(segments) + "/"


_Answer = Mapping[str, object] | RenderedResponse
_UNUSUAL = re.compile(r"%|//|/\.|\\")
_TIMES_DECODED = 3
_ABOUT_ALL = frozenset(("misses", "unused", "reset"))
_NOT_EMBEDDED = frozenset(("events",))
_OPEN_TO_ANY_HOST = frozenset(("health", "ready"))
_ENDPOINTS: dict[str, tuple[str, Callable[[AdminEndpoints, Request, Journal], _Answer]]] = {
    "health": ("GET", AdminEndpoints._health),
    "ready": ("GET", AdminEndpoints._ready),
    "misses": ("GET", AdminEndpoints._misses),
    "requests": ("GET", AdminEndpoints._requests),
    "unused": ("GET", AdminEndpoints._unused),
    "cassettes": ("GET", AdminEndpoints._cassettes),
    "sessions": ("GET", AdminEndpoints._each_session),
    "reset": ("POST", AdminEndpoints._reset),
    "events": ("GET", AdminEndpoints._events),
    **dict.fromkeys(page.FILES, ("GET", AdminEndpoints._page)),
}
