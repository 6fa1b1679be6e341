"""One entry in the table of options is a flag, a variable, a key in files, a default, a setting and a row of the page."""

from typing import Any

import click
import pytest

from replaymock.cli import cli
from replaymock.config import config_file
from replaymock.config.discovery import load, values_of
from replaymock.config.option import AnyText, Choice, Option, Seconds, Switch, Whole
from replaymock.config.options import GROUPS, OPTIONS, options_of
from replaymock.config.settings import FileConfig, Settings
from tests.support.option_rows import PAGE, row

SERVING = [(command, option) for command in ("record", "replay") for option in options_of(command)]
IDS = [f"{command}-{option.name}" for command, option in SERVING]
TEXTS = {
    "allow_host": "mock.test",
    "cors_origin": "https://app.test",
    "header": "X-One: 1",
    "latency": "20",
    "max_body": "1MiB",
    "record_status": "401",
    "session_header": "X-Session",
    "upstream": "http://localhost:1",
    "workers": "2",
}


def another(option: Option) -> str:
    """A value that is not the default, as a text."""
    match option.kind:
        case Switch():
            return "0" if option.unset else "1"
        case Whole():
            return "444"
        case Seconds():
            return "1.5"
        case Choice(words):
            return next(word for word in words if word != option.default)
    return TEXTS.get(option.name, "/x/y")


def in_toml(option: Option) -> str:
    text = another(option)
    if isinstance(option.kind, Switch):
        return "true" if text == "1" else "false"
    return text if isinstance(option.kind, Whole | Seconds) else f"'{text}'"


@pytest.mark.parametrize(("command", "option"), SERVING, ids=IDS)
def test_an_entry_reaches_flag_variable_file_and_page(command: str, option: Option) -> None:
    text = another(option)
    default = values_of(command, {}, {}, FileConfig())[option.name]
    by_variable = values_of(command, {}, {option.variable: text}, FileConfig())[option.name]
    assert by_variable != default
    by_flag = values_of(command, {option.name: option.split(text)}, {}, FileConfig())[option.name]
    assert by_flag == by_variable
    if option.table is not None:
        file = config_file.read(f"{option.name.replace('_', '-')} = {in_toml(option)}", "x.toml")
        assert values_of(command, {}, {}, file)[option.name] == by_variable
    flags = {flag for parameter in cli.commands[command].params for flag in parameter.opts}
    assert {option.flag, option.short or option.flag} <= flags
    assert row(option) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("command", "option"), SERVING, ids=IDS)
def test_an_entry_is_in_the_help_and_reaches_the_settings(command: str, option: Option) -> None:
    assert option.group in GROUPS
    (parameter,) = (each for each in cli.commands[command].params if each.name == option.name)
    assert isinstance(parameter, click.Option) and parameter.help == option.help
    if option.field:
        given: dict[str, Any] = {"upstream": ("http://localhost:2",)} if command == "record" else {}
        settings = load(command, {**given, option.name: option.split(another(option))}, {})
        assert getattr(settings, option.field) != getattr(Settings(), option.field)


@pytest.mark.parametrize("command", ["record", "replay"])
def test_without_anything_given_the_settings_are_their_defaults(command: str) -> None:
    for option in options_of(command):
        if option.field and option.name != "mode":  # which a run has while it records only
            assert option.meaning(option.unset) == getattr(Settings(), option.field), option.name


def test_no_command_takes_an_option_twice() -> None:
    for command in cli.commands:
        names = [option.name for option in options_of(command)]
        assert len(names) == len(set(names))
    assert {command for option in OPTIONS for command in option.commands} == set(cli.commands)


def test_several_values_in_one_variable_are_told_apart_by_white_space_unless_they_may_hold_it() -> None:
    repeatable = [option for option in OPTIONS if option.is_repeatable]
    assert {option.name for option in repeatable if option.kind != AnyText()} == {"header"}
