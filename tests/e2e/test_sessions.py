"""Sessions: tests that run side by side against one server, each with positions and writes of its own."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from replaymock.proxy.routes import parse_upstream
from tests.support.inside import put, running_app, simple
from tests.support.running import ask, cassettes, raw_backend, read_whole, reply

NAMING = {
    "header": lambda name: ("", [("Replaymock-Session", name)]),
    "cookie": lambda name: ("", [("Cookie", f"theme=dark; replaymock-session={name}")]),
    "base path": lambda name: (f"/__replaymock/session/{name}", []),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A list that grows with each of three writes, and a job that is done at the third look."""
    grown = [{"after": f"POST /items x{count}", "json": list(range(count))} for count in (1, 2, 3)]
    put(tmp_path, "items/GET.json", {"request": {"path": "/items"}, "responses": [{"json": []}, *grown]})
    put(tmp_path, "items/POST.json", simple("/items", {}, method="POST"))
    put(tmp_path, "job/GET.json", simple("/job", "pending", "running", "done"))
    put(
        tmp_path,
        "old/GET.json",
        {"request": {"path": "/old"}, "responses": [{"status": 302, "headers": {"location": "/new"}}]},
    )
    put(tmp_path, "link/GET.json", simple("/link", "{{origin}}/next"))
    return tmp_path


def flow(url: str, name: str, kind: str) -> list[object]:
    """What one client sees of lists and jobs, in an order of its own."""
    base, headers = NAMING[kind](name)
    random, seen, length, looks = Random(name), [], 0, 0
    for _ in range(25):
        if random.random() < 0.3:
            ask(url, "POST", f"{base}/items", headers)
            length += 1
        path = random.choice(["/items", "/job"])
        looks += path == "/job"
        wanted = list(range(min(length, 3))) if path == "/items" else ["pending", "running", "done"][min(looks, 3) - 1]
        seen.append(ask(url, "GET", base + path, headers).json() == wanted)
    return seen


def test_sixteen_clients_at_once_do_not_disturb_each_other(folder: Path) -> None:
    kinds = [kind for kind in NAMING for _ in range(6)][:16]
    with running_app(folder) as app, ThreadPoolExecutor(16) as clients:
        seen = clients.map(lambda at: flow(app.url, f"client-{at[0]}", at[1]), enumerate(kinds))
        assert all(all(each) for each in seen)
        told = ask(app.url, "GET", "/__replaymock/sessions").json()["sessions"]
    assert {session["session"] for session in told} == {None, *(f"client-{number}" for number in range(16))}


def test_one_session_is_reset_and_the_others_stay(folder: Path) -> None:
    with running_app(folder) as app:
        for name in ("one", "two"):
            ask(app.url, "GET", f"/__replaymock/session/{name}/job")
        ask(app.url, "POST", "/__replaymock/reset", [("Replaymock-Session", "one")])
        jobs = [ask(app.url, "GET", f"/__replaymock/session/{name}/job").json() for name in ("one", "two")]
    assert jobs == ["pending", "running"]


def test_what_is_served_under_a_base_path_leads_back_to_it(folder: Path) -> None:
    with running_app(folder) as app:
        base = "/__replaymock/session/one"
        assert ask(app.url, "GET", f"{base}/old").header("location") == f"{base}/new"
        assert ask(app.url, "GET", f"{base}/link").json() == f"{app.url}{base}/next"
        assert (
            ask(app.url, "GET", f"{base}/job", [("Origin", "http://localhost:1")]).header("access-control-allow-origin")
            == "http://localhost:1"
        )
        assert ask(app.url, "GET", "/__replaymock/session/a%20b/job").json()["code"] == "bad_session"


def test_what_names_a_session_neither_goes_upstream_nor_into_a_cassette(tmp_path: Path) -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_whole(connection)[0])
        connection.sendall(reply(b"{}", "Location: /next"))

    with (
        raw_backend(handle) as backend,
        running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), mode="all") as app,
    ):
        for naming in NAMING.values():
            base, headers = naming("mine")
            got = ask(app.url, "GET", f"{base}/a", headers)
            assert got.header("location") == f"{base}/next"
    assert all(head.startswith(b"GET /a HTTP/1.1") and b"mine" not in head for head in heads)
    assert set(cassettes(tmp_path / "c")) == {"a/GET.json"}
    assert "mine" not in json.dumps(cassettes(tmp_path / "c"))
