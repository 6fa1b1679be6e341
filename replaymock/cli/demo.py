"""`demo`."""

import sys

import click

from replaymock.cli.help import Command


@click.command(cls=Command)
@click.option("--serve", is_flag=True, help="Keep replaying at the end, and print what to try.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="The port for --serve; 0 picks one."
)
def demo(serve: bool, port: int) -> None:
    """Show the whole story without network or arguments.

    A small shop is started, recorded through the real proxy by a real client, stopped, and replayed from a temporary
    folder. The table tells for each request whether the replayed answer equals the live one.
    """
    from replaymock.demo.scenario import run  # noqa: PLC0415 - only this command needs the shop

    sys.exit(run(port if serve else None))
