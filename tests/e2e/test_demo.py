"""The demo as a user meets it: one command, no network, no arguments."""

import contextlib
import os
import pty
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from replaymock.demo.shop import PASSWORD
from replaymock.http import jwt
from tests.support.running import eventually, replaymock, run

ROOT = Path(__file__).parent.parent.parent
ANSI = "\x1b["


def rows(printed: str) -> list[list[str]]:
    """The cells of the table, without its heading and the totals."""
    return [re.split(r" {2,}", line.strip()) for line in printed.splitlines() if re.search(r" \d{3} +\d{3} ", line)]


class Demo:
    """`replaymock demo --serve` that is ready."""

    def __init__(self, process: subprocess.Popen[str], out: Path, err: Path) -> None:
        self.process = process
        eventually(lambda: "Ctrl-C ends it" in out.read_text() or process.poll() is not None, 20)
        assert process.poll() is None, err.read_text()
        self.out = out.read_text()
        self.url = re.findall(r"http://localhost:[0-9]+", self.out)[-1]
        self.folder = Path(re.findall(r"until this ends: (.*)", self.out)[0])
        self.err = err


@contextlib.contextmanager
def begun(place: Path) -> Iterator[subprocess.Popen[str]]:
    """`replaymock demo --serve` from its start, with `out`, `err` and `tmp` in a folder."""
    (place / "tmp").mkdir()
    line = [sys.executable, "-m", "replaymock", "demo", "--serve", "--port", "0"]
    environment = {**os.environ, "TMPDIR": str(place / "tmp")}
    with (place / "out").open("w") as stdout, (place / "err").open("w") as stderr:
        process = subprocess.Popen(line, stdout=stdout, stderr=stderr, env=environment, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


@contextlib.contextmanager
def serving(place: Path) -> Iterator[Demo]:
    with begun(place) as process:
        yield Demo(process, place / "out", place / "err")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with serving(tmp_path_factory.mktemp("demo")) as found:
        yield found


def test_every_request_is_answered_the_same_and_nothing_is_left_behind(tmp_path: Path) -> None:
    ended = run("demo", env={"TMPDIR": str(tmp_path), "FORCE_COLOR": "1"})
    assert ended.returncode == 0, ended.stderr
    table = rows(ended.stdout)
    assert len(table) == 16
    assert {row[3] for row in table} == {"equal", "equal (2 hidden)"}
    assert all(row[1] == row[2] and row[4].endswith(".json") for row in table)
    assert ended.stdout.splitlines()[-1].startswith(
        "16 of 16 requests answered the same, offline, from 12 cassettes, 3 secrets hidden, in "
    )
    assert ANSI not in ended.stdout + ended.stderr
    assert "recording it at http://localhost:" in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("the cassettes were temporary and are gone; to look at them")
    assert list(tmp_path.iterdir()) == []


def test_it_needs_no_network_and_no_proxy(tmp_path: Path) -> None:
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    proxies = {**dict.fromkeys(names, "http://192.0.2.1:9"), "NO_PROXY": "", "no_proxy": ""}
    assert run("demo", env={"TMPDIR": str(tmp_path), **proxies}).returncode == 0


def test_serving_begins_anew_and_the_changes_come_again(demo: Demo) -> None:
    httpx.post(f"{demo.url}/__replaymock/reset")
    counts = [len(httpx.get(f"{demo.url}/api/items").json()["items"])]
    httpx.post(f"{demo.url}/api/items", json={"name": "Café crème", "price": 350})
    counts += [len(httpx.get(f"{demo.url}/api/items").json()["items"])]
    httpx.delete(f"{demo.url}/api/items/6")
    counts += [len(httpx.get(f"{demo.url}/api/items").json()["items"]) for _ in range(2)]
    assert counts == [5, 6, 5, 5]


def test_every_line_it_offers_does_what_it_says(demo: Demo) -> None:
    offered = [line.rsplit("   ", 1) for line in demo.out.splitlines() if line.startswith("  curl ")]
    assert len(offered) >= 8
    httpx.post(f"{demo.url}/__replaymock/reset")
    counts = []
    for line, promise in offered:
        words = shlex.split(line)
        url = next(word for word in words if word.startswith("http"))
        data = words[words.index("-d") + 1] if "-d" in words else None
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if data else "GET"
        headers = [words[words.index("-H") + 1].split(": ")] if "-H" in words else []
        answer = httpx.request(method, url, headers=dict(headers), content=data)
        outcome = {401: "401", 302: "redirect", 404: "a miss", 201: "add one"}.get(answer.status_code)
        assert (outcome in promise) if outcome else not re.search("401|redirect|miss|add", promise), line
        if url.endswith("/api/items") and method == "GET":
            counts.append((promise.strip().partition(" ")[0], len(answer.json()["items"])))
    assert counts == [("five", 5), ("six", 6)]


def test_the_miss_it_offers_explains_itself(demo: Demo) -> None:
    answer = httpx.get(f"{demo.url}/api/items?limit=4").json()
    assert (answer["code"], answer["reason"]) == ("no_match", "query differs")
    assert answer["nearest"][0]["file"].startswith("api/items/GET--limit-3")
    assert "query:limit" in answer["hint"]
    eventually(lambda: "miss: GET /api/items?limit=4: query differs" in demo.err.read_text())


def test_it_is_announced_on_stderr_as_any_replay(demo: Demo) -> None:
    assert f"replaymock replay ready: {demo.url} (12 cassettes)\n" in demo.err.read_text()


def test_no_secret_of_the_shop_is_in_the_cassettes_it_keeps(demo: Demo) -> None:
    login = httpx.post(f"{demo.url}/login", json={"user": "ada", "password": "anything"})
    assert jwt.as_placeholders(login.json()["token"]) == "{{redacted:token}}"
    assert login.headers["set-cookie"].startswith("session={{redacted:session}};")
    written = b"".join(place.read_bytes() for place in demo.folder.rglob("*") if place.is_file())
    assert b"{{redacted:password}}" in written
    assert PASSWORD.encode() not in written
    assert "eyJ" not in jwt.replace_hidden(written.decode("latin-1"), "")
    assert run("scan", str(demo.folder)).returncode == 0


def test_what_it_keeps_can_be_checked_and_served_by_the_other_commands(demo: Demo) -> None:
    configuration = re.findall(r"configuration: (.*)", demo.out)[0]
    token = {"Authorization": "Bearer anything"}
    assert run("check", str(demo.folder), "--config", configuration).stdout == ""
    with replaymock("replay", demo.folder, "--config", configuration) as server:
        answers = [httpx.get(f"{server.url}/account", headers=headers) for headers in ({}, token)]
    assert [answer.status_code for answer in answers] == [401, 200]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_serving_with_0_and_the_folder_is_removed(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as found:
        assert found.folder.is_dir()
        found.process.send_signal(number)
        assert found.process.wait(15) == 0
    assert list((tmp_path / "tmp").iterdir()) == []
    assert "Traceback" not in found.err.read_text()


def test_a_signal_in_the_middle_of_the_story_ends_it_with_0_and_leaves_nothing(tmp_path: Path) -> None:
    with begun(tmp_path) as process:
        eventually(lambda: "a shop is open" in (tmp_path / "err").read_text(), 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert list((tmp_path / "tmp").iterdir()) == []
    assert "Traceback" not in (tmp_path / "err").read_text()


def test_a_busy_port_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("demo", "--serve", "--port", str(port), env={"TMPDIR": str(tmp_path)})
    assert ended.returncode == 2
    assert f"cannot listen on localhost port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("environment", "painted"), [({"NO_COLOR": "1"}, False), ({"TERM": "xterm"}, True)])
def test_a_terminal_gets_colors_unless_no_color_is_set(environment: dict[str, str], painted: bool) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "replaymock", "demo"]
    with subprocess.Popen(line, stdout=theirs, stderr=subprocess.DEVNULL, env={**kept, **environment}) as process:
        os.close(theirs)
        printed = b""
        # Linux says EIO where a pipe would say end of file.
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 65536):
                printed += piece
    os.close(ours)
    assert process.returncode == 0
    assert (ANSI in printed.decode()) == painted


def test_no_other_command_pays_for_the_shop() -> None:
    code = "import sys, replaymock.cli; print(*(name for name in sys.modules if name.startswith('replaymock.demo')))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose .venv holds stand-ins for python and for the command, both of which say what they were told."""
    root = tmp_path / "a checkout"
    (root / "scripts").mkdir(parents=True)
    (root / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "demo", root / "scripts" / "demo")
    (root / "pyproject.toml").write_text("")
    (root / "constraints.txt").write_text("")
    for name in ("python", "replaymock"):
        place = root / ".venv" / "bin" / name
        place.write_text(f'#!/bin/sh\nprintf "%s|" {name} "$@"\necho\n')
        place.chmod(0o755)
    return root


def age(place: Path, seconds: int) -> None:
    then = place.stat().st_mtime - seconds
    os.utime(place, (then, then))


def script(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [str(root / "scripts" / "demo"), *arguments]
    return subprocess.run(line, cwd="/", capture_output=True, text=True, timeout=60, check=False)


def test_the_script_runs_the_installed_command_from_any_directory(checkout: Path) -> None:
    age(checkout / "pyproject.toml", 60)
    ended = script(checkout, "--serve", "--port", "0")
    assert (ended.stdout, ended.stderr) == ("replaymock|demo|--serve|--port|0|\n", "")


@pytest.mark.parametrize("constraints", ["constraints.txt", ""])
def test_the_script_installs_again_when_pyproject_is_newer(checkout: Path, constraints: str) -> None:
    if not constraints:
        (checkout / "constraints.txt").unlink()
    age(checkout / ".venv" / "bin" / "replaymock", 60)
    ended = script(checkout)
    assert ended.stdout == "replaymock|demo|\n"
    installed = f"python|-m|pip|install|--quiet|--disable-pip-version-check|--editable|{checkout}|"
    pinned = f"--constraint|{checkout}/constraints.txt|" if constraints else ""
    assert ended.stderr == f"{installed}{pinned}\n"
