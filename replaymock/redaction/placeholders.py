"""The names of hidden values: `{{redacted:NAME}}`, with an ordinal for each further value of the same name."""

import hashlib
import re
from collections.abc import Callable

from replaymock.redaction.known_secrets import KnownSecrets

PlaceholderFactory = Callable[[str, str], str]
"""From the name a value was found under and the value to its placeholder."""

ANONYMOUS = "{{redacted}}"


def anonymous(_name: str, _value: str) -> str:
    """The placeholder that is used for comparing."""
    return ANONYMOUS


class OpaqueJwts:
    """A label under which a token is hidden as any other secret is, and not only its signature."""

    def __init__(self, label: PlaceholderFactory) -> None:
        self._label = label

    def __call__(self, name: str, value: str) -> str:
        """The placeholder."""
        return self._label(name, value)


def opaque_jwts(label: PlaceholderFactory) -> PlaceholderFactory:
    """The label that hides tokens as a whole, and else does as another."""
    return label if label is anonymous or isinstance(label, OpaqueJwts) else OpaqueJwts(label)


def is_of_answer(label: PlaceholderFactory) -> bool:
    """Whether a label is for what is said in an answer, and not in a request or for comparing."""
    return label is not anonymous and not isinstance(label, OpaqueJwts)


def nameable(name: str) -> str:
    """A name as placeholders spell it."""
    return _UNNAMEABLE.sub("_", name.lower())


def unnumbered(label: PlaceholderFactory) -> PlaceholderFactory:
    """Counts as a label does, and gives placeholders that are the same whatever came before."""

    def unnumbered(name: str, value: str) -> str:
        label(name, value)
        return ANONYMOUS

    return unnumbered


_UNNAMEABLE = re.compile(r"[^a-z0-9_.\-]")


class PlaceholderAllocator:
    """The placeholders of one recording: one for each distinct value, numbered by name from the second on."""

    def __init__(self) -> None:
        self._placeholders: dict[bytes, str] = {}
        self._counts: dict[str, int] = {}
        self._begun = (0, 0)
        self.known = KnownSecrets()

    def copy(self) -> "PlaceholderAllocator":
        """The same placeholders, to which others are added apart from these."""
        found = PlaceholderAllocator()
        found._placeholders, found._counts = dict(self._placeholders), dict(self._counts)
        found.known = self.known.copy()
        found._begun = (self.count, self.known.learned)
        return found

    def adopt(self, later: "PlaceholderAllocator") -> bool:
        """Takes over what was added to a copy; whether that can be, as nothing was added here meanwhile."""
        if later._begun != (self.count, self.known.learned):
            return False
        self._placeholders, self._counts = later._placeholders, later._counts
        self.known.adopt(later.known)
        return True

    @property
    def count(self) -> int:
        """How many distinct values were hidden."""
        return len(self._placeholders)

    def __call__(self, name: str, value: str) -> str:
        """The placeholder of `value`, under the name it was first seen with."""
        known = hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
        if known not in self._placeholders:
            label = nameable(name) or "value"
            self._counts[label] = number = self._counts.get(label, 0) + 1
            self._placeholders[known] = (
                f"{{{{redacted:{label}}}}}" if number == 1 else f"{{{{redacted:{label}:{number}}}}}"
            )
            self.known.remember(value, self._placeholders[known])
        return self._placeholders[known]
