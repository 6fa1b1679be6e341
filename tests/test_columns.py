"""Secrets in the columns of a table."""

import pytest

from replaymock.columns import replace
from tests.growth import grows_in_proportion


def hidden(text: str) -> str:
    return replace(text, lambda name: name == "pin", lambda name, value: f"#{name}:{len(value)}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("id,pin\n1,S1\n2,\n", "id,pin\n1,#pin:2\n2,\n"),
        ('"pin";a\r\n"S;""1";x\r\nS;"y\n"', '"pin";a\r\n"#pin:4";x\r\n#pin:1;"y\n"'),
        ("\ufeffpin\tb\nS\tx", "\ufeffpin\tb\n#pin:1\tx"),
        ("a|pin\n1\n1|S|2", "a|pin\n1\n1|#pin:1|2"),
        ("id,name\npin,S\n", "id,name\npin,S\n"),
        ("pin", "pin"),
        ("", ""),
    ],
)
def test_what_stands_below_a_name_is_found_in_quotes_or_not(text: str, shown: str) -> None:
    assert hidden(text) == shown


@pytest.mark.parametrize("piece", ["a", '"', ",", '"a', '""', "\n"])
def test_a_table_takes_no_longer_than_in_proportion_to_its_length(piece: str) -> None:
    assert grows_in_proportion(lambda text: hidden(f"pin,b\n{text}"), piece)
