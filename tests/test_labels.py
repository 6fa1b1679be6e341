"""What stands in the place of a secret."""

from replaymock.labels import ANONYMOUS, Whole, anonymous, unnumbered, whole


def test_a_whole_label_says_what_the_other_says_and_is_made_once() -> None:
    label = whole(lambda name, value: f"{name}={value}")
    assert isinstance(label, Whole) and whole(label) is label and whole(anonymous) is anonymous
    assert label("a", "b") == "a=b"


def test_an_unnumbered_label_tells_the_other_of_each_secret() -> None:
    told = []
    assert unnumbered(lambda name, value: str(told.append((name, value))))("a", "b") == ANONYMOUS
    assert told == [("a", "b")]
