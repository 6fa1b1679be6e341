"""A team's own rules for secrets: hidden wherever they hide, found by `scan`, and no matter for matching."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from replaymock.cassettes.writer import dump
from replaymock.http.messages import Exchange
from replaymock.http.origin import OriginRewriter
from replaymock.matching.matcher import Matcher
from replaymock.recording.capture import Capture
from replaymock.recording.cassette_builder import CassetteBuilder
from replaymock.recording.response_capture import RecordingPolicy
from replaymock.redaction.gitleaks.expressions import compiled
from replaymock.redaction.gitleaks.rules import GitleaksRule
from replaymock.redaction.redactor import RedactionRules, Redactor
from tests.support.hiding_places import JSON, PLACES, Secret, asking, saying, views
from tests.support.inside import put, simple
from tests.support.running import ask, cassettes, eventually, raw_backend, read_request, replaymock, reply, run
from tests.support.stored import HeldCassettes

# The first knows its secrets by their form, the second by the name beside them, the third has no keyword.
RULES = (
    GitleaksRule("acme-ticket", compiled(r"(?i)\bacme~[a-z0-9]{12}\b"), ("acme~",)),
    GitleaksRule("acme-branch", compiled(r"(?i)branch['\"\s]*[:=]\s*['\"]?([a-z0-9]{12})(?:['\"\s;&]|$)"), ("branch",)),
    GitleaksRule("acme-short", compiled(r"\bq-[0-9]{4}\b")),
)
SPELLINGS: dict[str, Callable[[int], Secret]] = {
    "form": lambda turn: Secret("note", f"acme~k3j9d8s7q2w{turn}", f"k3j9d8s7q2w{turn}"),
    "name": lambda turn: Secret("branch", f"z8x7c6v5b4n{turn}", f"z8x7c6v5b4n{turn}"),
    "short": lambda turn: Secret("note", f"q-837{turn}", f"q-837{turn}"),
}
OWN_PLACES: dict[str, Callable[[Secret], Exchange]] = {
    **PLACES,
    "path": lambda s: asking(f"/p/{s.name}={s.text}/x"),
    "header": lambda s: saying("/20", JSON, "{}", (s.name, s.text)),
    "text": lambda s: saying("/21", "text/plain", f"use {s.name}={s.text} here"),
    "key": lambda s: saying("/22", JSON, json.dumps({f"{s.name}={s.text}": 1})),
    "percent-encoding": lambda s: saying(
        "/23", JSON, json.dumps({"at": "".join(f"%{ord(letter):02X}" for letter in f"{s.name}={s.text}")})
    ),
}
# There the name is not written as the rule expects it.
APART = {"XML", "input", "list of fields"}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_a_rule_knows_is_in_no_file_and_fresh_ones_change_no_file(spelling: str) -> None:
    matcher, cassettes, seen, changed = Matcher(redactor=Redactor(RedactionRules(rules=RULES))), HeldCassettes(), [], []
    for turn in (1, 2):
        for place, told in OWN_PLACES.items():
            secret = SPELLINGS[spelling](turn)
            if spelling == "name" and place in APART:
                continue
            exchange = told(secret)
            built = CassetteBuilder(RecordingPolicy(), matcher, OriginRewriter(("http://b",))).build(
                Capture(exchange), cassettes
            )
            cassettes.put(built.file, built.cassette)
            files = dump(built.cassette, built.file)
            if any(secret.needle in views(data) for data in (built.file.encode(), *files.values())):
                seen.append(place)
            if turn == 2 and built.is_changed:
                changed.append(place)
            assert cassettes.index.find(matcher.canonical(exchange.request))
    assert (seen, changed) == ([], [])


TOML = r"""
[[rules]]
id = "acme-key"
description = "Acme's keys, as its wiki describes them"
regex = '''(?i)\bacme[_.-]?(?:key|token)['"\s]*[:=>]{1,3}['"\s]*([a-z0-9]{12})(?:['"\s;&]|\z)'''
entropy = 2.5
keywords = ["acme"]
[[rules.allowlists]]
stopwords = ["example"]

[[rules]]
id = "acme-name"
regex = '''[A-Z]+-(?=[0-9]{9})'''

[[rules]]
id = "acme-keyring"
path = '''\.ring$'''
"""
LISTED = (
    "conf/gitleaks.toml: not all of it is applied: "
    "acme-name: invalid perl operator: (?=; acme-keyring: tells of names of files only"
)


def configured(folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "conf" / "gitleaks.toml").write_text(TOML)
    (folder / "replaymock.toml").write_text('[redact]\nrules_file = "conf/gitleaks.toml"\n')


def test_a_recorder_hides_what_the_teams_file_describes_and_lists_what_it_cannot(tmp_path: Path) -> None:
    configured(tmp_path)
    body = json.dumps({"acme_key": "k3j9d8s7q2w1", "acme-key": "exampleabcde", "acme.key": "aaaaaaaaaaaa"}).encode()

    def backend(connection: object) -> None:
        read_request(connection)  # type: ignore[arg-type]
        connection.sendall(reply(body))  # type: ignore[attr-defined]

    with (
        raw_backend(backend) as upstream,
        replaymock("record", tmp_path / "c", "--upstream", upstream, "--json", cwd=tmp_path) as running,
    ):
        assert ask(running.url, "GET", "/a").body == body
        found = eventually(lambda: cassettes(tmp_path / "c"))
        assert f"warning: {LISTED}" in running.log
    (cassette,) = found.values()
    assert cassette["responses"][0]["json"] == {
        "acme_key": "{{redacted:acme-key}}",
        "acme-key": "exampleabcde",
        "acme.key": "aaaaaaaaaaaa",
    }


def test_scan_tells_of_the_teams_secrets_by_the_id_of_their_rule(tmp_path: Path) -> None:
    configured(tmp_path)
    put(tmp_path, "cassettes/a.json", simple("/a", {"ok": 1, "acme_key": "k3j9d8s7q2w1"}))
    (tmp_path / "deeper").mkdir()
    done = run("scan", str(tmp_path / "cassettes"), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "a.json:10: $.responses[0].json.acme_key: acme-key\n")
    assert done.stderr == f"warning: {LISTED}\n1 finding\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "gitleaks.toml: No such file or directory (rules_file in [redact])"),
        ({"gitleaks.toml": "rules = ["}, "gitleaks.toml: not TOML: "),
        ({"gitleaks.toml": "title = 'x'"}, "gitleaks.toml: has no rules"),
        (
            {"gitleaks.toml": "[extend]\npath = 'b.toml'"},
            "b.toml: No such file or directory (extended by gitleaks.toml)",
        ),
        ({"gitleaks.toml": "[extend]\npath = 'gitleaks.toml'"}, "gitleaks.toml extends gitleaks.toml"),
    ],
)
def test_a_file_that_is_none_is_told_with_its_name(tmp_path: Path, files: dict[str, str], said: str) -> None:
    put(tmp_path, "cassettes/a.json", "{}")
    (tmp_path / "replaymock.toml").write_text('[redact]\nrules_file = "gitleaks.toml"\n')
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = run("scan", cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr


def test_rules_without_the_package_that_runs_them_end_the_command_and_name_the_extra(tmp_path: Path) -> None:
    configured(tmp_path)
    put(tmp_path, "cassettes/a.json", "{}")
    put(tmp_path, "missing/re2.py", "raise ImportError")
    done = run("scan", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "missing")})
    assert (done.returncode, done.stdout) == (2, "")
    assert "rules_file in [redact] needs the package google-re2" in done.stderr
    assert 'pip install "replaymock[gitleaks]"' in done.stderr
