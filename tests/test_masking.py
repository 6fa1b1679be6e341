"""A placeholder stands for any telling value at its place."""

import pytest

from replaymock.masking import covers, is_masked
from replaymock.rewrites import Canonical

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
    ],
)
def test_a_live_request_is_the_stored_one_but_for_telling_values(
    stored: Canonical, live: Canonical, same: bool
) -> None:
    assert covers(stored, live) is same


def test_what_is_masked_holds_a_placeholder_somewhere() -> None:
    assert is_masked(Canonical("GET", PATH)) and is_masked(Canonical("P", "/", kind="json", body={"a": [MASK]}))
    assert not is_masked(Canonical("GET", "/a", (("x", "1"),)))
