"""Expressions as Go writes them mean here what they mean to Go, or are refused."""

import sys

import pytest

from replaymock.errors import UsageError
from replaymock.redaction.gitleaks.expressions import Inapplicable, compiled, searchable


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
        (r"\p{Greek}+", "αβ", "ab"),
        (r"[[:^alpha:]]", "1", "a"),
        (r"(?i)k", "\u212a", "x"),
        (r"(?U)a+b", "aab", "ba"),
        (r"()|\(", "(", ")"),
    ],
)
def test_it_means_here_what_it_means_to_go(expression: str, fits: str, fits_not: str) -> None:
    assert fits_whole(expression, fits)
    assert not fits_whole(expression, fits_not)


def fits_whole(expression: str, text: str) -> bool:
    return compiled(f"\\A(?:{expression})\\z").search(text) is not None


def test_groups_keep_their_numbers() -> None:
    expression = compiled(r"(?i)key=(?:(a)(?-i)|(b))(?i)(c)")
    (found,) = expression.finditer("KEY=bC")
    assert (expression.groups, [found.group(number) for number in range(4)]) == (3, ["KEY=bC", None, "b", "C"])


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (r"a(?=b)", "invalid perl operator: (?="),
        (r"(a)\1", "invalid escape sequence: \\1"),
        (r"[a", "missing ]: [a"),
        (r"a)", "unexpected ): a)"),
        (r"(a", "missing ): (a"),
        (r"a**", "bad repetition operator: **"),
        (r"a{1001}", "invalid repetition size: {1001}"),
        ("a\\", "trailing \\"),
        (r"\pL{900}\pL{900}", "too large"),
    ],
)
def test_what_re2_does_not_take_is_refused_with_the_reason(
    expression: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Inapplicable) as caught:
        compiled(expression)
    assert reason in str(caught.value)
    assert capfd.readouterr().err == ""


def test_places_are_counted_in_characters() -> None:
    text = "é😀 key=ß漢; key=x"
    assert [match.span(1) for match in compiled(r"key=(\pL+)").finditer(text)] == [(7, 9), (15, 16)]
    assert [match.span() for match in compiled(r"é*").finditer("aéé😀")] == [(0, 0), (1, 3), (3, 3), (4, 4)]


def test_halves_of_characters_can_be_searched() -> None:
    text = "\ud800 key=é"
    (match,) = compiled(r"key=(\pL)").finditer(searchable(text))
    assert text[slice(*match.span(1))] == "é"
    assert searchable("plain") == "plain"


def test_an_expression_that_would_never_end_ends() -> None:
    assert compiled(r"(a+)+b").search("a" * 1_000_000) is None


def test_without_the_package_it_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(UsageError, match=r'pip install "replaymock\[gitleaks\]"'):
        compiled("a")
