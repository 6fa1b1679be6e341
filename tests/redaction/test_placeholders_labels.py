"""What stands in the place of a secret."""

from replaymock.redaction.placeholders import (
    ANONYMOUS,
    OpaqueJwts,
    anonymous,
    is_of_answer,
    nameable,
    opaque_jwts,
    unnumbered,
)


def test_a_whole_label_says_what_the_other_says_and_is_made_once() -> None:
    label = opaque_jwts(lambda name, value: f"{name}={value}")
    assert isinstance(label, OpaqueJwts) and opaque_jwts(label) is label and opaque_jwts(anonymous) is anonymous
    assert label("a", "b") == "a=b"


def test_an_unnumbered_label_tells_the_other_of_each_secret() -> None:
    told = []
    assert unnumbered(lambda name, value: str(told.append((name, value))))("a", "b") == ANONYMOUS
    assert told == [("a", "b")]


def test_a_placeholder_says_a_name_in_small_letters_without_what_ends_it() -> None:
    assert nameable("X-Api-Key") == "x-api-key" and nameable("a b:{1}") == "a_b__1_"


def test_a_label_of_a_request_or_for_comparing_is_none_of_an_answer() -> None:
    label = unnumbered(anonymous)
    assert is_of_answer(label) and not is_of_answer(opaque_jwts(label)) and not is_of_answer(anonymous)
