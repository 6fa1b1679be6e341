"""Rewrites: pure functions on a request in canonical form, chosen by selectors such as `query:_` or `json:$.nonce`.

To add a kind of ignore rule, write one function and one line in the table at the foot.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from replaymock.errors import UsageError
from replaymock.http.headers import Headers
from replaymock.http.uri import Pairs

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Canonical:
    """A request as it is compared.

    `query` and the fields of a form are sorted. `kind` says what `body` is: `json` a parsed value, `form` sorted pairs,
    `multipart` pairs of name and content, `bytes` a SHA-256, `text` the text of a message, `websocket` a request that
    opens a WebSocket, and the empty string no body at all. `text` is what is behind the SHA-256 where that is a text.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Headers = ()
    kind: str = ""
    body: Any = None
    text: str = ""


class Selector(Struct, frozen=True):
    """Which part of a message a rule speaks of. `find` gives the places of a `json:` selector in a parsed value."""

    kind: str
    name: str
    find: Callable[[Any], list[Location]] = lambda _value: []

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


def parse_selector(text: str, kinds: Sequence[str], place: str) -> Selector:
    """A selector from its text. UsageError naming `place` when its kind is not one of `kinds` or its path is broken."""
    kind, colon, name = text.partition(":")
    if kind not in kinds:
        import difflib  # noqa: PLC0415 - only who mistypes waits for it

        near = difflib.get_close_matches(kind, kinds, 1)
        advice = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(kinds)}"
        raise UsageError(f"{place}: unknown selector {text!r}: {advice}")
    if kind in _WITHOUT_NAME and not colon:
        return Selector(kind, "")
    if not name:
        raise UsageError(f"{place}: selector {text!r} needs a name after the colon, as in {_EXAMPLES[kind]!r}")
    if kind == "json":
        return Selector(kind, name, _json_finder(name, place))
    return Selector(kind, name.lower() if kind == "header" else name)


def is_named(selectors: Sequence[Selector], name: str) -> bool:
    """Whether one of the selectors is of this name, in any case."""
    return any(selector.name.lower() == name.lower() for selector in selectors)


def ignore(selectors: Sequence[Selector], request: Canonical) -> Canonical:
    """The request without what the selectors name."""
    for selector in selectors:
        request = IGNORES[selector.kind](selector, request)
    return request


def _json_finder(path: str, place: str) -> Callable[[Any], list[Location]]:
    import jsonpath  # noqa: PLC0415 - 40 ms that only configurations with a JSON path should pay

    try:
        compiled = jsonpath.compile(path)
    except jsonpath.JSONPathError as error:
        raise UsageError(f"{place}: {path!r} is not a JSON path: {str(error).splitlines()[0]}") from error
    return lambda value: [tuple(match.parts) for match in compiled.finditer(value)]


def _without_query(selector: Selector, request: Canonical) -> Canonical:
    return replace(request, query=_without_pairs(request.query, selector.name or "*"))


def _without_header(selector: Selector, request: Canonical) -> Canonical:
    return replace(request, headers=_without_pairs(request.headers, selector.name))


def _without_field(selector: Selector, request: Canonical) -> Canonical:
    if request.kind not in ("form", "multipart"):
        return request
    return replace(request, body=_without_pairs(request.body, selector.name))


def _without_json(selector: Selector, request: Canonical) -> Canonical:
    if request.kind != "json":
        return request
    # Deepest and last places first, so that taking one out does not move the others.
    places = sorted(selector.find(request.body), key=_removal_order, reverse=True)
    if () in places:
        return replace(request, body=None)
    body = copy.deepcopy(request.body)
    for place in places:
        _take_out(body, place)
    return replace(request, body=body)


def _without_body(_selector: Selector, request: Canonical) -> Canonical:
    return request if request.kind == "websocket" else replace(request, kind="", body=None, text="")


def _without_trailing_slash(_selector: Selector, request: Canonical) -> Canonical:
    return replace(request, path=request.path.rstrip("/") or "/")


def _without_pairs(pairs: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    return tuple(pair for pair in pairs if pair[0] != name and not fnmatchcase(pair[0], name))


def _removal_order(place: Location) -> tuple[int, list[tuple[int, str]]]:
    return len(place), [(step, "") if isinstance(step, int) else (0, step) for step in place]


def _take_out(value: Any, place: Location) -> None:
    for step in place[:-1]:
        value = value[step]
    del value[place[-1]]


IGNORES: dict[str, Callable[[Selector, Canonical], Canonical]] = {
    "query": _without_query,
    "header": _without_header,
    "form": _without_field,
    "json": _without_json,
    "body": _without_body,
    "trailing-slash": _without_trailing_slash,
}
_WITHOUT_NAME = ("query", "body", "trailing-slash")
_EXAMPLES = {
    "query": "query:_",
    "header": "header:accept",
    "form": "form:nonce",
    "json": "json:$.meta.requestId",
    "cookie": "cookie:visit",
    "value": "value:cust_[0-9]+",
    "body": "body",
    "trailing-slash": "trailing-slash",
}
