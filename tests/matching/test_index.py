"""Which cassette answers a request."""

import pytest

from replaymock.cassettes.model import Cassette, CassetteRequest
from replaymock.http.bodies import Json
from replaymock.http.messages import Request
from replaymock.matching.index import Index, IndexEntry, entry_for
from replaymock.matching.matcher import Matcher
from tests.support import strategies
from tests.support.factories import a_cassette, a_request, recorded

MATCHER = Matcher()


def an_entry(file: str, cassette: Cassette, *, is_plain: bool = False) -> IndexEntry:
    return entry_for(file, cassette, MATCHER, is_plain=is_plain)


def found(index: Index, request: Request) -> str | None:
    entry = index.find(MATCHER.canonical(request))
    return entry and entry.file


INDEX = Index(
    [
        an_entry("exact", a_cassette("/users/me")),
        an_entry("mock.json", a_cassette("/api/1"), is_plain=True),
        an_entry("recorded", a_cassette("/api/1")),
        an_entry("only-mock.json", a_cassette("/api/2"), is_plain=True),
        an_entry("user", a_cassette("/users/{id}")),
        an_entry("users", a_cassette("/users/**")),
        an_entry("all", a_cassette("/**")),
        an_entry("head", a_cassette("/headed", method="HEAD")),
        an_entry("got", a_cassette("/headed")),
        an_entry("query", Cassette(CassetteRequest("GET", "/q/{id}", (("a", "1"),)), (recorded(),))),
        an_entry("no-query", Cassette(CassetteRequest("GET", "/q/{id}", ()), (recorded(),))),
        an_entry(
            "body",
            Cassette(CassetteRequest("POST", "/b/*", None, strategies.JSON_TYPE, Json(b'{"a":1}')), (recorded(),)),
        ),
        an_entry("any-body", a_cassette("/b/**", method="POST")),
    ]
)


@pytest.mark.parametrize(
    ("method", "target", "file"),
    [
        ("GET", "/users/me", "exact"),
        ("GET", "/users/7", "user"),
        ("GET", "/users/7/orders", "users"),
        ("GET", "/users", "users"),
        ("GET", "/elsewhere", "all"),
        ("GET", "/api/1", "recorded"),
        ("GET", "/api/1?page=2", "mock.json"),
        ("GET", "/api/2?page=2", "only-mock.json"),
        ("HEAD", "/api/2", "only-mock.json"),
        ("HEAD", "/users/7", "user"),
        ("HEAD", "/headed", "head"),
        ("POST", "/users/me", None),
        ("GET", "/q/7?a=1", "query"),
        ("GET", "/q/7?a=2", "all"),
        ("GET", "/q/7", "no-query"),
        ("GET", "/users/me?x=1", "user"),
    ],
)
def test_exact_beats_plain_beats_template_and_longer_beats_shorter(method: str, target: str, file: str | None) -> None:
    assert found(INDEX, a_request(method, target)) == file


@pytest.mark.parametrize(("body", "file"), [(b'{ "a": 1.0 }', "body"), (b'{"a":2}', "any-body")])
def test_a_template_speaks_of_a_body_only_where_its_file_does(body: bytes, file: str) -> None:
    assert found(INDEX, a_request("POST", "/b/7", strategies.JSON_TYPE, body)) == file


def test_the_first_of_two_equal_cassettes_answers() -> None:
    index = Index([an_entry("a", a_cassette("/x")), an_entry("b", a_cassette("/x"))])
    assert found(index, a_request("GET", "/x")) == "a"
    assert len(index) == 2


def test_adding_replaces_the_entry_of_the_same_file() -> None:
    index = Index([an_entry("a", a_cassette("/x"))])
    index.add(an_entry("a", a_cassette("/y")))
    assert found(index, a_request("GET", "/x")) is None
    assert found(index, a_request("GET", "/y")) == "a"
    assert len(index) == 1
    assert list(index.at_path("/x")) == []


def test_a_template_can_be_replaced_too() -> None:
    index = Index([an_entry("a", a_cassette("/x/{id}")), an_entry("b", a_cassette("/p"), is_plain=True)])
    index.add(an_entry("a", a_cassette("/y/{id}")))
    index.add(an_entry("b", a_cassette("/q"), is_plain=True))
    assert [found(index, a_request("GET", path)) for path in ("/x/1", "/y/1", "/p", "/q")] == [None, "a", None, "b"]


def test_entries_of_a_path_are_those_at_it_and_the_templates_over_it() -> None:
    assert [entry.file for entry in INDEX.at_path("/users/me")] == ["exact", "user", "users", "all"]
    assert "/users/me" in set(INDEX.paths())


def test_a_hand_written_post_without_a_body_takes_any_body_and_a_recorded_one_does_not() -> None:
    is_handwritten = Index([an_entry("hand", a_cassette("/a", method="POST"))])
    kept = Index([an_entry("kept", a_cassette("/a", recorded(recorded_at="2026-11-22T13:00:00Z"), method="POST"))])
    for request in (a_request("POST", "/a", (), b"x"), a_request("POST", "/a", strategies.JSON_TYPE, b'{"b": 2}')):
        assert found(is_handwritten, request) == "hand"
        assert found(kept, request) is None
    assert found(is_handwritten, a_request("POST", "/a?b=1", (), b"x")) is None
    assert found(is_handwritten, a_request("PUT", "/a", (), b"x")) is None


def test_a_hand_written_post_with_a_body_goes_before_one_without() -> None:
    body = Cassette(CassetteRequest("POST", "/a", None, strategies.JSON_TYPE, Json(b'{"a":1}')), (recorded(),))
    index = Index([an_entry("any", a_cassette("/a", method="POST")), an_entry("one", body)])
    assert found(index, a_request("POST", "/a", strategies.JSON_TYPE, b'{"a": 1}')) == "one"
    assert found(index, a_request("POST", "/a", strategies.JSON_TYPE, b'{"a": 2}')) == "any"
