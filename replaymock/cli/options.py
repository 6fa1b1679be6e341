"""Options of a command, made from their table, and what of them is given on a command line."""

from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from replaymock.config.option import AnyText, Choice, Option, Seconds, Switch, Whole
from replaymock.config.options import options_of

Command = Callable[..., Any]


class TextLine(click.ParamType):  # type: ignore[type-arg] # generic from click 8.5 on only
    """A text that may hold spaces; several in one variable are separated by line breaks."""

    name = "text"
    envvar_list_splitter = "\n"


def takes_options(command: str) -> Callable[[Command], Command]:
    """Adds every option of a command."""

    def add(function: Command) -> Command:
        for option in reversed(options_of(command)):
            function = _decorator(option)(function)
        return function

    return add


def given(context: click.Context) -> dict[str, Any]:
    """What is given on the command line itself, by the names of the options; for the rest others are asked."""
    names = [parameter.name or "" for parameter in context.command.params if isinstance(parameter, click.Option)]
    sources = {name: context.get_parameter_source(name) for name in names}
    return {name: context.params[name] for name in names if sources[name] == ParameterSource.COMMANDLINE}


def _decorator(option: Option) -> Callable[[Command], Command]:
    names = [option.name, option.flag, *([option.short] if option.short else [])]
    if isinstance(option.kind, Switch):
        if option.unset:
            names[1] = f"{option.flag}/--no-{option.flag[2:]}"
        return click.option(*names, is_flag=True, default=option.unset, help=option.help)
    return click.option(
        *names,
        type=_click_type(option),
        metavar=option.metavar or None,
        multiple=option.is_repeatable,
        default=option.unset,
        show_default=option.default is not None,
        help=option.help,
    )


def _click_type(option: Option) -> "click.ParamType[Any] | type":
    match option.kind:
        case Choice(words):
            return click.Choice(words)
        case Whole(None, None):
            return int
        case Whole(low, high):
            return click.IntRange(low, high)
        case Seconds():
            return click.FloatRange(0, min_open=True)
        case AnyText(None):
            return str
    return TextLine()
