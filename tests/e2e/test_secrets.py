"""Secrets in many places, through the real command: none is written or told, and none decides a match."""

import base64
import json
import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.running import ask, raw_backend, read_whole, replaymock, reply

JSON, FORM, NDJSON = "application/json", "application/x-www-form-urlencoded", "application/x-ndjson"
MULTIPART, NO_TYPE = "multipart/form-data; boundary=edge", ""
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Vault:
    """Fresh secrets, each remembered by the bytes that must never be seen again."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.needles: list[str] = []

    def word(self, length: int = 20, letters: str = LETTERS) -> str:
        self.needles.append("".join(self._random.choices(letters, k=length)))
        return self.needles[-1]

    def number(self) -> int:
        return int("7" + self.word(11, "123456789"))

    def jwt(self) -> str:
        claims = base64.urlsafe_b64encode(json.dumps({"sid": self.word()}).encode()).decode().rstrip("=")
        return f"eyJhbGciOiJIUzI1NiJ9.{claims}.{self.word(40)}"


@dataclass(frozen=True)
class Told:
    """A request that tells a secret."""

    method: str
    target: str
    type: str = ""
    body: bytes = b""


def part(head: str, value: str) -> str:
    return f"--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n"


def targets(vault: Vault) -> Iterator[str]:
    yield f"/q/1?{vault.jwt()}"
    yield f"/q/2?sk-ant-{vault.word(30)}"
    yield f"/q/3?ghp_{vault.word(36)}="
    yield f"/q/4?filter={quote(json.dumps({'password': vault.word()}))}"
    yield f"/q/5?next={quote('https://h/x?access_token=ab!' + vault.word() + '&a=1')}"
    yield f"/q/6?user%5Bpassword%5D={vault.word()}"
    yield f"/q/7?a=1;token={vault.word()}"
    yield f"/q/8?%2570assword={vault.word()}"
    yield f"/p/1/{vault.jwt()}/x"
    yield f"/p/2/{vault.jwt().replace('.', '%2E')}/x"
    yield f"/p/3/https%3A%2F%2Fu%3A{vault.word()}%40h"
    yield f"/p/4;access_token={vault.word()}/y"
    yield f"/p/5/AKIA{vault.word(16, LETTERS[:24])}"


def typed_bodies(vault: Vault) -> Iterator[tuple[str, str]]:
    yield FORM, f"user=a&password={vault.word()}"
    yield FORM, vault.jwt()
    yield FORM, "data=" + quote(json.dumps({"password": vault.word()}))
    yield JSON, json.dumps({"password": {"value": vault.word()}})
    yield JSON, json.dumps({"d": json.dumps({"e": json.dumps({"password": 'ab"' + vault.word()})})})
    yield JSON, json.dumps({"d": json.dumps({"pin": vault.number()})})
    yield JSON, json.dumps({vault.jwt(): 1})
    yield JSON, json.dumps({"headers": [{"name": "Authorization", "value": "Token " + vault.word()}]})
    yield JSON, json.dumps({"query": f'mutation {{ login(user: "a", password: "{vault.word()}") {{ ok }} }}'})
    yield JSON, f'{{"password":"{vault.word()}",}}'
    yield JSON, f'{{"note":"caf\xe9","password":"{vault.word()}"}}'
    yield NDJSON, json.dumps({"password": 'a"' + vault.word()}) + "\n" + json.dumps({"pin": vault.number()}) + "\n"
    yield "application/xml", f"<a><password>{vault.word()}</password></a>"
    yield NO_TYPE, json.dumps({"token": vault.word()})
    yield MULTIPART, part("name=password", vault.word()) + "--edge--\r\n"
    yield MULTIPART, "\r\n" + part('name="password"', vault.word()) + "--edge--\r\n"
    yield MULTIPART, part('name="password"', vault.word()) + "--edge--"
    yield MULTIPART, part(f'name="f"; filename="{vault.jwt()}.txt"', "hi") + "--edge--\r\n"
    yield MULTIPART, part('name="meta"', json.dumps({"password": vault.word()})) + "--edge--\r\n"


def requests(vault: Vault) -> list[Told]:
    told = [Told("GET", target) for target in targets(vault)]
    for position, (media_type, body) in enumerate(typed_bodies(vault)):
        told.append(Told("POST", f"/b/{position}", media_type, body.encode("latin-1")))
    sixteen = json.dumps({"password": vault.word()}).encode("utf-16")
    return [*told, Told("POST", "/b/utf-16", "application/json; charset=utf-16", sixteen)]


def answers(vault: Vault) -> list[bytes]:
    """What the backend says at `/a/0`, `/a/1` and so on."""
    return [
        reply(b"{}", f"Location: /cb?token=ab!:,{vault.word()}&x=1"),
        reply(b"{}", f'Set-Cookie: _app_session="a; {vault.word()}"; Path=/'),
        reply(b"{}", f"Set-Cookie: u={quote(json.dumps({'token': vault.word()}))}; Path=/"),
        reply(b"{}", f'X-Data: {{"token":"{vault.word()}"}}'),
        reply(b"{}", f'Authentication-Info: nextnonce="{vault.word()}"'),
        reply(b"{}", f"Content-Type: application/json; token={vault.word()}"),
        reply(b"{}", status=f"200 {vault.jwt()}"),
        reply(f'data: {{"token":"a\\"{vault.word()}"}}\n\n'.encode(), "Content-Type: text/event-stream"),
        reply(f'<input name="csrf_token" value="{vault.word()}">'.encode(), "Content-Type: text/html"),
        reply(json.dumps({"secrets": [vault.word(), {"a": vault.word()}]}).encode()),
        reply(json.dumps({"next": f"https://h/x?token=ab!{vault.word()}"}).encode()),
        reply(json.dumps({name: vault.word() for name in ("password2", "tokenValue", "recoveryCodes")}).encode()),
        reply(f"access_token={vault.word()}&token_type=bearer".encode(), "Content-Type: text/plain"),
        reply(json.dumps({"token": vault.word()}).encode(), "Content-Type: application/octet-stream"),
    ]


@contextmanager
def backend(said: list[bytes]) -> Iterator[str]:
    def handle(connection: socket.socket) -> None:
        path = read_whole(connection)[0].split(b" ")[1].decode()
        known = path.startswith("/a/")
        connection.sendall(said[int(path[3:])] if known else reply(b'{"ok":true}'))

    with raw_backend(handle) as origin:
        yield origin


def send(url: str, told: Told) -> int:
    return ask(url, told.method, told.target, [("Content-Type", told.type)] if told.type else [], told.body).status


def own_pages(url: str) -> str:
    return "".join(
        ask(url, "GET", f"/__replaymock/{page}").body.decode() for page in ("requests", "misses", "cassettes")
    )


def record(folder: Path, vault: Vault) -> str:
    """Records every secret of a vault; all that was said of it."""
    said, told = answers(vault), requests(vault)
    with backend(said) as origin, replaymock("record", folder, "--upstream", origin) as server:
        statuses = {send(server.url, one) for one in told}
        statuses |= {send(server.url, Told("GET", f"/a/{position}")) for position in range(len(said))}
        pages = own_pages(server.url)
        assert server.stop() == 0
        assert statuses == {200}
        return server.log + pages


def found(text: str, vault: Vault) -> list[str]:
    return [needle for needle in vault.needles if needle.lower() in text.lower()]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Vault, str]:
    folder, vault = tmp_path_factory.mktemp("secrets") / "c", Vault(1)
    return folder, vault, record(folder, vault)


def test_no_secret_is_in_a_cassette_a_name_a_log_or_a_page(recorded: tuple[Path, Vault, str]) -> None:
    folder, vault, said = recorded
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(vault.needles) > 45 and len(files) > 45
    assert found("\n".join(str(file.relative_to(folder)) for file in files), vault) == []
    for coding in ("latin-1", "utf-16-le"):
        assert found("\n".join(file.read_bytes().decode(coding, "replace") for file in files), vault) == []
    assert found(said, vault) == []


def test_other_secrets_get_the_recorded_answers(recorded: tuple[Path, Vault, str]) -> None:
    vault = Vault(2)
    with replaymock("replay", recorded[0]) as server:
        assert [told for told in requests(vault) if send(server.url, told) != 200] == []
        assert found(own_pages(server.url) + server.log, vault) == []


def test_a_miss_tells_no_secret(tmp_path: Path) -> None:
    vault = Vault(3)
    with replaymock("replay", tmp_path) as server:
        assert {send(server.url, told) for told in requests(vault)} == {404}
        assert found(own_pages(server.url) + server.log, vault) == []


def test_recording_again_with_fresh_secrets_changes_no_file(recorded: tuple[Path, Vault, str]) -> None:
    folder = recorded[0]

    def git(*arguments: str) -> str:
        line = ["git", "-c", "user.email=a@example.com", "-c", "user.name=a", *arguments]
        return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True).stdout

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    record(folder, Vault(4))
    assert git("status", "--porcelain") == ""
