"""Own endpoints under `/__replaymock/`: JSON without CORS, for callers that come to this host by one of its names.

They are answered before mode and index are asked, so no upstream and no cassette can stand in for them.
"""

import os
import re
from collections.abc import Callable
from typing import Any

from replaymock.answer import Answer, json_answer, with_header
from replaymock.exchange import Request
from replaymock.headers import get
from replaymock.journal import Journal, Question
from replaymock.problems import problem
from replaymock.responder import Responder

PREFIX = "/__replaymock"

Hosts = frozenset[str]
"""Host names, lower case, under which this server is meant to be reached; empty for any."""


def hosts_of(address: str) -> Hosts:
    """The names of a server bound to an address: the loopback's while it is bound there, any when bound wider."""
    if address in ("localhost", "127.0.0.1", "::1"):
        return frozenset(("localhost", "127.0.0.1", "[::1]"))
    return frozenset()


def is_own(path: str) -> bool:
    """Whether a path belongs to the server itself."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def concerns_all(request: Request, responder: Responder, hosts: Hosts) -> bool:
    """Whether a request is to be answered by `answer_for_all`: one of several workers cannot answer it alone."""
    asks = responder.ask_all is not None and is_own(request.path) and _name(request) in _ABOUT_ALL
    return asks and _refusal(request, hosts) is None


async def answer_for_all(request: Request, responder: Responder, hosts: Hosts) -> Answer:
    """The answer of an own endpoint that speaks for every worker."""
    if responder.ask_all is None:
        return answer(request, responder, hosts)
    question = Question(reset=_name(request) == "reset", session=request.session or None)
    return answer(request, responder, hosts, await responder.ask_all(question))


def answer(request: Request, responder: Responder, hosts: Hosts, journal: Journal | None = None) -> Answer:
    """The answer of an own endpoint; `journal` is that of all workers, where the responder's own is one of several."""
    refused = _refusal(request, hosts)
    if refused:
        return refused
    _, respond = _ENDPOINTS[_name(request)]
    found = respond(responder, request, journal or responder.journal)
    return json_answer(200, "OK", found, (("Cache-Control", "no-store"),))


def _refusal(request: Request, hosts: Hosts) -> Answer | None:
    name = _name(request)
    if name not in _ENDPOINTS:
        known = ", ".join(f"{PREFIX}/{known}" for known in _ENDPOINTS)
        return problem(404, "unknown_endpoint", f"there is no {request.path}; there are {known}", ())
    method, _ = _ENDPOINTS[name]
    if name not in _OPEN_TO_ANY_HOST and hosts and _host_name(request) not in hosts:
        return problem(403, "host_not_allowed", "this server is not known under the Host of this request", ())
    if request.method not in ((method, "HEAD") if method == "GET" else (method,)):
        refused = problem(405, "method_not_allowed", f"{request.path} takes {method}", ())
        return with_header(refused, f"Allow: {method}".encode("ascii"))
    if method != "GET" and _is_cross_site(request):
        return problem(403, "cross_site", "a page of another origin may not change this server's state", ())
    return None


def _name(request: Request) -> str:
    return request.path.removeprefix(PREFIX).strip("/")


def _host_name(request: Request) -> str:
    return re.sub(r":[0-9]+\Z", "", get(request.headers, "host")).lower()


def _is_cross_site(request: Request) -> bool:
    """Whether a browser says another site's page is asking (Fetch metadata; the `Origin` header)."""
    site = get(request.headers, "sec-fetch-site", "none")
    origin = get(request.headers, "origin")
    own = f"http://{get(request.headers, 'host')}"
    return site not in ("none", "same-origin") or origin not in ("", own)


def _health(_responder: Responder, _request: Request, _journal: Journal) -> Any:
    return {"status": "ok"}


def _ready(responder: Responder, _request: Request, _journal: Journal) -> Any:
    mode = "record" if responder.mode.save else "replay"
    counts = {"cassettes": len(responder.index), "broken": len(responder.broken)}
    return {"status": "ready", "mode": mode, "pid": os.getpid(), **counts}


def _misses(_responder: Responder, _request: Request, journal: Journal) -> Any:
    return {"misses": journal.misses()}


def _requests(responder: Responder, _request: Request, _journal: Journal) -> Any:
    return {"requests": responder.journal.requests()}


def _unused(responder: Responder, _request: Request, journal: Journal) -> Any:
    return {"unused": sorted(journal.unused(responder.index.entries))}


def _cassettes(responder: Responder, _request: Request, _journal: Journal) -> Any:
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
        "broken": [str(error) for error in responder.broken.values()],
    }


def _sessions(responder: Responder, _request: Request, _journal: Journal) -> Any:
    found = responder.sessions.all()
    return {
        "sessions": [
            {"session": name or None, "writes": session.writes, "positions": session.positions}
            for name, session in found
        ]
    }


def _reset(responder: Responder, request: Request, _journal: Journal) -> Any:
    name = request.session or None
    responder.sessions.reset(name)
    return {"status": "reset", "session": name}


_ABOUT_ALL = frozenset(("misses", "unused", "reset"))
_OPEN_TO_ANY_HOST = frozenset(("health", "ready"))
_ENDPOINTS: dict[str, tuple[str, Callable[[Responder, Request, Journal], Any]]] = {
    "health": ("GET", _health),
    "ready": ("GET", _ready),
    "misses": ("GET", _misses),
    "requests": ("GET", _requests),
    "unused": ("GET", _unused),
    "cassettes": ("GET", _cassettes),
    "sessions": ("GET", _sessions),
    "reset": ("POST", _reset),
}
