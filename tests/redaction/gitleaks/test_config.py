"""A configuration of gitleaks, read."""

import pytest

from replaymock.errors import UsageError
from replaymock.redaction.gitleaks import config

WHOLE = r"""
title = "the team's"
minVersion = "v8.25.0"

[extend]
useDefault = true
disabledRules = ["generic-api-key"]

[[allowlists]]
description = "of all rules"
stopwords = ["EXAMPLE"]
[[allowlists]]
targetRules = ["acme-token"]
regexes = ['''^tok_test''']

[[rules]]
id = "acme-key"
description = "Found a key of Acme."
regex = '''(?i)\bacme[_-]key\b["'\s]*[:=]["'\s]*(ak_(?-i)[a-z0-9]{16})(?:["'\s;]|\z)'''
secretGroup = 1
entropy = 3
keywords = ["Acme"]
tags = ["acme"]
[rules.allowlist]
regexTarget = "match"
regexes = ['''ACME_KEY=''']

[[rules]]
id = "acme-token"
regex = '''tok_[[:alnum:]]{8}'''
[[rules.allowlists]]
condition = "AND"
paths = ['''docs/''']
stopwords = ["00"]
"""


def rules(text: str) -> config.CompiledRules:
    return config.applied(config.parse(text, "gitleaks.toml"))


def test_a_file_gives_rules_with_what_they_leave_alone() -> None:
    found = rules(WHOLE)
    key, token = found.rules
    assert (key.name, key.group, key.entropy, key.keywords) == ("acme-key", 1, 3.0, ("acme",))
    (said,) = key.expression.finditer('ACME_KEY: "ak_0123456789abcdef"')
    assert said.group(1) == "ak_0123456789abcdef"
    assert [(allowance.target, allowance.words) for allowance in key.allowed] == [
        ("match", ()),
        ("secret", ("example",)),
    ]
    assert [len(allowance.expressions) for allowance in token.allowed] == [0, 1]
    assert found.notes == ()


def test_what_cannot_be_applied_is_listed_with_its_reason_and_the_rest_is_applied() -> None:
    text = r"""
    [[rules]]
    id = "before"
    regex = '''a(?=b)'''
    [[rules]]
    id = "file"
    path = '''\.p12$'''
    [[rules]]
    id = "generic-api-key"
    [[rules.allowlists]]
    regexes = ['''x''']
    [[rules]]
    id = "part"
    regex = '''x'''
    skipReport = true
    [[rules]]
    id = "group"
    regex = '''(a)'''
    secretGroup = 2
    [[rules]]
    id = "fine one"
    regex = '''x'''
    keywords = ['"x"']
    [[rules.allowlists]]
    regexes = ['''(a)\1''']
    """
    found = rules(text)
    (fine,) = found.rules
    assert (fine.name, fine.keywords) == ("fine_one", ())
    assert config.warning("g.toml", found.notes) == (
        "g.toml: not all of it is applied: before: invalid perl operator: (?=; file: tells of names of files only; "
        "generic-api-key: has no regex; part: only serves other rules (skipReport); "
        "group: secretGroup is 2, and the regex has 1; fine one: an allowlist: invalid escape sequence: \\1"
    )


def test_a_file_adds_to_what_it_extends_and_changes_it() -> None:
    below = config.parse(
        "[[rules]]\nid='a'\nregex='a'\nkeywords=['k']\n[[rules]]\nid='b'\nregex='b'\n[allowlist]\nstopwords=['s']",
        "below",
    )
    above = config.parse(
        "[extend]\npath='below'\ndisabledRules=['b']\n[[rules]]\nid='a'\nregex='c'\nkeywords=['l']\n[[rules]]\nid='d'\nregex='d'",
        "above",
    )
    found = config.applied(config.extended(below, above)).rules
    assert [(rule.name, rule.expression.pattern, rule.keywords) for rule in found] == [
        ("a", "c", ("k", "l")),
        ("d", "d", ()),
    ]
    assert all(rule.allowed[0].words == ("s",) for rule in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a =\nb", "g.toml: not TOML: Invalid value (at line 1, column 4)"),
        ("title = 'x'", "g.toml: has no rules; write each as [[rules]] with an id and a regex"),
        ("\n[rules]\nid = 'x'", "g.toml:2: write rules as [[rules]], with two brackets"),
        ("rules = [1]", "g.toml:1: write rules as [[rules]]"),
        ("[[rules]]\nid='a'\nregex='a'\n[[rules]]\nregex='x'", "g.toml:4: rule 2 has no id"),
        ("[[rules]]\nid = 'a'\nregex = 3", "g.toml:2: a: regex must be a string"),
        ("[[rules]]\nid = 'a'\nregex = 'a'\nentropy = true", "g.toml:2: a: entropy must be a number"),
        ("[[rules]]\nid = 'a'\nregex = 'a'\nkeywords = 'x'", "g.toml:2: a: keywords must be a list of strings"),
        ("[[rules]]\nid = 'a'\nregex = 'a'\n[rules.allowlist]\nregexes = 'x'", "a: regexes must be a list of strings"),
        ("[[rules]]\nid = 'a'\nallowlist = 3", "g.toml:2: a: allowlist must be a table"),
        ("[allowlist]\nstopwords = [1]", "g.toml:1: allowlist: stopwords must be a list of strings"),
        ("extend = 'x'", "g.toml:1: extend must be a table"),
        ("[extend]\npath = 1", "g.toml:2: path must be a string"),
        ("[extend]\ndisabledRules = 'a'", "g.toml:1: extend: disabledRules must be a list of strings"),
    ],
)
def test_what_is_no_such_file_is_an_error_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        config.parse(text, "g.toml")
    assert said in str(caught.value)
