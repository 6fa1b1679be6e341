"""Why a request was not answered: the reason, the nearest cassettes, and the line that would make it hit."""

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from replaymock.errors import UsageError
from replaymock.index import Entry, Index
from replaymock.matching import IGNORE_KINDS, Difference, differences, key_of
from replaymock.naming import cassette_name
from replaymock.rewrites import Canonical, ignore, parse_selector

NEAREST = 3
_MOST_SELECTORS = 6
_MOST_PATHS = 2000
SHOWN = 200


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A cassette that almost answered, and the fields in which it did not."""

    entry: Entry
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """A request without an answer. `hint` is a line for `replaymock.toml`, or what else to do."""

    request: Canonical
    reason: str
    nearest: tuple[NearMiss, ...]
    hint: str

    def to_json(self) -> dict[str, Any]:
        """The miss as the members of a problem document."""
        return {
            "reason": self.reason,
            "hint": self.hint,
            "request": _request_json(self.request),
            "nearest": [_near_json(near) for near in self.nearest],
        }


def explain(request: Canonical, index: Index, ignored: Sequence[str]) -> Miss:
    """Why `index` has no entry for a request; `ignored` are the ignore rules that are already configured."""
    near = _nearest(request, index)
    reason = _reason(request, near)
    return Miss(request, reason, near, _hint(request, reason, near, ignored))


def shortened(text: str) -> str:
    """Text as it may stand in a message."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def exhausted(request: Canonical, entry: Entry) -> Miss:
    """The miss of a strict sequence that has played its last response."""
    return Miss(request, "exhausted", (NearMiss(entry, ()),), 'sequence = "auto"')


def _nearest(request: Canonical, index: Index) -> tuple[NearMiss, ...]:
    found = (
        index.at_path(request.path)
        or index.at_path(_other_slash(request.path))
        or _similar(request.path[:SHOWN], index)
    )
    near = [NearMiss(entry, tuple(differences(entry.canonical, _as_far_as_asked(entry, request)))) for entry in found]
    return tuple(sorted(near, key=_distance)[:NEAREST])


def _similar(path: str, index: Index) -> list[Entry]:
    first = path.split("/")[1]
    paths = [known for known in index.paths() if known.split("/")[1] == first] or list(index.paths())
    names = difflib.get_close_matches(path, paths[:_MOST_PATHS], NEAREST)
    return [entry for name in names for entry in index.at_path(name)]


def _distance(near: NearMiss) -> tuple[int, int, str]:
    weights = {"method": 100, "path": 10, "body": 5}
    return (sum(weights.get(found.field, 1) for found in near.differences), len(near.differences), near.entry.file)


def _reason(request: Canonical, nearest: tuple[NearMiss, ...]) -> str:
    if not nearest:
        return "never recorded"
    fields = [difference.field for difference in nearest[0].differences]
    if "path" in fields:
        same = nearest[0].entry.canonical.path == _other_slash(request.path) and "method" not in fields
        return "trailing slash" if same else "never recorded"
    for field, reason in _PLAIN = re.compile(r"(?:/[A-Za-z0-9_~\-][A-Za-z0-9._~\-]*)+")
_REASONS = (
    ("method", "other method"),
    ("query", "query differs"),
    ("body", "body differs"),
    ("json", "body differs"),
    ("form", "body differs"),
    ("header", "header differs"),
)
