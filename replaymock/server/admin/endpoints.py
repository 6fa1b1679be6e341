"""Own endpoints under `/__replaymock/`: JSON without CORS, for callers that come to this host by one of its names.

They are answered before mode and index are asked, so no upstream and no cassette can stand in for them.
"""

import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from replaymock.errors import RequestRefused
from replaymock.http.headers import Headers, get
from replaymock.http.messages import Request
from replaymock.http.problem import problem
from replaymock.http.rendered import RenderedResponse, json_answer, with_header
from replaymock.replay.engine import ReplayEngine
from replaymock.server.access import HostGuard
from replaymock.server.admin import page
from replaymock.telemetry.journal import BroadcastQuestion, Journal

PREFIX = "/__replaymock"


def is_own(path: str) -> bool:
    """Whether a path belongs to the server itself, also when spelled so that a server further up might take it so."""
    if path.startswith(PREFIX) and path[len(PREFIX) : len(PREFIX) + 1] in ("", "/"):
        return True
    # Most paths are plain, and this is asked for every request.
    return _UNUSUAL.search(path) is not None and _plain(path).startswith(f"{PREFIX}/")


def concerns_all(request: Request, responder: ReplayEngine, guard: HostGuard) -> bool:
    """Whether a request is to be answered by `answer_for_all`: one of several workers cannot answer it alone."""
    asks = responder.ask_all is not None and is_own(request.path) and _name(request) in _ABOUT_ALL
    return asks and _refusal(request, guard) is None


async def answer_for_all(request: Request, responder: ReplayEngine, guard: HostGuard) -> RenderedResponse:
    """The answer of an own endpoint that speaks for every worker."""
    if responder.ask_all is None:
        return answer(request, responder, guard)
    question = BroadcastQuestion(reset=_name(request) == "reset", session=request.session or None)
    return answer(request, responder, guard, await responder.ask_all(question))


def answer(
    request: Request, responder: ReplayEngine, guard: HostGuard, journal: Journal | None = None
) -> RenderedResponse:
    """The answer of an own endpoint; `journal` is that of all workers, where the responder's own is one of several."""
    refused = _refusal(request, guard)
    if refused:
        return refused
    _, respond = _ENDPOINTS[_name(request)]
    found = respond(responder, request, journal or responder.journal)
    if isinstance(found, RenderedResponse):
        return found
    return json_answer(200, "OK", found, HEADERS)


def _refusal(request: Request, guard: HostGuard) -> RenderedResponse | None:
    try:
        _check(request, guard)
    except RequestRefused as error:
        refused = problem(error.status, error.code, error.detail, HEADERS)
        if error.status == METHOD_NOT_ALLOWED:
            return with_header(refused, f"Allow: {_ENDPOINTS[_name(request)][0]}".encode("ascii"))
        return refused
    return None


def _check(request: Request, guard: HostGuard) -> None:
    name = _name(request)
    if name not in _ENDPOINTS:
        known = ", ".join(f"{PREFIX}/{known}" for known in _ENDPOINTS if known not in page.FILES)
        raise RequestRefused(404, "unknown_endpoint", f"there is no {request.path}; there are {known}")
    if _OWN_VIA.search(get(request.headers, "via")):
        raise RequestRefused(403, "not_by_proxy", "this is not told by way of another replaymock; ask this one itself")
    method, _ = _ENDPOINTS[name]
    if name not in _OPEN_TO_ANY_HOST:
        guard.check_host(request)
    if request.method not in ((method, "HEAD") if method == "GET" else (method,)):
        raise RequestRefused(METHOD_NOT_ALLOWED, "method_not_allowed", f"{request.path} takes {method}")
    if (method != "GET" or name in _NOT_EMBEDDED) and guard.is_foreign(request):
        raise RequestRefused(403, "cross_site", "a page of another origin may not ask for this")


def _name(request: Request) -> str:
    return request.path.removeprefix(PREFIX).strip("/") if request.path.startswith(PREFIX) else request.path


def _plain(path: str) -> str:
    """A path as a server takes it that decodes it, however often, and follows its dots."""
    for _ in range(_DECODED):
        path = unquote(path)
    kept: list[str] = []
    for segment in path.replace("\\", "/").split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept) + "/"


def _health(_responder: ReplayEngine, _request: Request, _journal: Journal) -> Any:
    return {"status": "ok"}


def _ready(responder: ReplayEngine, _request: Request, _journal: Journal) -> Any:
    mode = "record" if responder.mode.save else "replay"
    counts = {"cassettes": len(responder.index), "broken": len(responder.lookup.broken)}
    return {"status": "ready", "mode": mode, "pid": os.getpid(), **counts}


def _misses(_responder: ReplayEngine, _request: Request, journal: Journal) -> Any:
    return {"misses": journal.misses()}


def _requests(responder: ReplayEngine, _request: Request, _journal: Journal) -> Any:
    return {"requests": responder.journal.requests()}


def _unused(responder: ReplayEngine, _request: Request, journal: Journal) -> Any:
    return {"unused": sorted(journal.unused(responder.index.entries))}


def _cassettes(responder: ReplayEngine, _request: Request, _journal: Journal) -> Any:
    entries = responder.index.entries.values()
    return {
        "cassettes": [
            {
                "file": entry.file,
                "method": entry.canonical.method,
                "path": entry.request.path,
                "responses": len(entry.afters),
            }
            for entry in entries
        ],
        "broken": [str(error) for error in responder.lookup.broken.values()],
    }


def _sessions(responder: ReplayEngine, _request: Request, _journal: Journal) -> Any:
    found = responder.sessions.all()
    return {
        "sessions": [
            {"session": name or None, "writes": session.writes, "positions": session.positions}
            for name, session in found
        ]
    }


def _reset(responder: ReplayEngine, request: Request, _journal: Journal) -> Any:
    name = request.session or None
    responder.sessions.reset(name)
    return {"status": "reset", "session": name}


def _page(_responder: ReplayEngine, request: Request, _journal: Journal) -> Any:
    return page.page(_name(request), HEADERS)


def _events(responder: ReplayEngine, _request: Request, _journal: Journal) -> Any:
    return page.events(responder.listeners, responder.journal, HEADERS)


METHOD_NOT_ALLOWED = 405
HEADERS: Headers = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
_UNUSUAL = re.compile(r"%|//|/\.|\\")
_DECODED = 3
_OWN_VIA = re.compile(r"\breplaymock-[0-9a-f]{8}\b")
_ABOUT_ALL = frozenset(("misses", "unused", "reset"))
_NOT_EMBEDDED = frozenset(("events",))
_OPEN_TO_ANY_HOST = frozenset(("health", "ready"))
_ENDPOINTS: dict[str, tuple[str, Callable[[ReplayEngine, Request, Journal], Any]]] = {
    "health": ("GET", _health),
    "ready": ("GET", _ready),
    "misses": ("GET", _misses),
    "requests": ("GET", _requests),
    "unused": ("GET", _unused),
    "cassettes": ("GET", _cassettes),
    "sessions": ("GET", _sessions),
    "reset": ("POST", _reset),
    "events": ("GET", _events),
    **dict.fromkeys(page.FILES, ("GET", _page)),
}
