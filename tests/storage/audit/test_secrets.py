"""Secrets in a folder: where they are, and never what they say."""

import os
from pathlib import Path

import pytest

from replaymock.config.config_file import read
from replaymock.redaction.redactor import Redactor
from replaymock.storage.audit.secrets import Finding, scan
from tests.support.inside import put, simple

PLAIN = Redactor()
TOKEN = "ghp_" + "a1B2" * 9


def test_secrets_are_found_in_what_was_written_by_hand_and_never_told(tmp_path: Path) -> None:
    put(tmp_path, "a/GET.json", simple("/a", {"note": f"use {TOKEN}"}, {"password": "hunter2-x"}))
    login = {"method": "POST", "path": "/login", "json": {"password": "hunter2-x"}}
    put(
        tmp_path, "login/POST.json", {"request": login, "responses": [{"headers": {"set-cookie": "session=hunter2-x"}}]}
    )
    put(tmp_path, "mock.json", [{"api_key": "hunter2-x"}])
    found = scan(tmp_path, PLAIN)
    assert {(finding.file, finding.place) for finding in found} == {
        ("a/GET.json", "$.responses[0].json.note"),
        ("a/GET.json", "$.responses[1].json.password"),
        ("login/POST.json", "$.request.json.password"),
        ("login/POST.json", '$.responses[0].headers["set-cookie"]'),
        ("mock.json", "$[0].api_key"),
    }
    assert "hunter2" not in repr(found)
    assert TOKEN not in repr(found)


def test_what_was_redacted_is_no_secret_and_what_is_to_be_kept_neither(tmp_path: Path) -> None:
    put(tmp_path, "a.json", {"password": "{{redacted:password:2}}"})
    put(tmp_path, "b.json", {"password": "hunter2-x"})
    put(tmp_path, "c.json", {"colour": "hunter2-x"})
    assert scan(tmp_path, PLAIN) == [Finding("b.json", 2, "$.password", "password")]
    kept = read('[redact]\nkeep = ["json:$.password"]\nadd = ["json:$.colour"]', "here")
    assert [finding.file for finding in scan(tmp_path, Redactor(kept.redaction))] == ["c.json"]


def test_a_broken_file_hides_no_secret_of_another(tmp_path: Path) -> None:
    put(tmp_path, "a.json", "{")
    put(tmp_path, "b.json", {"password": "hunter2-x"})
    assert [finding.file for finding in scan(tmp_path, PLAIN)] == ["b.json"]


def test_nothing_but_files_of_the_folder_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("token=tr0ub4dor")
    folder = tmp_path / "c"
    folder.mkdir()
    os.mkfifo(folder / "GET.json")
    os.mkfifo(folder / "notes.md")
    (folder / "notes.txt").symlink_to(tmp_path / "notes.txt")
    assert scan(folder, PLAIN) == []


def test_files_that_are_no_cassettes_and_bodies_beside_them_are_searched_too(tmp_path: Path) -> None:
    put(tmp_path, "b/GET.json", f'{{\n  "reqest": 1,\n  "note": "{TOKEN}"\n}}')
    put(tmp_path, "notes.txt", f"a\nb {TOKEN}\n")
    put(tmp_path, "c/GET.json", {"request": {"path": "/c"}, "responses": [{"file": "GET.body.txt"}]})
    (tmp_path / "c" / "GET.body.txt").write_text(f"one\ntwo\n{TOKEN}\n")
    (tmp_path / "c" / "GET--left-over.body.txt").write_text(TOKEN)
    assert scan(tmp_path, PLAIN) == [
        Finding("b/GET.json", 3, "$.note", "github_token"),
        Finding("c/GET--left-over.body.txt", 1, "$", "github_token"),
        Finding("c/GET.body.txt", 3, "$", "github_token"),
        Finding("notes.txt", 2, "$", "github_token"),
    ]


def test_numbers_under_secret_names_are_told_where_they_are_until_they_are_hidden(tmp_path: Path) -> None:
    put(tmp_path, "a.json", {"id": 912345, "pin": 1234, "card": 4111111111111111, "cvc": 0, "tokens": 19})
    put(tmp_path, "notes.txt", 'then {"pin": 4321} and\n')
    cards = read('[redact]\nkinds = ["cards"]', "here")
    assert scan(tmp_path, Redactor(cards.redaction)) == [
        Finding("a.json", 3, "$.pin", "pin"),
        Finding("a.json", 4, "$.card", "card_number"),
        Finding("notes.txt", 1, "$", "pin"),
    ]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("app.js", "let password = 'abc123'"),
        (
            "a/GET.json",
            {
                "request": {"path": "/a.ts"},
                "responses": [{"headers": {"content-type": "text/plain"}, "text": "let password = 'abc123'"}],
            },
        ),
        (
            "a/GET.json",
            {
                "request": {"path": "/a"},
                "responses": [{"headers": {"content-type": "text/css"}, "text": "a{token: 'abc123'}"}],
            },
        ),
        (
            "a/GET.json",
            {
                "request": {"path": "/a"},
                "responses": [
                    {"headers": {"content-type": "text/html"}, "text": "<script>let a={token:'abc123'}</script>"}
                ],
            },
        ),
        ("a/GET.json", {"request": {"path": "/i18n/de"}, "responses": [{"json": {"password": "Kennwort"}}]}),
        ("de.json", {"password": "Kennwort"}),
    ],
)
def test_code_and_texts_are_searched_as_the_recorder_searches_them(
    tmp_path: Path, file: str, content: str | dict[str, object]
) -> None:
    put(tmp_path, file, content)
    assert scan(tmp_path, PLAIN) == []
    text = (tmp_path / file).read_text()
    (tmp_path / file).write_text(text.replace("abc123", TOKEN).replace("Kennwort", TOKEN))
    assert len(scan(tmp_path, PLAIN)) == 1
