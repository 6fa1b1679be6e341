"""What is clean at a glance is clean, and most of what only looks as if it held a secret is."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import strategies
from tests.support.redacting import HIDER, named

pieces = st.sampled_from(
    [
        "author",
        "shipping",
        "design",
        "password",
        "to\nken",
        "name",
        "value",
        "?",
        "=",
        ": ",
        "<",
        "token",
        "S",
        "\\",
        '"',
        "/",
        "é",
    ]
) | st.sampled_from(strategies.SECRETS)
tricky = st.lists(pieces, max_size=5).map("".join)
documents = st.recursive(
    tricky | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tricky, inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=400)
@given(documents, st.booleans(), st.sampled_from([None, 2]))
def test_json_that_is_clean_at_a_glance_is_so_value_by_value(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    if HIDER.is_clean(text):
        assert HIDER.valid_json(text, named) == text
        assert HIDER.free_text(text, named) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"author":{"id":"x y"},"shipping":[1,"a design"],"at":"12:30","link":"/a?b=c"}', True),
        ('{"says":"a \\"quoted\\" word\\n","name":"keyboard"}', True),
        ('{"pass\\u0077ord":"S"}', False),
        ('{"name":"Authorization","value":"S"}', False),
        ('{"link":"/a?token=c"}', False),
        ('{"author":"x"', False),
    ],
)
def test_what_only_looks_as_if_it_held_a_secret_is_seen_to_be_clean(text: str, clean: bool) -> None:
    assert HIDER.is_clean(text) is clean
