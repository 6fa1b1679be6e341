"""What a run is told: by flags, the environment, configuration files and defaults, the first before the next.

Everybody who starts a run asks here: the command line, and Python code.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from replaymock.config import config_file
from replaymock.config.option import Option
from replaymock.config.options import options_of
from replaymock.config.settings import FileConfig, Settings, parse_override
from replaymock.config.team_rules import with_rules
from replaymock.errors import UsageError
from replaymock.toml_tables import unknown_key

Given = Mapping[str, object]
"""Values by the names of their options."""


def load(command: str, given: Given, environ: Mapping[str, str], folder: Path | None = None) -> Settings:
    """The settings of `record` or `replay`: what is given, and for the rest what else is said in a folder, or here.

    UsageError naming the option, and the variable or the file and line that a value is from.
    """
    options = options_of(command)
    names = [option.name for option in options]
    for name in given:
        if name not in names:
            raise unknown_key(name, names, command)
    file = discover(config_name(given, environ), folder)
    values = values_of(command, given, environ, file)
    for option in options:
        if option.needed and not values[option.name]:
            raise UsageError(option.needed)
    fields = {option.field: values[option.name] for option in options if option.field}
    if values.get("freeze_time"):
        fields["shift_time"] = ""
    played = () if command == "record" else tuple(parse_override(rule) for rule in file.play)
    return structs.replace(Settings(file=file, directions=played), **fields)


def config_name(given: Given, environ: Mapping[str, str]) -> str | None:
    """The file that is to be read instead of those that are found."""
    return str(given["config"]) if "config" in given else environ.get("REPLAYMOCK_CONFIG") or None


def discover(name: str | None = None, folder: Path | None = None) -> FileConfig:
    """The configuration in a file of this name, or in replaymock.toml and pyproject.toml from a folder upwards."""
    return with_rules(_read(Path(name), "") if name is not None else _upwards_from(folder or Path.cwd()))


def values_of(command: str, given: Given, environ: Mapping[str, str], file: FileConfig) -> dict[str, object]:
    """What each option of a command says to a run."""
    return {option.name: _value(option, given, environ, file) for option in options_of(command)}


def _value(option: Option, given: Given, environ: Mapping[str, str], file: FileConfig) -> object:
    if option.name in given:
        return _meaning(option, given[option.name], option.flag)
    text = environ.get(option.variable) if option.variable else None
    if text:
        return _meaning(option, option.split(text), option.variable)
    if option.table is not None and option.name in file.options:
        return _meaning(option, file.options[option.name], f"{file.places[option.name]}: {option.name}")
    return option.meaning(option.unset)


def _meaning(option: Option, value: object, place: str) -> object:
    try:
        return option.meaning(value)
    except ValueError as error:
        raise UsageError(f"{place}: {error}") from error
    except UsageError as error:
        raise (error if place == option.flag else UsageError(f"{place}: {error}")) from error


def _upwards_from(folder: Path) -> FileConfig:
    own, project = _upwards("replaymock.toml", folder), _upwards("pyproject.toml", folder)
    if own and not project:
        return _read(own, "")
    config = _read(project, "tool.replaymock") if project else FileConfig()
    return config_file.merged(config, _read(own, "")) if own else config


def _read(place: Path, table: str) -> FileConfig:
    try:
        text = place.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--config {place}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--config {place}: not UTF-8") from error
    shown = os.path.relpath(place)
    return config_file.relative_to(config_file.read(text, shown, table=table), str(place.resolve().parent))


def _upwards(name: str, folder: Path) -> Path | None:
    return next((each / name for each in (folder, *folder.parents) if (each / name).is_file()), None)
