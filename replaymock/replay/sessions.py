"""The sessions of clients: their positions in the cassettes, and their writes. Only this changes on replay.

A request names its session by a base path, a header or a cookie; one that names none belongs to the default session.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import replace

from msgspec import Struct, field

from replaymock.errors import RequestRefused
from replaymock.http.headers import Headers, get, has, without
from replaymock.http.messages import Request
from replaymock.http.own_paths import SESSION_BASE

COOKIE = "replaymock-session"
IDLE_SECONDS = 3600.0
MOST_SESSIONS = 10_000


class Session(Struct):
    """One session. `positions` maps a cassette's file to the position of the response served last."""

    positions: dict[str, int] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    last_used: float = 0.0

    def touch(self, now: float) -> None:
        """Records that it is in use."""
        self.last_used = now


class Sessions:
    """The sessions by name; the empty name is the default session, which never expires."""

    def __init__(self) -> None:
        self._default = Session()
        self._named: OrderedDict[str, Session] = OrderedDict()

    def get(self, name: str, now: float) -> Session:
        """The session of this name, made when it is new. `now` is in seconds on any steady clock."""
        if not name:
            return self._default
        self._expire(now)
        session = self._named.setdefault(name, Session())
        session.touch(now)
        self._named.move_to_end(name)
        self._expire(now)
        return session

    def all(self) -> Iterator[tuple[str, Session]]:
        """Every session by name, the one used longest ago first; the default session has the empty name."""
        yield "", self._default
        yield from self._named.items()

    def reset(self, name: str | None = None) -> None:
        """Rewinds one session, or all of them."""
        if name is None:
            self._named.clear()
        if name:
            self._named.pop(name, None)
        else:
            self._default = Session()

    def _expire(self, now: float) -> None:
        while self._named:
            oldest = next(iter(self._named.values()))
            if now - oldest.last_used < IDLE_SECONDS and len(self._named) <= MOST_SESSIONS:
                return
            self._named.popitem(last=False)


def assign(request: Request, header: str) -> Request:
    """The request with its session, and without what named it. RequestRefused if that is no valid name.

    A base path goes before the header called `header` (in lower case), and that before the cookie.
    """
    if request.target.startswith(SESSION_BASE):
        return _from_base(request)
    name = get(request.headers, header)
    cookie = _cookie(request.headers)
    if not name and not cookie:
        return request
    headers = _without_cookie(without(request.headers, (header,)))
    return replace(request, headers=headers, session=_checked(name or cookie))


def _from_base(request: Request) -> Request:
    path, mark, query = request.target.removeprefix(SESSION_BASE).partition("?")
    name, _, rest = path.partition("/")
    return replace(request, target=f"/{rest}{mark}{query}", session=_checked(name), base=SESSION_BASE + name)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        detail = f"a session's name has 1 to {_LONGEST_NAME} letters, digits and . _ ~ - : @ +"
        raise RequestRefused(400, "bad_session", detail)
    return name


def _cookie(headers: Headers) -> str:
    if not has(headers, "cookie"):
        return ""
    match = _COOKIE.search(get(headers, "cookie").replace(", ", "; "))
    return match.group(1).strip() if match else ""


def _without_cookie(headers: Headers) -> Headers:
    pairs = ((name, _COOKIE.sub("", value) if name.lower() == "cookie" else value) for name, value in headers)
    return tuple((name, value.lstrip("; ")) for name, value in pairs if value.strip("; ") or name.lower() != "cookie")


_LONGEST_NAME = 128
_NAME = re.compile(r"[A-Za-z0-9._~:@+\-]{1,128}")
_COOKIE = re.compile(rf"(?:^|;)\s*{COOKIE}=([^;]*)")
