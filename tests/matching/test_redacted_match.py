"""A placeholder stands for any telling value at its place."""

import pytest

from replaymock.matching.canonical import CanonicalRequest
from replaymock.matching.redacted_match import has_placeholder, matches_redacted, redacted_shape, text_matches

MASK = "{{redacted}}"
PATH = "/a/%7B%7Bredacted%7D%7D"


@pytest.mark.parametrize(
    ("stored", "live", "same"),
    [
        (CanonicalRequest("GET", PATH), CanonicalRequest("GET", "/a/hunter2abc"), True),
        (CanonicalRequest("GET", PATH), CanonicalRequest("GET", "/a/17"), False),
        (CanonicalRequest("GET", PATH), CanonicalRequest("GET", "/a/hunter2abc/b"), False),
        (CanonicalRequest("GET", "/a"), CanonicalRequest("GET", "/b"), False),
        (
            CanonicalRequest("GET", "/a", (("x", MASK), ("x", "1"))),
            CanonicalRequest("GET", "/a", (("x", "1"), ("x", "hunter2abc"))),
            True,
        ),
        (CanonicalRequest("GET", "/a", (("x", MASK),)), CanonicalRequest("GET", "/a", (("y", "hunter2abc"),)), False),
        (
            CanonicalRequest("GET", "/a", (("x", MASK),)),
            CanonicalRequest("GET", "/a", (("x", "hunter2abc"), ("y", "1"))),
            False,
        ),
        (
            CanonicalRequest("P", "/", kind="json", body={"a": [MASK, 1]}),
            CanonicalRequest("P", "/", kind="json", body={"a": ["hunter2abc", 1]}),
            True,
        ),
        (
            CanonicalRequest("P", "/", kind="json", body={"a": f"is {MASK}!"}),
            CanonicalRequest("P", "/", kind="json", body={"a": "is hunter2abc!"}),
            True,
        ),
        (
            CanonicalRequest("P", "/", kind="json", body=[MASK, 1]),
            CanonicalRequest("P", "/", kind="json", body=["hunter2abc", True]),
            False,
        ),
        (
            CanonicalRequest("P", "/", kind="json", body=[MASK]),
            CanonicalRequest("P", "/", kind="json", body=["hunter2abc", 2]),
            False,
        ),
        (
            CanonicalRequest("P", "/", kind="form", body=(("a", MASK),)),
            CanonicalRequest("P", "/", kind="form", body=(("a", "hunter2abc"),)),
            True,
        ),
        (
            CanonicalRequest("P", "/", kind="form", body=(("a", MASK),)),
            CanonicalRequest("P", "/", kind="json", body={"a": "hunter2abc"}),
            False,
        ),
        (
            CanonicalRequest("P", "/", kind="bytes", body="1", text=f"<a>{MASK}</a>"),
            CanonicalRequest("P", "/", kind="bytes", body="2", text="<a>hunter2abc</a>"),
            True,
        ),
        (CanonicalRequest("P", "/", kind="bytes", body="1"), CanonicalRequest("P", "/", kind="bytes", body="2"), False),
    ],
)
def test_a_live_request_is_the_stored_one_but_for_telling_values(
    stored: CanonicalRequest, live: CanonicalRequest, same: bool
) -> None:
    assert matches_redacted(stored, live) is same


def test_one_that_is_covered_has_the_same_elsewhere() -> None:
    stored = CanonicalRequest("GET", f"{PATH}/b", (("page", "2"), ("q", MASK)))
    view = redacted_shape(stored)
    same, other = (CanonicalRequest("GET", "/a/hunter2abc/b", (("page", page), ("q", "x1y2z3ab"))) for page in "23")
    assert matches_redacted(stored, same) and view.of(stored) == view.of(same) != view.of(other)


def test_what_is_masked_holds_a_placeholder_somewhere() -> None:
    assert has_placeholder(CanonicalRequest("GET", PATH)) and has_placeholder(
        CanonicalRequest("P", "/", kind="json", body={"a": [MASK]})
    )
    assert not has_placeholder(CanonicalRequest("GET", "/a", (("x", "1"),)))
    assert has_placeholder(CanonicalRequest("POST", "/", kind="bytes", body="1", text=f"is {MASK}"))


@pytest.mark.parametrize(
    ("stored", "live", "same"),
    [
        (f"{MASK}{MASK}", "hunter2abc", True),
        (f"a {MASK}, b {MASK}.", "a hunter2abc, b x1y2z3ab.", True),
        (f"a {MASK}, b {MASK}.", f"a hunter2abc, b {MASK}.", True),
        (f"a {MASK}, b {MASK}.", "a hunter2abc, c x1y2z3ab.", False),
        (f"a {MASK}, b {MASK}.", "a hunter2abc, b .", False),
        (f"a {MASK}-b {MASK}.", "a x1-b-y2z3-b x1y2z3ab.", True),
        (f"ab{MASK}bc", "abc", False),
        (f"{MASK} and", "two words1 and", False),
        (f"is {MASK}", "is " + "a1B2" * 65, False),
    ],
)
def test_a_placeholder_in_a_text_stands_for_one_telling_value(stored: str, live: str, same: bool) -> None:
    assert text_matches(stored, live) is same


def test_texts_that_differ_at_their_end_are_told_apart_in_time() -> None:
    stored = f'{{"a":"{MASK}"' * 2000 + "!"
    assert not text_matches(stored, '{"a":"hunter2abc"' * 2000 + "?!")
    assert text_matches(stored, '{"a":"hunter2abc"' * 2000 + "!")
