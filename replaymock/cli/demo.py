"""`demo`."""

import sys

import click

from replaymock.cli.help import Command
from replaymock.cli.options import takes_options


@click.command(cls=Command)
@takes_options("demo")
def demo(serve: bool, port: int) -> None:
    """Show the whole story without network or arguments.

    A small shop is started, recorded through the real proxy by a real client, stopped, and replayed from a temporary
    folder. The table tells for each request whether the replayed answer equals the live one.
    """
    from replaymock.demo.scenario import run  # noqa: PLC0415 - only this command needs the shop

    sys.exit(run(port if serve else None))
