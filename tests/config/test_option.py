"""Kinds of values, as a flag, a variable or a file gives them."""

from typing import Any

import pytest

from replaymock.config.option import AnyText, Choice, Kind, Option, Seconds, Switch, Whole


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        (AnyText(), "a b", "a b"),
        (Choice(("auto", "loop")), "auto", "auto"),
        (Whole(), "-3", -3),
        (Whole(0, 9), 9, 9),
        (Seconds(), "2.5", 2.5),
        (Seconds(), 1, 1.0),
        (Switch(), True, True),
        (Switch(), "Yes", True),
        (Switch(), "0", False),
    ],
)
def test_a_value_is_read_as_its_kind(kind: Kind, given: Any, read: Any) -> None:
    assert kind.read(given) == read
    assert type(kind.read(given)) is type(read)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (Choice(("auto", "loop")), "atuo", "'atuo' is not one of 'auto', 'loop'"),
        (Whole(), "x", "'x' is not a whole number"),
        (Whole(), 1.5, "1.5 is not a whole number"),
        (Whole(0, 9), 10, "10 is not in the range 0<=x<=9"),
        *((Seconds(), value, "above 0") for value in (0, -1, "nan", "inf")),
        *((Seconds(), value, "is not a number") for value in ("x", None, "")),
        (Switch(), "perhaps", "'perhaps' is not a switch"),
    ],
)
def test_what_does_not_fit_is_told(kind: Kind, given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kind.read(given)


def test_flag_and_variable_are_made_of_the_name() -> None:
    option = Option("max_body", "The largest body kept.")
    assert (option.flag, option.variable, option.field) == ("--max-body", "REPLAYMOCK_MAX_BODY", "max_body")


def test_without_a_default_an_option_is_off_empty_or_none_at_all() -> None:
    assert [Option("x", "", kind).unset for kind in (AnyText(), Switch())] == ["", False]
    assert Option("x", "", is_repeatable=True).unset == ()


@pytest.mark.parametrize(("splitter", "values"), [(None, ["a:", "b", "c"]), ("\n", ["a: b", "c"])])
def test_a_variable_holds_several_values_of_a_repeatable_option(splitter: str | None, values: list[str]) -> None:
    assert Option("x", "", AnyText(splitter), is_repeatable=True).split("a: b\nc") == values
    assert Option("x", "", AnyText(splitter)).split("a: b\nc") == "a: b\nc"
