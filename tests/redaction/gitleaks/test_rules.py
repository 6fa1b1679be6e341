"""A team's own rules, applied to texts."""

from typing import Any

import pytest

from replaymock.redaction.gitleaks.expressions import compiled
from replaymock.redaction.gitleaks.rules import Allowlist, GitleaksRule, RuleSet, entropy

SECRET = "qX7vT2mZ9kLp4RwB"


def rule(expression: str, **more: Any) -> GitleaksRule:
    return GitleaksRule("acme", compiled(expression), **more)


def hide(_secret: str, name: str) -> str:
    return f"{{{{redacted:{name}}}}}"


@pytest.mark.parametrize(
    ("expression", "more", "text", "hidden"),
    [
        (r"acme_\w+", {}, "a acme_12 b", "a {{redacted:acme}} b"),
        (r"acme_(\w+)", {}, "acme_12", "acme_{{redacted:acme}}"),
        (r"acme_(x)?(\w+)", {}, "acme_12", "acme_{{redacted:acme}}"),
        (r"(acme)_(\w+)", {"group": 2}, "acme_12", "acme_{{redacted:acme}}"),
        (r"acme_(x)?12", {"group": 1}, "acme_12", "acme_12"),
        (r"\s*acme_12\s*", {}, "a\nacme_12\nb", "a\n{{redacted:acme}}\nb"),
        (r"acme_\w+", {"keywords": ("acme",)}, "ACME acme_12", "ACME {{redacted:acme}}"),
        (r"\w+", {"keywords": ("acme",)}, "b", "b"),
        (r"k=(\w+)", {"entropy": 3.5}, "k=aaaaaaaabbbbbbbb", "k=aaaaaaaabbbbbbbb"),
        (r"k=(\w+)", {"entropy": 3.5}, f"k={SECRET}", "k={{redacted:acme}}"),
        (r"k=([\w{}:]+)", {}, "k={{redacted:other:2}}", "k={{redacted:other:2}}"),
        (r"k=\W*(\w+)", {}, "k={{redacted}}", "k={{redacted}}"),
        (r"/k/(\w+)", {}, "/k/%7B%7Bredacted%7D%7D", "/k/%7B%7Bredacted%7D%7D"),
        (r"[Kk]%7B%7B(\w+)", {}, "k%7B%7Bredacted%3Aa%7D%7D", "k%7B%7Bredacted%3Aa%7D%7D"),
    ],
)
def test_a_rule_finds_the_part_that_is_secret(expression: str, more: Any, text: str, hidden: str) -> None:
    once = RuleSet([rule(expression, **more)]).hidden(text, hide)
    assert once == hidden
    assert RuleSet([rule(expression, **more)]).hidden(once, hide) == once


def some(*expressions: str, **more: Any) -> Allowlist:
    return Allowlist(tuple(map(compiled, expressions)), **more)


@pytest.mark.parametrize(
    ("allowance", "is_allowed"),
    [
        (some("^abc$"), True),
        (some("key"), False),
        (some("key", target="match"), True),
        (some("test", target="match"), False),
        (some("^test: key=abc;$", target="line"), True),
        (some("other", target="line"), False),
        (some(words=("b",)), True),
        (some(words=("x",)), False),
        (some("x", words=("b",)), True),
        (some("x", words=("b",), all_of=True), False),
        (some("b", words=("b",), all_of=True), True),
        (some(), False),
    ],
)
def test_an_allowlist_speaks_of_the_secret_the_match_or_the_line(allowance: Allowlist, is_allowed: bool) -> None:
    text = "other\ntest: key=abc;\nother"
    found = RuleSet([rule(r"key=(\w+)", allowed=(allowance,))]).hidden(text, hide)
    assert (found == text) is is_allowed


@pytest.mark.parametrize(
    ("expression", "value", "hidden"),
    [
        (r"acme_key['\"]?\s*[:=]\s*['\"]?(\w+)", "abc", "{{redacted:acme}}"),
        (r"acme_key=(\w+)", "abc", "{{redacted:acme}}"),
        (r"acme_key: (\w+)", "abc", "{{redacted:acme}}"),
        (r"acme_key\": \"\w+\"", "abc", "{{redacted:acme}}"),
        (r"acme_key", "abc", "abc"),
        (r"acme_key\W+(\w+)", "", ""),
    ],
)
def test_a_value_is_shown_to_a_rule_beside_its_name(expression: str, value: str, hidden: str) -> None:
    assert RuleSet([rule(expression)]).beside("acme_key", value, hide) == hidden


def test_json_without_a_keyword_is_passed_over() -> None:
    team = RuleSet([rule(r"acme_\w+", keywords=("acme", "a/b"))])
    assert team.may_be_in('{"a":"ACME"}') and team.may_be_in('{"a":"a\\/b"}') and team.may_be_in('{"a":"%61cme"}')
    assert not team.may_be_in('{"a":"b"}')
    assert RuleSet([rule("x")]).may_be_in("{}") and not RuleSet([]).may_be_in("{}")


def test_entropy_is_in_bits_for_each_character() -> None:
    assert (entropy("aaaa"), entropy("abab"), entropy("abcd")) == (0, 1, 2)
