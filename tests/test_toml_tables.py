"""Tables of a TOML file, and the lines of what is wrong in them."""

import pytest

from replaymock.errors import UsageError
from replaymock.toml_tables import TomlTables, unknown_key

TEXT = """
top-key = 1
[first]
"word" = "x"
[[many]]
id = "one"
[[many]]
id = "two" # the second
[many.inner]
[deep.down]
x = 1
"""


@pytest.mark.parametrize(
    ("word", "number", "place"),
    [
        ("top_key", 1, "f.toml:2"),
        ("first", 1, "f.toml:3"),
        ("word", 1, "f.toml:4"),
        ("many", 1, "f.toml:5"),
        ("many", 2, "f.toml:7"),
        ("many", 3, "f.toml"),
        ("one", 1, "f.toml:6"),
        ("two", 1, "f.toml:8"),
        ("deep", 1, "f.toml:10"),
        ("none", 1, "f.toml"),
    ],
)
def test_a_word_is_found_on_its_line(word: str, number: int, place: str) -> None:
    assert TomlTables(TEXT, "f.toml").at(word, number) == place


def test_what_is_of_the_right_kind_is_given() -> None:
    tables = TomlTables("a = 1\nb = 'x'\nc = ['y']\n[d]\n[[e]]", "f.toml")
    root = tables.root
    assert (tables.one(root, "a", "a whole number"), tables.one(root, "b", "a string")) == (1, "x")
    assert (tables.one(root, "z", "a string"), tables.strings(root, "z"), tables.tables(root, "z")) == (None, (), [])
    assert (tables.strings(root, "c"), tables.table(root["d"], "d"), tables.tables(root, "e")) == (("y",), {}, [{}])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "f.toml: not TOML: "),
        ("table = 1", "f.toml:1: table must be a table"),
        ("[table]\nodr = 1", "f.toml:2: in [table]: unknown key 'odr'; did you mean 'order'?"),
        ("list = 'x'", 'f.toml:1: list must be a list of strings, as in list = ["x"]'),
        ("list = [1]", "f.toml:1: list must be a list of strings"),
        ("one = true", "f.toml:1: one must be a whole number"),
        ("[many]", "f.toml:1: write many as [[many]], with two brackets"),
    ],
)
def test_what_is_not_is_an_error_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert said in str(caught.value)


def read(text: str) -> None:
    tables = TomlTables(text, "f.toml")
    tables.table(tables.root.get("table", {}), "table", ("order",))
    tables.strings(tables.root, "list")
    tables.one(tables.root, "one", "a whole number")
    tables.tables(tables.root, "many")


def test_an_owner_is_named_where_it_is_easier_to_find() -> None:
    tables = TomlTables("[[many]]\nid = 'a'\nlist = 1", "f.toml")
    with pytest.raises(UsageError, match=r"f\.toml:2: a: list must be a list of strings"):
        tables.strings(tables.root["many"][0], "list", "a")


def test_a_key_that_is_near_none_is_told_all_of_them() -> None:
    assert str(unknown_key("zzz", ("b", "a"), "f")) == "f: unknown key 'zzz'; known are a, b"
