"""`record` and `replay`."""

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from replaymock.cli.help import Command
from replaymock.cli.options import given, takes_options
from replaymock.errors import UsageError

if TYPE_CHECKING:
    from replaymock.config.settings import Settings
    from replaymock.telemetry.console import Console


@click.command(cls=Command)
@click.argument("urls", metavar="[URL]", nargs=-1)
@takes_options("record")
@click.pass_context
def record(context: click.Context, /, urls: tuple[str, ...], **_values: Any) -> None:
    """Forward to a real backend, and save each distinct exchange as a cassette.

    [bold]replaymock record --upstream https://api.example.com[/bold]

    Every answer reaches the client as the backend sent it, and is on disk a moment later. Secrets are replaced before
    anything is written. Recording again against an unchanged backend leaves an empty git diff.
    """
    flags = given(context)
    for text in urls:
        if "://" not in text and Path(text).is_dir():
            raise UsageError(f"{text!r} is a folder; write: replaymock record --cassettes {text} --upstream URL")
    upstreams = (*flags.get("upstream", ()), *urls)
    _serve(_settings("record", {**flags, "upstream": upstreams} if upstreams else flags))


@click.command(cls=Command)
@click.argument("folders", metavar="[DIR]", nargs=-1)
@takes_options("replay")
@click.pass_context
def replay(context: click.Context, /, folders: tuple[str, ...], **_values: Any) -> None:
    """Serve the cassettes, with CORS. Opens no outgoing connection, ever.

    [bold]replaymock replay[/bold]

    Files are served as they are edited. A request without a cassette gets a 404 that says what was near, and the line
    of configuration that would make it hit.
    """
    flags = given(context)
    named = (*folders, flags["cassettes"]) if "cassettes" in flags else folders
    if any("://" in name for name in named):  # which may hold a password
        raise UsageError("replay asks no backend; write: replaymock record URL")
    if len(named) > 1:
        raise UsageError(f"replay serves one folder, not {' and '.join(map(repr, named))}")
    _serve(_settings("replay", {**flags, "cassettes": named[0]} if named else flags))


def _settings(command: str, values: dict[str, Any]) -> "Settings":
    from replaymock.config.discovery import load  # noqa: PLC0415 - only a command that runs reads what it is told

    return load(command, values, os.environ)


def _serve(settings: "Settings") -> None:
    from replaymock.telemetry import console  # noqa: PLC0415 - only a command that runs pays for what it runs

    printing = console.standard(
        json=settings.json,
        verbose=settings.verbose,
        quiet=settings.quiet,
        no_color="NO_COLOR" in os.environ,
    )
    # What libraries log goes the same way: nothing that is said may hold up those who are served.
    with contextlib.closing(printing), contextlib.redirect_stderr(printing.err):
        sys.exit(_run(settings, printing))


def _run(settings: "Settings", console: "Console") -> int:
    if settings.workers > 1:
        from replaymock.cli.workers import serve as serve_by_workers  # noqa: PLC0415

        return serve_by_workers(settings, console)
    from replaymock.app import serve  # noqa: PLC0415

    return serve(settings, console)
