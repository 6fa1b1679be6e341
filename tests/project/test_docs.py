"""The pages under docs/ say only what is so: their examples load, their options exist, their links lead somewhere."""

import json
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from replaymock.cassettes.schema import json_schema
from replaymock.cli import cli
from replaymock.config.options import OPTIONS
from replaymock.redaction import secret_names
from replaymock.redaction.credential_patterns import CREDENTIALS
from tests.support.documents import ROOT, examples
from tests.support.option_rows import PAGE, with_rows
from tests.support.running import run

PAGES = [
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))),
]
CASSETTES = [example for example in examples("docs/cassettes.md", "json") if example.file]
RULED, RULES = examples("docs/secrets.md", "toml")
CONFIGURATIONS = [*examples("docs/configuration.md", "toml"), *examples("docs/matching.md", "toml")]
SCHEMA = json.loads((ROOT / "replaymock/cassette.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every cassette of the page in the file it is shown in, with an image for those that name one."""
    root = tmp_path_factory.mktemp("docs")
    for example in CASSETTES:
        place = root / example.file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(example.text, encoding="utf-8")
    (root / "cassettes/logo.png/GET.body.png").write_bytes(b"\x89PNG")
    return root


def test_every_cassette_of_the_page_names_its_file() -> None:
    assert len(CASSETTES) == len(examples("docs/cassettes.md", "json")) > 10


def test_every_cassette_of_the_page_loads(folder: Path) -> None:
    checked = run("check", "cassettes", cwd=folder)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_every_cassette_of_the_page_keeps_its_secrets(folder: Path) -> None:
    assert run("scan", "cassettes", cwd=folder).returncode == 0


@pytest.mark.parametrize(
    "example", [each for each in CASSETTES if '"request"' in each.text], ids=lambda each: each.file
)
def test_a_cassette_of_the_page_fits_the_schema(example: object) -> None:
    jsonschema.validate(json.loads(example.text), SCHEMA)  # type: ignore[attr-defined]


def test_the_schema_refuses_an_unknown_field() -> None:
    wrong = {"request": {"path": "/", "verb": "GET"}, "responses": [{}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)


def test_the_shipped_schema_is_the_one_the_types_give() -> None:
    text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert (ROOT / "replaymock/cassette.schema.json").read_text(encoding="utf-8") == text


def test_every_field_of_the_format_is_on_the_page() -> None:
    text = (ROOT / "docs/cassettes.md").read_text(encoding="utf-8")
    fields = {name for shape in json_schema()["$defs"].values() for name in shape["properties"]}
    assert {name for name in fields if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("example", CONFIGURATIONS, ids=lambda each: each.text.splitlines()[0])
def test_a_configuration_of_the_pages_is_taken(example: object, tmp_path: Path) -> None:
    text = example.text  # type: ignore[attr-defined]
    name = "pyproject.toml" if "[tool.replaymock]" in text else "replaymock.toml"
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "gitleaks.toml").write_text(RULES.text, encoding="utf-8")
    (tmp_path / "cassettes").mkdir()
    checked = run("check", "cassettes", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "warning" not in checked.stderr


def test_the_rule_of_the_page_finds_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "replaymock.toml").write_text(RULED.text, encoding="utf-8")
    (tmp_path / ".gitleaks.toml").write_text(RULES.text, encoding="utf-8")
    key = "k3j9d8s7q2w1z8x7c6v5b4n3"
    request = {"path": "/", "query": {"acme_key": key}}
    body = {"acme_key": key[::-1], "acme-key": "example7q2w1z8x7c6v5b4n3"}
    answer = {"headers": {"acme-key": key}, "json": body}
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "cassettes/GET.json").write_text(json.dumps({"request": request, "responses": [answer]}))
    found = json.loads(run("scan", "--json", cwd=tmp_path).stdout)
    places = ["$.request.query.acme_key", '$.responses[0].headers["acme-key"]', "$.responses[0].json.acme_key"]
    assert [(each["place"], each["kind"]) for each in found] == [(place, "acme-key") for place in places]


def test_every_option_of_record_and_replay_is_listed_with_its_variable_and_its_key() -> None:
    rows = _rows()
    for option in _options("record", "replay"):
        flag = option.opts[0] if option.opts[0].startswith("--") else option.opts[-1]
        key = flag[2:].replace("-", "_")
        _, variable, listed, *_ = rows[flag]
        entry = next(each for each in OPTIONS if each.name == option.name)
        assert variable == f"`{entry.variable}`", flag
        assert listed == (f"`{key}`" if entry.table is not None else ""), flag


def test_the_tables_of_options_on_the_page_are_those_of_the_program() -> None:
    """To write them anew: REPLAYMOCK_RENEW_GOLDEN=1 scripts/test tests/project/test_docs.py."""
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("REPLAYMOCK_RENEW_GOLDEN"):
        PAGE.write_text(with_rows(page), encoding="utf-8")
    else:
        assert page == with_rows(page)


def test_every_flag_of_every_command_is_on_the_page_and_no_other() -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text.replace("#events-of---json", "")))
    flags = {flag for option in _options(*cli.commands) for flag in [*option.opts, *option.secondary_opts]}
    assert listed == {flag for flag in flags if flag.startswith("--")}


