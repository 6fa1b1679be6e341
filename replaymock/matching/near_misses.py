"""Explains a miss: the reason, the nearest cassettes, and the line that would make the request hit."""

import json
import posixpath
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from msgspec import Struct, structs

from replaymock.cassettes.filenames import plain_mock_name
from replaymock.cassettes.model import WEBSOCKET_BODY
from replaymock.errors import UsageError
from replaymock.http.selectors import parse_selector
from replaymock.matching.canonical import CanonicalRequest, apply_ignores
from replaymock.matching.config_location import ConfigLocation
from replaymock.matching.differences import Difference, differences
from replaymock.matching.index import Index, IndexEntry
from replaymock.matching.matcher import key_of
from replaymock.matching.naming import cassette_name
from replaymock.matching.rules import IGNORE_KINDS
from replaymock.suggestions import most_alike

NEAREST = 3
_MOST_SELECTORS = 6
_MOST_PATHS = 2000
SHOWN = 200
OTHER_PROTOCOL = "other protocol"
INVALID = "cassette invalid"
RECORD = "record it (replaymock record --mode new --upstream URL)"


class NearMiss(Struct, frozen=True):
    """A cassette that nearly matched, and the fields that differ."""

    entry: IndexEntry
    differences: tuple[Difference, ...]


class Miss(Struct, frozen=True):
    """A request that no cassette answers.

    `hint` says what to do: often a line of configuration, to be written at `location`. `replaces_line` says that there
    is such a line already.
    """

    request: CanonicalRequest
    reason: str
    nearest: tuple[NearMiss, ...]
    hint: str
    replaces_line: bool = False
    location: ConfigLocation = ConfigLocation()

    def with_location(self, location: ConfigLocation) -> "Miss":
        """The miss, with the location of this run's configuration."""
        return structs.replace(self, location=location)

    @property
    def is_line(self) -> bool:
        """Whether the hint is a line of configuration."""
        return self.hint.startswith(("ignore =", "sequence ="))

    def to_json(self) -> dict[str, Any]:
        """The miss as members of a problem document."""
        return {
            "reason": self.reason,
            "hint": self.hint,
            **({"where": self.location.top} if self.is_line else {}),
            "request": _request_json(self.request),
            "nearest": [_near_json(near) for near in self.nearest],
        }


def explain(request: CanonicalRequest, index: Index, ignored: Sequence[str], folder: str = "") -> Miss:
    """Explains why `index` has no entry for a request. `ignored` are the ignore rules in force.

    `folder` is the folder of the cassettes, as written in hints.
    """
    near = _nearest(request, index)
    reason = _reason(request, near)
    hint = _hint(request, reason, near, ignored, folder)
    return Miss(request, reason, near, hint, replaces_line=bool(ignored) and hint.startswith("ignore"))


def explain_message(
    received: CanonicalRequest, awaited: Sequence[CanonicalRequest], entry: IndexEntry, ignored: Sequence[str]
) -> Miss:
    """Explains why no recorded message matches one received on a WebSocket.

    `awaited` are the recorded messages that have not come yet.
    """
    near = [NearMiss(_with_message(entry, message), tuple(differences(message, received))) for message in awaited]
    nearest = tuple(sorted(near, key=_distance)[:NEAREST])
    if not nearest:
        return Miss(received, "message not recorded", (NearMiss(entry, ()),), RECORD)
    hint = _ignore_line(received, nearest[0], ignored)
    return Miss(received, "message differs", nearest, hint, replaces_line=bool(ignored))


def _with_message(entry: IndexEntry, message: CanonicalRequest) -> IndexEntry:
    return IndexEntry(entry.file, entry.request, message, entry.is_plain, entry.is_handwritten, entry.after_writes)


