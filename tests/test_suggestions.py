"""Which names are suggested in the place of a mistyped one."""

from replaymock.suggestions import most_alike


def test_the_most_alike_comes_first_and_what_is_not_alike_does_not_come() -> None:
    assert most_alike("cassete", ["port", "cassettes", "cassette"], 2) == ["cassette", "cassettes"]
    assert most_alike("x", ["cassettes"]) == []
