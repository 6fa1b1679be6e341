"""What alone changed in responses that were recorded again, and the line that has it count for nothing.

Only what a person would take for noise is told: a few values in JSON, or headers. Each line was tried.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

from replaymock import mediatypes, tokens
from replaymock.bodies import INLINE_LIMIT
from replaymock.cassette import Recorded
from replaymock.errors import UsageError
from replaymock.headers import media_type
from replaymock.joining import lasting, same
from replaymock.matching import VOLATILE_KINDS, Difference, differences
from replaymock.rewrites import Canonical, Selector, parse_selector
from replaymock.volatile import without

MOST_SELECTORS = 4
_MOST_FILES = 1000
_MOST_LINES = 3


class Proposal(Struct, frozen=True):
    """Selectors of what alone changed, and the cassettes in which it did."""

    selectors: tuple[str, ...]
    files: tuple[str, ...]


class Proposals:
    """What alone changed in each cassette of a run, the first time it did."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, ...]] = {}

    def changed(self, file: str, stored: Recorded, recorded: Recorded, volatile: Sequence[Selector]) -> None:
        """Takes note of a response that is another than the stored one."""
        if file not in self._found and len(self._found) < _MOST_FILES:
            self._found[file] = only_in(stored, recorded, volatile)

    def all(self) -> list[Proposal]:
        """The few that speak of most cassettes."""
        files: dict[tuple[str, ...], list[str]] = {}
        for file, selectors in self._found.items():
            if selectors:
                files.setdefault(selectors, []).append(file)
        found = [Proposal(selectors, tuple(named)) for selectors, named in files.items()]
        return sorted(found, key=lambda proposal: -len(proposal.files))[:_MOST_LINES]


def only_in(stored: Recorded, recorded: Recorded, volatile: Sequence[Selector] = ()) -> tuple[str, ...]:
    """The selectors under which two responses say the same; none where no few of them do."""
    first, second = lasting(*(without(each, volatile) for each in (stored, recorded)))
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
    return tuple(texts) if same(stored, recorded, (*volatile, *selectors)) else ()


def _canonical(recorded: Recorded) -> Canonical:
    if not mediatypes.is_json(media_type(recorded.headers)):
        return Canonical("", "", headers=recorded.headers, kind="bytes", body=recorded.body)
    try:
        return Canonical("", "", headers=recorded.headers, kind="json", body=tokens.parse(recorded.body))
    except ValueError:
        return Canonical("", "", headers=recorded.headers, kind="bytes", body=recorded.body)


def _is_value(found: Difference) -> bool:
    is_whole = found.field == "json:$" or isinstance(found.recorded, dict) or isinstance(found.received, dict)
    is_list = found.field.startswith("json:") and (isinstance(found.recorded, list) or isinstance(found.received, list))
    return found.field.startswith(("json:", "header:")) and not is_whole and not is_list


_ELEMENT = re.compile(r"\[[0-9]+\]")
