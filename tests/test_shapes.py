"""Most texts are known to hold no credential by a quick look."""

import random

import pytest

from replaymock.shapes import Shapes, is_card_number, is_everyday, is_user_and_password, looked_at
from replaymock.vendors import OPTIONAL, SHAPES
from tests.credentials import made

TABLE = Shapes(SHAPES)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_quick_look_passes_over_no_credential(shape: object) -> None:
    sample = next(made(known, random.Random(2)) for known in SHAPES if known is shape)
    for text in (sample, f'{{"a": "{sample}"}}', "words and words " * 50 + sample):
        assert TABLE.may_be_in(looked_at(text))
        assert shape in TABLE.likely(text)
        assert not is_everyday(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("San Francisco", True),
        ("2026-11-22T13:00:00Z", True),
        ("9b2c4d6e-1f2a-4b3c-8d4e-5f6a7b8c9d0e", True),
        ("a=1", False),
        ("100%25", False),
        ("<b", False),
        ("a\\u0062", False),
        ("word " * 200, False),
    ],
)
def test_words_numbers_dates_and_ids_are_known_at_first_sight(text: str, is_one: bool) -> None:
    assert is_everyday(text) is is_one


@pytest.mark.parametrize(
    "text", ["", "short", "word " * 200, "9b2c4d6e-1f2a-4b3c-8d4e-5f6a7b8c9d0e 2026-11-22T13:00:00Z " * 30]
)
def test_everyday_text_is_not_searched(text: str) -> None:
    assert not TABLE.may_be_in(looked_at(text))
    assert not [shape.name for shape in TABLE.likely(text) if shape.hints]


@pytest.mark.parametrize("around", ["", " word" * 200])
@pytest.mark.parametrize("digits", ["A" * 90, "4b1d" + "0" * 38])
def test_digits_are_no_credential_however_long_the_text(digits: str, around: str) -> None:
    text = digits + around
    assert all(shape.replaced(text, lambda _found: "hidden") == text for shape in TABLE.likely(text))


@pytest.mark.parametrize("around", ["", " word" * 200])
def test_a_short_address_is_found_however_long_the_text(around: str) -> None:
    table = Shapes((OPTIONAL["emails"],))
    text = "ann@acme.org" + around
    assert table.may_be_in(table.looked_at(text))
    assert [shape.replaced(text, lambda _found: "hidden") for shape in table.likely(text)] == ["hidden" + around]


@pytest.mark.parametrize(
    ("digits", "is_one"),
    [
        ("4111111111111111", True),
        ("4111-1111-1111-1111", True),
        ("4111111111111112", False),
        ("0000000000000000", False),
        ("1111111111111117", False),
    ],
)
def test_card_numbers_pass_the_check_of_their_digits(digits: str, is_one: bool) -> None:
    assert is_card_number(digits) is is_one


def test_basic_credentials_are_a_pair() -> None:
    assert is_user_and_password("YW5uOnB3") and not is_user_and_password("c3R1ZmY=") and not is_user_and_password("x")
