"""Requests, responses and exchanges as values."""

import dataclasses

import pytest

from replaymock.http.messages import OFFLOAD_BYTES, Request, should_offload
from tests.support.factories import a_request, an_exchange


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [("/", "/", ""), ("/a?b=c", "/a", "b=c"), ("/a?", "/a", ""), ("/a?b?c", "/a", "b?c"), ("//x", "//x", "")],
)
def test_a_target_is_a_path_and_a_query(target: str, path: str, query: str) -> None:
    request = a_request(target=target)
    assert (request.path, request.query) == (path, query)


def test_values_are_equal_by_content_and_cannot_be_changed() -> None:
    assert a_request() == a_request() != a_request("POST")
    assert hash(an_exchange()) == hash(an_exchange())
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_request().method = "PUT"  # type: ignore[misc]


def test_a_request_needs_no_more_than_method_and_target() -> None:
    assert Request("GET", "/") == Request("GET", "/", (), b"")


@pytest.mark.parametrize(
    ("size", "coding", "large"),
    [(OFFLOAD_BYTES, "", False), (OFFLOAD_BYTES + 1, "", True), (9000, "gzip", True), (5000, "br", False)],
)
def test_a_body_that_is_coded_may_be_large_once_it_is_decoded(size: int, coding: str, large: bool) -> None:
    headers = (("Content-Encoding", coding),) if coding else ()
    assert should_offload(Request("POST", "/", headers, b"x" * size)) is large
