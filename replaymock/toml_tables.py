"""The tables of a TOML file, read strictly: each error names the file and, where it can be found, the line.

No file is read here.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from replaymock.errors import UsageError
from replaymock.suggestions import most_alike

Table = Mapping[str, Any]


class TomlTables:
    """One file, named by its `place` in errors. UsageError where it is no TOML."""

    def __init__(self, text: str, place: str) -> None:
        self._lines = text.splitlines()
        self.place = place
        try:
            self.root: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{place}: not TOML: {error}") from error

    def at(self, word: str, number: int = 1) -> str:
        """The file and, where it can be found, the line of a key, a table or an `id`, at its so many-th place."""
        name = re.escape(word).replace("_", "[_-]")
        begin = rf"\s*(?:\[+\s*)?[\"']?{name}[\"']?\s*"
        lines = self._fitting(rf"{begin}[=\]]|\s*id\s*=\s*[\"']+{name}[\"']") or self._fitting(rf"{begin}\.")
        return f"{self.place}:{lines[number - 1]}" if len(lines) >= number else self.place

    def table(self, value: object, name: str, known: Iterable[str] | None = None) -> dict[str, Any]:
        """A value that has to be a table, with no other keys than the known ones."""
        if not isinstance(value, dict):
            raise UsageError(f"{self.at(name)}: {name} must be a table")
        for key in value:
            if known is not None and key not in known:
                raise unknown_key(key, known, f"{self.at(key)}: in [{name}]")
        return value

    def tables(self, table: Table, key: str, called: str = "") -> list[dict[str, Any]]:
        """The tables under a key, which are written with two brackets."""
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise UsageError(f"{self.at(key)}: write {called or key} as [[{key}]], with two brackets")
        return value

    def strings(self, table: Table, key: str, owner: str = "") -> tuple[str, ...]:
        """The list of strings under a key, of an `owner` whose place is easier to find than the key's."""
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            shown = f", as in {key} = [{json.dumps(value)}]" if isinstance(value, str) else ""
            raise UsageError(f"{self._place_of(key, owner)}{key} must be a list of strings{shown}")
        return tuple(value)

    def one(self, table: Table, key: str, kind: str, owner: str = "") -> Any:
        """The value under a key if it is of this kind, which is one of the words in `KINDS`; None without it."""
        value = table.get(key)
        if value is not None and (not isinstance(value, KINDS[kind]) or isinstance(value, bool)):
            raise UsageError(f"{self._place_of(key, owner)}{key} must be {kind}")
        return value

    def _place_of(self, key: str, owner: str) -> str:
        return f"{self.at(owner)}: {owner}: " if owner else f"{self.at(key)}: "

    def _fitting(self, expression: str) -> list[int]:
        return [number for number, line in enumerate(self._lines, 1) if re.match(expression, line)]


def unknown_key(key: str, known: Iterable[str], place: str) -> UsageError:
    """The error for a key that means nothing, with the nearest one that does."""
    near = most_alike(key, list(known), 1, 0.5)
    advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
    return UsageError(f"{place}: unknown key {key!r}; {advice}")


KINDS: Mapping[str, tuple[type, ...]] = {
    "a string": (str,),
    "a number": (int, float),
    "a whole number": (int,),
    "a table": (dict,),
}
