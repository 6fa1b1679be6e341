"""The backend sees only itself, and the conditions of writes: what a recorder sends on of the headers of a request."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from replaymock.app import App
from replaymock.proxy.routes import parse_upstream
from tests.support.inside import Told, running_app
from tests.support.running import Got, ask, cassettes, eventually, raw_backend, read_whole, reply
from tests.support.sockets import opening
from tests.support.upgrading import GOOD, answer

TAG = '"new"'
UPGRADE = "upgrade: websocket"


class Seen:
    """The heads a backend got, one after another; it refuses what a condition or a foreign page asks for."""

    def __init__(self) -> None:
        self._heads: list[list[str]] = []
        self._news = threading.Condition()

    def handle(self, connection: socket.socket) -> None:
        data, _ = read_whole(connection)
        head = data.decode("latin-1").split("\r\n")
        with self._news:
            self._heads.append(head)
            self._news.notify_all()
        if UPGRADE in data.decode("latin-1").lower():
            connection.sendall(answer(data + b"\r\n\r\n", *GOOD))
            return
        connection.sendall(reply(b"", f"ETag: {TAG}", status=self._status(head)))

    def _status(self, head: list[str]) -> str:
        is_read = head[0].startswith(("GET", "HEAD"))
        if _value(head, "if-match") not in ("", TAG) or _value(head, "if-unmodified-since"):
            return "412 Precondition Failed"
        if TAG in _value(head, "if-none-match") or _value(head, "if-none-match") == "*":
            return "304 Not Modified" if is_read else "412 Precondition Failed"
        origin = _value(head, "origin") or "/".join(_value(head, "referer").split("/")[:3])
        return "403 Forbidden" if origin and origin != f"http://{_value(head, 'host')}" else "200 OK"

    def last(self, name: str, number: int = 1) -> str:
        """The value of a header in the newest of so many heads."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._heads) >= number, 5)
            return _value(self._heads[-1], name)


def _value(head: list[str], name: str) -> str:
    values = (line.partition(":") for line in head[1:])
    return next((value.strip() for key, _, value in values if key.lower() == name), "")


@dataclass(frozen=True)
class Run:
    """A recorder before that backend, which is there under two names."""

    app: App
    backend: str
    seen: Seen
    folder: Path
    told: Told

    def ask(self, method: str, target: str, *headers: tuple[str, str]) -> Got:
        return ask(self.app.url, method, target, headers, b"x" if method in ("PUT", "POST", "PATCH") else None)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    seen, told = Seen(), Told()
    with raw_backend(seen.handle) as backend:
        upstreams = (parse_upstream(f"{backend}/base"), parse_upstream(f"/shop={backend}"))
        with running_app(tmp_path, told, upstreams=upstreams, mode="all") as app:
            yield Run(app, backend, seen, tmp_path, told)


def statuses(run: Run) -> list[list[int]]:
    return [[one.get("status", 200) for one in found["responses"]] for found in cassettes(run.folder).values()]


@pytest.mark.parametrize(
    ("method", "condition"),
    [
        ("PUT", ("If-Match", '"old"')),
        ("PUT", ("If-None-Match", "*")),
        ("DELETE", ("If-Match", '"old"')),
        ("PATCH", ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")),
        ("POST", ("If-None-Match", f'"a", {TAG}')),
        ("MOVE", ("if-match", '"old"')),
    ],
)
def test_a_write_is_refused_where_its_condition_does_not_hold(
    run: Run, method: str, condition: tuple[str, str]
) -> None:
    assert run.ask(method, "/doc", condition).status == 412
    assert run.seen.last(condition[0].lower()) == condition[1]
    assert run.ask(method, "/doc", ("If-Match", TAG)).status == 200
    assert run.ask(method, "/doc").status == 200


def test_what_a_write_was_refused_is_refused_on_replay(run: Run, tmp_path: Path) -> None:
    created = [run.ask("PUT", "/doc").status, run.ask("PUT", "/doc", ("If-None-Match", "*")).status]
    assert eventually(lambda: statuses(run) == [[200, 412]])
    with running_app(tmp_path) as replay:
        again = [ask(replay.url, "PUT", "/doc", (), b"x").status for _ in range(2)]
    assert created == again == [200, 412]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ["If-None-Match", "If-Modified-Since"])
def test_a_client_that_has_it_already_gets_the_whole_which_is_kept(run: Run, method: str, name: str) -> None:
    assert run.ask(method, "/doc", (name, TAG)).status == 200
    assert run.seen.last(name.lower()) == ""
    assert eventually(lambda: statuses(run) == [[200]])


