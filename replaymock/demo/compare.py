"""Whether two answers say the same: status, the headers that matter, and the body, each side's own origin aside.

A placeholder in the replayed answer stands for one value of the live one, and for the same value wherever it recurs.
"""

import re
from dataclasses import dataclass
from itertools import zip_longest

from replaymock.http import jwt
from replaymock.http.headers import Headers, is_cors, is_unstored
from replaymock.placeholders import REDACTED


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as a client saw it. `origin` is the one it was asked for; a status of 0 is no answer."""

    request: str
    origin: str
    status: int
    headers: Headers
    body: bytes
    cassette: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a comparison: the values that placeholders stand for, or the first line that differs."""

    hidden: frozenset[str] = frozenset()
    difference: str = ""

    @property
    def same(self) -> bool:
        """Whether nothing differs, hidden values aside."""
        return not self.difference


def compare(live: Seen, replayed: Seen) -> Verdict:
    """Holds a replayed answer against the live one. No answer is never the same, nor is one from no cassette."""
    if not live.status:
        return Verdict(difference=f"was {live.body.decode()[:_SHOWN]!r}")
    one, other = _as_text(live), jwt.as_placeholders(_as_text(replayed))
    found = _pattern(other).fullmatch(one)
    if found is None:
        return Verdict(difference=_first_difference(one, other))
    if not replayed.cassette:
        return Verdict(difference="came from no cassette")
    return Verdict(hidden=frozenset(found.groups()))


def _as_text(seen: Seen) -> str:
    headers = sorted((name.lower(), value) for name, value in seen.headers if _matters(name.lower()))
    lines = [str(seen.status), *(f"{name}: {value}" for name, value in headers), "", seen.body.decode("latin-1")]
    return _origin(seen.origin).sub("{{origin}}", "\n".join(lines))


def _origin(origin: str) -> re.Pattern[str]:
    return re.compile(re.escape(origin) + r"(?![0-9A-Za-z.:\-])")


def _matters(name: str) -> bool:
    return not (is_unstored(name) or is_cors(name) or name in _OWN)


def _pattern(text: str) -> re.Pattern[str]:
    """Text as an expression in which each placeholder is a group, or refers back to the group it already has."""
    groups: dict[str, int] = {}
    expression, end = "", 0
    for placeholder in REDACTED.finditer(text):
        expression += re.escape(text[end : placeholder.start()])
        known = groups.get(placeholder.group())
        expression += rf"(?:\{known})" if known else _SECRET
        groups.setdefault(placeholder.group(), len(groups) + 1)
        end = placeholder.end()
    return re.compile(expression + re.escape(text[end:]))


def _first_difference(one: str, other: str) -> str:
    pairs = zip_longest(one.split("\n"), other.split("\n"), fillvalue="")
    live, replayed = next((live, replayed) for live, replayed in pairs if not _pattern(replayed).fullmatch(live))
    return f"was {live[:_SHOWN]!r}, came {replayed[:_SHOWN]!r}"


# No white space, quote or separator: a placeholder never stands for more than one value.
_SECRET = r"([^\s\"';,<>]+)"  # noqa: S105 - an expression
_OWN = frozenset(("cache-status", "vary"))
_SHOWN = 120
