"""A placeholder stands for any telling value at its place."""

import pytest

from replaymock.matching.canonical import Canonical
from replaymock.matching.redacted_match import covers, covers_text, is_masked, view_of

MASK = "{{redacted}}"
PATH = "/a/%7B%7Bredacted%7D%7D"


@pytest.mark.parametrize(
    ("stored", "live", "same"),
    [
        (Canonical("GET", PATH), Canonical("GET", "/a/hunter2abc"), True),
        (Canonical("GET", PATH), Canonical("GET", "/a/17"), False),
        (Canonical("GET", PATH), Canonical("GET", "/a/hunter2abc/b"), False),
        (Canonical("GET", "/a"), Canonical("GET", "/b"), False),
        (
            Canonical("GET", "/a", (("x", MASK), ("x", "1"))),
            Canonical("GET", "/a", (("x", "1"), ("x", "hunter2abc"))),
            True,
        ),
        (Canonical("GET", "/a", (("x", MASK),)), Canonical("GET", "/a", (("y", "hunter2abc"),)), False),
        (Canonical("GET", "/a", (("x", MASK),)), Canonical("GET", "/a", (("x", "hunter2abc"), ("y", "1"))), False),
        (
            Canonical("P", "/", kind="json", body={"a": [MASK, 1]}),
            Canonical("P", "/", kind="json", body={"a": ["hunter2abc", 1]}),
            True,
        ),
        (
            Canonical("P", "/", kind="json", body={"a": f"is {MASK}!"}),
            Canonical("P", "/", kind="json", body={"a": "is hunter2abc!"}),
            True,
        ),
        (
            Canonical("P", "/", kind="json", body=[MASK, 1]),
            Canonical("P", "/", kind="json", body=["hunter2abc", True]),
            False,
        ),
        (
            Canonical("P", "/", kind="json", body=[MASK]),
            Canonical("P", "/", kind="json", body=["hunter2abc", 2]),
            False,
        ),
        (
            Canonical("P", "/", kind="form", body=(("a", MASK),)),
            Canonical("P", "/", kind="form", body=(("a", "hunter2abc"),)),
            True,
        ),
        (
            Canonical("P", "/", kind="form", body=(("a", MASK),)),
            Canonical("P", "/", kind="json", body={"a": "hunter2abc"}),
            False,
        ),
        (
            Canonical("P", "/", kind="bytes", body="1", text=f"<a>{MASK}</a>"),
            Canonical("P", "/", kind="bytes", body="2", text="<a>hunter2abc</a>"),
            True,
        ),
        (Canonical("P", "/", kind="bytes", body="1"), Canonical("P", "/", kind="bytes", body="2"), False),
    ],
)
def test_a_live_request_is_the_stored_one_but_for_telling_values(
    stored: Canonical, live: Canonical, same: bool
) -> None:
    assert covers(stored, live) is same


def test_one_that_is_covered_has_the_same_elsewhere() -> None:
    stored = Canonical("GET", f"{PATH}/b", (("page", "2"), ("q", MASK)))
    view = view_of(stored)
    same, other = (Canonical("GET", "/a/hunter2abc/b", (("page", page), ("q", "x1y2z3ab"))) for page in "23")
    assert covers(stored, same) and view.of(stored) == view.of(same) != view.of(other)


def test_what_is_masked_holds_a_placeholder_somewhere() -> None:
    assert is_masked(Canonical("GET", PATH)) and is_masked(Canonical("P", "/", kind="json", body={"a": [MASK]}))
    assert not is_masked(Canonical("GET", "/a", (("x", "1"),)))
    assert is_masked(Canonical("POST", "/", kind="bytes", body="1", text=f"is {MASK}"))


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
    assert covers_text(stored, live) is same


def test_texts_that_differ_at_their_end_are_told_apart_in_time() -> None:
    stored = f'{{"a":"{MASK}"' * 2000 + "!"
    assert not covers_text(stored, '{"a":"hunter2abc"' * 2000 + "?!")
    assert covers_text(stored, '{"a":"hunter2abc"' * 2000 + "!")
