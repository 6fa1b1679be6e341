"""Why a request was not answered: the reason, the nearest cassettes, and the line that would make it hit."""

import difflib
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

NEAREST = 3
_MOST_SELECTORS = 6
_MOST_PATHS = 2000
SHOWN = 200
OTHER_PROTOCOL = "other protocol"
INVALID = "cassette invalid"
RECORD = "record it (replaymock record --mode new --upstream URL)"


class NearMiss(Struct, frozen=True):
    """A cassette that almost answered, and the fields in which it did not."""

    entry: IndexEntry
    differences: tuple[Difference, ...]


class Miss(Struct, frozen=True):
    """A request without an answer.

    `hint` is a line for the configuration, which has its `home`, or what else to do; `replaces_line` says that such a
    line is there already.
    """

    request: CanonicalRequest
    reason: str
    nearest: tuple[NearMiss, ...]
    hint: str
    replaces_line: bool = False
    home: ConfigLocation = ConfigLocation()

    def written_in(self, home: ConfigLocation) -> "Miss":
        """The miss in a run that has its configuration there."""
        return structs.replace(self, home=home)

    @property
    def is_line(self) -> bool:
        """Whether the hint is a line for the configuration."""
        return self.hint.startswith(("ignore =", "sequence ="))

    def to_json(self) -> dict[str, Any]:
        """The miss as the members of a problem document."""
        return {
            "reason": self.reason,
            "hint": self.hint,
            **({"where": self.home.top} if self.is_line else {}),
            "request": _request_json(self.request),
            "nearest": [_near_json(near) for near in self.nearest],
        }


def explain(request: CanonicalRequest, index: Index, ignored: Sequence[str], folder: str = "") -> Miss:
    """Why `index` has no entry for a request; `ignored` are the ignore rules that are already configured.

    `folder` is where cassettes lie, as a path to be written to is told.
    """
    near = _nearest(request, index)
    reason = _reason(request, near)
    hint = _hint(request, reason, near, ignored, folder)
    return Miss(request, reason, near, hint, replaces_line=bool(ignored) and hint.startswith("ignore"))


def explain_message(
    received: CanonicalRequest, awaited: Sequence[CanonicalRequest], entry: IndexEntry, ignored: Sequence[str]
) -> Miss:
    """Why a cassette has no answer to a message on a WebSocket; `awaited` are the recorded ones that have not come."""
    near = [NearMiss(_with_message(entry, message), tuple(differences(message, received))) for message in awaited]
    nearest = tuple(sorted(near, key=_distance)[:NEAREST])
    if not nearest:
        return Miss(received, "message not recorded", (NearMiss(entry, ()),), RECORD)
    hint = _ignore_line(received, nearest[0], ignored)
    return Miss(received, "message differs", nearest, hint, replaces_line=bool(ignored))


def _with_message(entry: IndexEntry, message: CanonicalRequest) -> IndexEntry:
    return IndexEntry(entry.file, entry.request, message, entry.plain, entry.by_hand, entry.afters)


