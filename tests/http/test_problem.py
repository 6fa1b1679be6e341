"""Own errors as problem documents."""

import json
from typing import Any

import pytest

from replaymock.errors import RequestRefused
from replaymock.http import problem
from replaymock.http.cors import CorsPolicy
from replaymock.http.rendered import RenderedResponse
from replaymock.matching.config_location import ConfigLocation
from replaymock.matching.index import Index
from replaymock.matching.matcher import Matcher
from replaymock.matching.near_misses import Miss, explain
from replaymock.replay import miss_response
from tests.support.factories import a_request
from tests.support.indexes import index_of


def read(answer: RenderedResponse) -> dict[str, Any]:
    assert b"Content-Type: application/problem+json; charset=utf-8\r\n" in answer.head
    document: dict[str, Any] = json.loads(answer.body)
    return document


def a_miss() -> Miss:
    return explain(Matcher().canonical(a_request("GET", "/x?a=1")), Index(), ())


def test_a_problem_says_what_happened_for_people_and_programs() -> None:
    document = read(problem.problem(508, "loop_detected", "led back here", (("X", "1"),), more=[1]))
    assert document == {
        "type": "about:blank",
        "title": "Loop Detected",
        "status": 508,
        "code": "loop_detected",
        "detail": "led back here",
        "more": [1],
    }


def test_a_status_without_a_name_is_an_error_all_the_same() -> None:
    answer = problem.problem(599, "odd", "odd", ())
    assert answer.head.startswith(b"HTTP/1.1 599 Error\r\n")


@pytest.mark.parametrize(("echoed", "allowed"), [("", b"*"), ("http://localhost:3000", b"http://localhost:3000")])
def test_a_refusal_can_be_read_by_a_page(echoed: str, allowed: bytes) -> None:
    answer = problem.rejection(RequestRefused(413, "body_too_large", "too large"), CorsPolicy(), echoed)
    assert b"Access-Control-Allow-Origin: " + allowed + b"\r\n" in answer.head
    assert b"Cache-Status: replaymock; detail=body_too_large\r\n" in answer.head
    assert read(answer)["code"] == "body_too_large"


def test_a_miss_is_answered_with_its_reason_and_what_to_do() -> None:
    answer = miss_response.miss_response(a_miss(), 404, CorsPolicy(), "")
    document = read(answer)
    assert (document["status"], document["code"], document["reason"], document["nearest"]) == (
        404,
        "no_match",
        "never recorded",
        [],
    )
    assert document["detail"].startswith("no cassette matches GET /x: never recorded. Record it (")
    assert b"Cache-Status: replaymock; fwd=uri-miss\r\n" in answer.head


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ('ignore = ["query:a"]', 'To make it hit, put this line at the top of replaymock.toml: ignore = ["query:a"]'),
        ('sequence = "auto"', 'To make it hit, put this line at the top of replaymock.toml: sequence = "auto"'),
        ("record it", "Record it."),
    ],
)
def test_advice_is_a_sentence(hint: str, said: str) -> None:
    assert miss_response.advice(Miss(a_miss().request, "x", (), hint)) == said


def test_advice_names_the_configuration_that_is_in_force() -> None:
    home = ConfigLocation("pyproject.toml", "tool.replaymock")
    miss = Miss(a_miss().request, "x", (), "ignore = []").with_location(home)
    assert (
        miss_response.advice(miss)
        == "To make it hit, put this line under [tool.replaymock] in pyproject.toml: ignore = []"
    )
    again = Miss(a_miss().request, "x", (), "ignore = []", replaces_line=True, location=home)
    assert miss_response.advice(again) == "To make it hit, replace the ignore line of pyproject.toml by: ignore = []"
    assert (
        read(miss_response.miss_response(miss, 404, CorsPolicy(), ""))["where"]
        == "under [tool.replaymock] in pyproject.toml"
    )


@pytest.mark.parametrize(
    ("came", "begins"),
    [
        ("/x?page=2", "To make it hit, put"),
        ("/x?page=2&a=1&_=7", "To make it hit, put"),
        ("/x?page=3&a=1", "If that matters, record it ("),
        ("/x?page=2&a=1/", "If that matters"),
    ],
)
def test_another_value_may_matter_and_one_too_many_hardly_does(came: str, begins: str) -> None:
    found = explain(Matcher().canonical(a_request("GET", came)), index_of(a_request("GET", "/x?page=2&a=1")), ())
    assert miss_response.advice(found).startswith(begins)


def test_a_fault_is_told_by_its_kind_and_place_and_never_in_its_own_words() -> None:
    with pytest.raises(KeyError) as failed:
        raise KeyError("s3cr3t")
    description = problem.fault(failed.value)
    assert description.startswith("a fault in replaymock: KeyError at test_problem.py:")
    assert "s3cr3t" not in description
