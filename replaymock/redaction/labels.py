"""Labels: what stands in the place of a secret."""

import re
from collections.abc import Callable

Label = Callable[[str, str], str]
"""From the name a value was found under and the value to its placeholder."""

ANONYMOUS = "{{redacted}}"


def anonymous(_name: str, _value: str) -> str:
    """The placeholder that is used for comparing."""
    return ANONYMOUS


class Whole:
    """A label under which a token is hidden as any other secret is, and not only its signature."""

    def __init__(self, label: Label) -> None:
        self._label = label

    def __call__(self, name: str, value: str) -> str:
        """The placeholder."""
        return self._label(name, value)


def whole(label: Label) -> Label:
    """The label that hides tokens as a whole, and else does as another."""
    return label if label is anonymous or isinstance(label, Whole) else Whole(label)


def is_of_answer(label: Label) -> bool:
    """Whether a label is for what is said in an answer, and not in a request or for comparing."""
    return label is not anonymous and not isinstance(label, Whole)


def nameable(name: str) -> str:
    """A name as placeholders spell it."""
    return _UNNAMEABLE.sub("_", name.lower())


def unnumbered(label: Label) -> Label:
    """Counts as a label does, and gives placeholders that are the same whatever came before."""

    def unnumbered(name: str, value: str) -> str:
        label(name, value)
        return ANONYMOUS

    return unnumbered


_UNNAMEABLE = re.compile(r"[^a-z0-9_.\-]")
