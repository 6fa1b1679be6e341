"""The command line. Commands import what they run only when they run, so that help and completion are quick.

`serve` has `record` and `replay`, which `workers` runs in several processes; `audit` has `check`, `scan` and `ls`, and
`demo` the demo. `options` are those that commands share, `help` formats help texts and usage errors.
"""

import sys

import click

from replaymock import __version__
from replaymock.cli.audit import check, ls, scan
from replaymock.cli.demo import demo
from replaymock.cli.help import Group, Shown, show
from replaymock.cli.serve import record, replay
from replaymock.errors import ReplaymockError
from replaymock.telemetry.printing import discard_unwritten, open_closed_streams, print_last


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="replaymock", message="%(prog)s %(version)s")
def cli() -> None:
    """Record a real HTTP backend once, replay it for ever.

    Point your app at [bold]replaymock record[/bold] to save every distinct exchange as a readable JSON file, commit
    the files, and point your app at [bold]replaymock replay[/bold] from then on: offline, in CI, with CORS.

    [dim]Exit codes: 0 fine, 1 findings, 2 usage or trouble.
    Shell completion: eval "$(_REPLAYMOCK_COMPLETE=bash_source replaymock)", or zsh_source, or fish_source.[/dim]
    """


def main() -> None:
    """Runs the command line and exits."""
    open_closed_streams()
    try:
        try:
            sys.exit(cli.main(prog_name=_NAME, standalone_mode=False))
        except (Shown, click.ClickException):
            _show()
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_INTERRUPTED)
    except ReplaymockError as error:
        print_last(f"replaymock: error: {error}")
        sys.exit(2)
    finally:
        discard_unwritten()


def _show() -> None:
    try:
        show(cli, _NAME)
    except OSError:  # what is wrong with the line matters more than that nobody can be told
        sys.exit(2)


_NAME = "replaymock"
_INTERRUPTED = 130  # as the shell has it for whom SIGINT ended
for command in (record, replay, demo, check, scan, ls):
    cli.add_command(command)
