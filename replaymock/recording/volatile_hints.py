"""Suggests `volatile` rules: the few fields that differ between recordings, and the line that ignores them.

Only what a person would take for noise is suggested: some values in JSON, or headers. Each rule was tried out, which
takes longer than recording, so changed responses are remembered until the end of a run, up to a limit.
"""

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from replaymock.cassettes.model import RecordedResponse
from replaymock.errors import UsageError
from replaymock.http import json_tokens, media_types
from replaymock.http.bodies import INLINE_LIMIT
from replaymock.http.headers import media_type
from replaymock.http.selectors import Selector, parse_selector
from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.differences import Difference, differences
from replaymock.matching.rules import VOLATILE_KINDS
from replaymock.recording.merge import drop_volatile, is_same_response, without_moving_parts

MOST_SELECTORS = 4
MOST_FILES = 200
MOST_BYTES = 1024 * 1024
"""At most so many cassettes are looked into, and so many bytes of their responses."""

_MOST_LINES = 3


class VolatileHint(Struct, frozen=True):
    """Selectors of the fields that changed, and the cassettes in which nothing else did."""

    selectors: tuple[str, ...]
    files: tuple[str, ...]


class VolatileHints:
    """The first change of each cassette in a run."""

    def __init__(self) -> None:
        self._changed: dict[str, tuple[RecordedResponse, RecordedResponse, Sequence[Selector]]] = {}
        self._bytes_left = MOST_BYTES

    def changed(
        self, file: str, stored: RecordedResponse, recorded: RecordedResponse, volatile: Sequence[Selector]
    ) -> None:
        """Remembers a response that differs from the stored one."""
        size = len(stored.body) + len(recorded.body)
        if file not in self._changed and len(self._changed) < MOST_FILES and size <= self._bytes_left:
            self._bytes_left -= size
            self._changed[file] = stored, recorded, volatile

    def renamed(self, old: str) -> None:
        """Forgets a cassette that was renamed because its name held a secret."""
        self._changed.pop(old, None)

    def all(self, hide: Callable[[str], str]) -> list[VolatileHint]:
        """The few hints that hold for most cassettes, without those that hold a secret."""
        files: dict[tuple[str, ...], list[str]] = {}
        for file, change in self._changed.items():
            selectors = volatile_selectors(*change)
            if selectors and not any(hide(selector) != selector for selector in selectors):
                files.setdefault(selectors, []).append(file)
        hints = [VolatileHint(selectors, tuple(named)) for selectors, named in files.items()]
        return sorted(hints, key=lambda hint: -len(hint.files))[:_MOST_LINES]


def volatile_selectors(
    stored: RecordedResponse, recorded: RecordedResponse, volatile: Sequence[Selector] = ()
) -> tuple[str, ...]:
    """The selectors under which two responses are the same; empty if a few are not enough."""
    first, second = without_moving_parts(*(drop_volatile(each, volatile) for each in (stored, recorded)))
    if first.status != second.status or max(len(first.body), len(second.body)) > INLINE_LIMIT:
        return ()
    changes = differences(_canonical(first), _canonical(second))
    texts = sorted({_ELEMENT.sub("[*]", change.field) for change in changes})
    if not texts or len(texts) > MOST_SELECTORS or not all(map(_is_value, changes)):
        return ()
    try:
        "".join(texts).encode("utf-8")
        selectors = [parse_selector(text, VOLATILE_KINDS, "proposal") for text in texts]
    except (UsageError, UnicodeEncodeError):
        return ()  # a name that no rule can hold
    return tuple(texts) if is_same_response(stored, recorded, (*volatile, *selectors)) else ()


def _canonical(recorded: RecordedResponse) -> CanonicalRequest:
    if not media_types.is_json(media_type(recorded.headers)):
        return CanonicalRequest("", "", headers=recorded.headers, kind="bytes", body=recorded.body)
    try:
        return CanonicalRequest("", "", headers=recorded.headers, kind="json", body=json_tokens.parse(recorded.body))
    except ValueError:
        return CanonicalRequest("", "", headers=recorded.headers, kind="bytes", body=recorded.body)


def _is_value(change: Difference) -> bool:
    """Whether a header changed, or a single value in JSON: no object, no array and not the whole body."""
    is_whole = change.field == "json:$" or isinstance(change.recorded, dict) or isinstance(change.received, dict)
    is_list = change.field.startswith("json:") and (
        isinstance(change.recorded, list) or isinstance(change.received, list)
    )
    return change.field.startswith(("json:", "header:")) and not is_whole and not is_list


_ELEMENT = re.compile(r"\[[0-9]+\]")
