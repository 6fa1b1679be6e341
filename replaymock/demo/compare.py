"""Compares a live and a replayed response: status, relevant headers and body, apart from the origin of either side.

A placeholder in the replayed response matches one value of the live one, and the same value wherever it recurs.
"""

import re
from dataclasses import dataclass
from itertools import zip_longest

from replaymock.http import jwt
from replaymock.http.headers import Headers, is_cors, is_unstored
from replaymock.placeholders import REDACTED


@dataclass(frozen=True, slots=True)
class Seen:
    """A response as a client saw it. `origin` is that of its request; status 0 means that there was no response."""

    request: str
    origin: str
    status: int
    headers: Headers
    body: bytes
    cassette: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a comparison: the values that placeholders stand for, or the first line that differs."""

    hidden: frozenset[str] = frozenset()
    difference: str = ""

    @property
    def is_same(self) -> bool:
        """Whether nothing differs but hidden values."""
        return not self.difference


def compare(live: Seen, replayed: Seen) -> Verdict:
    """Compares a replayed response with the live one. It is never the same if one is missing, or from no cassette."""
    if not live.status:
        return Verdict(difference=f"live {live.body.decode()[:_SHOWN]!r}")
    live_text, replayed_text = _as_text(live), jwt.as_placeholders(_as_text(replayed))
    match = _pattern(replayed_text).fullmatch(live_text)
    if match is None:
        return Verdict(difference=_first_difference(live_text, replayed_text))
    if not replayed.cassette:
        return Verdict(difference="replayed from no cassette")
    return Verdict(hidden=frozenset(match.groups()))


def _as_text(seen: Seen) -> str:
    headers = sorted((name.lower(), value) for name, value in seen.headers if _matters(name.lower()))
    lines = [str(seen.status), *(f"{name}: {value}" for name, value in headers), "", seen.body.decode("latin-1")]
    return _origin(seen.origin).sub("{{origin}}", "\n".join(lines))


def _origin(origin: str) -> re.Pattern[str]:
    return re.compile(re.escape(origin) + r"(?![0-9A-Za-z.:\-])")


def _matters(name: str) -> bool:
    return not (is_unstored(name) or is_cors(name) or name in _OWN)


def _pattern(text: str) -> re.Pattern[str]:
    """The text as an expression. The first occurrence of a placeholder is a group, later ones refer back to it."""
    groups: dict[str, int] = {}
    expression, end = "", 0
    for placeholder in REDACTED.finditer(text):
        expression += re.escape(text[end : placeholder.start()])
        group = groups.get(placeholder.group())
        expression += rf"(?:\{group})" if group else _SECRET
        groups.setdefault(placeholder.group(), len(groups) + 1)
        end = placeholder.end()
    return re.compile(expression + re.escape(text[end:]))


def _first_difference(live_text: str, replayed_text: str) -> str:
    pairs = zip_longest(live_text.split("\n"), replayed_text.split("\n"), fillvalue="")
    live, replayed = next((live, replayed) for live, replayed in pairs if not _pattern(replayed).fullmatch(live))
    return f"live {live[:_SHOWN]!r}, replayed {replayed[:_SHOWN]!r}"


# No white space, quote or separator: a placeholder never stands for more than one value.
_SECRET = r"([^\s\"';,<>]+)"  # noqa: S105 - an expression
_OWN = frozenset(("cache-status", "vary"))
_SHOWN = 120
