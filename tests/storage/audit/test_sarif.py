"""Findings as code scanners read them: what SARIF 2.1.0 and GitHub's code scanning ask for."""

import os
from pathlib import Path
from typing import Any

import pytest

from replaymock.storage.audit.sarif import sarif
from replaymock.storage.audit.secrets import Finding

ONE = Finding("a/GET.json", 2, "$.responses[0].json.b", "jwt")


def run_of(*findings: Finding, folder: Path = Path("cassettes")) -> dict[str, Any]:
    log = sarif(findings, folder)
    assert (log["$schema"], log["version"]) == ("https://json.schemastore.org/sarif-2.1.0.json", "2.1.0")
    (run,) = log["runs"]
    return dict(run)


def test_each_finding_names_its_rule_its_file_and_its_place() -> None:
    run = run_of(ONE, Finding("b.json", 1, "$", "password"), Finding("c.json", 9, "$", "jwt"))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["jwt", "password"]
    for rule in rules:
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["region"]["startLine"] >= 1
    first = run["results"][0]
    assert first["message"]["text"] == "A secret (jwt) at $.responses[0].json.b"
    assert first["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "$.responses[0].json.b"}]


def test_without_a_finding_there_is_a_run_without_results() -> None:
    assert run_of() == {"tool": {"driver": {**run_of(ONE)["tool"]["driver"], "rules": []}}, "results": []}


@pytest.mark.parametrize(
    ("folder", "file", "uri"),
    [
        ("cassettes", "a/GET.json", "cassettes/a/GET.json"),
        ("./x/../cassettes/", "GET.json", "cassettes/GET.json"),
        (".", "GET.json", "GET.json"),
        ("my mocks", "é/a b#c?d%e.json", "my%20mocks/%C3%A9/a%20b%23c%3Fd%25e.json"),
        ("a:b", "c.json", "a%3Ab/c.json"),
        ("x", os.fsdecode(b"\xff.json"), "x/%FF.json"),
    ],
)
def test_files_are_relative_references_from_the_working_directory(folder: str, file: str, uri: str) -> None:
    for place in (Path(folder), Path.cwd() / folder):
        (result,) = run_of(Finding(file, 1, "$", "jwt"), folder=place)["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_folder_elsewhere_is_named_by_a_file_uri() -> None:
    (result,) = run_of(ONE, folder=Path("/else where/c"))["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "file:///else%20where/c/a/GET.json"


def test_a_finding_stays_the_same_on_another_line_only() -> None:
    others = [
        Finding("a/GET.json", 7, ONE.place, "jwt"),
        Finding("a/GET.json", 2, ONE.place, "pin"),
        Finding("b", 2, "$", "jwt"),
    ]
    first, moved, *different = (
        result["partialFingerprints"]["fileAndPlace/v1"] for result in run_of(ONE, *others)["results"]
    )
    assert first == moved and first not in different and len(first) == 64


def test_a_message_says_names_as_they_are() -> None:
    (result,) = run_of(Finding("a", 1, '$["{0} [x](http://example.com)"]', "jwt"))["results"]
    assert result["message"]["text"] == 'A secret (jwt) at $\\["{{0}} \\[x\\](http://example.com)"\\]'
