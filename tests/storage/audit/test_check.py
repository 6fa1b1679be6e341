"""What check and ls find in a folder."""

from pathlib import Path

import pytest

from replaymock.config.config_file import read
from replaymock.config.settings import FileConfig
from replaymock.matching.matcher import Matcher
from replaymock.redaction.redactor import Redactor
from replaymock.storage.audit import check, secrets
from replaymock.storage.audit.check import Row
from replaymock.storage.folder import CassetteFolder
from tests.support.factories import a_cassette, recorded
from tests.support.inside import put, simple


def matcher_of(config: FileConfig) -> Matcher:
    return Matcher(config.rules, Redactor(config.redaction))


PLAIN = matcher_of(FileConfig())
TOKEN = "ghp_" + "a1B2" * 9


def test_a_folder_without_fault_has_no_findings(tmp_path: Path) -> None:
    put(tmp_path, "a/GET.json", simple("/a", 1))
    put(tmp_path, "a.json", {"plain": 1})
    put(tmp_path, "a/POST.json", simple("/a", 1, method="POST"))
    assert check.check(tmp_path, PLAIN) == []


def test_each_fault_is_one_line_by_file(tmp_path: Path) -> None:
    put(tmp_path, "b/GET.json", '{"request": {"path": "/b"},\n "responses": [{"stauts": 1}]}')
    put(tmp_path, "a.json", "{")
    put(tmp_path, "c/GET.json", {"request": {"path": "/c"}, "responses": [{"file": "gone.png"}]})
    found = check.check(tmp_path, PLAIN)
    assert [line.partition(": ")[0] for line in found] == [
        f"{tmp_path}/a.json:1:2",
        f"{tmp_path}/b/GET.json:2:27",
        f"{tmp_path}/c/GET.json:7:15",
    ]
    assert "did you mean 'status'?" in found[1]


@pytest.mark.parametrize(
    ("one", "two", "config"),
    [
        (simple("/a", 1), simple("/%61", 2), ""),
        ({"request": {"path": "/a", "query": {"x": "1", "y": "2"}}, "responses": [{"json": 1}]},) * 2 + ("",),
        (
            {"request": {"path": "/a", "query": {"_": "1"}}, "responses": [{"json": 1}]},
            {"request": {"path": "/a", "query": {"_": "2"}}, "responses": [{"json": 1}]},
            'ignore = ["query:_"]',
        ),
    ],
)
def test_a_cassette_that_is_never_served_is_told_with_the_one_that_is(
    tmp_path: Path, one: object, two: object, config: str
) -> None:
    put(tmp_path, "a/GET--1.json", one)
    put(tmp_path, "a/GET--2.json", two)
    (found,) = check.check(tmp_path, matcher_of(read(config, "here")))
    assert found.startswith(f"{tmp_path}/a/GET--2.json:1:1: answers the same request as a/GET--1.json")


def test_a_rule_that_is_not_configured_makes_no_doubles(tmp_path: Path) -> None:
    for number in (1, 2):
        query = {"_": str(number)}
        put(tmp_path, f"a/GET--{number}.json", {"request": {"path": "/a", "query": query}, "responses": [{"json": 1}]})
    assert check.check(tmp_path, PLAIN) == []


def test_the_table_is_ordered_by_path_and_method_and_sums_the_bodies(tmp_path: Path) -> None:
    store = CassetteFolder(tmp_path)
    store.save("b/POST.json", a_cassette("/b", recorded(b"[1]", 201), method="POST"))
    store.save("b/GET.json", a_cassette("/b", recorded(b"[1]"), recorded(b"[12]", 404)))
    store.save("b/PUT.json", a_cassette("/b", recorded(b"\x00" * 500, headers=()), method="PUT"))
    put(tmp_path, "z/GET--by-hand.json", {"request": {"path": "/a"}, "responses": [{"text": "[]"}]})
    put(tmp_path, "broken.json", "{")
    assert check.rows(tmp_path) == [
        Row("GET", "/a", (200,), 2, "z/GET--by-hand.json"),
        Row("GET", "/b", (200, 404), 7, "b/GET.json"),
        Row("POST", "/b", (201,), 3, "b/POST.json"),
        Row("PUT", "/b", (200,), 500, "b/PUT.json"),
    ]
    assert check.rows(tmp_path)[1].to_json() == {
        "method": "GET",
        "path": "/b",
        "statuses": [200, 404],
        "size": 7,
        "sequence": 2,
        "file": "b/GET.json",
    }


