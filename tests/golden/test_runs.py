"""What `record` and `replay` tell of a scripted run: its events, and the lines that people read."""

from pathlib import Path

import pytest

from tests.golden.backend import PASSWORD, scripted_backend, token
from tests.golden.keeping import compare
from tests.golden.runs import Told, told_by
from tests.golden.steps import Ask, form, get, send
from tests.support.inside import put, simple

WAYS = {"json": "--json", "text": "--verbose"}
ABSOLUTE = Ask("GET", "http://elsewhere.example/")
WORD = "Zx9" + "q7R2" * 5
DEAD = "http://127.0.0.1:1"

RECORDED = (
    get("/items"),
    get("/items"),
    send("POST", "/items", {"name": "cap"}),
    get("/items"),
    get("/echo?page=2&api_key=" + "k1l2m3n4o5" * 2),
    send("POST", "/login", {"user": "ada", "password": PASSWORD}),
    get("/me", Authorization=f"Bearer {token(1)}"),
    get("/clock"),
    get("/cookies"),
    get("/coded/own"),
    get("/status/503"),
    get("/status/401"),
    get("/skipped/1"),
    get("/dead/1"),
    get("/json/compact", Host="elsewhere.example"),
    get("/feed"),
    Ask("OPTIONS", "/items", (("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "PUT"))),
    ABSOLUTE,
    get(f"/echo?note={WORD}"),
    send("POST", "/echo/json", {"password": WORD}),
)
REPLAYED = (
    get("/mock"),
    get("/mock"),
    Ask("HEAD", "/mock"),
    get("/job"),
    get("/job"),
    get("/job"),
    get("/items"),
    send("POST", "/items", {"name": "cap"}),
    get("/items"),
    get("/search?q=cats&page=1"),
    get("/search?q=cats&page=1"),
    get("/search?q=birds&api_key=" + "k1l2m3n4o5" * 2),
    get("/nothing/here"),
    send("DELETE", "/items", {}),
    form("/items", "name=cap"),
    get("/broken"),
    get("/__replaymock/health"),
    Ask("OPTIONS", "/items", (("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "PUT"))),
    ABSOLUTE,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Cassettes: of writes and steps, one that nobody asks for, one that was recorded, and a broken one."""
    clock = {"status": 200, "headers": {"content-type": "application/json"}, "json": {"now": 1, "zone": "UTC"}}
    dated = {**clock, "recorded_at": "2026-01-01T00:00:00Z"}
    put(
        tmp_path,
        "cassettes/clock/GET.json",
        {"version": 1, "request": {"method": "GET", "path": "/clock"}, "responses": [dated]},
    )
    put(tmp_path, "cassettes/unused/GET.json", simple("/unused", 1))
    put(tmp_path, "cassettes/broken/GET.json", '{\n  "request": {"path": "/broken"},\n  "responses": [}\n')
    return tmp_path


def ask_all(told: Told, asked: tuple[Ask, ...]) -> None:
    for ask in asked:
        told.hear(ask)


@pytest.mark.parametrize("way", WAYS)
def test_what_a_recorder_tells(folder: Path, way: str) -> None:
    with scripted_backend() as origin:
        options = ("--upstream", origin, "--upstream", f"/dead={DEAD}", "--skip", "/skipped/**", WAYS[way])
        with told_by("record", folder, *options) as told:
            ask_all(told, RECORDED)
            told.wait_for("hidden")
            compare(f"record-{way}.txt", told.end(folder))


@pytest.mark.parametrize("way", WAYS)
def test_what_a_replay_tells(folder: Path, way: str) -> None:
    put(folder, "cassettes/mock.json", {"plain": True})
    put(folder, "cassettes/job/GET.json", simple("/job", "pending", "running", "done"))
    grown = [{"json": []}, {"after": "POST /items", "json": [{"id": 3}]}]
    put(folder, "cassettes/items/GET.json", {"request": {"path": "/items"}, "responses": grown})
    put(
        folder,
        "cassettes/items/POST.json",
        {"request": {"method": "POST", "path": "/items", "json": {"name": "cap"}}, "responses": [{"status": 201}]},
    )
    put(
        folder,
        "cassettes/search/GET--dogs.json",
        {"request": {"path": "/search", "query": {"q": "dogs"}}, "responses": [{"json": []}]},
    )
    put(
        folder,
        "cassettes/search/GET--more.json",
        {"request": {"path": "/search", "query": {"q": "dogs"}}, "responses": [{"json": []}]},
    )
    with told_by("replay", folder, "--fail-on-miss", WAYS[way]) as told:
        ask_all(told, REPLAYED)
        put(folder, "cassettes/late.json", [1])
        told.wait_for("reloaded")
        told.hear(get("/late"))
        compare(f"replay-{way}.txt", told.end(folder))
