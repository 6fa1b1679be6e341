"""JSON text token by token."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.http import json_tokens
from tests.support import strategies
from tests.support.growth import grows_in_proportion


def places(text: str) -> list[tuple[tuple[str | int, ...], str]]:
    values: list[tuple[tuple[str | int, ...], str]] = []
    json_tokens.replace_values(text, lambda path, token: values.append((tuple(path), token)))
    return values


def test_values_are_visited_with_their_paths_and_tokens() -> None:
    text = '{"a": [1.10, {"b": "x\\"}"}], "c": null, "": true, "d": [], "e": {}}'
    assert places(text) == [
        (("a", 0), "1.10"),
        (("a", 1, "b"), '"x\\"}"'),
        (("c",), "null"),
        (("",), "true"),
    ]


def test_a_value_at_the_root_has_no_path() -> None:
    assert places(' "x" ') == [((), '"x"')]


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for name, inner in value.items() for leaf in _leaves(inner, (*path, name))]
    if isinstance(value, list):
        return [leaf for place, inner in enumerate(value) for leaf in _leaves(inner, (*path, place))]
    return [(path, value)]


@given(strategies.values, st.sampled_from([None, 1, 2]), st.booleans())
def test_every_leaf_is_visited_and_nothing_is_changed_unasked(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert [(path, json.loads(token)) for path, token in places(text)] == _leaves(value)
    assert json_tokens.replace_values(text, lambda _path, _token: None) is text
    assert json_tokens.replace_values(text, lambda _path, token: token) == text


@given(strategies.values)
def test_replacing_every_string_changes_only_strings(value: Any) -> None:
    text = json.dumps(value)
    changed = json.loads(
        json_tokens.replace_values(text, lambda _path, token: '"-"' if token.startswith('"') else None)
    )
    assert _leaves(changed) == [(path, "-" if isinstance(leaf, str) else leaf) for path, leaf in _leaves(value)]


@pytest.mark.parametrize(
    ("place", "offset"),
    [(("a",), 6), (("b", 1), 24), (("b",), 17), (("b", 9), 17), (("x",), 6), ((), 6), (("é",), 33)],
)
def test_a_place_has_a_byte_offset(place: tuple[str | int, ...], offset: int) -> None:
    text = '{"a": "é",\n"b":[1,{"c":2}],"é":3}'
    assert json_tokens.offset_of(text, place) == offset


def test_string_tokens_keep_to_ascii_where_the_old_one_did() -> None:
    assert json_tokens.string_token("é", '"a"') == '"\\u00e9"'
    assert json_tokens.string_token("é", '"ü"') == '"é"'
    assert json_tokens.string_value('"\\u00e9"') == "é"
    assert json_tokens.string_value("12") is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ('{"a":1,"b":2}', '{ "b": 2, "a": 1 }', True),
        ("1.0", "1", True),
        ("1.10", "1.1", True),
        ("1e2", "100", True),
        ("-0", "0", True),
        ("12345678901234567890", "12345678901234567891", False),
        ("0.1000000000000000000001", "0.1", False),
        ("0." + "1" * 60, "0." + "1" * 59 + "2", False),
        ("0." + "1" * 60, "0." + "1" * 60 + "0", True),
        ("1e999", "1e998", False),
        ("1e999", "10e998", True),
        ("true", "1", False),
        ('"1"', "1", False),
        ("[1,2]", "[2,1]", False),
        ('"\\u00e9"', '"é"', True),
    ],
)
def test_values_are_equal_however_they_are_spelled(one: str, other: str, equal: bool) -> None:
    assert (json_tokens.canonical(json_tokens.parse(one)) == json_tokens.canonical(json_tokens.parse(other))) is equal


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{", "", "[" * 100_000])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        json_tokens.parse(text)


@pytest.mark.parametrize(
    "text", ["1" + "0" * 5000, "1e999999999", "-1e-999999999", "1e" + "9" * 30, "1e-" + "9" * 30, "0." + "1" * 5000]
)
def test_huge_numbers_are_read_quickly_and_kept(text: str) -> None:
    assert json_tokens.canonical(json_tokens.parse(text)) not in ("null", "0", "true", "false")


@pytest.mark.parametrize("piece", ['\\"', '"', "{", '{"a":', "\\"])
def test_what_is_no_json_is_searched_for_a_place_in_proportion_to_its_length(piece: str) -> None:
    assert grows_in_proportion(lambda text: json_tokens.offset_of(f'"{text}', ("a",)), piece)


@pytest.mark.parametrize(
    ("text", "places", "left"),
    [
        ('{"a": 1.10, "b": 2, "a": 3}', [("a",)], '{"b":2}'),
        ('{"a": {"b": [1]}, "c": 1e5}', [("a",)], '{"c":1e5}'),
        ('{"a" : {"b": [1], "c": 2}}', [("a", "b")], '{"a":{"c":2}}'),
        ('[1, [2], {"a": 3}, "\\u00e9"]', [(0,), (1, 0), (2,)], '[[],"\\u00e9"]'),
        ("[1, 2]", [(0,), (1,), (7,), ("0",)], "[]"),
        ('{"": 1, "x": {"": 2}}', [("x", "")], '{"":1,"x":{}}'),
        (" 7 ", [("a",)], "7"),
    ],
)
def test_members_and_elements_are_left_out_and_all_other_tokens_stay(text: str, places: list[Any], left: str) -> None:
    assert json_tokens.remove_paths(text, places) == left


def _without(value: Any, places: set[Any], path: tuple[str | int, ...] = ()) -> Any:
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if (*path, name) not in places}
        return {name: _without(inner, places, (*path, name)) for name, inner in kept.items()}
    if isinstance(value, list):
        pairs = [(at, inner) for at, inner in enumerate(value) if (*path, at) not in places]
        return [_without(inner, places, (*path, at)) for at, inner in pairs]
    return value


def _inner(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for step, inner in pairs for place in ((*path, step), *_inner(inner, (*path, step)))]


@given(strategies.values, st.sampled_from([None, 2]), st.randoms(use_true_random=False))
def test_whatever_is_left_out_the_rest_is_valid_and_the_same(value: Any, indent: int | None, random: Any) -> None:
    chosen = {place for place in _inner(value) if random.random() < 0.3}
    remaining = json_tokens.remove_paths(json.dumps(value, indent=indent), chosen)
    assert json.loads(remaining) == _without(value, chosen)
