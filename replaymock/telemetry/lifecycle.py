"""What a run says of itself: at its start that it is ready, on the terminal and in a file; at its end, a summary."""

import contextlib
import json
import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from replaymock.config.settings import Settings
from replaymock.errors import UsageError
from replaymock.telemetry.console import counted
from replaymock.telemetry.journal import Report

if TYPE_CHECKING:
    from replaymock.recording.run import RecordingRun
    from replaymock.recording.volatile_hints import VolatileHint  # replay changes nothing


def url_of(host: str, port: int) -> str:
    """The URL of a server that is bound to a host."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def place_of(folder: str) -> str:
    """A folder as everybody may read it, in answers too: from the working directory, else only its own name."""
    found = Path(folder)
    if not found.is_absolute():
        return found.as_posix()
    return found.relative_to(Path.cwd()).as_posix() if found.is_relative_to(Path.cwd()) else found.name


def warn_of_wide(host: str, report: Report) -> None:
    """Warns when a server can be reached from other machines."""
    if host not in ("localhost", "127.0.0.1", "::1"):
        message = f"--host {host}: whoever can reach this machine can reach this server"
        report("warning", {"message": message})


def warn_of_notes(settings: Settings, report: Report) -> None:
    """Warns of what of the configuration cannot be applied."""
    for note in settings.file.notes:
        report("warning", {"message": note})


def announce(settings: Settings, command: str, port: int, cassettes: int, report: Report) -> None:
    """Says that requests are answered from now on. UsageError if it cannot be written where it is wanted."""
    url = url_of(settings.host, port)
    ready: dict[str, Any] = {"url": url, "port": port, "pid": os.getpid(), "cassettes": cassettes}
    found = counted(cassettes)
    if settings.workers > 1:
        ready["workers"] = settings.workers
        found += f"; {settings.workers} workers, each with its own positions in sequences"
    if settings.ready_file:
        _write(Path(settings.ready_file), msgspec.json.encode({"event": "ready", **ready}) + b"\n")
    text = "\n".join([f"replaymock {command} ready: {url} ({found})", *_what_next(settings, cassettes)])
    report("ready", {**ready, "text": text})


def _what_next(settings: Settings, cassettes: int) -> Iterator[str]:
    """What would be asked next: where requests go and cassettes lie, or how to come by a first one."""
    folder = place_of(settings.cassettes)
    if settings.upstreams:
        backends = ", ".join(f"{each.prefix} to {each.origin}{each.base}".lstrip() for each in settings.upstreams)
        yield f"forwards {backends}; writes into {folder}/"
    elif not cassettes:
        yield f"{folder}/ holds none: put JSON into {posixpath.join(folder, 'hello.json')} to have it at /hello"


def withdraw(settings: Settings) -> None:
    """Removes the ready file: one left from an earlier run would tell those who wait for it that this one is ready."""
    if settings.ready_file and not _is_no_file(Path(settings.ready_file)):
        with contextlib.suppress(OSError):
            Path(settings.ready_file).unlink()


def summary(
    counts: dict[str, int], unused: int, redacted: tuple[int, int] | None = None, failed_writes: int = 0
) -> dict[str, Any]:
    """The members of the last event, from how many requests had each outcome.

    `redacted` are the distinct values that were hidden, and the cassettes of this run in which something is hidden;
    None where nothing is recorded, of which people are not told then.
    """
    values, files = redacted or (0, 0)
    found = {
        "requests": sum(counts.values()),
        "hits": counts.get("hit", 0),
        "misses": counts.get("miss", 0),
        "recorded": counts.get("recorded", 0),
        "unchanged": counts.get("unchanged", 0),
        "unused": unused,
        "redacted": values,
        "redacted_files": files,
        "failed_writes": failed_writes,
    }
    names = ("hits", "misses", "unused") if redacted is None else ("hits", "misses", "recorded", "unused", "redacted")
    said: dict[str, Any] = {name: found[name] for name in names}
    if files:
        said["redacted"] = f"{values} in {counted(files)}"
    if failed_writes:
        said["failed writes"] = failed_writes
    text = ", ".join(f"{name} {count}" for name, count in said.items())
    return {**found, "text": f"replaymock: {text}"}


def sum_up(
    settings: Settings,
    counts: dict[str, int],
    unused: int,
    recording: "RecordingRun | None",
    failed_writes: int,
    report: Report,
) -> None:
    """Tells at the end what happened, and of a recording what alone changed."""
    redacted = None
    if recording:
        redacted = recording.placeholders.count, len(recording.redacted)
        tell_of_changes(settings, recording.hints.all(recording.placeholders.known.hide), report)
    report("summary", summary(counts, unused, redacted, failed_writes))


def tell_of_changes(settings: Settings, proposals: "Sequence[VolatileHint]", report: Report) -> None:
    """Hands over the lines under which what alone changed in some cassettes is no change."""
    for proposal in proposals:
        line = f"volatile = {json.dumps([*settings.file.volatile, *proposal.selectors], ensure_ascii=False)}"
        others = len(proposal.files) - 1
        named = proposal.files[0] + (f" and {counted(others)} more" if others else "")
        changed = f"{named}: changed only in {' and '.join(proposal.selectors)}"
        text = f"{changed}; if that says nothing, put {settings.file.home.under('record')}: {line}"
        report("changed", {"files": proposal.files, "only_in": proposal.selectors, "hint": line, "text": text})


def _write(place: Path, data: bytes) -> None:
    try:
        if _is_no_file(place):
            _pass_on(place, data)
        else:
            _put(place, data)
    except OSError as error:
        raise UsageError(f"--ready-file {place}: cannot be written: {error.strerror or error}") from error


def _put(place: Path, data: bytes) -> None:
    """Puts a whole file in a place at once; nothing is left of it where that fails."""
    temporary = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _pass_on(place: Path, data: bytes) -> None:
    """Writes to a pipe that is read or to a device, without waiting for it."""
    descriptor = os.open(place, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _is_no_file(place: Path) -> bool:
    """Whether this is something like a pipe or /dev/stdout, which is neither replaced nor removed."""
    with contextlib.suppress(OSError):
        return place.exists() and not place.is_file()
    return False
