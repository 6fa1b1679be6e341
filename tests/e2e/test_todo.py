"""A to-do list in Flask and SQLite, used in Chromium: recorded once, and replayed with the backend gone."""

import contextlib
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request
from waitress.server import create_server

from replaymock.proxy.routes import parse_upstream
from replaymock.replay.faults import Latency
from tests.support.browser import chromium
from tests.support.inside import running_app
from tests.support.running import raw_backend, read_whole

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><title>To do</title><ul></ul><script>
const send = (method, path, value) =>
    fetch(path, {method, headers: {"content-type": "application/json"}, body: value && JSON.stringify(value)});
async function show() {
    let items;
    for (let time = 0; time < (window.times || 1); time++) items = await (await fetch("/api/items")).json();
    document.querySelector("ul").replaceChildren(...items.map(item => {
        const line = document.createElement("li");
        line.id = "item-" + item.id;
        line.textContent = item.title;
        return line;
    }));
    document.title = "Shown";
}
const act = async (method, path, value) => { await send(method, path, value); await show(); };
show();
</script>"""
STEPS = [
    "0",
    "act('POST', '/api/items', {title: 'Milk'})",
    "act('POST', '/api/items', {title: 'Bread'})",
    "act('PATCH', '/api/items/1', {title: 'Oat milk'})",
    "act('DELETE', '/api/items/2')",
]
SEEN = [[], ["Milk"], ["Milk", "Bread"], ["Oat milk", "Bread"], ["Oat milk"]]


def todo(file: Path) -> Flask:
    """The backend."""
    app = Flask("todo")
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT)")

    def run(sql: str, *values: object) -> list[dict[str, object]]:
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            rows = database.execute(sql, values).fetchall()
        return [{"id": number, "title": title} for number, title in rows]

    @app.get("/")
    def page() -> Response:
        return Response(PAGE, content_type="text/html; charset=utf-8")

    @app.get("/api/items")
    def items() -> Response:
        return jsonify(run("SELECT id, title FROM items ORDER BY id"))

    @app.post("/api/items")
    def add() -> tuple[Response, int]:
        [made] = run("INSERT INTO items (title) VALUES (?) RETURNING id, title", request.json["title"])
        return jsonify(made), 201

    @app.patch("/api/items/<int:number>")
    def rename(number: int) -> Response:
        [made] = run("UPDATE items SET title = ? WHERE id = ? RETURNING id, title", request.json["title"], number)
        return jsonify(made)

    @app.delete("/api/items/<int:number>")
    def delete(number: int) -> tuple[str, int]:
        run("DELETE FROM items WHERE id = ?", number)
        return "", 204

    return app


@contextlib.contextmanager
def running(app: Flask) -> Iterator[str]:
    server = create_server(app, host="127.0.0.1", port=0, threads=4, asyncore_use_poll=True)  # else its end may raise
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(5)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def used(browser: Any, url: str, *, times: int = 1, reloads: int = 1) -> list[list[list[str]]]:
    """What the page shows at each step, after the action and after each reload."""
    page = browser.new_context().new_page()
    page.add_init_script(f"window.times = {times}")
    page.goto(url)

    def shown() -> list[str]:
        page.wait_for_function("document.title == 'Shown'")
        return page.locator("li").all_inner_texts()  # type: ignore[no-any-return]

    seen = []
    for step in STEPS:
        shown()
        page.evaluate(step)
        states = [shown()]
        for _ in range(reloads):
            page.reload()
            states.append(shown())
        seen.append(states)
    page.context.close()
    return seen


@pytest.fixture(scope="module")
def recorded(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cassettes of one visit."""
    folder = tmp_path_factory.mktemp("todo")
    upstream = running(todo(folder / "todo.db"))
    with upstream as backend, running_app(folder / "c", upstreams=(parse_upstream(backend),), mode="all") as app:
        assert used(browser, app.url) == [[seen] * 2 for seen in SEEN]
    return folder / "c"


@pytest.mark.parametrize(("times", "reloads"), [(1, 1), (1, 2), (3, 1), (3, 2)])
def test_the_page_shows_the_same_at_each_step(browser: Any, recorded: Path, times: int, reloads: int) -> None:
    with running_app(recorded) as app:
        assert used(browser, app.url, times=times, reloads=reloads) == [[seen] * (reloads + 1) for seen in SEEN]


GAP = 0.12
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %b\r\n\r\n"
READERS: dict[str, tuple[bytes, Callable[[int], bytes], str]] = {
    "/events": (
        b"text/event-stream",
        lambda number: b'id: %d\nevent: tick\ndata: {"n":%d}\n\n' % (number, number),
        """done => {
            const source = new EventSource("/events"), seen = [];
            source.addEventListener("tick", event => {
                seen.push([event.data, performance.now()]);
                if (seen.length == 4) { source.close(); done(seen); }
            });
        }""",
    ),
    "/lines": (
        b"application/x-ndjson",
        lambda number: b'{"n":%d}\n' % number,
        """async done => {
            const reader = (await fetch("/lines")).body.getReader(), text = new TextDecoder(), seen = [];
            let rest = "";
            for (let part; !(part = await reader.read()).done;) {
                const lines = (rest + text.decode(part.value)).split("\\n");
                rest = lines.pop();
                for (const line of lines) seen.push([line, performance.now()]);
            }
            done(seen);
        }""",
    ),
}


def ticking(connection: socket.socket) -> None:
    head, _ = read_whole(connection)
    path = head.split(b" ")[1].decode()
    if path == "/":
        connection.sendall(HEAD % b"text/html" + b"<!doctype html><title>Events</title>")
        return
    media_type, piece, _ = READERS[path]
    connection.sendall(HEAD % media_type)
    for number in range(4):
        time.sleep(GAP)
        connection.sendall(piece(number))


def read_in_page(browser: Any, url: str, script: str) -> tuple[list[str], float]:
    page = browser.new_context().new_page()
    page.goto(url)
    asked = page.evaluate("performance.now()")
    seen = page.evaluate(f"new Promise({script})")
    page.context.close()
    return [data for data, _ in seen], seen[-1][1] - asked


@pytest.mark.parametrize("path", READERS)
def test_a_page_reads_the_same_events_at_the_same_pace(browser: Any, tmp_path: Path, path: str) -> None:
    script = READERS[path][2]
    with (
        raw_backend(ticking) as backend,
        running_app(tmp_path, upstreams=(parse_upstream(backend),), mode="all") as app,
    ):
        live, live_took = read_in_page(browser, app.url, script)
    with running_app(tmp_path, latency=Latency(factor=1)) as app:
        played, took = read_in_page(browser, app.url, script)
    assert len(live) == 4 and played == live
    # In milliseconds from the question to the last event: a page that gets to read late only takes longer.
    assert min(live_took, took) > GAP * 3000, "it came at once"
    assert max(live_took, took) < 3 * min(live_took, took)
