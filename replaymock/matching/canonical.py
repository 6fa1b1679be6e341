"""A request in canonical form, and ignore rules: functions on it, chosen by selectors such as `json:$.nonce`.

To add a kind of ignore rule, write one function, and one line in the table at the end of this file.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from replaymock.http.headers import Headers
from replaymock.http.selectors import Location, Selector
from replaymock.http.uri import Pairs


@dataclass(frozen=True, slots=True)
class CanonicalRequest:
    """A request in the form in which it is compared.

    `query` and the fields of a form are sorted. `kind` says what `body` is: `json` a parsed value, `form` sorted pairs,
    `multipart` pairs of name and content, `bytes` a SHA-256, `text` the text of a message, `websocket` a request that
    opens a WebSocket, and an empty string no body. `text` is the text behind the SHA-256, if it is one.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Headers = ()
    kind: str = ""
    body: Any = None
    text: str = ""


def apply_ignores(selectors: Sequence[Selector], request: CanonicalRequest) -> CanonicalRequest:
    """Removes everything that the selectors name."""
    for selector in selectors:
        request = IGNORES[selector.kind](selector, request)
    return request


def _without_query(selector: Selector, request: CanonicalRequest) -> CanonicalRequest:
    return replace(request, query=_without_pairs(request.query, selector.name or "*"))


def _without_header(selector: Selector, request: CanonicalRequest) -> CanonicalRequest:
    return replace(request, headers=_without_pairs(request.headers, selector.name))


def _without_field(selector: Selector, request: CanonicalRequest) -> CanonicalRequest:
    if request.kind not in ("form", "multipart"):
        return request
    return replace(request, body=_without_pairs(request.body, selector.name))


def _without_json(selector: Selector, request: CanonicalRequest) -> CanonicalRequest:
    if request.kind != "json":
        return request
    # Deepest and last places first, so that removing one does not move the others.
    places = sorted(selector.find(request.body), key=_removal_order, reverse=True)
    if () in places:
        return replace(request, body=None)
    body = copy.deepcopy(request.body)
    for place in places:
        _take_out(body, place)
    return replace(request, body=body)


def _without_body(_selector: Selector, request: CanonicalRequest) -> CanonicalRequest:
    return request if request.kind == "websocket" else replace(request, kind="", body=None, text="")


def _without_trailing_slash(_selector: Selector, request: CanonicalRequest) -> CanonicalRequest:
    return replace(request, path=request.path.rstrip("/") or "/")


def _without_pairs(pairs: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    return tuple(pair for pair in pairs if pair[0] != name and not fnmatchcase(pair[0], name))


def _removal_order(place: Location) -> tuple[int, list[tuple[int, str]]]:
    return len(place), [(step, "") if isinstance(step, int) else (0, step) for step in place]


def _take_out(value: Any, place: Location) -> None:
    for step in place[:-1]:
        value = value[step]
    del value[place[-1]]


IGNORES: dict[str, Callable[[Selector, CanonicalRequest], CanonicalRequest]] = {
    "query": _without_query,
    "header": _without_header,
    "form": _without_field,
    "json": _without_json,
    "body": _without_body,
    "trailing-slash": _without_trailing_slash,
}