def test_a_read_that_is_refused_by_its_condition_is_not_what_is_there(run: Run) -> None:
    assert run.ask("GET", "/doc", ("If-Match", '"old"')).status == 412
    signed = ("Authorization", "AWS4-HMAC-SHA256 Credential=k, SignedHeaders=host;if-none-match, Signature=f")
    assert run.ask("GET", "/doc", ("If-None-Match", TAG), signed).status == 304
    assert "412 answers If-Match" in run.told.log
    assert "304 answers If-None-Match" in run.told.log
    assert cassettes(run.folder) == {}
    assert run.ask("GET", "/doc", ("If-Match", TAG)).status == 200
    assert eventually(lambda: statuses(run) == [[200]])


def test_what_is_not_recorded_goes_upstream_with_all_its_conditions(tmp_path: Path) -> None:
    seen = Seen()
    with (
        raw_backend(seen.handle) as backend,
        running_app(tmp_path, upstreams=(parse_upstream(backend),), mode="all", skip=("/doc",)) as app,
    ):
        assert ask(app.url, "GET", "/doc", [("If-None-Match", TAG)]).status == 304


def here(run: Run, name: str = "localhost") -> str:
    return f"http://{name}:{run.app.port}"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_a_page_of_the_mock_is_a_page_of_the_backend(run: Run, name: str) -> None:
    origin = here(run, name)
    assert run.ask("POST", "/items", ("Origin", origin), ("Sec-Fetch-Site", "same-origin")).status == 200
    assert (run.seen.last("origin"), run.seen.last("sec-fetch-site")) == (run.backend, "same-origin")
    assert run.ask("POST", "/items", ("Referer", f"{origin}/page?a=1")).status == 200
    assert run.seen.last("referer") == f"{run.backend}/base/page?a=1"
    assert run.ask("POST", "/shop/cart", ("Referer", f"{origin}/shop/")).status == 200
    assert run.seen.last("referer") == f"{run.backend}/shop/"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "http://localhost:1",
        "https://localhost:HERE",
        "http://localhost:HERE.evil.example",
        "http://localhost:HERE0",
    ],
)
def test_a_page_of_another_site_stays_one(run: Run, origin: str) -> None:
    origin = origin.replace("HERE", str(run.app.port))
    assert run.ask("POST", "/items", ("Origin", origin)).status == 403
    assert run.seen.last("origin") == origin


def test_the_name_that_the_client_used_is_this_server(run: Run) -> None:
    lines = ["POST /items HTTP/1.1", "Host: shop.localhost:99", "Origin: http://shop.localhost:99", "Content-Length: 0"]
    with socket.create_connection(("127.0.0.1", run.app.port), timeout=5) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        assert b"200 OK" in connection.recv(100)
    assert run.seen.last("origin") == run.backend


def test_a_page_below_the_path_of_a_session_and_what_it_moves(run: Run) -> None:
    base = "/__replaymock/session/ada"
    headers = [("Referer", here(run) + base + "/page"), ("Destination", here(run) + base + "/b")]
    assert run.ask("MOVE", base + "/a", *headers).status == 200
    assert run.seen.last("referer") == f"{run.backend}/base/page"
    assert run.seen.last("destination") == f"{run.backend}/base/b"


def test_a_signature_that_covers_the_origin_leaves_it_as_it_is(run: Run) -> None:
    signed = ("Signature-Input", 'sig=("@method" "origin");created=1')
    assert run.ask("POST", "/items", ("Origin", here(run)), signed).status == 403
    assert run.seen.last("origin") == here(run)


def test_nothing_is_told_otherwise_without_rewriting(tmp_path: Path) -> None:
    seen = Seen()
    with (
        raw_backend(seen.handle) as backend,
        running_app(tmp_path, upstreams=(parse_upstream(backend),), mode="all", rewrite=False) as app,
    ):
        origin = f"http://localhost:{app.port}"
        assert ask(app.url, "POST", "/items", [("Origin", origin), ("Referer", origin + "/")], b"x").status == 403
        assert (seen.last("origin"), seen.last("referer")) == (origin, origin + "/")


@pytest.mark.parametrize(("origin", "is_own"), [("http://localhost:HERE", True), ("http://localhost:3000", False)])
def test_a_websocket_is_asked_for_by_a_page_of_the_backend(run: Run, origin: str, is_own: bool) -> None:
    origin = origin.replace("HERE", str(run.app.port))
    with socket.create_connection(("127.0.0.1", run.app.port), timeout=5) as connection:
        connection.sendall(opening("/cable", f"Origin: {origin}", f"Referer: {origin}/page"))
        assert b"101" in connection.recv(100)
    assert run.seen.last("origin") == (run.backend if is_own else origin)
    assert run.seen.last("referer") == (f"{run.backend}/base/page" if is_own else f"{origin}/page")