def test_looking_changes_nothing(tmp_path: Path) -> None:
    put(tmp_path, "a.json", {"password": "hunter2-x"})
    put(tmp_path, ".replaymock-1-left.json", "")
    before = {found: found.stat().st_mtime_ns for found in [tmp_path, *tmp_path.rglob("*")]}
    check.check(tmp_path, PLAIN)
    secrets.scan(tmp_path, Redactor())
    check.rows(tmp_path)
    assert {found: found.stat().st_mtime_ns for found in [tmp_path, *tmp_path.rglob("*")]} == before


def test_a_template_as_other_tools_write_it_is_told_with_the_way_to_write_it_here(tmp_path: Path) -> None:
    put(tmp_path, "GET--user.json", simple("/users/:id/posts", 1))
    put(tmp_path, "GET--verb.json", simple("/v1/items:search", 1))
    put(tmp_path, "GET--time.json", simple("/at/:12:30", 1))
    put(tmp_path, "GET--recorded.json", simple("/users/:name", 1, recorded_at="2026-11-22T13:00:00Z"))
    (found,) = check.check(tmp_path, PLAIN)
    assert found.startswith(f"{tmp_path}/GET--user.json:1:1: path '/users/:id/posts' is taken literally; write {{id}}")


def test_what_is_served_but_hardly_as_it_was_meant_is_told(tmp_path: Path) -> None:
    put(tmp_path, "api/POST.json", simple("/api", 1, method="post"))
    put(tmp_path, "api/get.json", simple("/api", 1))
    put(tmp_path, "api/POST--own.json", simple("/api", 1, method="own"))
    put(tmp_path, "api/log.json", {"request": "GET /", "responses": 7})
    assert [found.removeprefix(f"{tmp_path}/") for found in check.check(tmp_path, PLAIN)] == [
        "api/POST.json:1:1: method 'post' is taken literally; write POST",
        "api/get.json:1:1: is a plain mock, served as it stands at /api/get; to be a cassette it needs a name such as "
        "GET.json",
    ]


def test_files_that_are_not_served_are_named_and_sidecars_and_hidden_ones_are_not(tmp_path: Path) -> None:
    responses = [{"file": "../images/a.png"}, {"file": "GET.2.body.txt"}]
    put(tmp_path, "x/GET.json", {"request": {"path": "/x"}, "responses": responses})
    for name in ("images/a.png", "x/GET.2.body.txt", "a.json", ".gitattributes", ".git/config"):
        put(tmp_path, name, "1")
    assert check.unserved(tmp_path) == []
    for name in ("a.JSON", "x/y.html", "z.yaml"):
        put(tmp_path, name, "1")
    assert check.unserved(tmp_path) == ["a.JSON", "x/y.html", "z.yaml"]


def test_a_request_that_nests_without_end_is_a_finding_or_fine_and_hides_no_other(tmp_path: Path) -> None:
    for depth in (300, 600, 900, 5000):
        nested = "[" * depth + "]" * depth
        request = f'{{"method": "POST", "path": "/{depth}", "json": {nested}}}'
        put(tmp_path, f"POST--{depth}.json", f'{{"request": {request}, "responses": [{{}}]}}')
    put(tmp_path, "z.json", "{")
    found = check.check(tmp_path, PLAIN)
    assert "not JSON" in found[-1]
    assert all("nested too deeply" in line for line in found[:-1])
    assert any("POST--5000.json" in line for line in found)
