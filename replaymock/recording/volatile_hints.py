"""What alone changed in responses that were recorded again, and the line that has it count for nothing.

Only what a person would take for noise is told: a few values in JSON, or headers. Each line was tried. That takes
longer than to record, so what changed is put by until the end of a run, as far as there is room.
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
"""Of how many changed cassettes, and of how much in them, it is told what alone changed."""

_MOST_LINES = 3


class VolatileHint(Struct, frozen=True):
    """Selectors of what alone changed, and the cassettes in which it did."""

    selectors: tuple[str, ...]
    files: tuple[str, ...]


class VolatileHints:
    """The cassettes that changed in a run, each as it did the first time."""

    def __init__(self) -> None:
        self._changed: dict[str, tuple[RecordedResponse, RecordedResponse, Sequence[Selector]]] = {}
        self._room = MOST_BYTES

    def changed(
        self, file: str, stored: RecordedResponse, recorded: RecordedResponse, volatile: Sequence[Selector]
    ) -> None:
        """Takes note of a response that is another than the stored one."""
        size = len(stored.body) + len(recorded.body)
        if file not in self._changed and len(self._changed) < MOST_FILES and size <= self._room:
            self._room -= size
            self._changed[file] = stored, recorded, volatile

    def renamed(self, old: str) -> None:
        """Learns that a cassette has another name, for its own told a secret."""
        self._changed.pop(old, None)

    def all(self, hide: Callable[[str], str]) -> list[VolatileHint]:
        """What alone changed: the few proposals that speak of most cassettes, none with something to hide in it."""
        files: dict[tuple[str, ...], list[str]] = {}
        for file, change in self._changed.items():
            selectors = volatile_selectors(*change)
            if selectors and not any(hide(selector) != selector for selector in selectors):
                files.setdefault(selectors, []).append(file)
        found = [VolatileHint(selectors, tuple(named)) for selectors, named in files.items()]
        return sorted(found, key=lambda proposal: -len(proposal.files))[:_MOST_LINES]


def volatile_selectors(
    stored: RecordedResponse, recorded: RecordedResponse, volatile: Sequence[Selector] = ()
) -> tuple[str, ...]:
    """The selectors under which two responses say the same; none where no few of them do."""
    first, second = without_moving_parts(*(drop_volatile(each, volatile) for each in (stored, recorded)))
    if first.status != second.status or max(len(first.body), len(second.body)) > INLINE_LIMIT:
        return ()
    found = differences(_canonical(first), _canonical(second))
    texts = sorted({_ELEMENT.sub("[*]", difference.field) for difference in found})
    if not texts or len(texts) > MOST_SELECTORS or not all(map(_is_value, found)):
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


def _is_value(found: Difference) -> bool:
    is_whole = found.field == "json:$" or isinstance(found.recorded, dict) or isinstance(found.received, dict)
    is_list = found.field.startswith("json:") and (isinstance(found.recorded, list) or isinstance(found.received, list))
    return found.field.startswith(("json:", "header:")) and not is_whole and not is_list


_ELEMENT = re.compile(r"\[[0-9]+\]")
