"""Regular expressions as gitleaks has them, in Go's syntax (RE2), run by RE2 itself.

Its time grows with the text alone, whatever an expression says and whoever wrote the text.
"""

import re
from collections.abc import Iterator
from typing import Protocol

from replaymock.errors import UsageError


class Match(Protocol):
    """Where an expression fits, as `re.Match` tells it."""

    def group(self, number: int = 0, /) -> str | None:
        """What a group holds, or all; None where the group is not part of the match."""

    def span(self, number: int = 0, /) -> tuple[int, int]:
        """Where a group begins and ends, or all."""


class Expression(Protocol):
    """A compiled expression, as much of `re.Pattern` as is needed."""

    @property
    def groups(self) -> int:
        """How many groups it has."""

    def search(self, text: str, /) -> object | None:
        """Whether it fits anywhere."""

    def finditer(self, text: str, /) -> Iterator[Match]:
        """Each place where it fits."""


class Inapplicable(ValueError):
    """A rule that cannot be applied, such as one whose expression RE2 does not take; the text says why."""


def compiled(expression: str) -> Expression:
    """The expression, ready to be searched for. Inapplicable with the reason, UsageError without the package."""
    try:
        import re2  # noqa: PLC0415 - an extra, which only who has such rules installs
    except ImportError as error:
        raise UsageError(
            "rules_file in [redact] needs the package google-re2: install it by "
            'pip install "replaymock[gitleaks]", or leave rules_file out'
        ) from error
    options = re2.Options()
    options.log_errors = False
    try:
        made: Expression = re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        raise Inapplicable(reason.decode() if isinstance(reason, bytes) else str(reason)) from error
    return made


def searchable(text: str) -> str:
    """A text of the same length that RE2 can read: halves of characters, as JSON may spell them, are not UTF-8."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


_HALF = re.compile("[\ud800-\udfff]")
