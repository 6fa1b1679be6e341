"""Secrets in a folder of cassettes: in which file, on which line, at which place, of what kind; never their value."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from replaymock.cassettes.model import Cassette
from replaymock.cassettes.reader import ANY_SIZE
from replaymock.http import json_tokens
from replaymock.http.messages import Response
from replaymock.http.websocket_messages import BINARY
from replaymock.redaction.placeholders import PlaceholderFactory
from replaymock.redaction.redactor import Redactor
from replaymock.storage.atomic_write import Unreadable, read
from replaymock.storage.folder import CassetteFolder
from replaymock.storage.loader import CassetteSummary

_LONGEST_TEXT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret: its file below the folder, its line, the JSON path to it in the file (`$` for all of it), its kind."""

    file: str
    line: int
    place: str
    kind: str

    def to_json(self) -> dict[str, Any]:
        """The finding as the members of a JSON object."""
        return {"file": self.file, "line": self.line, "place": self.place, "kind": self.kind}


def scan(folder: Path, redactor: Redactor, only: Iterable[str] | None = None) -> list[Finding]:
    """Every secret in the files of a folder, or `only` in these, also in no valid cassettes, by file and line."""
    store = CassetteFolder(folder, only)
    store.scan()
    findings: dict[Finding, None] = {}
    for loaded in store.loaded:
        cassette = store.cassette(loaded, ANY_SIZE)
        if cassette:
            findings |= dict.fromkeys(_in_cassette(folder, loaded, cassette, redactor))
    for file in (*store.broken, *store.unserved_files()):
        findings |= dict.fromkeys(_in_text(file, _read(folder / file), redactor))
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.place, finding.kind))


def _in_cassette(folder: Path, loaded: CassetteSummary, cassette: Cassette, redactor: Redactor) -> Iterator[Finding]:
    file, text = loaded.file, _read(folder / loaded.file)
    path = f"/{file}" if loaded.is_plain else cassette.request.path
    yield from _placed(folder, file, text, ("request",), _secrets_in(redactor.request, cassette.request.to_request()))
    for position, recorded in enumerate(cassette.responses):
        response = Response(recorded.status, recorded.reason, recorded.headers, recorded.body)
        secrets = _secrets_in(partial(redactor.response, path=path), response)
        for message in recorded.messages:
            secrets += _secrets_in(partial(redactor.message, is_text=message.kind != BINARY), message.data)
        # A plain mock is its own response.
        yield from _placed(folder, file, text, () if loaded.is_plain else ("responses", position), secrets)


def _placed(
    folder: Path, file: str, text: str, under: tuple[str | int, ...], secrets: list[tuple[str, str]]
) -> Iterator[Finding]:
    for kind, value in secrets:
        place = _located(text, under, value)
        sidecar, said = ("", "") if place else _sidecar(folder, file, text, under)
        if sidecar:
            yield Finding(sidecar, said.count("\n", 0, max(0, said.find(value))) + 1, "$", kind)
        else:
            yield Finding(file, *(place or (1, _json_path(under))), kind)


def _sidecar(folder: Path, file: str, text: str, under: tuple[str | int, ...]) -> tuple[str, str]:
    """The file beside a cassette that a response has its body in, and what it says."""
    for start, end, path in json_tokens.iter_tokens(text) if json_tokens.is_valid(text) else ():
        if path is not None and tuple(path) == (*under, "file"):
            sibling = f"{file.rpartition('/')[0]}/{json_tokens.string_value(text[start:end])}".lstrip("/")
            return sibling, _read(folder / sibling)
    return "", ""


def _in_text(file: str, text: str, redactor: Redactor) -> Iterator[Finding]:
    media = "application/json" if text.lstrip()[:1] in ("{", "[") else "text/plain"
    response = Response(200, "", (("content-type", media),), text.encode("utf-8"))
    for kind, value in _secrets_in(partial(redactor.response, path=f"/{file}"), response):
        line = text.count("\n", 0, max(0, text.find(value))) + 1
        yield Finding(file, *(_located(text, (), value) or (line, "$")), kind)


def _secrets_in(redact: Callable[[Any, PlaceholderFactory], Any], message: Any) -> list[tuple[str, str]]:
    """The kind and value of each secret in a message."""
    secrets: list[tuple[str, str]] = []

    def note(kind: str, value: str) -> str:
        secrets.append((kind.lower(), value))
        return value

    redact(message, note)
    return secrets


def _located(text: str, under: tuple[str | int, ...], value: str) -> tuple[int, str] | None:
    """The line and JSON path of the first value below a place that is something, or has it in it; None without one."""
    if not json_tokens.is_valid(text):
        return None
    spellings = (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    location: tuple[int, str] | None = None
    for start, end, path in json_tokens.iter_tokens(text):
        if path is not None and tuple(path[: len(under)]) == under:
            said = json_tokens.string_value(text[start:end]) or text[start:end]
            if said == value or (location is None and any(spelling in said for spelling in spellings)):
                location = text.count("\n", 0, start) + 1, _json_path(path)
            if said == value:
                break
    return location


def _json_path(path: Sequence[str | int]) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else _member(step) for step in path]
    return "$" + "".join(steps)


def _member(name: str) -> str:
    return f".{name}" if name.isidentifier() and name.isascii() else f"[{json.dumps(name, ensure_ascii=False)}]"


def _read(place: Path) -> str:
    """The text of a file; what is no text or no regular file, or is too large to be looked at, has none."""
    try:
        # What a link leads to is looked at where it is, if it is below the folder.
        data = None if place.is_symlink() else read(str(place), _LONGEST_TEXT)[0]
    except (OSError, Unreadable):
        return ""
    return "" if data is None or b"\0" in data else data.decode("utf-8", "replace")