def shortened(text: str) -> str:
    """Text as it may stand in a message."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def exhausted(request: CanonicalRequest, entry: IndexEntry) -> Miss:
    """The miss of a strict sequence that has played its last response."""
    return Miss(request, "exhausted", (NearMiss(entry, ()),), 'sequence = "auto"')


def invalid(request: CanonicalRequest, fault: str) -> Miss:
    """The miss of a request whose cassette cannot be read, or not as far as it was promised."""
    return Miss(request, INVALID, (), f"mend {fault}")


def _nearest(request: CanonicalRequest, index: Index) -> tuple[NearMiss, ...]:
    found = (
        index.at_path(request.path)
        or index.at_path(_other_slash(request.path))
        or _similar(request.path[:SHOWN], index)
    )
    near = [NearMiss(entry, tuple(differences(entry.canonical, _relaxed_like(entry, request)))) for entry in found]
    return tuple(sorted(near, key=_distance)[:NEAREST])


def _similar(path: str, index: Index) -> list[IndexEntry]:
    first = path.split("/")[1]
    paths = [known for known in index.paths() if known.split("/")[1] == first] or list(index.paths())
    names = difflib.get_close_matches(path, paths[:_MOST_PATHS], NEAREST)
    return [entry for name in names for entry in index.at_path(name)]


def _distance(near: NearMiss) -> tuple[int, int, str]:
    weights = {"method": 100, "path": 10, "upgrade": 50, "body": 5}
    return (sum(weights.get(found.field, 1) for found in near.differences), len(near.differences), near.entry.file)


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
        return f"{RECORD}, or {_by_hand(request, folder)}"
    if reason == OTHER_PROTOCOL:
        return (
            f"recorded is a page, no WebSocket: {RECORD}"
            if request.kind == WEBSOCKET_BODY[0]
            else "open a WebSocket there"
        )
    if reason == "other method":
        recorded = sorted({near.entry.canonical.method for near in nearest})
        known = f"recorded is {' and '.join(recorded)}: send that, or record {request.method} too"
        return f"{known}, or {_by_hand(request, folder)}"
    return _ignore_line(request, nearest[0], ignored)


def _by_hand(request: CanonicalRequest, folder: str) -> str:
    """The file to write, and the least that makes a request like this one hit; only its name if that takes more."""
    file = posixpath.join(folder, cassette_name(request))
    if request.kind == WEBSOCKET_BODY[0]:
        return f"write {file} by hand, with messages"
    named: dict[str, Any] = {} if request.method == "GET" else {"method": request.method}
    named["path"] = request.path
    if request.query:
        named["query"] = dict(request.query)
    found = json.dumps({"request": named, "responses": [{"json": {}}]}, ensure_ascii=False)
    is_simple = len(named.get("query", ())) == len(request.query) and not request.headers
    if not is_simple or len(found) > SHOWN or set(request.path) & set("{}*") or shortened(_shown(found)) != found:
        return f"write {file} by hand"
    return f"write {file}: {found}"


def _ignore_line(request: CanonicalRequest, near: NearMiss, ignored: Sequence[str]) -> str:
    """The shortest list of ignore rules under which the two are one; each candidate is tried before it is given."""
    exact = ["trailing-slash" if found.field == "path" else found.field for found in near.differences]
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
        return False  # a name that no rule can hold, such as the empty one
    request = _relaxed_like(entry, request)
    return key_of(apply_ignores(selectors, entry.canonical)) == key_of(apply_ignores(selectors, request))


def _relaxed_like(entry: IndexEntry, request: CanonicalRequest) -> CanonicalRequest:
    """The request as an entry has it: HEAD as GET, and all that a template does not speak of as the template has it."""
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
        headers=request.headers if template.names_headers else stored.headers,
        kind=body.kind,
        body=body.body,
    )


def _toml_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _other_slash(path: str) -> str:
    return path.rstrip("/") or "/" if path.endswith("/") else f"{path}/"


def _request_json(request: CanonicalRequest) -> dict[str, Any]:
    found: dict[str, Any] = {"method": request.method, "path": _shown(request.path)}
    if request.query:
        found["query"] = [_shown(name if value is None else f"{name}={value}") for name, value in request.query]
    if request.headers:
        found["headers"] = dict(request.headers)
    if request.kind:
        found["body"] = request.kind
    return found


def _near_json(near: NearMiss) -> dict[str, Any]:
    shown = [
        {"field": _shown(found.field), "recorded": _shown(found.recorded), "received": _shown(found.received)}
        for found in near.differences
    ]
    return {
        "file": near.entry.file,
        "method": near.entry.canonical.method,
        "path": near.entry.request.path,
        "differences": shown,
    }


def _shown(value: Any) -> Any:
    """A value short enough for a message, without the lone surrogates that JSON can spell and UTF-8 cannot."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    encodable = text.encode("utf-8", "replace").decode("utf-8")
    return value if len(text) <= SHOWN and encodable == text else shortened(encodable)


_REASONS = (
    ("method", "other method"),
    ("upgrade", OTHER_PROTOCOL),
    ("query", "query differs"),
    ("body", "body differs"),
    ("json", "body differs"),
    ("form", "body differs"),
    ("header", "header differs"),
)
