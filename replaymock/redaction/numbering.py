"""The placeholders of one recording."""

import hashlib

from replaymock.redaction.known_secrets import KnownValues
from replaymock.redaction.labels import nameable


class Numbering:
    """The placeholders of one recording: one for each distinct value, numbered by name from the second on."""

    def __init__(self) -> None:
        self._placeholders: dict[bytes, str] = {}
        self._counts: dict[str, int] = {}
        self._begun = (0, 0)
        self.known = KnownValues()

    def copy(self) -> "Numbering":
        """The same placeholders, to which others are added apart from these."""
        found = Numbering()
        found._placeholders, found._counts = dict(self._placeholders), dict(self._counts)
        found.known = self.known.copy()
        found._begun = (self.count, self.known.learned)
        return found

    def adopt(self, later: "Numbering") -> bool:
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
