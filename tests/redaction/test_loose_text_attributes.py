"""Secrets in attributes."""

import re

import pytest

from replaymock.redaction.loose_text import redact_attributes
from tests.support.growth import grows_in_proportion


def changed(match: re.Match[str]) -> str:
    before, name, between, value = match.groups()
    return f"{before}{name}{between}{'#' if 'password' in name else value}"


def hidden(_value: str, name: str) -> str:
    return f"#{name}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('<a data-password="S" id="x">', '<a data-password="#" id="x">'),
        ("<a password = 'S' b=c>", "<a password = '#' b=c>"),
        ('<input value="S" name="pin">', '<input value="#pin" name="pin">'),
        ("<meta property=token content=S>", "<meta property=token content=#token>"),
        ('<input type="submit" name="pin" value="Go">', '<input type="submit" name="pin" value="Go">'),
        ("a < b password='S'", "a < b password='S'"),
    ],
)
def test_an_attribute_is_secret_by_its_name_or_by_the_one_beside_it(text: str, shown: str) -> None:
    assert redact_attributes(text, changed, hidden) == shown


@pytest.mark.parametrize("piece", ["a", "a-", " a", "a=", 'a="', "a='b", " value = ", "<a "])
def test_a_tag_takes_no_longer_than_in_proportion_to_its_length(piece: str) -> None:
    assert grows_in_proportion(lambda text: redact_attributes(f"<password {text}>", changed, hidden), piece)
