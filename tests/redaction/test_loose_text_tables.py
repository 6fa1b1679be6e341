"""Secrets in the columns of a table."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.redaction.loose_text import redact_table
from tests.support.growth import grows_in_proportion


def hidden(text: str) -> str:
    return redact_table(text, lambda name: name == "pin", lambda name, value: f"#{name}:{len(value)}")


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
        ('"",pin\n1,S\n', '"",pin\n1,#pin:1\n'),
        ('id,"",pin\n"",2,"S"\n', 'id,"",pin\n"",2,"#pin:1"\n'),
        ("\n\r\n,,\nid,pin\n1,S\n", "\n\r\n,,\nid,pin\n1,#pin:1\n"),
        ("sep=;\r\nid;pin\r\n1;S\r\n", "sep=;\r\nid;pin\r\n1;#pin:1\r\n"),
        ('\ufeff"pin",b\n"S",x', '\ufeff"pin",b\n"#pin:1",x'),
        ("\ufeff\tpin\nx\tS\n", "\ufeff\tpin\nx\t#pin:1\n"),
        ("id,pin\r1,S\r2,T", "id,pin\r1,#pin:1\r2,#pin:1"),
        ("id,pin\n1\n2,S,3,4\n\n5,T\n", "id,pin\n1\n2,#pin:1,3,4\n\n5,#pin:1\n"),
        ('"a,b,c";pin\n"x,y";S\n', '"a,b,c";pin\n"x,y";#pin:1\n'),
        ('"a\nb",pin\n1,S\n', '"a\nb",pin\n1,#pin:1\n'),
        ('5" disk,pin\n6" x,S\n7" y,T\n', '5" disk,pin\n6" x,#pin:1\n7" y,#pin:1\n'),
        ('a,pin\n"x"y,S\n"x" , "S,1" \n', 'a,pin\n"x"y,#pin:1\n"x" ,"#pin:3"\n'),
        ('a,pin\n"x,S\n1,T\n', 'a,pin\n"x,#pin:1\n1,#pin:1\n'),
    ],
)
def test_what_stands_below_a_name_is_found_in_quotes_or_not(text: str, shown: str) -> None:
    assert hidden(text) == shown


@pytest.mark.parametrize("piece", ["a", " ", ',"', '," ', '"x""', '"', ",", '"a', '""', "\n"])
def test_a_table_takes_no_longer_than_in_proportion_to_its_length(piece: str) -> None:
    assert grows_in_proportion(lambda text: hidden(f"pin,b\n{text}"), piece)


def test_a_value_that_is_left_alone_keeps_its_bytes() -> None:
    text = 'pin,b\n "S""1" ,x\n'
    assert redact_table(text, lambda name: name == "pin", lambda _name, value: value) == text


SAID = st.text("ab \",;\t|#'\u00e9", max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str, list[list[str]]]:
    """A separator, a table as Python's own writer spells it, and what it says; its first line has a pin among others."""
    separator = draw(st.sampled_from(",;\t|"))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting = draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
    names = draw(st.lists(st.sampled_from(["", "a", "b c", 'the "d"']), min_size=1, max_size=4))
    names.insert(draw(st.integers(0, len(names))), "pin")
    rows = draw(st.lists(st.lists(st.one_of(SAID, st.just(f"a{end}b")), max_size=6), max_size=6))
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting).writerows([names, *rows])
    return separator, draw(st.sampled_from(["", "\ufeff"])) + out.getvalue(), [names, *rows]


@given(tables())
def test_what_pythons_reader_finds_in_the_column_is_hidden_and_nothing_else(
    table: tuple[str, str, list[list[str]]],
) -> None:
    separator, text, (names, *rows) = table
    at = names.index("pin")
    shown = hidden(text)
    found = list(csv.reader(io.StringIO(shown.removeprefix("\ufeff"), newline=""), delimiter=separator))
    wanted = [
        [f"#pin:{len(said)}" if number == at and said else said for number, said in enumerate(row)] for row in rows
    ]
    assert found == [names, *wanted]
    assert shown.startswith("\ufeff") == text.startswith("\ufeff")


@given(st.text('ap in",;\t|\r\n\ufeff\x00', max_size=60))
def test_no_text_is_too_odd_to_be_looked_through(text: str) -> None:
    everything = redact_table(text, lambda _name: True, lambda _name, value: value)
    assert everything == text
    assert hidden(hidden(text)).count("\n") <= text.count("\n")
