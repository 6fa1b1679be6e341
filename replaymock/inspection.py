"""What a folder of cassettes holds, without serving it: faults, a table."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replaymock.cassette import Cassette, Recorded
from replaymock.config import FileConfig
from replaymock.cors import Cors
from replaymock.errors import CassetteError
from replaymock.index import Serving
from replaymock.library import checked_entry
from replaymock.matching import Matcher, key_of
from replaymock.redaction import Redactor
from replaymock.sidecars import ANY_SIZE, NONE
from replaymock.store import Store


@dataclass(frozen=True, slots=True)
class Row:
    """A cassette in a table. `size` is the sum of its bodies and messages in bytes."""

    method: str
    path: str
    statuses: tuple[int, ...]
    size: int
    file: str

    def to_json(self) -> dict[str, Any]:
        """The row as the members of a JSON object."""
        return {
            "method": self.method,
            "path": self.path,
            "statuses": list(self.statuses),
            "size": self.size,
            "sequence": len(self.statuses),
            "file": self.file,
        }


def check(folder: Path, config: FileConfig) -> list[str]:
    """Every fault of a folder, one line each, by file."""
    store = Store(folder)
    store.scan()
    faults = [(file, str(error)) for file, error in store.broken.items()]
    return [line for _, line in sorted(faults + _colons(store) + _doubles(store, config))]


def unserved(folder: Path) -> list[str]:
    """The files in a folder that are neither cassettes, plain mocks nor sidecars, nor hidden: perhaps by mistake."""
    store = Store(folder)
    store.scan()
    return store.unserved()


def rows(folder: Path) -> list[Row]:
    """The cassettes of a folder, by path and method."""
    store = Store(folder)
    store.scan()
    return sorted(
        (_row(file, cassette) for file, cassette in _whole(store, NONE)),
        key=lambda row: (row.path, row.method, row.file),
    )


def _colons(store: Store) -> list[tuple[str, str]]:
    """Cassettes written by hand whose path is a template as other tools write it, but a literal path here."""
    found = []
    for loaded in store.loaded:
        path = loaded.request.path
        segment = _COLON.search(path)
        if segment and loaded.by_hand:
            advice = f"write {{{segment.group(1)}}} for any value, or %3A{segment.group(1)} for the colon itself"
            reason = f"path {path!r} is taken literally; {advice}"
            found.append((loaded.file, f"{store.shown(loaded.file)}:1:1: {reason}"))
    return found


def _doubles(store: Store, config: FileConfig) -> list[tuple[str, str]]:
    """Cassettes that can never be served, because another one answers the same request first."""
    matcher, serving = Matcher(config.rules, Redactor(config.redaction)), Serving(Cors())
    first: dict[Any, str] = {}
    found = []
    for loaded in store.loaded:
        try:
            entry = checked_entry(loaded, store, matcher, serving)
        except CassetteError as error:
            found.append((loaded.file, str(error)))
            continue
        key = (loaded.plain, key_of(entry.canonical))
        if key in first:
            reason = f"answers the same request as {first[key]}, which is served instead"
            found.append((loaded.file, f"{store.shown(loaded.file)}:1:1: {reason}"))
        first.setdefault(key, loaded.file)
    return found


def _whole(store: Store, held: int = ANY_SIZE) -> Iterator[tuple[str, Cassette]]:
    """Each cassette with its responses, one after the other; those that change meanwhile left out."""
    for loaded in store.loaded:
        cassette = store.cassette(loaded, held)
        if cassette:
            yield loaded.file, cassette


def _row(file: str, cassette: Cassette) -> Row:
    responses, request = cassette.responses, cassette.request
    return Row(
        method=request.method,
        path=request.path,
        statuses=tuple(recorded.status for recorded in responses),
        size=sum(_size(recorded) for recorded in responses),
        file=file,
    )


def _size(recorded: Recorded) -> int:
    if recorded.sidecar:
        return recorded.sidecar.size
    return len(recorded.body) + sum(len(message.data) for message in recorded.messages)


_COLON = re.compile(r"/:([A-Za-z_][A-Za-z0-9_]*)(?=/|\Z)")
