"""The start and the end of a run: warnings, the ready event and the ready file; the summary.

All of it is passed as values, so that a single process and the parent of several workers report alike.
"""

import contextlib
import json
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from replaymock.errors import UsageError
from replaymock.telemetry.events import Changed, Emit, Ready, Summary, Warned

ORDERLY_SIGNALS = 2
"""How many signals end a run in order: the first lets requests finish, the second does not. The third kills."""


class RunDescription(Struct, frozen=True):
    """What a run reports of itself at its start.

    `folder` is spelled so that everybody may read it, each of `upstreams` as `PREFIX to URL`. `notes` are the parts of
    the configuration that have no effect.
    """

    command: str
    host: str
    folder: str
    workers: int = 1
    ready_file: str = ""
    upstreams: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class RecordingSummary(Struct, frozen=True):
    """The result of a recording: how many distinct values are hidden, in how many cassettes, and `volatile` hints."""

    redacted: int
    redacted_files: int
    changed: tuple[Changed, ...] = ()


def url_of(host: str, port: int) -> str:
    """The URL of a server that is bound to a host."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def addresses_of(host: str, port: int) -> tuple[str, ...]:
    """Where a server that is bound to every address can be opened: from here, and from other machines if it can be."""
    if host not in _SOMEWHERE_ELSE:
        return ()
    outer = _network_address(host)
    return url_of("localhost", port), *([url_of(outer, port)] if outer else [])


def _network_address(host: str) -> str:
    """The address by which other machines reach this one; empty without a network."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        # Sends nothing: to connect a datagram socket only chooses a route, and with it the address of its own side.
        probe.connect((_SOMEWHERE_ELSE[host], 9))
        return str(probe.getsockname()[0])
    return ""


def place_of(folder: str) -> str:
    """A folder as it may be shown, also in responses: relative to the working directory, or else only its name."""
    path = Path(folder)
    if not path.is_absolute():
        return path.as_posix()
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name


def warn(run: RunDescription, emit: Emit) -> None:
    """Warns if other machines can reach the server, and of each note."""
    if run.host not in ("localhost", "127.0.0.1", "::1"):
        emit(Warned(f"--host {run.host}: whoever can reach this machine can reach this server"))
    for note in run.notes:
        emit(Warned(note))


def announce(run: RunDescription, port: int, cassettes: int, emit: Emit) -> None:
    """Emits that requests are answered from now on, after writing the ready file. UsageError if that fails."""
    ready = Ready(
        url_of(run.host, port),
        port,
        os.getpid(),
        cassettes,
        workers=run.workers,
        command=run.command,
        folder=run.folder,
        upstreams=run.upstreams,
        addresses=addresses_of(run.host, port),
    )
    if run.ready_file:
        _write(Path(run.ready_file), msgspec.json.encode({"event": ready.name, **ready.to_json()}) + b"\n")
    emit(ready)


def withdraw(ready_file: str) -> None:
    """Removes the ready file: one left by an earlier run would tell a waiting program that this run is ready."""
    if ready_file and not _is_no_file(Path(ready_file)):
        with contextlib.suppress(OSError):
            Path(ready_file).unlink()


def changed(files: tuple[str, ...], only_in: Sequence[str], volatile: Sequence[str], where: str) -> Changed:
    """The hint that only some fields changed in these cassettes; its line also has the selectors in `volatile`."""
    line = f"volatile = {json.dumps(list(dict.fromkeys([*volatile, *only_in])), ensure_ascii=False)}"
    return Changed(files, tuple(only_in), line, where)


def summary(
    counts: Mapping[str, int], unused: int, recording: RecordingSummary | None = None, failed_writes: int = 0
) -> Summary:
    """The last event, from how many requests had each outcome; `recording` is None on replay."""
    return Summary(
        requests=sum(counts.values()),
        hits=counts.get("hit", 0),
        misses=counts.get("miss", 0),
        recorded=counts.get("recorded", 0),
        unchanged=counts.get("unchanged", 0),
        unused=unused,
        redacted=recording.redacted if recording else 0,
        redacted_files=recording.redacted_files if recording else 0,
        failed_writes=failed_writes,
        is_recording=recording is not None,
    )


def sum_up(
    counts: Mapping[str, int], unused: int, recording: RecordingSummary | None, failed_writes: int, emit: Emit
) -> None:
    """Emits the hints of a recording, and the summary."""
    for hint in recording.changed if recording else ():
        emit(hint)
    emit(summary(counts, unused, recording, failed_writes))


def _write(place: Path, data: bytes) -> None:
    try:
        if _is_no_file(place):
            _write_to_device(place, data)
        else:
            _write_file(place, data)
    except OSError as error:
        raise UsageError(f"--ready-file {place}: cannot be written: {error.strerror or error}") from error


def _write_file(place: Path, data: bytes) -> None:
    """Writes a file completely or not at all; leaves no temporary file if that fails."""
    temporary = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _write_to_device(place: Path, data: bytes) -> None:
    """Writes to a device, or to a pipe that somebody reads, without waiting."""
    descriptor = os.open(place, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _is_no_file(place: Path) -> bool:
    """Whether this is a pipe, or a device such as /dev/stdout, which is neither replaced nor removed."""
    with contextlib.suppress(OSError):
        return place.exists() and not place.is_file()
    return False


_SOMEWHERE_ELSE = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}  # noqa: S104 - compared with, not bound to
"""The hosts that are every address, each with one that is on no network (RFC 5737, RFC 3849)."""
