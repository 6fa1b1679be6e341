"""A name and its value are seen however loose text says them."""

import re

import pytest

from replaymock.redaction.loose_text import redact_assignments
from tests.support.growth import grows_in_proportion


def hidden(match: re.Match[str]) -> str:
    before, name, between, value = match.groups()
    return match.group() if name != "password" else f"{before}{name}{between}#{len(value)}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"password": "S1"', '{"password": "#2"'),
        ('{"password": 12', '{"password": #2'),
        ('"{\\"password\\": \\"S1\\"}"', '"{\\"password\\": \\"#2\\"}"'),
        ("{a: 1, password: 'S1'}", "{a: 1, password: '#2'}"),
        (
            "{&quot;a&quot;:1,&quot;password&quot;: &quot;S&amp;1&quot;}",
            "{&quot;a&quot;:1,&quot;password&quot;: &quot;#7&quot;}",
        ),
        ('password = "S1"', 'password = "#2"'),
        ('var password="S1";', 'var password="#2";'),
        ("<a><password>S1</password></a>", "<a><password>#2</password></a>"),
        ("a: 1\npassword: tr0ub4dor\n", "a: 1\npassword: #9\n"),
        ("A=1\nexport password=tr0ub4dor&3\r\n", "A=1\nexport password=#11\r\n"),
        ("a\npassword: Bearer tr0ub4dor\n", "a\npassword: Bearer #9\n"),
        ("INFO bad password=tr0ub4dor given", "INFO bad password=#9 given"),
        ("mysql -u a --password=tr0ub4dor x", "mysql -u a --password=#9 x"),
        ("curl -H 'password: Bearer tr0ub4dor' x", "curl -H 'password: Bearer #9' x"),
        ("curl -H 'password: Bearer {{redacted:2}}' x", "curl -H 'password: Bearer {{redacted:2}}' x"),
        # Words for people, schemas and code say nothing secret.
        ("password: invalid1", "password: invalid1"),
        ("a:\n  password: string\n", "a:\n  password: string\n"),
        ("a\npassword: must have 8 letters\n", "a\npassword: must have 8 letters\n"),
        ("a\n password=${PASSWORD_1}\n", "a\n password=${PASSWORD_1}\n"),
    ],
)
def test_a_value_is_found_beside_its_name(text: str, shown: str) -> None:
    assert redact_assignments(text, hidden) == shown


PIECES = [
    "password=",
    "password: ",
    "a=1 ",
    'var password="',
    "\n- export a: ",
    "1 ",
    "a\n",
    "a",
    "<a ",
    "<a>b",
    '"aa":"',
]
PIECES += ["aa:'", '\\"aa\\":\\"a', "\\"]


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_text_takes_no_longer_than_it_is(piece: str) -> None:
    assert grows_in_proportion(lambda text: redact_assignments("\n" + text, hidden), piece)
