"""The command line: help, exit codes, and what is printed where."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from replaymock import __version__
from tests.running import run
from tests.strategies import SECRETS

FAULTY = {
    "good/GET.json": '{"request": {"path": "/good"}, "responses": [{"json": {"a": 1}}, {"status": 404, "text": "gone"}]}',
    "mock.json": '{"items": []}',
    "bad/GET.json": '{"request": {"path": "/bad"},\n "responses": [{"stauts": 200}]}',
}


def folder_of(place: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return place


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A folder with a cassette of two responses, a plain mock, and a broken cassette."""
    return folder_of(tmp_path / "cassettes", FAULTY)


@pytest.fixture
def fine(tmp_path: Path) -> Path:
    """The same folder without the broken one."""
    return folder_of(tmp_path / "cassettes", {name: text for name, text in FAULTY.items() if name != "bad/GET.json"})


@pytest.mark.parametrize("line", [["--help"], ["record", "--help"], ["replay", "--help"], ["demo", "-h"], ["ls", "-h"]])
def test_help_loads_neither_tornado_nor_httpx(line: list[str]) -> None:
    script = (
        "import sys, atexit\nfrom replaymock.cli import main\n"
        "atexit.register(lambda: print('LOADED', *[name for name in ('tornado', 'httpx') if name in sys.modules]))\n"
        f"sys.argv[1:] = {line!r}\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0
    assert "Usage" in done.stdout
    assert done.stdout.rstrip().endswith("LOADED")


def test_help_names_every_command_and_the_exit_codes() -> None:
    shown = run("--help").stdout
    for word in ("record", "replay", "demo", "check", "scan", "ls", "Exit codes: 0 fine, 1 findings, 2 usage"):
        assert word in shown


def test_help_shows_every_default_and_no_markup() -> None:
    shown = run("replay", "--help").stdout
    assert "8081" in shown and "Replaymock-Session" in shown and "[bold]" not in shown
    assert "\x1b" not in shown


def test_the_version_is_the_packages() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"replaymock {__version__}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["replay", "--nonsense"], "--nonsense"),
        (["replay", "--prot", "1"], "--port"),
        (["nonsense"], "nonsense"),
        (["replay", "--port", "x"], "--port"),
        (["replay", "--port", "70000"], "70000"),
        (["replay", "--sequence", "wild"], "wild"),
        (["record"], "record needs a backend: --upstream https://api.example.com"),
        (["record", "--upstream", "api.example.com"], "write a whole URL"),
        (["record", "--upstream", "http://h", "--mode", "append"], "append"),
        (["replay", "--latency", "soon"], "--latency 'soon'"),
        (["replay", "--cassettes", "nowhere"], "there is no folder nowhere"),
        (["check", "nowhere"], "there is no folder nowhere"),
        (["replay", "--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_a_line_that_cannot_work_exits_with_2_and_says_why_on_stderr(line: list[str], said: str, tmp_path: Path) -> None:
    done = run(*line, cwd=tmp_path)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_an_unknown_key_in_a_file_exits_with_2_and_names_the_nearest(tmp_path: Path) -> None:
    folder_of(tmp_path, {"replaymock.toml": "\nprot = 8081\n", "cassettes/a.json": "1"})
    done = run("replay", cwd=tmp_path)
    assert done.returncode == 2
    assert "replaymock.toml:2: unknown key 'prot'; did you mean 'port'?" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_given_to_each_shell(shell: str) -> None:
    done = run(env={"_REPLAYMOCK_COMPLETE": f"{shell}_source"})
    assert done.returncode == 0
    assert "_REPLAYMOCK_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("words", "found"),
    [("replaymock re", {"record", "replay"}), ("replaymock replay --seq", {"--sequence"}), ("replaymock replay --sequence l", {"loop", "last"})],
)
def test_completion_completes(words: str, found: set[str]) -> None:
    env = {"_REPLAYMOCK_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = run(env=env)
    assert {line.split(",")[1] for line in done.stdout.split()} == found


def test_check_prints_faults_on_stdout_and_exits_with_1(faulty: Path) -> None:
    done = run("check", str(faulty))
    assert done.returncode == 1
    assert done.stdout == f"{faulty}/bad/GET.json:2:27: unknown field 'stauts'; did you mean 'status'?\n"
    assert done.stderr == "1 findings\n"


def test_check_is_content_with_a_good_folder(fine: Path) -> None:
    done = run("check", str(fine))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "every cassette is fine\n")


def test_check_tells_of_two_cassettes_for_one_request(fine: Path) -> None:
    folder_of(fine, {"good/GET--again.json": FAULTY["good/GET.json"]})
    done = run("check", str(fine))
    assert done.returncode == 1
    assert "answers the same request as good/GET--again.json, which is served instead" in done.stdout


def test_ls_prints_a_table(fine: Path) -> None:
    done = run("ls", str(fine))
    assert done.returncode == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in done.stdout.splitlines()]
    assert rows == [
        ["method", "path", "status", "bytes", "sequence", "file"],
        ["GET", "/good", "200, 404", "11", "2", "good/GET.json"],
        ["GET", "/mock", "200", "13", "1", "mock.json"],
    ]


def test_ls_prints_json(fine: Path) -> None:
    done = run("ls", str(fine), "--json")
    assert json.loads(done.stdout)[0] == {
        "method": "GET",
        "path": "/good",
        "statuses": [200, 404],
        "size": 11,
        "sequence": 2,
        "file": "good/GET.json",
    }


@pytest.mark.parametrize("as_json", [False, True])
def test_scan_names_file_place_and_kind_but_never_the_value(fine: Path, as_json: bool) -> None:
    folder_of(fine, {"me/GET.json": json.dumps({"request": {"path": "/me"}, "responses": [{"json": {"a": SECRETS[2]}}]})})
    done = run("scan", str(fine), *(["--json"] if as_json else []))
    assert done.returncode == 1
    assert SECRETS[2] not in done.stdout + done.stderr
    if as_json:
        assert json.loads(done.stdout) == [{"file": "me/GET.json", "place": "responses[0]", "kind": "github_token"}]
    else:
        assert done.stdout == "me/GET.json: responses[0]: github_token\n"


def test_scan_is_content_with_a_folder_without_secrets(fine: Path) -> None:
    done = run("scan", str(fine))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no secrets found\n")


def test_the_folder_of_a_configuration_is_looked_at(fine: Path) -> None:
    fine.rename(fine.parent / "mocks")
    folder_of(fine.parent, {"replaymock.toml": 'cassettes = "mocks"\n'})
    (fine.parent / "below").mkdir()
    done = run("ls", cwd=fine.parent / "below")
    assert "good/GET.json" in done.stdout
