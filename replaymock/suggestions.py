"""The names that are most like a mistyped one."""

from collections.abc import Sequence


def most_alike(name: str, known: Sequence[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """The known names most like this one, the closest first; `cutoff` is how alike they have to be, of 1."""
    import difflib  # noqa: PLC0415 - 2 ms at every start, for who mistypes

    return difflib.get_close_matches(name, known, most, cutoff)
