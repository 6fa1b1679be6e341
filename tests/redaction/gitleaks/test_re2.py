"""Expressions as Go writes them mean the same to Python, or are refused."""

import pytest

from replaymock.redaction.gitleaks.re2 import Untranslatable, compiled


@pytest.mark.parametrize(
    ("expression", "fits", "fits_not"),
    [
        (r"(?i)acme-[a-z]{4}", "ACME-abCD", "acm-abcd"),
        (r"acme-(?i)[a-z]{4}", "acme-ABcd", "ACME-abcd"),
        (r"x(?:acme-(?i)k|l)-z", "xL-z", "xL-Z"),
        (r"a(?i)b|c", "C", "AB"),
        (r"(?i)a(?-i)b", "Ab", "AB"),
        (r"(?i:ab)c", "ABc", "ABC"),
        (r"(?i)(?:(?-i:[Ee]tsy|ETSY))-k", "Etsy-K", "eTSY-k"),
        (r"a(?s).b", "a\nb", "a"),
        (r"a\z", "a", "a\n"),
        (r"a$", "a", "a\n"),
        (r"(?m)a$\nb", "a\nb", "a"),
        (r"(?i-s)a.", "A.", "A\n"),
        (r"\Qa.b*\E+", "a.b**", "axb*"),
        (r"\x{1F600}[\x{41}\x42]", "😀B", "😀C"),
        (r"[[:alnum:]_]+", "aZ9_", "-"),
        (r"[^[:space:][:punct:]]+", "ab", "a-"),
        (r"[[:^digit:]]", "x", "1"),
        (r"[]a]+", "]a", "b"),
        (r"[^]a]", "b", "]"),
        (r"[[&&|~]+", "[&|~", "a"),
        (r"[+--]+", "+,-", "."),
        (r"(?<key>a+)(?P<more>b)", "aab", "b"),
        (r"a{,2}", "a{,2}", "aa"),
        (r"^\${(?:[A-Z_]+)}$", "${A}", "$A"),
        (r"\w\d\b", "a1", "é1"),
        (r"()|\(", "(", ")"),
    ],
)
def test_it_means_to_python_what_it_means_to_go(expression: str, fits: str, fits_not: str) -> None:
    assert compiled(expression).fullmatch(fits)
    assert not compiled(expression).fullmatch(fits_not)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (r"\p{Greek}+", r"\p is not known"),
        (r"[\PL]", r"\P is not known"),
        (r"(?U)a+", "(?U) is not known"),
        (r"[[:^alpha:]]", "[:^alpha:] is not known"),
        (r"\C", r"\C is not known"),
        (r"[a", "has no end"),
        (r"a)", "unbalanced"),
        (r"(a", "missing )"),
        (r"a**", "multiple repeat"),
        (r"a{99999999999}", "too large"),
        ("a\\", "bad escape"),
    ],
)
def test_what_python_has_no_word_for_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        compiled(expression)
    assert reason in str(caught.value)


def test_groups_keep_their_numbers() -> None:
    found = compiled(r"(?i)key=(?:(a)(?-i)|(b))(?i)(c)").search("KEY=bC")
    assert found and found.groups() == (None, "b", "C")