def test_the_defaults_on_the_page_are_those_of_the_options() -> None:
    rows = _rows()
    shown = {flag: row[3].strip("`") for flag, row in rows.items()}
    for option in _options("record", "replay"):
        if isinstance(option.default, str | int | float) and option.default and not option.is_flag:
            assert shown[option.opts[0]] == f"{option.default}".removesuffix(".0")


@pytest.mark.parametrize("page", PAGES)
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    place = ROOT / page
    for target in re.findall(r"\]\(([^)\s]+)\)", place.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        found = place.parent / file if file else place
        assert found.exists(), target
        assert not anchor or anchor in _anchors(found), target


def test_every_promise_of_the_security_page_names_tests_that_exist() -> None:
    rows = [line for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines() if "`tests/" in line]
    named = {name for row in rows for name in re.findall(r"`(tests/[\w/]+\.py)`", row)}
    promises = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("## What is promised")[2]
    promises = promises.partition("## What is not promised")[0]
    told = [line for line in promises.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert told == rows
    assert [name for name in sorted(named) if "def test_" not in (ROOT / name).read_text(encoding="utf-8")] == []


def _options(*commands: str) -> Iterator[click.Option]:
    for name in commands:
        yield from (each for each in cli.commands[name].params if isinstance(each, click.Option))


def _rows() -> dict[str, list[str]]:
    """The rows of the tables of options with a variable, by long flag."""
    lines = (ROOT / "docs/configuration.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `--")]
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    return {re.findall(r"--[a-z0-9-]+", row[0])[0]: row for row in cells}


def _anchors(page: Path) -> set[str]:
    """The anchors a forge gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("if it is one of these", secret_names.SECRET_NAMES),
        ("if it ends with one of these", secret_names.SECRET_ENDINGS),
        ("From the public formats", [shape.name for shape in CREDENTIALS]),
    ],
)
def test_the_tables_of_secrets_are_written_out(before: str, words: Collection[str]) -> None:
    text = (ROOT / "docs/secrets.md").read_text(encoding="utf-8")
    quoted = re.search(r"(?:> .*\n)+", text[text.index(before) :])
    assert quoted and sorted(re.findall(r"`([^`]+)`", quoted.group())) == sorted(words)


def test_the_hooks_of_the_page_and_of_the_repository_are_commands(tmp_path: Path) -> None:
    (page,) = examples("docs/secrets.md", "yaml")
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    (tmp_path / "cassettes").mkdir()
    for text in (page.text, hooks):
        found = dict(
            re.findall(r"- id: (\S+)\n\s+name: .*\n(?:\s+description: .*\n)?\s+entry: replaymock (\w+)\n", text)
        )
        assert found == {"replaymock-scan": "scan", "replaymock-check": "check"}
        assert text.count("pass_filenames: false\n") == len(found)
    assert [run(command, cwd=tmp_path).returncode for command in ("scan", "check")] == [0, 0]
