"""The tree of errors."""

import inspect

import pytest

from replaymock import errors
from replaymock.errors import CassetteError, ReplaymockError, RequestRefused, UpstreamError, UsageError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_one_of_ours_and_drawn_in_the_docstring(kind: type) -> None:
    assert issubclass(kind, ReplaymockError)
    assert kind.__name__ in (errors.__doc__ or "")


def test_a_cassette_error_says_file_line_and_column() -> None:
    error = CassetteError("a/GET.json", 3, 7, "not JSON")
    assert str(error) == "a/GET.json:3:7: not JSON"
    assert (error.file, error.line, error.column, error.reason) == ("a/GET.json", 3, 7, "not JSON")


def test_an_upstream_error_is_answered_like_a_refusal() -> None:
    error = UpstreamError(504, "upstream_timeout", "sent nothing")
    assert isinstance(error, RequestRefused)
    assert (error.status, error.code, error.detail, str(error)) == (
        504,
        "upstream_timeout",
        "sent nothing",
        "sent nothing",
    )


def test_a_usage_error_says_what_it_was_told() -> None:
    assert str(UsageError("use --port 0")) == "use --port 0"
