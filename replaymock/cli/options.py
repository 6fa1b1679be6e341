"""Options that commands share, and where their values come from: flag, variable, configuration file, default."""

from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from replaymock.config import config_file
from replaymock.errors import UsageError

Command = Callable[..., Any]


class TextLine(click.ParamType):  # type: ignore[type-arg] # generic from click 8.5 on only
    """A text that may hold spaces; several in one variable are separated by line breaks."""

    name = "text"
    envvar_list_splitter = "\n"


def option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    """An option that can also be set by `REPLAYMOCK_<NAME>`."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = "REPLAYMOCK_" + long[2:].replace("-", "_").upper()
    return click.option(*names, envvar=variable, **settings)


def shared(command: Command) -> Command:
    """Adds the options that `record` and `replay` have in common."""
    for add in reversed(_SHARED):
        command = add(command)
    return command


def effective(context: click.Context, found: config_file.FileConfig) -> dict[str, Any]:
    """The command's parameters, with values from the configuration file where neither flag nor variable gave one."""
    values = dict(context.params)
    for name, value in found.options.items():
        parameter = _PARAMETERS.get(name, name)
        if parameter in values and context.get_parameter_source(parameter) == ParameterSource.DEFAULT:
            values[parameter] = _converted(context, parameter, name, value)
    return values


def _converted(context: click.Context, parameter: str, name: str, value: Any) -> Any:
    """A value of a configuration file, held to what the option allows. UsageError otherwise."""
    if isinstance(value, list):
        return tuple(value)
    declared = next(found for found in context.command.params if found.name == parameter)
    try:
        return declared.type.convert(value, declared, context)
    except click.BadParameter as error:
        raise UsageError(f"in the configuration file: {name} = {value!r}: {error.message}") from error


_PARAMETERS = {"json": "as_json"}

_SHARED: list[Callable[[Command], Command]] = [
    option("--cassettes", metavar="DIR", default="cassettes", show_default=True, help="The folder of cassettes."),
    option(
        "--host",
        default="localhost",
        show_default=True,
        help="The address to listen on; localhost is 127.0.0.1 and ::1, anything wider prints a warning.",
    ),
    option(
        "--allow-host",
        metavar="NAME",
        multiple=True,
        help="Take requests for this Host too, beside the loopback's names. Repeatable.",
    ),
    option(
        "--port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="The port; 0 picks a free one."
    ),
    click.option(
        "--config",
        metavar="FILE",
        envvar="REPLAYMOCK_CONFIG",
        help="Read this file instead of replaymock.toml or pyproject.toml found upwards from here.",
    ),
    option("--json", "as_json", is_flag=True, help="Print events as JSON lines on stdout."),
    option("--ready-file", metavar="PATH", default="", help="Write URL, port and pid here once requests are answered."),
    option("--verbose", "-v", is_flag=True, help="Print a line per request, also when stderr is no terminal."),
    option("--quiet", "-q", is_flag=True, help="Print misses and warnings only."),
    option(
        "--cors-origin",
        metavar="ORIGIN",
        multiple=True,
        help="Allow credentials to pages of this origin too (loopback origins may always). Repeatable.",
    ),
    option("--no-cors", is_flag=True, help="Leave CORS to the backend: pass and replay what it sent."),
    option(
        "--session-header",
        metavar="NAME",
        default="Replaymock-Session",
        show_default=True,
        help="The header that names a session.",
    ),
    option(
        "--diagnostics/--no-diagnostics",
        default=True,
        help="Say in each answer whether it was a hit and which cassette it is from (on by default).",
    ),
    option(
        "--max-body",
        metavar="SIZE",
        default="64MiB",
        show_default=True,
        help="The largest body kept; on replay, the largest request body taken.",
    ),
]
