"""Scripts, styles and texts of an interface come back byte for byte, and what really is a secret in them does not."""

import json
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.credentials import pem, token
from tests.support.running import ask, raw_backend, read_whole, replaymock, reply, run

SCRIPT = """import{x}from"./x.js";const p=(k)=>"-----BEGIN PRIVATE KEY-----"+btoa(k);
const q="-----BEGIN PRIVATE KEY-----\\n"+k+"\\n-----END PRIVATE KEY-----";
export function f(e){return e.type=e.show?"password":"text",localStorage.getItem("token"),e.secret}
const rules={token:"keyword",password:"string",apiKey:"a1b2c3",nextToken:null};let PASSWORD = "secret1";
fetch("/x?token=abc123&page="+n,{headers:{Authorization:"Bearer "+t,"X-Api-Key":'k3y'}});var csrf_token='abc';
"""
STYLE = """.token{content:"token=abc1234"}@font-face{src:url(data:font/woff2;base64,d09GMgABAAAAAAAAAAAAAAAAAAAAAAAA/AKIAABCDEFGHIJKLMNOP/AAAA)}
input[type="password"]::after{content:'password: "hunter2"'}"""
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg"><style>.a{}</style><text password="abc123">token: "S"</text></svg>'
MAP = json.dumps(
    {"version": 3, "sources": ["a.js"], "sourcesContent": [SCRIPT], "names": ["token"], "mappings": "AAAA"}
)
PAGE = f"""<!doctype html><title>x</title><script>{SCRIPT}</script><style>{STYLE}</style>
<script type="module">{SCRIPT}</script><a href="javascript:login({{password:'abc123'}})" onclick="go({{token:'x1'}})">go</a>
<form @submit.prevent="send({{ password: 'p1' }})" style="--token:'abc'"><input type="password" name="password"></form>"""
TEXTS = {
    "login": {
        "passwd": "Password",
        "bearer": "bearer authentication",
        "passphrase": "private key passphrase (optional)",
    }
}
SERVED = {
    "/app": ("text/javascript; charset=utf-8", SCRIPT),
    "/old": ("application/x-javascript", SCRIPT),
    "/typed": ("application/typescript", SCRIPT),
    "/lib/app.mjs": ("text/plain", SCRIPT),
    "/lib/app.ts?v=2": ("application/octet-stream", SCRIPT),
    "/lib/none.cjs": ("", SCRIPT),
    "/app.css": ("text/css", STYLE),
    "/plain.scss": ("text/plain", STYLE),
    "/logo": ("image/svg+xml", DRAWING),
    "/logo.svg": ("text/xml", DRAWING),
    "/app.js.map": ("application/json", MAP),
    "/app.css.map": ("application/octet-stream", MAP),
    "/module.wat": ("text/plain", '(module (data "token=abc123 password: \\"S\\""))'),
    "/page": ("text/html; charset=utf-8", PAGE),
    "/xhtml": ("application/xhtml+xml", PAGE),
    "/fragment": ("application/json", json.dumps({"html": PAGE})),
    "/texts": ("application/json", json.dumps(TEXTS)),
    "/locales/de.json": ("application/json", json.dumps({"login.password": "Kennwort", "login.token": "Schlüssel"})),
    "/i18n/ja": ("application/json", json.dumps({"password": "パスワード", "apiKey": "APIキー"}, ensure_ascii=False)),
}


@contextmanager
def backend(said: dict[str, tuple[str, str]], *headers: str) -> Iterator[str]:
    def handle(connection: socket.socket) -> None:
        target = read_whole(connection)[0].split(b" ")[1].decode()
        media, body = said[target]
        connection.sendall(reply(body.encode(), *([f"Content-Type: {media}"] if media else []), *headers))

    with raw_backend(handle) as origin:
        yield origin


def recorded(folder: Path, said: dict[str, tuple[str, str]], *headers: str) -> str:
    """What is in the files once all of it was asked for, in this order."""
    with backend(said, *headers) as origin, replaymock("record", folder, "--upstream", origin) as server:
        for target, (_, body) in said.items():
            assert ask(server.url, "GET", target).body == body.encode()
        assert server.stop() == 0
    return "".join(file.read_text() for file in folder.rglob("*") if file.is_file())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code") / "c"
    recorded(folder, SERVED)
    return folder


def test_code_and_texts_come_back_byte_for_byte(folder: Path) -> None:
    with replaymock("replay", folder) as server:
        wrong = [target for target, (_, body) in SERVED.items() if ask(server.url, "GET", target).body != body.encode()]
    assert wrong == []


def test_a_scan_finds_no_secret_in_them_either(folder: Path) -> None:
    assert run("scan", str(folder)).returncode == 0


