"""Selectors name a part of a message, such as `query:page` or `json:$.id` (RFC 9535)."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from replaymock.errors import UsageError
from replaymock.suggestions import most_alike

Location = tuple[str | int, ...]


class Selector(Struct, frozen=True):
    """The part of a message that a rule applies to. `find` gives the places of a `json:` selector in a parsed value."""

    kind: str
    name: str
    find: Callable[[Any], list[Location]] = lambda _value: []

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


def parse_selector(text: str, kinds: Sequence[str], place: str) -> Selector:
    """Parses a selector.

    UsageError, beginning with `place`, if its kind is not in `kinds` or its JSON path is invalid.
    """
    kind, colon, name = text.partition(":")
    if kind not in kinds:
        near = most_alike(kind, kinds, 1)
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
    """Whether one of the selectors has this name, in any case."""
    return any(selector.name.lower() == name.lower() for selector in selectors)


def _json_finder(path: str, place: str) -> Callable[[Any], list[Location]]:
    import jsonpath  # noqa: PLC0415 - 40 ms that only configurations with a JSON path should pay

    try:
        compiled = jsonpath.compile(path)
    except jsonpath.JSONPathError as error:
        raise UsageError(f"{place}: {path!r} is not a JSON path: {str(error).splitlines()[0]}") from error
    return lambda value: [tuple(match.parts) for match in compiled.finditer(value)]


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
