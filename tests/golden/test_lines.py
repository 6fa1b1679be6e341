"""What commands print that come to their end: help, wrong usage, and what they find in a folder."""

import base64
import re
from itertools import count
from pathlib import Path

import pytest

from tests.golden.backend import token
from tests.golden.keeping import compare
from tests.golden.lines import ended
from tests.golden.normal import normal
from tests.support.corpus.cassettes import CASSETTES
from tests.support.inside import put, simple

HELP = {name: f"{name} --help".strip() for name in ("", "record", "replay", "demo", "check", "scan", "ls")}
WRONG = (
    "reply",
    "record",
    "record http://user:pw@localhost/",
    "record --upstream ftp://example.com",
    "record --upstream http://localhost:1/ --mode some",
    "record --upstream http://localhost:1/ --header NoColon",
    "record --upstream http://localhost:1/ --record-status 5xx",
    "replay mocks",
    "replay --cassettes none",
    "replay --port 70000",
    "replay --latency soon",
    "replay --sequence backwards",
    "replay --cors-origin localhost",
    "replay --workers 0",
    "replay --sequense loop",
    "replay --config none.toml",
    "replay --config misspelt.toml",
    "replay --config wrong.toml",
    "check none",
    "ls none",
    "--no-such-option",
)
FOUND = {
    "check": "check faulty",
    "scan": "scan hushed",
    "scan-json": "scan --json hushed",
    "scan-sarif": "scan --sarif hushed",
    "scan-one": "scan hushed/fine/GET.json hushed/mock.json",
    "ls": "ls listed",
    "ls-json": "ls --json listed",
}
# Those of a hundred thousand levels or a million digits take their time, and look like others in print.
SMALL = [(re.sub(r"\W+", "-", name), data) for name, data, _ in CASSETTES if len(data) < 20_000]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What every command line above says in a folder with something for each."""
    here = tmp_path_factory.mktemp("here")
    put(here, "misspelt.toml", 'upstreem = "http://localhost"\n')
    put(here, "wrong.toml", 'port = "many"\n[match]\nignore = ["cookie:a"]\n')
    make_faulty(here / "faulty")
    make_hushed(here / "hushed")
    make_listed(here / "listed")
    lines = [*HELP.values(), *WRONG, *FOUND.values()]
    return {line: normal(text, here) for line, text in zip(lines, ended(lines, here), strict=True)}


def make_faulty(folder: Path) -> None:
    """Every kind of fault that a cassette can have, and some that only a folder has."""
    for name, data in SMALL:
        place = folder / name / "GET.json"
        place.parent.mkdir(parents=True)
        place.write_bytes(data.replace(b"/here", f"/{name}".encode("ascii")))
    for name in ("one", "two"):
        put(folder, f"same/GET--{name}.json", simple("/same", 1))
    put(folder, "users/GET.json", simple("/users/:id", 1))
    put(folder, "small/GET.json", simple("/small", 1, method="get"))
    put(folder, "notes.yaml", "a: 1\n")
    put(folder, "mock.json", "{")


def make_hushed(folder: Path) -> None:
    """Secrets of many kinds, put together here so that no scanner of this repository finds them."""
    jwt, words = token(1), (f"Zx9{number}" + "q7R2" * 6 for number in count())
    pem = "-----BEGIN " + "PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0B" * 4 + "\n-----END " + "PRIVATE KEY-----\n"
    basic = base64.b64encode(b"ada:" + b"correct-horse").decode()
    values = {
        "password": "correct-" + "horse",
        "nested": {"client_secret": next(words), "list": [{"apiKey": next(words)}], "harmless": "word"},
        "jwt": jwt,
        "header": f"Bearer {next(words)}",
        "vendors": ["ghp_" + "a1B2" * 9, "AKIA" + "IOSFODNN7" + "EXAMPLE", "sk_" + "live_" + "4eC39Hq" * 4],
        "url": "postgres://ada:" + "hunter22@" + "db.example.com/shop",
    }
    headers = {
        "set-cookie": f"session_id={next(words)}; Path=/",
        "x-api-key": next(words),
        "location": f"/in?page=1&access_token={next(words)}",
    }
    put(folder, "login/POST.json", simple("/login", values, method="POST", headers=headers))
    query = {"path": "/list", "query": {"api_key": next(words), "page": "2"}}
    put(folder, "list/GET.json", {"request": query, "responses": [{"text": f"key: {pem}"}]})
    fields = {"method": "POST", "path": "/form", "form": {"user": "ada", "passwd": next(words)}}
    put(folder, "form/POST.json", {"request": fields, "responses": [{"status": 204}]})
    messages = [{"from": "client", "json": {"token": jwt}}, {"from": "server", "text": f"Basic {basic}"}]
    put(folder, "live/GET.json", {"request": {"path": "/live"}, "responses": [{"messages": messages}]})
    put(folder, "mock.json", {"accounts": [{"secret": next(words)}], "ok": "{{redacted:secret}}"})
    put(folder, "notes.txt", f"one\ntwo Authorization: Basic {basic}\n")
    put(folder, "page/GET.body.html", f'<input type="password" value="{next(words)}">\n')
    put(folder, "page/GET.json", {"request": {"path": "/page"}, "responses": [{"file": "GET.body.html"}]})
    put(folder, "fine/GET.json", simple("/fine", {"token_type": "bearer", "password": None}))


def make_listed(folder: Path) -> None:
    """A cassette of each kind that a table shows in its own way."""
    put(folder, "b/GET.json", simple("/b", [1], [2], {"three": 3}))
    put(folder, "b/GET--q.json", {"request": {"path": "/b", "query": {"q": "é"}}, "responses": [{"status": 404}]})
    put(folder, "users/GET.json", simple("/users/{id}", {}))
    put(folder, "live/GET.json", {"request": {"path": "/live"}, "responses": [{"messages": []}]})
    put(folder, "a.json", "[]")
    put(folder, "broken/GET.json", "{")


@pytest.mark.parametrize("command", HELP)
def test_the_help_of_every_command(command: str, said: dict[str, str]) -> None:
    compare(f"help/{command or 'replaymock'}.txt", said[HELP[command]])


def test_what_is_said_of_wrong_usage(said: dict[str, str]) -> None:
    compare("usage.txt", "\n".join(f"$ replaymock {line}\n{said[line]}" for line in WRONG))


@pytest.mark.parametrize("command", FOUND)
def test_what_is_found_in_a_folder(command: str, said: dict[str, str]) -> None:
    compare(f"{command}.txt", said[FOUND[command]])


def test_the_schema() -> None:
    (place,) = (Path(__file__).parents[2] / "replaymock").rglob("cassette.schema.json")
    compare("cassette.schema.json", place.read_text(encoding="utf-8"))
