"""Parameters of URLs in a text."""

import pytest

from replaymock.redaction.loose_text import readable_placeholder, redact_url_parameters


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("see /a?b=1&amp;t=x?y;z#c=3;d=4 e=5", "see /a?<b=1>&amp;<t=x?y;z!>#<c=3>;<d=4> e=5"),
        ("b=1", "<b=1>"),
        ("/a?b", "/a?b"),
        ('"/a?t="', '"/a?<t=!>"'),
    ],
)
def test_a_parameter_is_changed_where_it_stands(text: str, changed: str) -> None:
    mark = lambda item, runs_on: f"<{item}{'!' if runs_on else ''}>"  # noqa: E731 - short
    assert redact_url_parameters(text, lambda name: name == "t", mark) == changed


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        ("a=%7B%7Bredacted%7D%7D", "a={{redacted}}"),
        ("a=%7B%7Bredacted%3Ab%3A2%7D%7D", "a={{redacted:b:2}}"),
        ("a=%7Bx%7D", "a=%7Bx%7D"),
        ("a=b", "a=b"),
        ("%7B%7Bredacted%7D%7D", "%7B%7Bredacted%7D%7D"),
    ],
)
def test_a_placeholder_is_readable_however_a_client_sent_it(item: str, shown: str) -> None:
    assert readable_placeholder(item) == shown
