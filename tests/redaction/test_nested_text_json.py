"""JSON in pieces is changed as JSON, and comes back in the same pieces."""

import pytest

from replaymock.redaction.nested_text import replace_argument, replace_in_events, replace_lines


def changed(said: str) -> str:
    return said.replace('"S"', '"hidden"')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('id: 1\ndata: {\ndata:  "a": "S"}\n\n', 'id: 1\ndata: {\ndata:  "a": "hidden"}\n\n'),
        ('data:{"a":\r\ndata:"S"}\r\n\r\n', 'data:{"a":\r\ndata:"hidden"}\r\n\r\n'),
        ('data: {"a": "S"}\n\n', 'data: {"a": "S"}\n\n'),
        ('data: no "S"\ndata: JSON\n\n', 'data: no "S"\ndata: JSON\n\n'),
        ('data: {\ndata: }\n\ndata: ["S"\ndata: ]\n\n', 'data: {\ndata: }\n\ndata: ["hidden"\ndata: ]\n\n'),
    ],
)
def test_json_over_several_lines_of_an_event_is_one_text(text: str, shown: str) -> None:
    assert replace_in_events(text, changed) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('cb({"a": "S"});', 'cb({"a": "hidden"});'),
        ('/**/ jQuery1.cb[0]( ["S"] )\n', '/**/ jQuery1.cb[0]( ["hidden"] )\n'),
        ('cb({a: "S"});', None),
        ('cb({"a": "S"}); more()', None),
        ('if (x) { cb(["S"]) }', None),
        ('define({"a": "S"});', None),
        ('defined({"a": "S"});', 'defined({"a": "hidden"});'),
    ],
)
def test_json_that_is_handed_to_a_function_is_json(text: str, shown: str | None) -> None:
    assert replace_argument(text, changed) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a": "S"}\n["S"] \r\n', '{"a": "hidden"}\n["hidden"] \r\n'),
        ('event: a\ndata: ["S"]\n', 'event: a\ndata: ["hidden"]\n'),
        ('[no "S"]\nx ["S"]\n', '[no "S"]\nx ["S"]\n'),
    ],
)
def test_a_line_that_is_json_is_json(text: str, shown: str) -> None:
    assert replace_lines(text, changed) == shown


@pytest.mark.timeout(5)
def test_a_call_that_nearly_ends_keeps_nobody_waiting() -> None:
    assert replace_argument("f([])" + " " * 60_000 + "x", str) is None
