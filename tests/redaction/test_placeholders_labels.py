"""What stands in the place of a secret."""

from replaymock.redaction.placeholders import (
    ANONYMOUS,
    OpaqueJwts,
    anonymous,
    is_for_response,
    opaque_jwts,
    placeholder_name,
    without_ordinals,
)


def test_a_whole_label_says_what_the_other_says_and_is_made_once() -> None:
    label = opaque_jwts(lambda name, value: f"{name}={value}")
    assert isinstance(label, OpaqueJwts) and opaque_jwts(label) is label and opaque_jwts(anonymous) is anonymous
    assert label("a", "b") == "a=b"


def test_an_unnumbered_label_tells_the_other_of_each_secret() -> None:
    labelled = []
    assert without_ordinals(lambda name, value: str(labelled.append((name, value))))("a", "b") == ANONYMOUS
    assert labelled == [("a", "b")]


def test_a_placeholder_says_a_name_in_small_letters_without_what_ends_it() -> None:
    assert placeholder_name("X-Api-Key") == "x-api-key" and placeholder_name("a b:{1}") == "a_b__1_"


def test_a_label_of_a_request_or_for_comparing_is_none_of_an_answer() -> None:
    label = without_ordinals(anonymous)
    assert is_for_response(label) and not is_for_response(opaque_jwts(label)) and not is_for_response(anonymous)
