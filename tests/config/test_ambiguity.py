"""Expressions that can take for ever are known before they are used."""

import re
import time

import pytest

from replaymock.config.ambiguity import can_explode


@pytest.mark.parametrize(
    ("expression", "pump"),
    [
        (r"(a+)+b", "a"),
        (r"(a|a)*b", "a"),
        (r"(a|ab|b)*c", "ab"),
        (r"([a-z]+)*\d", "a"),
        (r"^(\w+\s?)*\.$", "a"),
        (r"(a*)*b", "a"),
        (r"(x+x+)+y", "x"),
        (r"(?i)(ab|A[Bb])*c", "ab"),
        (r"(\d+|[0-9a-f]+)*-", "1"),
        (r"(?:a+){10,}b", "a"),
        (r"((a{1,3})+)!", "a"),
        (r"(?=(a+)+b)a", "a"),
    ],
)
def test_an_expression_that_explodes_is_known(expression: str, pump: str) -> None:
    assert can_explode(expression)
    lengths = range(4, 44, 2)
    assert any(seconds(expression, pump * length) > 0.005 for length in lengths)


def seconds(expression: str, text: str) -> float:
    """The time that a text takes which nearly fits."""
    compiled, start = re.compile(expression), time.thread_time()
    compiled.match(text)
    return time.thread_time() - start


@pytest.mark.parametrize(
    "expression",
    [
        r"cust_[0-9]{6}",
        r"n=[0-9]+",
        r'nonce="[^"]*"',
        r"(a+,)+b",
        r"[a-z]+@[a-z]+\.com",
        r"(ab|cd)*x",
        r"(?:\d{3}-)+\d",
        r"(?:[a-z]+\.)+com",
        r"(\w+\s)*x",
        r"(a+)+",
        r"(?>a+)+b",
        r"(a++)+b",
        r"(a{1,3}){2}b",
    ],
)
def test_an_expression_that_does_not_is_left_in_peace(expression: str) -> None:
    assert not can_explode(expression)


def test_what_is_no_expression_is_an_error_and_what_is_too_large_to_look_at_is_not() -> None:
    with pytest.raises(re.error):
        can_explode("(")
    assert not can_explode("(" + "|".join("(a{40}){40}" for _ in range(40)) + ")*b")
