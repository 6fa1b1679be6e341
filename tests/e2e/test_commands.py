"""The command line: help, exit codes, and what is printed where."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from replaymock import __version__
from replaymock.cli import main
from replaymock.config.options import GROUPS, options_of
from tests.support.inside import put, simple
from tests.support.running import eventually, replaymock, run

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line in the temporary folder, inside the test: a process for each takes its time."""
    monkeypatch.chdir(tmp_path)

    def run_here(*arguments: str) -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["replaymock", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return CompletedProcess(arguments, code if isinstance(code, int) else 0, *capsys.readouterr())

    return run_here


COMMANDS = ("record", "replay", "demo", "check", "scan", "ls")


def test_help_is_quick_because_it_loads_neither_tornado_nor_httpx() -> None:
    script = (
        "import sys; from replaymock.cli import main\n"
        f"for command in {['', *COMMANDS]!r}:\n"
        "    sys.argv[1:] = [*command.split(), '--help']\n"
        "    try: main()\n"
        "    except SystemExit as ended: assert not ended.code\n"
        "print('loaded:', sorted({'tornado', 'httpx', 'watchfiles', 'asyncio'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("loaded: []\n")
    assert ended.stdout.count("Usage: replaymock") == 1 + len(COMMANDS)


def test_who_interrupts_a_start_gets_the_exit_code_of_an_interrupt(
    here: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for command, place in (
        ("ls", "replaymock.config.discovery.discover"),
        ("replay", "replaymock.telemetry.console.standard"),
    ):
        monkeypatch.setattr(place, interrupted)
        ended = here(command)
        assert (ended.returncode, ended.stdout, ended.stderr.strip()) == (130, "", "")


def test_who_interrupts_the_loading_of_a_command_gets_that_exit_code_and_no_traceback() -> None:
    script = (
        "import os, runpy, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'replaymock.cli.serve': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "runpy.run_module('replaymock', run_name='__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", script, "replay"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_help_lists_every_command_and_the_exit_codes(here: Command) -> None:
    ended = here("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    for words in (*COMMANDS, "0 fine, 1 findings, 2 usage or trouble", "_REPLAYMOCK_COMPLETE"):
        assert words in ended.stdout
    assert here("-h").stdout == ended.stdout


@pytest.mark.parametrize("command", ["record", "replay"])
def test_every_option_of_the_contract_is_in_the_help(command: str, here: Command) -> None:
    shared = "cassettes host port config json ready-file verbose quiet cors-origin no-cors session-header"
    own = {
        "record": "upstream mode header insecure ca-file client-cert client-key upstream-proxy upstream-http2 connect-timeout "
        "read-timeout only skip record-status max-body max-stream-time no-rewrite",
        "replay": "sequence latency miss-status fail-on-miss",
    }
    text = here(command, "--help").stdout
    assert [name for name in (shared + " " + own[command]).split() if f"--{name}" not in text] == []


@pytest.mark.parametrize("command", ["record", "replay"])
def test_help_on_80_columns_has_whole_words_and_the_common_options_first(command: str) -> None:
    text = run(command, "--help", env={"COLUMNS": "80", "NO_COLOR": "1"}).stdout
    words = set(text.replace("\u2502", " ").split())
    for option in options_of(command):
        wanted = {option.flag, option.short, *option.metavar.split(), *option.help.split()} - {"", "--diagnostics"}
        assert wanted <= words, option.name
    titles = [line.split("\u2500")[1].strip() for line in text.splitlines() if line.startswith("\u256d")]
    assert titles == [group for group in GROUPS if group in {option.group for option in options_of(command)}]
    assert max(map(len, text.splitlines())) <= 80


def test_the_version_is_one_line_on_stdout() -> None:
    ended = run("--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"replaymock {__version__}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_completion_script(shell: str) -> None:
    ended = run(env={"_REPLAYMOCK_COMPLETE": f"{shell}_source"})
    assert ended.returncode == 0
    assert "_REPLAYMOCK_COMPLETE" in ended.stdout
    assert ended.stderr == ""


def test_completion_offers_commands_and_options() -> None:
    def offered(words: str, position: int) -> str:
        return run(
            env={"_REPLAYMOCK_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
        ).stdout

    assert "plain,record" in offered("replaymock re", 1)
    assert "plain,--sequence" in offered("replaymock replay --seq", 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "cassettes/b/GET.json", simple("/b", [1], [2]))
    put(tmp_path, "cassettes/a.json", "[]")
    return tmp_path


def test_ls_is_a_table_or_json_on_stdout(folder: Path, here: Command) -> None:
    ended = here("ls")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert lines == [
        ["method", "path", "status", "bytes", "sequence", "file"],
        ["GET", "/a", "200", "2", "1", "a.json"],
        ["GET", "/b", "200,", "200", "6", "2", "b/GET.json"],
    ]
    (first, _) = json.loads(here("ls", "--json", "cassettes").stdout)
    assert first == {"method": "GET", "path": "/a", "statuses": [200], "size": 2, "sequence": 1, "file": "a.json"}


def test_ls_shows_names_whole_and_sends_a_terminal_nothing_to_obey(folder: Path, here: Command) -> None:
    name = f"GET--{'x' * 220}.json"
    put(folder, f"cassettes/{name}", simple("/c/\x1b[2Jc", 1))
    last = here("ls").stdout.splitlines()[-1]
    assert last.endswith(f"  {name}")
    assert "/c/\\x1b[2Jc  " in last


def test_check_says_file_line_and_column_on_stdout_and_exits_with_1(folder: Path, here: Command) -> None:
    ended = here("check")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "every cassette is fine\n")
    put(folder, "cassettes/c/GET.json", '{"request": {"path": "/c"},\n "responses": [}')
    ended = here("check")
    assert ended.returncode == 1
    assert ended.stdout.startswith("cassettes/c/GET.json:2:16: ")
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == "1 finding\n"


def test_check_notes_files_that_are_not_served_and_finds_no_fault_with_them(folder: Path, here: Command) -> None:
    put(folder, "cassettes/x.yaml", "")
    ended = here("check")
    note = "note: 1 file is not served, being no .json and no body of a cassette: 'x.yaml'"
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", f"{note}\nevery cassette is fine\n")
    for name in ("a.JSON", "b.html", "c.txt"):
        put(folder, f"cassettes/{name}", "")
    assert "note: 4 files are not served" in here("check").stderr
    assert here("check").stderr.splitlines()[0].endswith(": 'a.JSON', 'b.html', 'c.txt' and 1 more")


@pytest.mark.parametrize("text", ["[redact]\nadd = ['value:(a+)+b']", "[[rule]]\nvolatile = ['value:(a+)+b']"])
def test_an_expression_that_can_take_for_ever_is_warned_of(folder: Path, here: Command, text: str) -> None:
    put(folder, "replaymock.toml", text)
    ended = here("check")
    warning = "warning: replaymock.toml:2: 'value:(a+)+b' can take for ever on some texts, "
    assert (ended.returncode, ended.stderr.startswith(warning)) == (0, True)
    with replaymock("replay", folder / "cassettes", cwd=folder) as server:
        eventually(lambda: warning in server.log)


def test_scan_names_the_place_and_never_the_secret(folder: Path, here: Command) -> None:
    ended = here("scan")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "no secrets found\n")
    put(folder, "cassettes/s.json", {"password": "hunter2-x"})
    ended = here("scan")
    assert (ended.returncode, ended.stdout) == (1, "s.json:2: $.password: password\n")
    listed = here("scan", "--json")
    assert json.loads(listed.stdout) == [{"file": "s.json", "line": 2, "place": "$.password", "kind": "password"}]
    assert json.loads(here("scan", "--sarif").stdout)["runs"][0]["results"][0]["ruleId"] == "password"
    assert "hunter2" not in ended.stdout + ended.stderr + listed.stdout + listed.stderr


def test_files_are_looked_into_alone_and_named_as_they_were_given(folder: Path, here: Command) -> None:
    secret = {"request": {"path": "/s"}, "responses": [{"file": "GET.body.txt"}]}
    for place in ("cassettes/s", "else where"):
        put(folder, f"{place}/GET.json", secret)
        put(folder, f"{place}/GET.body.txt", "a\npassword: hunter2-x")
        put(folder, f"{place}/other.json", {"password": "hunter2-x"})
    (folder / "link.json").symlink_to(folder / "else where" / "other.json")
    for given in ("cassettes/s/GET.json", "cassettes/s/GET.body.txt", "else where/GET.json"):
        ended = here("scan", given)
        assert (ended.returncode, ended.stdout) == (1, f"{given.rpartition('/')[0]}/GET.body.txt:2: $: password\n")
    ended = here("scan", "cassettes/s/GET.json", "else where/other.json", "cassettes/s/other.json", "--sarif")
    results = json.loads(ended.stdout)["runs"][0]["results"]
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results]
    assert places == ["cassettes/s/GET.body.txt", "cassettes/s/other.json", "else%20where/other.json"]
    assert here("scan", "cassettes", "else where/other.json").stdout.count("\n") == 3
    assert "/else where/other.json:2: " in here("scan", "link.json").stdout
    assert (here("check", "else where/GET.json").returncode, here("ls").returncode) == (0, 0)
    put(folder, "else where/GET.json", "{")
    assert here("check", "cassettes/s/GET.json", "else where/GET.json").stdout.startswith("else where/GET.json:1:")


def test_the_folder_is_the_argument_the_variable_or_the_configured_one(
    tmp_path: Path, here: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("argument", "variable", "configured", "cassettes"):
        put(tmp_path, f"{name}/{name}.json", {})
    put(tmp_path, "below/x", "")
    monkeypatch.chdir(tmp_path / "below")

    def listed(*arguments: str) -> str:
        (row,) = json.loads(here("ls", "--json", *arguments).stdout)
        return str(row["file"])

    put(tmp_path, "replaymock.toml", 'cassettes = "configured"\n')
    monkeypatch.setenv("REPLAYMOCK_CASSETTES", str(tmp_path / "variable"))
    assert listed(str(tmp_path / "argument")) == "argument.json"
    assert listed() == "variable.json"
    monkeypatch.delenv("REPLAYMOCK_CASSETTES")
    assert listed() == "configured.json"
    put(tmp_path, "pyproject.toml", '[tool.replaymock]\ncassettes = "cassettes"\n')
    assert listed() == "configured.json"
    (tmp_path / "replaymock.toml").unlink()
    assert listed() == "cassettes.json"


WRONG = [
    (["--prot", "1"], ["No such option"]),
    (["replay", "--prot", "1"], ["--prot", "--port"]),
    (["rply"], ["rply", "replay"]),
    (["replay", "--port"], ["--port"]),
    (["replay", "--port", "x"], ["--port"]),
    (["replay", "--miss-status", "200"], ["--miss-status"]),
    (["replay", "--latency", "9-1"], ["--latency"]),
    (["replay", "--max-body", "much"], ["--max-body"]),
    (["replay", "--cors-origin", "x"], ["--cors-origin"]),
    (["replay", "--session-header", "a b"], ["--session-header"]),
    (["replay", "--config", "none.toml"], ["--config", "none.toml"]),
    (["replay", "extra"], ["no folder extra in /"]),
    (["replay", "one", "two"], ["one folder, not 'one' and 'two'"]),
    (["replay", "one", "--cassettes", "two"], ["one folder, not 'one' and 'two'"]),
    (["replay", "http://user:hunter2@x"], ["replaymock record URL"]),
    (["record", "http://user:hunter2@x"], ["credentials"]),
    (["record", "extra"], ["'extra'", "whole URL"]),
    (["record", "cassettes"], ["'cassettes' is a folder", "record --cassettes cassettes --upstream URL"]),
    (
        ["record", "--upstream", "auth=http://login"],
        ["'auth=http://login': a prefix begins with /: /auth=http://login"],
    ),
    (
        ["record", "--upstream", "auth=http://ann:hunter2@login"],
        ["'auth=http://ann:{{redacted}}@login'", "begins with /"],
    ),
    (["record", "--upstream", "auth=http://login/?token=hunter2"], ["begins with /"]),
    (["record", "--upstream", "/auth=http://ann:hunter2@login"], ["credentials"]),
    (
        ["record", "--upstream", "http://x", "--header", "Authorization"],
        ["'Authorization' has no value; write 'Authorization: …'"],
    ),
    (["record", "--upstream", "http://x", "--header", "hunter2"], ["--header: one is no header"]),
    (
        ["replay", "--config", "misplaced.toml"],
        ["misplaced.toml:2: 'record-status' does not belong in [record]: it belongs at the top of misplaced.toml"],
    ),
    (["record", "--upstream", "http://user:hunter2@x"], ["credentials"]),
    (["record", "--upstream", "http://[::1"], ["--upstream"]),
    (["record", "--upstream", "/api"], ["prefix"]),
    (["record", "--upstream", "http://x", "--header", "Authorization hunter2"], ["--header", "'Name: value'"]),
    (["record", "--upstream", "http://x", "--header", "X: hunter2\0"], ["--header", "value of X"]),
    (["record", "--upstream", "http://x", "--only", "api"], ["--only"]),
    (["record", "--upstream", "http://x", "--mode", "some"], ["--mode"]),
    (["record", "--upstream", "http://x", "--read-timeout", "nan"], ["--read-timeout"]),
    (["check", "none"], ["no folder none in /"]),
    (["ls", "a-file"], ["a-file is no folder"]),
    (["scan", "a-file", "none"], ["no folder none in /"]),
    (["ls", "--config", "binary.toml"], ["not UTF-8"]),
    (["ls", "--config", "."], ["--config"]),
    (["demo", "--port", "-1"], ["--port"]),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_trouble_is_told_on_stderr_with_exit_code_2_and_no_traceback(
    tmp_path: Path, here: Command, arguments: list[str], said: list[str]
) -> None:
    put(tmp_path, "a-file", "")
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    put(tmp_path, "misplaced.toml", "[record]\nrecord-status = '500'\n")
    (tmp_path / "cassettes").mkdir()
    ended = here(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr
    for words in said:
        assert words in " ".join(ended.stderr.split())
    assert "hunter2" not in ended.stderr


@pytest.mark.parametrize("command", ["check", "scan", "ls"])
def test_a_reader_of_the_output_may_go_early(folder: Path, command: str) -> None:
    for number in range(300):
        put(folder, f"cassettes/{number}.json", "{" if command == "check" else {"password": "hunter2-x"})
    line = f"{sys.executable} -m replaymock {command} | head -1"
    ended = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.stdout.count("\n") == 1
    assert "Traceback" not in ended.stderr
