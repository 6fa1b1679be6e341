"""What a folder of cassettes holds, without serving it: faults, a table."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from replaymock.cassettes.filenames import METHODS, is_sidecar_name
from replaymock.cassettes.model import Cassette, RecordedResponse
from replaymock.cassettes.reader import ANY_SIZE, CHECK_ONLY
from replaymock.errors import CassetteError
from replaymock.matching.matcher import Matcher, key_of
from replaymock.storage.folder import CassetteFolder
from replaymock.storage.library import comparable_entry
from replaymock.storage.loader import CassetteSummary


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


def check(folder: Path, matcher: Matcher, only: Iterable[str] | None = None) -> list[str]:
    """Every fault of a folder, or `only` of these files in it, one line each, by file."""
    store = CassetteFolder(folder, only)
    store.scan()
    faults = [(file, str(error)) for file, error in store.broken.items()]
    return [line for _, line in sorted(faults + _likely_mistakes(store) + _duplicates(store, matcher))]


def unserved(folder: Path, only: Iterable[str] | None = None) -> list[str]:
    """The files in a folder that are neither cassettes, plain mocks nor sidecars, nor hidden: perhaps by mistake."""
    store = CassetteFolder(folder, only)
    store.scan()
    return [file for file in store.unserved_files() if not is_sidecar_name(file.rpartition("/")[2])]


def rows(folder: Path) -> list[Row]:
    """The cassettes of a folder, by path and method."""
    store = CassetteFolder(folder)
    store.scan()
    return sorted(
        (_row(file, cassette) for file, cassette in _whole(store, CHECK_ONLY)),
        key=lambda row: (row.path, row.method, row.file),
    )


def _likely_mistakes(store: CassetteFolder) -> list[tuple[str, str]]:
    """Files written by hand that are served, but hardly as they were meant."""
    each = ((loaded, _likely_mistake(loaded, store)) for loaded in store.loaded if loaded.is_handwritten)
    return [(loaded.file, f"{store.shown(loaded.file)}:1:1: {reason}") for loaded, reason in each if reason]


def _likely_mistake(loaded: CassetteSummary, store: CassetteFolder) -> str:
    path, method = loaded.request.path, loaded.request.method
    segment = _COLON.search(path)
    if segment:
        advice = f"write {{{segment.group(1)}}} for any value, or %3A{segment.group(1)} for the colon itself"
        return f"path {path!r} is taken literally; {advice}"
    if method not in METHODS and method.upper() in METHODS:
        return f"method {method!r} is taken literally; write {method.upper()}"
    if loaded.is_plain and _reads_like_a_cassette(loaded, store):
        return f"is a plain mock, served as it stands at {path}; to be a cassette it needs a name such as GET.json"
    return ""


def _reads_like_a_cassette(loaded: CassetteSummary, store: CassetteFolder) -> bool:
    cassette = store.cassette(loaded, ANY_SIZE)
    if cassette is None:
        return False
    try:
        msgspec.json.decode(cassette.responses[0].body, type=_Outline)
    except msgspec.DecodeError:
        return False
    return True


class _Outline(msgspec.Struct):
    """What every cassette has, and a body hardly ever."""

    request: dict[str, msgspec.Raw]
    responses: list[dict[str, msgspec.Raw]]


def _duplicates(store: CassetteFolder, matcher: Matcher) -> list[tuple[str, str]]:
    """Cassettes that can never be served, because another one answers the same request first."""
    first: dict[Any, str] = {}
    problems = []
    for loaded in store.loaded:
        try:
            entry = comparable_entry(loaded, store, matcher)
        except CassetteError as error:
            problems.append((loaded.file, str(error)))
            continue
        key = (loaded.is_plain, key_of(entry.canonical))
        if key in first:
            reason = f"answers the same request as {first[key]}, which is served instead"
            problems.append((loaded.file, f"{store.shown(loaded.file)}:1:1: {reason}"))
        first.setdefault(key, loaded.file)
    return problems


def _whole(store: CassetteFolder, held: int = ANY_SIZE) -> Iterator[tuple[str, Cassette]]:
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


def _size(recorded: RecordedResponse) -> int:
    if recorded.sidecar:
        return recorded.sidecar.size
    return len(recorded.body) + sum(len(message.data) for message in recorded.messages)


_COLON = re.compile(r"/:([A-Za-z_][A-Za-z0-9_]*)(?=/|\Z)")
