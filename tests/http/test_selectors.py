"""Selectors: read from text, and refused with advice."""

import pytest

from replaymock.errors import UsageError
from replaymock.http.selectors import parse_selector
from replaymock.matching.rules import IGNORE_KINDS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("qurey:_", "did you mean 'query'"),
        ("zzz", "use one of"),
        ("json:$.[", "is not a JSON path"),
        ("form:", "needs a name"),
        ("json", "needs a name after the colon, as in 'json:$.meta.requestId'"),
        ("header", "needs a name"),
    ],
)
def test_a_broken_selector_is_refused_with_advice(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_selector(text, IGNORE_KINDS, "replaymock.toml:3")
    assert said in str(caught.value)
    assert str(caught.value).startswith("replaymock.toml:3: ")


@pytest.mark.parametrize(
    "text", ["query:_", "query", "json:$.a", "header:accept", "body", "trailing-slash", "form:x y"]
)
def test_a_selector_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_selector(text, IGNORE_KINDS, "here")) == text
