"""`check`, `scan` and `ls`: commands that read a folder of cassettes and serve nothing."""

import contextlib
import os
import sys
from collections.abc import Iterable, Sized
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from replaymock.cli.help import Command
from replaymock.cli.options import TextLine, given, takes_options
from replaymock.errors import UsageError

if TYPE_CHECKING:
    from replaymock.config.settings import FileConfig
    from replaymock.storage.audit.check import Row

folder_argument = click.argument("folder", metavar="[DIR]", required=False, envvar="REPLAYMOCK_CASSETTES")
places_argument = click.argument(
    "places", metavar="[DIR | FILE]...", nargs=-1, type=TextLine(), envvar="REPLAYMOCK_CASSETTES"
)


@click.command(cls=Command)
@places_argument
@takes_options("check")
@click.pass_context
def check(context: click.Context, /, places: tuple[str, ...], **_values: Any) -> None:
    """Load every cassette strictly, or these files, and print what is wrong as file:line:column: reason.

    Also tells of cassettes that answer the same request. Exits with 1 if there is anything to tell.
    """
    from replaymock.matching.matcher import Matcher  # noqa: PLC0415
    from replaymock.redaction.redactor import Redactor  # noqa: PLC0415
    from replaymock.storage.audit.check import check as faults_in  # noqa: PLC0415
    from replaymock.storage.audit.check import unserved as unserved_in  # noqa: PLC0415

    configuration, _ = _configured(context)
    _tell(configuration.notes)
    looked_into = _looked_into(places, configuration)
    matcher = Matcher(configuration.rules, Redactor(configuration.redaction))
    findings = [line for folder, only in looked_into for line in faults_in(folder, matcher, only)]
    for finding in findings:
        _print(finding)
    unserved = [file for folder, only in looked_into for file in unserved_in(folder, only)]
    if unserved:
        _say(_note(unserved))
    _say(_counted(findings) or "every cassette is fine")
    sys.exit(1 if findings else 0)


@click.command(cls=Command)
@places_argument
@takes_options("scan")
@click.pass_context
def scan(context: click.Context, /, places: tuple[str, ...], **_values: Any) -> None:
    """Look for secrets in a folder, or in these files: file, line, place and kind of each, never its value.

    Applies the tables that recording applies, also to files written by hand. Exits with 1 on a finding.
    """
    from replaymock.redaction.redactor import Redactor  # noqa: PLC0415
    from replaymock.storage.audit.secrets import scan as secrets_in  # noqa: PLC0415

    configuration, values = _configured(context)
    _tell(configuration.notes)
    looked_into = _looked_into(places, configuration)
    redactor = Redactor(configuration.redaction)
    found_in = [(folder, secrets_in(folder, redactor, only)) for folder, only in looked_into]
    place, findings = found_in[0]
    if len(found_in) > 1 or looked_into[0][1] is not None:
        # Files are named as they were given.
        named = ((folder, finding) for folder, several in found_in for finding in several)
        place, findings = (
            Path(),
            [replace(finding, file=(folder / finding.file).as_posix()) for folder, finding in named],
        )
    if values["sarif"]:
        from replaymock.storage.audit.sarif import sarif  # noqa: PLC0415

        _print_json(sarif(findings, place))
    elif values["json"]:
        _print_json([finding.to_json() for finding in findings])
    else:
        for finding in findings:
            _print(f"{finding.file}:{finding.line}: {finding.place}: {finding.kind}")
    _say(_counted(findings) or "no secrets found")
    sys.exit(1 if findings else 0)


@click.command(cls=Command)
@folder_argument
@takes_options("ls")
@click.pass_context
def ls(context: click.Context, /, folder: str | None, **_values: Any) -> None:
    """List the cassettes: method, path, status, size, length of the sequence, file."""
    from replaymock.storage.audit.check import rows as rows_of  # noqa: PLC0415

    configuration, values = _configured(context)
    rows = rows_of(_existing(folder, configuration))
    if values["json"]:
        _print_json([row.to_json() for row in rows])
        return
    cells = [("method", "path", "status", "bytes", "sequence", "file"), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        _print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cells(row: "Row") -> tuple[str, ...]:
    """A row as a table shows it: whole, however narrow the terminal, since names are there to be copied."""
    from replaymock.telemetry.event_text import visible  # noqa: PLC0415

    statuses = ", ".join(map(str, row.statuses))
    return visible(row.method), visible(row.path), statuses, str(row.size), str(len(row.statuses)), visible(row.file)


def _configured(context: click.Context) -> "tuple[FileConfig, dict[str, object]]":
    """The configuration in force, and the options of the command."""
    from replaymock.config.discovery import config_name, discover, values_of  # noqa: PLC0415

    flags = given(context)
    configuration = discover(config_name(flags, os.environ))
    return configuration, values_of(context.info_name or "", flags, os.environ, configuration)


def _tell(notes: Iterable[str]) -> None:
    for note in notes:
        _say(f"warning: {note}")


def _existing(named: str | None, config: "FileConfig") -> Path:
    """The folder of this name, or that `record` and `replay` would take. UsageError when there is none."""
    folder = Path(named or config.options.get("cassettes", "cassettes"))
    if not folder.is_dir():
        from replaymock.storage.folder import no_folder  # noqa: PLC0415

        raise UsageError(no_folder(str(folder)))
    return folder


def _looked_into(places: tuple[str, ...], config: "FileConfig") -> list[tuple[Path, tuple[str, ...] | None]]:
    """The folders to look into, each with the files of it that were given, or None for all it holds."""
    from replaymock.cassettes.filenames import cassette_of  # noqa: PLC0415

    if not places:
        return [(_existing(None, config), None)]
    home = Path(config.options.get("cassettes", "cassettes"))
    looked_into: dict[Path, tuple[str, ...] | None] = {}
    for named in map(Path, places):
        place = named.resolve() if named.is_symlink() else named
        if not place.is_file():
            looked_into[_existing(str(named), config)] = None
            continue
        inside, folder = _below(place, home), home
        if inside is None:
            inside, folder = place.name, place.parent
        before = looked_into.setdefault(folder, ())
        if before is not None:
            # What is beside a cassette is read with it.
            files = (file for file in (cassette_of(inside), inside) if (folder / file).is_file())
            looked_into[folder] = tuple(dict.fromkeys((*before, *files)))
    return list(looked_into.items())


def _below(place: Path, folder: Path) -> str | None:
    """A file as a folder names it; None where it lies elsewhere."""
    whole, above = (Path(os.path.abspath(each)) for each in (place, folder))  # noqa: PTH100 - links are not followed
    return whole.relative_to(above).as_posix() if whole.is_relative_to(above) else None


def _note(unserved: list[str]) -> str:
    number, shown = len(unserved), ", ".join(map(repr, unserved[:3]))
    more = f" and {number - 3} more" if number > 3 else ""  # noqa: PLR2004 - as many as are shown
    files = "1 file is" if number == 1 else f"{number} files are"
    return f"note: {files} not served, being no .json and no body of a cassette: {shown}{more}"


def _counted(findings: Sized) -> str:
    number = len(findings)
    return f"{number} finding{'' if number == 1 else 's'}" if number else ""


def _print_json(value: Any) -> None:
    import msgspec  # noqa: PLC0415

    _print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _print(line: str) -> None:
    try:
        click.echo(line)
    except BrokenPipeError:
        raise  # who asked has read enough
    except OSError as error:
        raise UsageError(f"stdout cannot be written: {error.strerror or error}") from error


def _say(line: str) -> None:
    """A line beside the result, which stands without it."""
    with contextlib.suppress(OSError):
        click.echo(line, err=True)
