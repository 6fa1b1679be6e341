"""Cassettes in a real git repository: recording again changes nothing that did not change."""

import contextlib
import gzip
import itertools
import json
import os
import random
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from replaymock.config import config_file
from replaymock.proxy.routes import Upstream
from tests.support.inside import Told, running_app
from tests.support.running import Running, ask, raw_backend, read_whole, replaymock, reply

JSON = [("Content-Type", "application/json")]
FORM = [("Content-Type", "application/x-www-form-urlencoded")]
TOKENS = (
    b'{"price":1.10,"mass":1e5,"small":1E-07,"id":12345678901234567890,"minus":-0.0,"b":1,"a":2,"b":3,'
    b'"path":"a\\/b","name":"\\u00e9\\u20AC","raw":"\xc3\xa9","nested":[{},[],[1.0,2.50]],"n":null}'
)


class Shop:
    """A backend that says the same each time, but with new dates, ids, tokens and header order."""

    def __init__(self) -> None:
        self.names = {number: f"item {number}" for number in range(8)}
        self._count = itertools.count(1)
        self._random = random.Random(4)
        self._token = self._fresh()

    def _fresh(self) -> str:
        return f"t{next(self._count)}-{self._random.getrandbits(90):x}"

    def handle(self, connection: socket.socket) -> None:
        head, _ = read_whole(connection)
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        host = next(line for line in head.decode().split("\r\n") if line.lower().startswith("host:"))[5:].strip()
        count = next(self._count)
        content_type, body = self._content(method, target, host, count)
        moment = f"Tue, {count % 28 + 1:02} Dec 2026 10:{count % 60:02}:{count % 60:02} GMT"
        headers = [
            f"Content-Type: {content_type}",
            f"Date: {moment}",
            f"Expires: {moment}",
            f"Last-Modified: {moment}",
            f"X-Request-Id: {self._random.getrandbits(64):x}",
            f"Server-Timing: db;dur={count}",
            f"CF-Ray: {self._random.getrandbits(32):x}",
            'ETag: "v1"',
            "Cache-Control: no-store",
            "X-Shop: corner",
        ]
        self._random.shuffle(headers)
        cookies = [
            "theme=dark; Path=/",
            f"sessionid={self._random.getrandbits(80):x}; HttpOnly",
            f"seen=yes; Expires={moment}; Path=/",
        ]
        headers += [f"Set-Cookie: {cookie}" for cookie in cookies]
        lines = ["HTTP/1.1 200 OK", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
        connection.sendall("\r\n".join(lines).encode() + body)

    def _content(self, method: str, target: str, host: str, count: int) -> tuple[str, bytes]:
        if target == "/login":
            told, self._token = self._token, self._fresh()
            return "application/json", f'{{"access_token": "{told}"}}'.encode()
        if target == "/welcome":
            return "text/plain", f"{self._token} is your number".encode()
        if target.startswith("/image"):
            return "image/png", b"\x89PNG\r\n\x1a\n\x00" + target.encode()
        if target == "/page":
            return "text/html; charset=utf-8", f'<a href="http://{host}/items">all</a>\r\n'.encode()
        if target == "/tokens":
            return "application/json", TOKENS
        number = int("".join(filter(str.isdigit, target)) or 0) % 8
        value = {"method": method, "id": number, "name": self.names[number], "self": f"http://{host}{target}"}
        return "application/json", json.dumps(value, indent=2).encode()


def flow(url: str) -> None:
    """Thirty requests; the first ones say what only a later answer tells to be secret."""
    number = ask(url, "GET", "/welcome").body.split()[0].decode()
    ask(url, "GET", f"/welcome/{number}/items")
    for number in range(8):
        assert ask(url, "GET", f"/items/{number}").status == 200
    for number in range(6):
        ask(url, "GET", f"/items?page={number}&size=10")
    for number in range(4):
        ask(url, "PUT", f"/items/{number}", JSON, json.dumps({"name": f"n{number}"}).encode())
        ask(url, "POST", "/items", FORM, f"name=n{number}&tag=a".encode())
    ask(url, "POST", "/login", JSON, b'{"user": "ann", "password": "hunter2"}')
    ask(url, "GET", "/me", [("Authorization", "Bearer something")])
    ask(url, "DELETE", "/items/7")
    ask(url, "GET", "/image/1.png")
    ask(url, "GET", "/image/2.png")
    ask(url, "GET", "/page")
    ask(url, "GET", "/tokens")
    ask(url, "HEAD", "/items/1")


class Clock:
    """A backend with a clock, and with a number and a token for each answer, which is packed for those who want that."""

    def __init__(self) -> None:
        self.name = "lamp"
        self._moments = itertools.count(95)

    def handle(self, connection: socket.socket) -> None:
        packs = b"gzip" in read_whole(connection)[0]
        meta = {"serverTime": next(self._moments), "token": f"Zk81mQ{next(self._moments)}"}
        body = json.dumps({"name": self.name, "meta": meta}, indent=2).encode()
        headers = [f'ETag: "{next(self._moments)}"', *(["Content-Encoding: gzip"] if packs else [])]
        connection.sendall(reply(gzip.compress(body) if packs else body, *headers))


@contextlib.contextmanager
def recording(folder: Path) -> Iterator[Running]:
    """A shop with `record` in front of it."""
    with raw_backend(Shop().handle) as backend, replaymock("record", folder, "--upstream", backend) as server:
        yield server


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        own |= {f"GIT_{role}_NAME": "Ann", f"GIT_{role}_EMAIL": "ann@example.com"}

    def run(*arguments: str) -> str:
        line = ["git", "-c", "core.autocrlf=false", *arguments]
        return subprocess.run(
            line, cwd=tmp_path, env={**os.environ, **own}, check=True, capture_output=True, text=True
        ).stdout

    run("init", "-q")
    return run


@pytest.mark.parametrize("mode", ["all", "rewrite", "new"])
def test_recording_again_leaves_git_with_nothing_to_say(git: Callable[..., str], tmp_path: Path, mode: str) -> None:
    with raw_backend(Shop().handle) as backend:
        with replaymock("record", tmp_path / "cassettes", "--upstream", backend) as server:
            flow(server.url)
        git("add", "-A")
        git("commit", "-q", "-m", "Record")
        assert len(git("ls-files").splitlines()) > 25
        with replaymock("record", tmp_path / "cassettes", "--upstream", backend, "--mode", mode) as server:
            flow(server.url)
    assert git("diff") == ""
    assert git("status", "--porcelain") == ""


def test_one_changed_field_changes_one_file_in_a_few_lines(git: Callable[..., str], tmp_path: Path) -> None:
    shop = Shop()
    with raw_backend(shop.handle) as backend:
        for name in (shop.names[5], "renamed"):
            shop.names[5] = name
            with replaymock("record", tmp_path / "cassettes", "--upstream", backend) as server:
                for number in range(8):
                    ask(server.url, "GET", f"/items/{number}")
            if name != "renamed":
                git("add", "-A")
                git("commit", "-q", "-m", "Record")
    assert git("status", "--porcelain").split() == ["M", "cassettes/items/5/GET.json"]
    added, removed, _ = git("diff", "--numstat").split("\t")
    # The field, when it was recorded, how long it took, and what ends so long after that: Expires and a cookie.
    assert int(added) <= 5
    assert int(removed) <= 5
    assert '+        "name": "renamed",' in git("diff").splitlines()


VOLATILE = """
[record]
volatile = ["header:etag"]

[[rule]]
path = "/api/**"
volatile = ["json:$.meta.serverTime", "header:content-encoding"]
"""


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_a_clock_in_each_answer_leaves_git_with_nothing_to_say_once_it_is_volatile(
    git: Callable[..., str], tmp_path: Path, mode: str
) -> None:
    settings: dict[str, Any] = {"file": config_file.read(VOLATILE, "replaymock.toml")}
    told, backend = [], Clock()
    with raw_backend(backend.handle) as origin:
        for backend.name in ("lamp", "lamp", "shade"):
            with running_app(tmp_path / "c", mode=mode, upstreams=(Upstream("", origin),), **settings) as app:
                for coding in ("gzip", "identity", "gzip"):
                    got = ask(app.url, "GET", "/api/items/7", [("Accept-Encoding", coding)])
                    told.append(json.loads(gzip.decompress(got.body) if coding == "gzip" else got.body)["meta"])
            changes = git("status", "--porcelain")
            git("add", "-A")
            git("commit", "-q", "-m", "Record", "--allow-empty")
            assert (changes == "") is (len(told) == 6)
    assert len({meta["serverTime"] for meta in told}) == len({meta["token"] for meta in told}) == 9
    with running_app(tmp_path / "c", **settings) as app:
        replayed = ask(app.url, "GET", "/api/items/7").json()
    assert (replayed["name"], replayed["meta"]["serverTime"]) == ("shade", told[6]["serverTime"])


def test_the_line_that_is_told_when_a_clock_alone_has_changed_leaves_nothing_to_say(tmp_path: Path) -> None:
    told: list[Told] = []
    said = "[record]\n"
    with raw_backend(Clock().handle) as origin:
        for _ in range(3):
            told.append(Told())
            settings: dict[str, Any] = {"file": config_file.read(said, "x"), "upstreams": (Upstream("", origin),)}
            with running_app(tmp_path, told[-1], mode="all", **settings) as app:
                for number in range(2):
                    ask(app.url, "GET", f"/items/{number}")
            said = "".join(["[record]\n", *(event["hint"] for event in told[-1].events("changed"))])
    first, second, third = (one.events("changed") for one in told)
    assert (first, third, said) == ([], [], "[record]\n")
    assert second[0]["only_in"] == ["header:etag", "json:$.meta.serverTime"]
    assert second[0]["files"] == ["items/0/GET.json", "items/1/GET.json"]
    assert 'under [record] in x: volatile = ["header:etag", "json:$.meta.serverTime"]' in told[1].log


def test_two_hints_are_one_line_that_leaves_nothing_to_say(tmp_path: Path) -> None:
    moments = itertools.count()

    def tick(connection: socket.socket) -> None:
        is_clock = b"/clock" in read_whole(connection)[0]
        connection.sendall(reply(json.dumps({"now" if is_clock else "id": next(moments)}).encode()))

    told: list[Told] = []
    said = "[record]\n"
    with raw_backend(tick) as origin:
        for _ in range(3):
            told.append(Told())
            settings: dict[str, Any] = {"file": config_file.read(said, "x"), "upstreams": (Upstream("", origin),)}
            with running_app(tmp_path, told[-1], mode="all", **settings) as app:
                for path in ("/clock", "/id"):
                    ask(app.url, "GET", path)
            said = "".join(["[record]\n", *{event["hint"] for event in told[-1].events("changed")}])
    _, second, third = (one.events("changed") for one in told)
    assert sorted(event["only_in"] for event in second) == [["json:$.id"], ["json:$.now"]]
    assert third == []


def test_another_port_of_the_backend_changes_nothing(git: Callable[..., str], tmp_path: Path) -> None:
    for _ in range(2):
        with recording(tmp_path / "cassettes") as server:
            ask(server.url, "GET", "/items/1")
            ask(server.url, "GET", "/page")
        git("add", "-A")
        if not git("log", "--all", "--oneline"):
            git("commit", "-q", "-m", "Record")
    assert git("status", "--porcelain") == ""


def test_no_secret_is_in_the_repository(git: Callable[..., str], tmp_path: Path) -> None:
    with recording(tmp_path / "cassettes") as server:
        token = ask(server.url, "POST", "/login", JSON, b'{"password": "hunter2"}').json()["access_token"]
        ask(server.url, "GET", "/me", [("Authorization", f"Bearer {token}"), ("Cookie", "sessionid=abcdef99")])
        ask(server.url, "GET", f"/items?access_token={token}&page=1")
    written = b"".join(file.read_bytes() for file in (tmp_path / "cassettes").rglob("*") if file.is_file())
    names = " ".join(str(file) for file in (tmp_path / "cassettes").rglob("*"))
    for secret in (token, "hunter2", "abcdef99"):
        assert secret not in written.decode("latin-1") + names + server.log


def test_json_comes_back_token_for_token(tmp_path: Path) -> None:
    with recording(tmp_path / "c") as server:
        live = ask(server.url, "GET", "/tokens").body
    with replaymock("replay", tmp_path / "c") as server:
        replayed = ask(server.url, "GET", "/tokens").body
    assert live == TOKENS
    assert replayed == TOKENS
    assert '"price": 1.10,' in (tmp_path / "c/tokens/GET.json").read_text()