def shorten_text(text: str) -> str:
    """Shortens a text for a message."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def exhausted(request: CanonicalRequest, entry: IndexEntry) -> Miss:
    """The miss of a strict sequence after its last response."""
    return Miss(request, "exhausted", (NearMiss(entry, ()),), 'sequence = "auto"')


def invalid(request: CanonicalRequest, fault: str) -> Miss:
    """The miss of a request whose cassette cannot be read, or does not have what it should."""
    return Miss(request, INVALID, (), f"mend {fault}")


def _nearest(request: CanonicalRequest, index: Index) -> tuple[NearMiss, ...]:
    entries = (
        index.at_path(request.path)
        or index.at_path(_other_slash(request.path))
        or _similar(request.path[:SHOWN], index)
    )
    near = [NearMiss(entry, tuple(differences(entry.canonical, _relaxed_like(entry, request)))) for entry in entries]
    return tuple(sorted(near, key=_distance)[:NEAREST])


def _similar(path: str, index: Index) -> list[IndexEntry]:
    first = path.split("/")[1]
    paths = [candidate for candidate in index.paths() if candidate.split("/")[1] == first] or list(index.paths())
    names = most_alike(path, paths[:_MOST_PATHS], NEAREST)
    return [entry for name in names for entry in index.at_path(name)]


def _distance(near: NearMiss) -> tuple[int, int, str]:
    weights = {"method": 100, "path": 10, "upgrade": 50, "body": 5}
    return (
        sum(weights.get(difference.field, 1) for difference in near.differences),
        len(near.differences),
        near.entry.file,
    )


def _reason(request: CanonicalRequest, nearest: tuple[NearMiss, ...]) -> str:
    if not nearest:
        return "never recorded"
    fields = [difference.field for difference in nearest[0].differences]
    if "path" in fields:
        same = nearest[0].entry.canonical.path == _other_slash(request.path) and "method" not in fields
        return "trailing slash" if same else "never recorded"
    for field, reason in _REASONS:
        if any(name == field or name.startswith(f"{field}:") for name in fields):
            return reason
    return "never recorded"


def _hint(
    request: CanonicalRequest, reason: str, nearest: tuple[NearMiss, ...], ignored: Sequence[str], folder: str
) -> str:
    if reason == "never recorded":
        mock = plain_mock_name(request.path)
        if request.method == "GET" and not request.query and request.kind != WEBSOCKET_BODY[0] and mock:
            return f"{RECORD}, or put JSON into {posixpath.join(folder, mock)}"
        return f"{RECORD}, or {_handwritten_hint(request, folder)}"
    if reason == OTHER_PROTOCOL:
        return (
            f"recorded is a page, no WebSocket: {RECORD}"
            if request.kind == WEBSOCKET_BODY[0]
            else "open a WebSocket there"
        )
    if reason == "other method":
        recorded = sorted({near.entry.canonical.method for near in nearest})
        others = f"recorded is {' and '.join(recorded)}: send that, or record {request.method} too"
        return f"{others}, or {_handwritten_hint(request, folder)}"
    return _ignore_line(request, nearest[0], ignored)


def _handwritten_hint(request: CanonicalRequest, folder: str) -> str:
    """The file to write and its smallest content for this request; only the name if the content would be longer."""
    file = posixpath.join(folder, cassette_name(request))
    if request.kind == WEBSOCKET_BODY[0]:
        return f"write {file} by hand, with messages"
    fields: dict[str, Any] = {} if request.method == "GET" else {"method": request.method}
    fields["path"] = request.path
    if request.query:
        fields["query"] = dict(request.query)
    content = json.dumps({"request": fields, "responses": [{"json": {}}]}, ensure_ascii=False)
    is_simple = len(fields.get("query", ())) == len(request.query) and not request.headers
    if (
        not is_simple
        or len(content) > SHOWN
        or set(request.path) & set("{}*")
        or shorten_text(_shown(content)) != content
    ):
        return f"write {file} by hand"
    return f"write {file}: {content}"


def _ignore_line(request: CanonicalRequest, near: NearMiss, ignored: Sequence[str]) -> str:
    """The shortest list of ignore rules under which the two requests are equal. Each candidate is tried first."""
    exact = ["trailing-slash" if difference.field == "path" else difference.field for difference in near.differences]
    exact = ["body" if field == "json:$" else field for field in exact]
    coarse = ["body" if field.startswith(("json:", "form:")) else field for field in exact]
    coarsest = ["query" if field.startswith("query:") else field for field in coarse]
    for fields in ([] if len(exact) > _MOST_SELECTORS else [exact]) + [coarse, coarsest]:
        rules = list(dict.fromkeys(fields))
        if _would_match(rules, near.entry, request):
            break
    return f"ignore = [{', '.join(_toml_string(rule) for rule in dict.fromkeys([*ignored, *rules]))}]"


def _would_match(rules: list[str], entry: IndexEntry, request: CanonicalRequest) -> bool:
    try:
        "".join(rules).encode("utf-8")
        selectors = [parse_selector(rule, IGNORE_KINDS, "hint") for rule in rules]
    except (UsageError, UnicodeEncodeError):
        return False  # no rule can hold this name, for example an empty one
    request = _relaxed_like(entry, request)
    return key_of(apply_ignores(selectors, entry.canonical)) == key_of(apply_ignores(selectors, request))


def _relaxed_like(entry: IndexEntry, request: CanonicalRequest) -> CanonicalRequest:
    """The request as an entry matches it: HEAD as GET, and what a template leaves open as the template has it."""
    template, stored = entry.request, entry.canonical
    if request.method == "HEAD" and stored.method == "GET":
        request = replace(request, method="GET")
    if entry.takes_any_body:
        request = replace(request, kind=stored.kind, body=stored.body)
    if not template.is_template:
        return request
    body = stored if template.body is None else request
    return replace(
        request,
        path=stored.path,
        query=stored.query if template.query is None else request.query,
        headers=request.headers if template.has_headers else stored.headers,
        kind=body.kind,
        body=body.body,
    )


def _toml_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _other_slash(path: str) -> str:
    return path.rstrip("/") or "/" if path.endswith("/") else f"{path}/"


def _request_json(request: CanonicalRequest) -> dict[str, Any]:
    members: dict[str, Any] = {"method": request.method, "path": _shown(request.path)}
    if request.query:
        members["query"] = [_shown(name if value is None else f"{name}={value}") for name, value in request.query]
    if request.headers:
        members["headers"] = dict(request.headers)
    if request.kind:
        members["body"] = request.kind
    return members


def _near_json(near: NearMiss) -> dict[str, Any]:
    fields = [
        {
            "field": _shown(difference.field),
            "recorded": _shown(difference.recorded),
            "received": _shown(difference.received),
        }
        for difference in near.differences
    ]
    return {
        "file": near.entry.file,
        "method": near.entry.canonical.method,
        "path": near.entry.request.path,
        "differences": fields,
    }


def _shown(value: Any) -> Any:
    """A value short enough for a message, without lone surrogates, which JSON can spell and UTF-8 cannot."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    encodable = text.encode("utf-8", "replace").decode("utf-8")
    return value if len(text) <= SHOWN and encodable == text else shorten_text(encodable)


_REASONS = (
    ("method", "other method"),
    ("upgrade", OTHER_PROTOCOL),
    ("query", "query differs"),
    ("body", "body differs"),
    ("json", "body differs"),
    ("form", "body differs"),
    ("header", "header differs"),
)
