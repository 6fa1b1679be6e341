"""Selectors, and requests without what they name."""

from typing import Any

import pytest

from replaymock.http.selectors import parse_selector
from replaymock.matching.canonical import IGNORES, CanonicalRequest, apply_ignores
from replaymock.matching.rules import IGNORE_KINDS

REQUEST = CanonicalRequest("POST", "/a/", (("_", "1"), ("page", "2"), ("utm_x", None)), (("accept", "x"),), "json")
VALUE = {"meta": {"id": 1, "at": 2}, "tags": ["a", "b", "c"], "items": [{"n": 1, "id": 2}, {"n": 3, "id": 4}]}


def without(text: str, request: CanonicalRequest) -> CanonicalRequest:
    return apply_ignores([parse_selector(text, IGNORE_KINDS, "here")], request)


@pytest.mark.parametrize(
    ("selector", "left"),
    [
        ("query:_", ["page", "utm_x"]),
        ("query:utm_*", ["_", "page"]),
        ("query:absent", ["_", "page", "utm_x"]),
        ("query", []),
        ("query:*", []),
    ],
)
def test_query_parameters_are_ignored_by_name_or_pattern(selector: str, left: list[str]) -> None:
    assert [name for name, _ in without(selector, REQUEST).query] == left


@pytest.mark.parametrize(
    ("selector", "left"),
    [
        ("json:$.meta.id", {**VALUE, "meta": {"at": 2}}),
        ("json:$.meta", {"tags": VALUE["tags"], "items": VALUE["items"]}),
        ("json:$.tags[0]", {**VALUE, "tags": ["b", "c"]}),
        ("json:$.tags[*]", {**VALUE, "tags": []}),
        ("json:$..id", {"meta": {"at": 2}, "tags": VALUE["tags"], "items": [{"n": 1}, {"n": 3}]}),
        ("json:$.items[*].n", {**VALUE, "items": [{"id": 2}, {"id": 4}]}),
        ("json:$.absent", VALUE),
        ("json:$", None),
        ("json:$..*", {}),
    ],
)
def test_json_values_are_ignored_by_path(selector: str, left: Any) -> None:
    request = CanonicalRequest("POST", "/", kind="json", body=VALUE)
    assert without(selector, request).body == left
    assert request.body == VALUE


@pytest.mark.parametrize("kind", ["form", "multipart"])
def test_form_fields_are_ignored_by_name(kind: str) -> None:
    request = CanonicalRequest("POST", "/", kind=kind, body=(("nonce", "1"), ("user", "ann")))
    assert without("form:nonce", request).body == (("user", "ann"),)


def test_the_other_kinds_take_out_what_they_say() -> None:
    assert without("header:Accept", REQUEST).headers == ()
    assert without("body", REQUEST).kind == ""
    assert without("trailing-slash", REQUEST).path == "/a"
    assert without("trailing-slash", CanonicalRequest("GET", "/")).path == "/"


def test_a_selector_of_another_kind_of_body_changes_nothing() -> None:
    for kind in ("form:a", "json:$.a"):
        assert without(kind, CanonicalRequest("POST", "/", kind="bytes", body="00")).body == "00"


def test_the_table_has_a_function_for_every_kind() -> None:
    assert set(IGNORES) == set(IGNORE_KINDS)
