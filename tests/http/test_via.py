"""The name in `Via`: every run has another, and all of them are known."""

import pytest

from replaymock.http.via import is_from_a_run, via, without_tags

TAG = "0123abcd"


def test_a_run_knows_the_name_it_made() -> None:
    assert via(TAG) == "1.1 replaymock-0123abcd"
    assert is_from_a_run(f"1.0 fred, {via(TAG)}")


@pytest.mark.parametrize("value", ["", "1.1 replaymock", "1.1 replaymock-0123abc", "1.1 replaymock-0123abcde"])
def test_what_only_looks_like_a_name_is_none(value: str) -> None:
    assert not is_from_a_run(value)


def test_a_body_that_repeats_it_is_the_same_in_every_run() -> None:
    body = f'{{"via": "{via(TAG)}", "other": "1.1 replaymock-0123abcdef"}}'.encode()
    assert without_tags(body) == b'{"via": "1.1 replaymock", "other": "1.1 replaymock-0123abcdef"}'
    assert without_tags(b"nothing of it") == b"nothing of it"
