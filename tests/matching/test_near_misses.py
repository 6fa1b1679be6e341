"""Why a request was not answered, and the line that makes it hit."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.cassettes import reader
from replaymock.cassettes.model import Cassette, CassetteRequest
from replaymock.config import config_file
from replaymock.http.bodies import Json
from replaymock.http.messages import Request
from replaymock.matching.index import Index, entry_for
from replaymock.matching.matcher import Matcher
from replaymock.matching.near_misses import Miss, exhausted, explain
from tests.support import strategies
from tests.support.factories import a_cassette, a_request, recorded
from tests.support.indexes import index_of


def miss(request: Request, *recorded_requests: Request) -> Miss:
    return explain(Matcher().canonical(request), index_of(*recorded_requests), ())


def hits_with(line: str, request: Request, *recorded_requests: Request) -> bool:
    config = config_file.read(line, "replaymock.toml")
    matcher = Matcher(config.rules)
    return index_of(*recorded_requests, matcher=matcher).find(matcher.canonical(request)) is not None


def get(target: str) -> Request:
    return a_request("GET", target)


def post(body: Any, target: str = "/x") -> Request:
    return a_request("POST", target, strategies.JSON_TYPE, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("request_", "recorded_requests", "reason", "hint"),
    [
        (get("/x?a=2"), [get("/x?a=1")], "query differs", 'ignore = ["query:a"]'),
        (get("/x?a=1&_=3"), [get("/x?a=1")], "query differs", 'ignore = ["query:_"]'),
        (get("/x/"), [get("/x")], "trailing slash", 'ignore = ["trailing-slash"]'),
        (get("/x"), [get("/x/")], "trailing slash", 'ignore = ["trailing-slash"]'),
        (post({"a": 1, "id": 2}), [post({"a": 1, "id": 3})], "body differs", 'ignore = ["json:$.id"]'),
        (post({"m": {"id": 2}}), [post({"m": {"id": 3}})], "body differs", 'ignore = ["json:$.m.id"]'),
        (post([1, 2]), [post([1])], "body differs", 'ignore = ["body"]'),
        (
            a_request("POST", "/x", strategies.FORM_TYPE, b"a=1"),
            [a_request("POST", "/x", strategies.FORM_TYPE, b"a=2")],
            "body differs",
            'ignore = ["form:a"]',
        ),
        (a_request("POST", "/x", (), b"b"), [a_request("POST", "/x", (), b"a")], "body differs", 'ignore = ["body"]'),
    ],
)
def test_the_nearest_cassette_gives_reason_and_hint(
    request_: Request, recorded_requests: list[Request], reason: str, hint: str
) -> None:
    explained = miss(request_, *recorded_requests)
    assert (explained.reason, explained.hint) == (reason, hint)
    assert hits_with(explained.hint, request_, *recorded_requests)


def test_another_method_is_said() -> None:
    explained = miss(a_request("DELETE", "/x"), get("/x"), post({}))
    assert explained.reason == "other method"
    assert explained.hint.startswith(
        "recorded is GET and POST: send that, or record DELETE too, or write x/DELETE.json: {"
    )


def test_what_was_never_recorded_is_said_with_what_to_do() -> None:
    explained = miss(get("/new"), get("/x"))
    assert explained.reason == "never recorded"
    assert "--upstream" in explained.hint and "new.json" in explained.hint


@pytest.mark.parametrize(
    "request_",
    [
        get("/"),
        get("/api//items"),
        get("/new/%7Bid%7D/?"),
        get("/new?page=2&flag&token=hidden"),
        post({"a": 1}, "/new"),
        a_request("DELETE", "/new/1"),
    ],
)
def test_the_file_that_a_hint_shows_makes_the_request_hit(request_: Request) -> None:
    matcher = Matcher()
    _, _, written = miss(request_).hint.partition(".json: ")
    cassette = reader.load("by-hand/GET.json", written.encode(), dict[str, bytes]().__getitem__)
    index = Index([entry_for("by-hand/GET.json", cassette, matcher)])
    assert index.find(matcher.canonical(request_))


@pytest.mark.parametrize("target", ["/new?tag=a&tag=b", f"/new?text={'x' * 200}"])
def test_a_file_that_takes_more_is_only_named(target: str) -> None:
    assert miss(get(target)).hint.endswith("by hand")


def test_a_file_to_write_is_told_with_its_folder() -> None:
    explained = explain(Matcher().canonical(get("/new")), Index(), (), "tests/cassettes")
    assert explained.hint.endswith("put JSON into tests/cassettes/new.json")


def test_there_are_up_to_three_nearest_and_the_nearest_is_first() -> None:
    explained = miss(get("/x?a=1&b=2&c=3"), *(get(f"/x?a={a}&b=2&c={c}") for a, c in [(9, 9), (1, 9), (8, 8), (7, 7)]))
    assert [len(near.differences) for near in explained.nearest] == [1, 2, 2]


def test_a_similar_path_is_near() -> None:
    explained = miss(get("/api/itmes"), get("/api/items"), get("/other"))
    assert [near.entry.canonical.path for near in explained.nearest] == ["/api/items"]


def test_rules_that_are_there_already_stay_in_the_hint() -> None:
    matcher = Matcher(config_file.read('ignore = ["query:_"]', "x").rules)
    explained = explain(matcher.canonical(get("/x?a=2&_=1")), index_of(get("/x?a=1"), matcher=matcher), ("query:_",))
    assert explained.hint == 'ignore = ["query:_", "query:a"]'


def test_an_exhausted_sequence_is_explained() -> None:
    entry = entry_for("x/GET.json", a_cassette("/x"), Matcher())
    explained = exhausted(Matcher().canonical(get("/x")), entry)
    assert (explained.reason, explained.hint) == ("exhausted", 'sequence = "auto"')
    assert config_file.read(explained.hint, "x").options == {"sequence": "auto"}


def test_a_miss_is_shown_as_json_without_endless_values() -> None:
    shown = miss(post({"a": "x" * 5000}), post({"a": "y"})).to_json()
    assert len(json.dumps(shown)) < 3000
    assert shown["nearest"][0]["differences"][0]["field"] == "json:$.a"
    assert shown["nearest"][0]["file"].startswith("x/POST--")


bodies = st.one_of(
    strategies.json_bodies.map(lambda body: (strategies.JSON_TYPE, body)),
    strategies.forms.map(lambda body: (strategies.FORM_TYPE, body)),
    strategies.multiparts().map(lambda body: (strategies.MULTIPART_TYPE, body)),
    st.binary(max_size=9).map(lambda body: ((), body)),
)
twins = st.tuples(strategies.queries, bodies, st.booleans()).map(
    lambda found: a_request("POST", "/x" + "/" * found[2] + (f"?{found[0]}" if found[0] else ""), *found[1])
)


@settings(max_examples=200)
@given(twins, twins)
def test_the_hint_pasted_into_the_configuration_makes_that_request_hit(one: Request, other: Request) -> None:
    matcher = Matcher()
    index = index_of(one)
    if index.find(matcher.canonical(other)):
        return
    explained = explain(matcher.canonical(other), index, ())
    assert explained.hint.startswith("ignore = ")
    assert hits_with(explained.hint, other, one)


@given(st.text(st.characters(codec="utf-8"), max_size=6), st.text(st.characters(codec="utf-8"), max_size=6))
def test_the_hint_works_for_any_name_of_a_field(name: str, more: str) -> None:
    for one, other in [
        (post({name: {more: 1}}), post({name: {more: 2}})),
        (get("/x?" + strategies.urlencoded([(name, "1")])), get("/x?" + strategies.urlencoded([(name, "2")]))),
    ]:
        explained = miss(other, one)
        if explained.nearest[0].differences:
            assert hits_with(explained.hint, other, one), explained.hint


def test_the_hint_for_a_header_works() -> None:
    text = '[match]\nheaders = ["accept-language"]\n'
    matcher = Matcher(config_file.read(text, "x").rules)
    one, other = (a_request(headers=(("Accept-Language", language),)) for language in ("de", "fr"))
    request = CassetteRequest("GET", "/items", headers=(("accept-language", "de"),))
    entry = entry_for("a", Cassette(request, (recorded(),)), matcher)
    explained = explain(matcher.canonical(other), Index([entry]), ())
    assert (explained.reason, explained.hint) == ("header differs", 'ignore = ["header:accept-language"]')
    changed = Matcher(config_file.read(explained.hint + "\n" + text, "x").rules)
    assert changed.key(one) == changed.key(other)


@pytest.mark.parametrize("path", ["/users/{id}", "/users/**"])
def test_the_hint_works_for_a_template_that_speaks_of_a_query(path: str) -> None:
    cassette = Cassette(CassetteRequest("GET", path, (("a", "1"),)), (recorded(),))
    explained = explain(
        Matcher().canonical(get("/users/7?a=2")),
        Index([entry_for("t", cassette, Matcher())]),
        (),
    )
    changed = Matcher(config_file.read(explained.hint, "x").rules)
    index = Index([entry_for("t", cassette, changed)])
    assert explained.reason == "query differs"
    assert index.find(changed.canonical(get("/users/7?a=2"))) is not None


@pytest.mark.parametrize(
    "name",
    ["and", "or", "not", "in", "true", "null", "length", "a'b", 'a"b', "a\\b", "\x7f", "*", "a.b", "_", "$", "@"],
)
def test_the_hint_works_for_names_that_mean_something_in_a_path(name: str) -> None:
    for one, other in [
        (post({name: 1, "b": 1}), post({name: 2, "b": 1})),
        (post({name: {name: 1}}), post({name: {name: 2}})),
    ]:
        explained = miss(other, one)
        assert hits_with(explained.hint, other, one), explained.hint


def test_what_utf_8_cannot_say_is_shown_all_the_same() -> None:
    body = b'{"a":"\\ud800","\\udfff":1}'
    explained = miss(a_request("POST", "/x", strategies.JSON_TYPE, body), post({"a": "x"}))
    assert json.dumps(explained.to_json(), ensure_ascii=False).encode()
    assert hits_with(explained.hint, a_request("POST", "/x", strategies.JSON_TYPE, body), post({"a": "x"}))


def test_a_template_differs_only_in_what_it_speaks_of() -> None:
    template = CassetteRequest("POST", "/users/{id}", None, strategies.JSON_TYPE, Json(b'{"a":1}'))
    cassette = Cassette(template, (recorded(),))
    index = Index([entry_for("t", cassette, Matcher())])
    explained = explain(Matcher().canonical(post({"a": 2}, "/users/7?q=1")), index, ())
    assert (explained.reason, explained.hint) == ("body differs", 'ignore = ["json:$.a"]')
