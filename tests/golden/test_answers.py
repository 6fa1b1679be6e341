"""Answers of its own, frozen: the endpoints under `/__replaymock/`, each kind of miss, other problems, moved times."""

import calendar
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.golden.backend import encoded, scripted_backend
from tests.golden.keeping import compare
from tests.golden.normal import as_offsets, normal
from tests.golden.steps import Ask, Pairs, form, get, send
from tests.golden.wire import Heard, as_document, hear, hear_until, heard, shown
from tests.support.inside import put, simple
from tests.support.running import eventually, raw_backend, read_request, replaymock
from tests.support.sockets import TEXT, Reader, frame, opened

OWN = "/__replaymock"
FOREIGN: Pairs = (("Origin", "http://elsewhere.example"), ("Sec-Fetch-Site", "cross-site"))


def a_cassette(method: str, path: str, response: Any, **request: Any) -> dict[str, Any]:
    return {"request": {"method": method, "path": path, **request}, "responses": [response]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One cassette of each kind that something can come near to."""
    several = simple("/steps", 1, 2)
    put(tmp_path, "cassettes/steps/GET.json", several)
    put(tmp_path, "cassettes/books/GET.json", simple("/books", []))
    put(
        tmp_path,
        "cassettes/search/GET.json",
        a_cassette("GET", "/search", {"json": 1}, query={"q": "dogs", "page": "1"}),
    )
    put(
        tmp_path,
        "cassettes/orders/POST.json",
        a_cassette("POST", "/orders", {"status": 201}, json={"item": {"id": 7, "tags": ["a"]}}),
    )
    put(
        tmp_path,
        "cassettes/form/POST.json",
        a_cassette("POST", "/form", {"status": 204}, form={"a": "1", "b": ["2", "3"]}),
    )
    put(tmp_path, "cassettes/notes/POST.json", a_cassette("POST", "/notes", {"status": 204}, text="one"))
    put(
        tmp_path,
        "cassettes/greeting/GET.json",
        a_cassette("GET", "/greeting", {"json": "hi"}, headers={"accept-language": "en"}),
    )
    said = [{"from": "client", "json": {"ask": 1}}, {"from": "server", "json": {"answer": 1}}]
    put(tmp_path, "cassettes/live/GET.json", {"request": {"path": "/live"}, "responses": [{"messages": said}]})
    put(tmp_path, "cassettes/mock.json", {"plain": True})
    put(tmp_path, "cassettes/broken/GET.json", '{\n  "request": {"path": "/broken"},\n  "responses": [}\n')
    return tmp_path


MISSES = (
    get("/nothing"),
    get("/nothing?a=1&b=2"),
    send("POST", "/nothing", {"a": 1}),
    send("PUT", "/books", {"a": 1}),
    get("/books/"),
    get("/book"),
    get("/steps"),
    get("/steps"),
    get("/steps"),
    get("/search?q=cats&page=1"),
    get("/search?q=dogs&page=1&_=1"),
    get("/search?q=dogs&page=1&access_token=" + "q7R2" * 6),
    get("/search"),
    send("POST", "/orders", {"item": {"id": 8, "tags": ["a", "b"]}}),
    form("/orders", "item=7"),
    Ask("POST", "/orders"),
    form("/form", "a=2&b=2&b=3&c=4"),
    Ask("POST", "/notes", (("Content-Type", "text/plain"),), b"two"),
    get("/greeting", Accept_Language="de"),
    get("/live"),
    get("/broken"),
    Ask("HEAD", "/nothing"),
    Ask("GET", "/nothing", FOREIGN),
)
CONFIGURED = 'ignore = ["query:_", "json:$.item.tags"]\n[match]\nheaders = ["accept-language"]\n'


@pytest.mark.parametrize("config", [CONFIGURED, ""], ids=["configured", "bare"])
def test_what_a_miss_says_for_each_reason(folder: Path, config: str) -> None:
    if config:
        put(folder, "replaymock.toml", config)
    with replaymock("replay", Path("cassettes"), "--sequence", "strict", cwd=folder) as replay:
        answers = [shown(ask, hear(replay.port, ask), as_document) for ask in MISSES]
        with opened(replay.port, "/live") as (connection, head):
            connection.sendall(frame(TEXT, b'{"ask": 2}'))
            ((_, code),) = Reader(connection).messages()
            answers.append(f"{shown(get('/live'), heard(head))}closed with {int.from_bytes(code, 'big')}\n")
        with opened(replay.port, "/books") as (_, head):
            answers.append(shown(get("/books", Upgrade="websocket"), heard(head)))
        eventually(lambda: "miss: GET /books: other protocol" in replay.log)
        lines = [f"stderr: {line}" for line in replay.log.splitlines()]
    compare(f"misses-{'configured' if config else 'bare'}.txt", normal("\n".join([*answers, *lines]) + "\n", folder))


def test_what_other_problems_say(tmp_path: Path) -> None:
    asked = (
        get("/dead/1"),
        get("/slow/1"),
        get("/cut/1"),
        get("/garbled/1"),
        get("/items", Host="elsewhere.example"),
        get("/items", Host="localhost/x"),
        Ask("GET", "http://elsewhere.example/items"),
        Ask("POST", "/items", (("Content-Type", "text/plain"),), b"x" * 2000),
        Ask("GET", "/items", (("Origin", "http://elsewhere.example"),)),
    )
    with (
        scripted_backend() as origin,
        raw_backend(lambda connection: read_request(connection) and time.sleep(1.5)) as slow,
        raw_backend(read_request) as cut,
        raw_backend(
            lambda connection: read_request(connection) and connection.sendall(b"SSH-2.0-x\r\n\r\n")
        ) as garbled,
    ):
        upstreams = {"": origin, "/dead=": "http://127.0.0.1:1", "/slow=": slow, "/cut=": cut, "/garbled=": garbled}
        options = [part for prefix, url in upstreams.items() for part in ("--upstream", f"{prefix}{url}")]
        options += ["--read-timeout", "0.3", "--max-body", "1000", "--header", "X-Key: k"]
        with replaymock("record", Path("cassettes"), *options, cwd=tmp_path) as recorder:
            answers = [shown(ask, hear(recorder.port, ask), as_document, ("content-length",)) for ask in asked]
    compare("problems.txt", normal("\n".join(answers), tmp_path))


ENDPOINTS = (
    *(get(f"{OWN}/{name}") for name in "health ready misses requests unused cassettes sessions".split()),
    get(OWN),
    get(f"{OWN}/"),
    get(f"{OWN}/page/page.js"),
    get(f"{OWN}/page/style.css"),
    get(f"{OWN}/page/icon.svg"),
    Ask("HEAD", f"{OWN}/health"),
    Ask("POST", f"{OWN}/health"),
    get(f"{OWN}/reset"),
    get(f"{OWN}/nothing"),
    get(f"{OWN}/misses", Host="elsewhere.example"),
    get(f"{OWN}/health", Host="elsewhere.example"),
    Ask("POST", f"{OWN}/reset", FOREIGN),
    Ask("GET", f"{OWN}/events", FOREIGN),
    Ask("GET", f"{OWN}/misses", FOREIGN),
    get(f"{OWN}/misses", Via="1.1 replaymock-01234567"),
    Ask("OPTIONS", f"{OWN}/reset", (("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "POST"))),
    Ask("POST", f"{OWN}/session/ann/reset"),
    Ask("POST", f"{OWN}/reset", (("Replaymock-Session", "ann"),)),
    get(f"{OWN}/sessions"),
    Ask("POST", f"{OWN}/reset"),
    get(f"{OWN}/sessions"),
)


def test_what_every_endpoint_answers(folder: Path) -> None:
    with replaymock("replay", Path("cassettes"), cwd=folder) as replay:
        for ask in (get("/books"), get("/steps"), *MISSES[:3], MISSES[0], get(f"{OWN}/session/ann/steps")):
            hear(replay.port, ask)
        answers = [told(ask, hear(replay.port, ask)) for ask in ENDPOINTS]
        listening = get(f"{OWN}/events")
        events = hear_until(replay.port, listening, b"}\n\n", lambda: hear(replay.port, get("/mock")))
        answers.append(shown(listening, heard(events), lambda heard: heard.body.decode()))
    compare("endpoints.txt", normal("\n".join(answers), folder))


def told(ask: Ask, heard: Heard) -> str:
    """An own endpoint's answer; how long it is only where every run says the same."""
    is_page = ask.target.removeprefix(OWN).startswith("/page") or ask.target in (OWN, f"{OWN}/")
    differs = is_page or re.search(rb'"(pid|elapsed_ms)"', heard.body)
    return shown(ask, heard, as_document, ("content-length",) if differs else ())


RECORDED_AT = "2024-01-01T00:00:00Z"
AN_HOUR_ON = calendar.timegm((2024, 1, 1, 1, 0, 0))


def test_how_times_move(tmp_path: Path) -> None:
    later, long_ago = "Mon, 01 Jan 2024 01:00:00 GMT", "Sun, 31 Dec 2023 00:00:00 GMT"
    jwt = f"{encoded({'alg': 'HS256'})}.{encoded({'sub': 'ada', 'exp': AN_HOUR_ON})}.c2ln"
    body = {
        "expires_at": "2024-01-01T01:00:00Z",
        "exp": AN_HOUR_ON,
        "at": "2024-01-01T01:00:00Z",
        "note": AN_HOUR_ON,
        "jwt": jwt,
    }
    headers = {
        "content-type": "application/json",
        "expires": later,
        "set-cookie": [f"a=1; Expires={later}", f"b=2; Expires={long_ago}"],
        "last-modified": long_ago,
    }
    response = {"headers": headers, "json": body, "recorded_at": RECORDED_AT}
    put(tmp_path, "cassettes/times/GET.json", a_cassette("GET", "/times", response))
    with replaymock("replay", Path("cassettes"), "--shift-time", "json", cwd=tmp_path) as replay:
        compare("times.txt", as_offsets(shown(get("/times"), hear(replay.port, get("/times")), as_document)))
