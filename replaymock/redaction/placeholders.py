"""The placeholders of hidden values: `{{redacted:NAME}}`, with an ordinal for further values of the same name."""

import hashlib
import re
from collections.abc import Callable

from replaymock.redaction.known_secrets import KnownSecrets

PlaceholderFactory = Callable[[str, str], str]
"""Gives the placeholder of a value from the name it was found under and the value."""

ANONYMOUS = "{{redacted}}"


def anonymous(_name: str, _value: str) -> str:
    """The placeholder used for comparing."""
    return ANONYMOUS


class OpaqueJwts:
    """A placeholder factory that hides tokens like any other secret, not only their signature."""

    def __init__(self, label: PlaceholderFactory) -> None:
        self._label = label

    def __call__(self, name: str, value: str) -> str:
        """The placeholder."""
        return self._label(name, value)


def opaque_jwts(label: PlaceholderFactory) -> PlaceholderFactory:
    """A factory that hides tokens as a whole. Otherwise the same as `label`."""
    return label if label is anonymous or isinstance(label, OpaqueJwts) else OpaqueJwts(label)


def is_for_response(label: PlaceholderFactory) -> bool:
    """Whether a factory is for responses, rather than for requests or for comparing."""
    return label is not anonymous and not isinstance(label, OpaqueJwts)


def placeholder_name(name: str) -> str:
    """A name in the spelling of placeholders."""
    return _UNNAMEABLE.sub("_", name.lower())


def without_ordinals(label: PlaceholderFactory) -> PlaceholderFactory:
    """A factory that counts like `label`, but gives placeholders that do not depend on the order of values."""

    def count(name: str, value: str) -> str:
        label(name, value)
        return ANONYMOUS

    return count


_UNNAMEABLE = re.compile(r"[^a-z0-9_.\-]")


class PlaceholderAllocator:
    """The placeholders of one recording: one for each distinct value, numbered by name from the second on."""

    def __init__(self) -> None:
        self._placeholders: dict[bytes, str] = {}
        self._counts: dict[str, int] = {}
        self._copied_from = (0, 0)
        self.secrets = KnownSecrets()

    def copy(self) -> "PlaceholderAllocator":
        """A copy with the same placeholders. Adding to it does not change the original."""
        copy = PlaceholderAllocator()
        copy._placeholders, copy._counts = dict(self._placeholders), dict(self._counts)
        copy.secrets = self.secrets.copy()
        copy._copied_from = (self.count, self.secrets.learned)
        return copy

    def try_merge(self, later: "PlaceholderAllocator") -> bool:
        """Takes over a copy to which values were added. Returns False if values were added here in the meantime."""
        if later._copied_from != (self.count, self.secrets.learned):
            return False
        self._placeholders, self._counts = later._placeholders, later._counts
        self.secrets.replace_by(later.secrets)
        return True

    @property
    def count(self) -> int:
        """How many distinct values were hidden."""
        return len(self._placeholders)

    def __call__(self, name: str, value: str) -> str:
        """The placeholder of `value`, under the name it was first seen with."""
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
        if digest not in self._placeholders:
            label = placeholder_name(name) or "value"
            self._counts[label] = number = self._counts.get(label, 0) + 1
            self._placeholders[digest] = (
                f"{{{{redacted:{label}}}}}" if number == 1 else f"{{{{redacted:{label}:{number}}}}}"
            )
            self.secrets.remember(value, self._placeholders[digest])
        return self._placeholders[digest]