KEY = pem(random.Random(5), "RSA PRIVATE KEY")
JWT = token(random.Random(5))
LEAKS = {
    "/a.js": ("text/javascript", f"const k=`{KEY}`,n=0;"),
    "/b.js": ("text/plain", "const k='" + KEY.replace("\n", "\\n") + "';"),
    "/c.js": ("text/javascript", 'k="' + KEY.replace("\n", '\\n" +\n  "') + '"'),
    "/d.css": ("text/css", "a{b:url(https://ann:tr0ub4dor9@host/)}"),
    "/e": ("text/html", f"<script>t='ghp_{'a1B2' * 9}'</script>"),
    "/f.svg": ("image/svg+xml", "<svg><!-- AKIAABCD1234ABCD1234 --></svg>"),
    "/g.map": ("application/json", MAP.replace("import", f"\\\\n{JWT}\\\\n")),
    "/h": ("text/html", '<script type="application/json">{"apiToken":"s3cretz9x"}</script>'),
    "/i.js": ("text/javascript", '/**/cb({"apiToken":"s3cretz9x"});'),
    "/j.js": ("text/javascript", '{"apiToken":"s3cretz9x"}'),
}
NEEDLES = [KEY.split("\n")[1], JWT.rpartition(".")[2], "tr0ub4dor9", "a1B2a1B2", "AKIAABCD", "s3cretz9x"]


def test_credentials_in_code_are_hidden_and_so_is_data_in_pages(tmp_path: Path) -> None:
    files = recorded(tmp_path, LEAKS)
    assert [needle for needle in NEEDLES if needle in files] == []


CHANCE = "a8f3c2d1e4b59607a8f3c2d1e4b59607"
KNOWN = {
    "/old.js": ("text/javascript", f"var hunter2abc,t='{CHANCE}'"),
    "/login": ("application/json", json.dumps({"token": CHANCE, "password": "hunter2abc", "secret": "e.secretKey"})),
    "/new.js": ("text/javascript", f"hunter2abc=e.secretKey;t='{CHANCE}'"),
    "/page": ("text/html", f"<script>hunter2abc=e.secretKey;t='{CHANCE}'</script><p>hunter2abc {CHANCE}</p>"),
}


def test_a_known_secret_is_hidden_in_code_and_a_word_rewrites_none_before_or_after(tmp_path: Path) -> None:
    files = recorded(tmp_path, KNOWN)
    assert CHANCE not in files
    assert all(
        said in files
        for said in (
            "var hunter2abc,t=",
            "hunter2abc=e.secretKey;t=",
            "<p>{{redacted:password}} {{redacted:token}}</p>",
        )
    )


LONG = "aB3dE5gH" * 50
COOKIES = {
    "wibble": LONG,
    ".AspNetCore.Cookies": f"CfDJ8{LONG[1:]}",
    "remember_web_59ba36": LONG[2:],
    "username-localhost-8888": f"2|1:0|10:1796000000|23:username-localhost-8888|{LONG[3:]}",
    "state": json.dumps({"id": LONG[4:], "role": "admin"}).replace(" ", ""),
    "quoted": f'"{LONG[5:]}"',
    "pipes": f"a|{LONG[6:]}|b",
}


def test_cookies_that_no_script_may_read_are_hidden_wherever_they_are_said(tmp_path: Path) -> None:
    headers = [f"Set-Cookie: {name}={value}; Path=/; HttpOnly" for name, value in COOKIES.items()]
    echo = json.dumps({"cookies": COOKIES, "plain": list(COOKIES.values())})
    files = recorded(tmp_path, {"/login": ("application/json", "{}"), "/me": ("application/json", echo)}, *headers)
    assert LONG[8:200] not in files
    assert "state={{redacted:state}}; Path=/; HttpOnly" in files


def test_a_cookie_that_is_sent_later_is_hidden_and_another_finds_what_was_recorded(tmp_path: Path) -> None:
    (tmp_path / "replaymock.toml").write_text('[match]\nheaders = ["cookie"]\n')
    said, config = (
        {"/a": ("application/json", "{}"), "/b": ("application/json", "[]")},
        ["--config", str(tmp_path / "replaymock.toml")],
    )
    with (
        backend(said, f"Set-Cookie: wibble={LONG}; HttpOnly") as origin,
        replaymock("record", tmp_path / "c", "--upstream", origin, *config) as server,
    ):
        ask(server.url, "GET", "/a")
        ask(server.url, "GET", "/b", [("Cookie", f"theme=dark; wibble={LONG}")])
        assert server.stop() == 0
    assert LONG[8:200] not in "".join(file.read_text() for file in (tmp_path / "c").rglob("*.json"))
    with replaymock("replay", tmp_path / "c", *config) as server:
        assert ask(server.url, "GET", "/b", [("Cookie", f"theme=dark; wibble={LONG[::-1]}")]).status == 200
        assert ask(server.url, "GET", "/b", [("Cookie", f"theme=light; wibble={LONG}")]).status == 404
