"""What writes changed is remembered: the recorded requests in their order get the recorded answers."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from threading import Event

from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.http.messages import Request
from replaymock.http.origin import OriginRewriter
from replaymock.matching.matcher import Matcher
from replaymock.proxy.routes import parse_upstream
from replaymock.recording.capture import Capture
from replaymock.recording.cassette_builder import CassetteBuilder
from replaymock.recording.response_capture import RecordingPolicy
from tests.support.factories import a_request, a_response, an_exchange
from tests.support.inside import an_engine, running_app
from tests.support.running import ask, cassettes, raw_backend, read_whole, reply
from tests.support.stored import HeldCassettes

COLLECTIONS = ("/items", "/users/7/notes", "/api/v1/orders/")


class Backend:
    """A small REST and GraphQL backend: collections of items by number, and a beacon that changes nothing."""

    def __init__(self) -> None:
        self._items: dict[str, dict[int, int]] = {name: {1: 0} for name in COLLECTIONS}
        self._calls = 0

    def answer(self, request: Request) -> tuple[int, object]:
        self._calls += request.method != "GET"
        if request.path == "/graphql":
            return self._graphql(json.loads(request.body))
        name, _, number = self._place(request.path)
        if name not in self._items:
            return 202, {}
        items = self._items[name]
        if request.method == "POST":
            items[len(items) + 1] = self._calls
            return 201, {"id": len(items)}
        if number and int(number) not in items:
            return 404, {"error": "gone"}
        if request.method == "GET":
            return 200, items.get(int(number)) if number else items
        if request.method == "PUT":
            items[int(number)] = self._calls
            return 200, {}
        del items[int(number)]
        return 204, None

    def _graphql(self, asked: dict[str, str]) -> tuple[int, object]:
        items = self._items["/items"]
        if asked["query"].startswith("mutation"):
            items[len(items) + 1] = self._calls
        return 200, {"data": {"items": items}}

    def _place(self, path: str) -> tuple[str, str, str]:
        found = next((name for name in COLLECTIONS if path.startswith(name)), "")
        return found, "/", path.removeprefix(found).strip("/")


def a_flow(random: Random, length: int = 24) -> list[Request]:
    """Requests of which a good half write."""
    flow = []
    for _ in range(length):
        collection = random.choice(COLLECTIONS)
        item = f"{collection.rstrip('/')}/{random.randint(1, 3)}"
        reads = [("GET", collection), ("GET", item), ("GET", item)]
        writes = [("POST", collection), ("PUT", item), ("DELETE", item), ("POST", "/beacon"), ("POST", "/api/beacon")]
        method, target = random.choice(writes if random.random() < 0.55 else reads)
        flow.append(a_request(method, target))
        if random.random() < 0.1:
            query = random.choice(["query Items { items }", "mutation Add { add }"])
            body = json.dumps({"query": query}).encode()
            flow.append(Request("POST", "/graphql", (("content-type", "application/json"),), body))
    return flow


def is_read(request: Request) -> bool:
    return request.method == "GET" or b"query Items" in request.body


def recorded_flow(flow: list[Request]) -> tuple[HeldCassettes, list[tuple[int, bytes]]]:
    """The cassettes of a flow, and the answers it got."""
    matcher, backend = Matcher(), Backend()
    recording = CassetteBuilder(RecordingPolicy(), matcher, OriginRewriter(("http://backend",)))
    cassettes, answers = HeldCassettes(), []
    for request in flow:
        status, value = backend.answer(request)
        body = b"" if value is None else json.dumps(value).encode()
        taken = recording.build(Capture(an_exchange(request, a_response(status, body=body))), cassettes)
        cassettes.put(taken.file, taken.cassette)
        answers.append((status, body))
    return cassettes, answers


def served(cassettes: HeldCassettes, flow: list[Request]) -> list[tuple[int, bytes]]:
    engine = an_engine(*map(cassettes.cassette, cassettes.index.entries.values()))
    answers = [engine.answer(replace(request, headers=(*request.headers, ("host", "localhost")))) for request in flow]
    return [(answer.status, answer.body) if answer else (0, b"") for answer in answers]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_recorded_flow_replays_however_often_reads_are_repeated_in_place(seed: int, most: int) -> None:
    random = Random(seed)
    flow = a_flow(random)
    cassettes, answers = recorded_flow(flow)
    times = [random.randint(1, most) if is_read(request) else 1 for request in flow]
    repeated = [request for request, count in zip(flow, times, strict=True) for _ in range(count)]
    wanted = [answer for answer, count in zip(answers, times, strict=True) for _ in range(count)]
    assert served(cassettes, repeated) == wanted


def test_a_list_is_recorded_before_and_after_a_write_and_replays_with_every_read_doubled(tmp_path: Path) -> None:
    items: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        head, body = read_whole(connection)
        items.extend([body] if head.startswith(b"POST") else [])
        connection.sendall(reply(b"[%b]" % b",".join(items)))

    def seen(url: str, times: int) -> list[bytes]:
        found = []
        for item in (b"1", b"2", b""):
            found += {ask(url, "GET", "/items").body for _ in range(times)}
            ask(url, "POST", "/items", body=item) if item else None
        return found

    with (
        raw_backend(handle) as backend,
        running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), mode="all") as app,
    ):
        live = seen(app.url, 1)
    assert [response.get("after") for response in cassettes(tmp_path / "c")["items/GET.json"]["responses"]] == [
        None,
        "POST /items",
        "POST /items x2",
    ]
    with running_app(tmp_path / "c") as app:
        assert seen(app.url, 3) == live == [b"[]", b"[1]", b"[1,2]"]


def test_two_tabs_at_once_are_recorded_in_the_order_their_requests_arrived(tmp_path: Path) -> None:
    arrived, read_again = Event(), Event()
    items: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        head, body = read_whole(connection)
        if head.startswith(b"POST"):
            items.append(body)
            arrived.set()
            read_again.wait(5)
        connection.sendall(reply(b"[%b]" % b",".join(items)))

    with (
        raw_backend(handle) as backend,
        running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), mode="all") as app,
    ):
        ask(app.url, "GET", "/items")
        with ThreadPoolExecutor(1) as other_tab:
            writing = other_tab.submit(ask, app.url, "POST", "/items", (), b"1")
            arrived.wait(5)
            assert ask(app.url, "GET", "/items").body == b"[1]"
            read_again.set()
            writing.result()
    assert cassettes(tmp_path / "c")["items/GET.json"]["responses"][1]["after"] == "POST /items"


def test_a_read_that_was_answered_before_a_slow_write_does_not_hide_it_from_the_next(tmp_path: Path) -> None:
    arrived, read_again = Event(), Event()
    items: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        head, body = read_whole(connection)
        if head.startswith(b"POST"):
            arrived.set()
            read_again.wait(5)
            items.append(body)
        connection.sendall(reply(b"[%b]" % b",".join(items)))

    with (
        raw_backend(handle) as backend,
        running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), mode="all") as app,
    ):
        ask(app.url, "GET", "/items")
        with ThreadPoolExecutor(1) as other_tab:
            writing = other_tab.submit(ask, app.url, "POST", "/items", (), b"1")
            arrived.wait(5)
            assert ask(app.url, "GET", "/items").body == b"[]"
            read_again.set()
            writing.result()
        assert ask(app.url, "GET", "/items").body == b"[1]"
    assert cassettes(tmp_path / "c")["items/GET.json"]["responses"][1]["after"] == "POST /items"


def test_who_is_not_logged_in_yet_or_any_more_is_told_so_where_401_is_recorded(tmp_path: Path) -> None:
    logged_in = [False]

    def handle(connection: socket.socket) -> None:
        head, _ = read_whole(connection)
        if head.startswith(b"POST"):
            logged_in[0] = head.startswith(b"POST /login")
        connection.sendall(reply(b"{}", status="200 OK" if logged_in[0] or head.startswith(b"POST") else "401 No"))

    def seen(url: str) -> list[int]:
        flow = [("GET", "/me"), ("POST", "/login"), ("GET", "/me"), ("POST", "/logout"), ("GET", "/me")]
        return [ask(url, method, target).status for method, target in flow]

    how = {"mode": "all", "statuses": frozenset((401,))}
    with raw_backend(handle) as backend:
        for _ in range(2):
            with running_app(tmp_path / "c", upstreams=(parse_upstream(backend),), **how) as app:
                assert seen(app.url) == [401, 200, 200, 200, 401]
    with running_app(tmp_path / "c") as app:
        assert seen(app.url) == [401, 200, 200, 200, 401]
