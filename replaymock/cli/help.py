"""Help and usage errors, set by rich_click: loaded for them alone, so that a command that runs need not wait for it."""

from typing import TYPE_CHECKING, Any, NoReturn

import click

from replaymock.config.options import GROUPS, options_of

if TYPE_CHECKING:
    from rich_click.utils import OptionGroupDict


class Shown(Exception):
    """The help of a command is asked for."""


class Command(click.Command):
    """A command whose help is shown by `show`."""

    def get_help(self, ctx: click.Context) -> NoReturn:
        """Leaves it to `show`."""
        raise Shown


class Group(click.Group):
    """A group of commands whose help is shown by `show`."""

    command_class = Command

    def get_help(self, ctx: click.Context) -> NoReturn:
        """Leaves it to `show`."""
        raise Shown


def show(group: click.Group, name: str) -> None:
    """Reads the command line once more, and shows the help or the error it leads to; then exits."""
    import rich_click  # noqa: PLC0415

    rich_click.rich_click.TEXT_MARKUP = "rich"
    rich_click.rich_click.MAX_WIDTH = 110
    rich_click.rich_click.COMMAND_GROUPS = {
        f"*{name}": [
            {"name": "Record and replay", "commands": ["record", "replay", "demo"]},
            {"name": "Look after cassettes", "commands": ["check", "scan", "ls"]},
        ]
    }
    rich_click.rich_click.OPTIONS_TABLE_COLUMN_TYPES = ["opt_long", "opt_short", "metavar_short", "help"]
    rich_click.rich_click.OPTION_GROUPS = {f"{name} {command}": _groups(command) for command in ("record", "replay")}
    commands: dict[str, click.Command] = {
        key: rich_click.RichCommand(**_parts(command)) for key, command in group.commands.items()
    }
    rich_click.RichGroup(**_parts(group), commands=commands).main(prog_name=name)


def _groups(command: str) -> "list[OptionGroupDict]":
    """The options of a command as its help shows them, the common ones first."""
    options = options_of(command)
    flags = {group: [option.flag for option in options if option.group == group] for group in GROUPS}
    flags[GROUPS[-1]].append("--help")
    return [{"name": group, "options": flags[group]} for group in GROUPS if flags[group]]


def _parts(command: click.Command) -> dict[str, Any]:
    return {
        "name": command.name,
        "callback": command.callback,
        "params": command.params,
        "help": command.help,
        "context_settings": command.context_settings,
    }
