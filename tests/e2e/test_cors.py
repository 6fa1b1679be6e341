"""CORS from raw sockets: every kind of answer, every kind of origin, and preflights that no browser would send."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import Running, exchange, raw_backend, read_request, replaymock

PAGE = "http://localhost:3000"
LISTED = "https://app.example.com"


@dataclass(frozen=True)
class Heard:
    """A response as it came over the socket."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def cors(self) -> dict[str, str]:
        """Its CORS headers, each of which may be there once."""
        found = [(key.lower(), value) for key, value in self.headers if key.lower().startswith("access-control-")]
        assert len(dict(found)) == len(found)
        return dict(found)

    @property
    def vary(self) -> list[str]:
        return [item.strip().lower() for item in ",".join(self.all("vary")).split(",")]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def hear(data: bytes) -> Heard:
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return Heard(int(status.split(" ")[1]), pairs, body)


def ask(port: int, line: str, *headers: str, body: bytes = b"") -> Heard:
    """The response to a request written by hand; `line` is method and target."""
    fields = ["Host: localhost", "Connection: close", *headers]
    head = "\r\n".join([f"{line} HTTP/1.1", *fields, "", ""])
    return hear(exchange(port, head.encode("latin-1") + body))


def leave(answer: Heard) -> tuple[str, bool]:
    """Who may read an answer, and whether with credentials."""
    cors = answer.cors()
    return cors["access-control-allow-origin"], cors.get("access-control-allow-credentials") == "true"


def write(folder: Path, name: str, value: Any) -> None:
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(value if isinstance(value, str) else json.dumps(value))


HAND_WRITTEN = {
    "request": {"path": "/items"},
    "responses": [
        {
            "headers": {
                "Access-Control-Allow-Origin": "https://shop.example.com",
                "access-control-allow-credentials": "true",
                "Access-Control-Max-Age": "86400",
                "vary": ["Accept-Language", "Cookie"],
                "x-total-count": "1",
                "set-cookie": "a=1",
            },
            "json": [],
        }
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cors")
    write(made, "items/GET.json", HAND_WRITTEN)
    write(made, "plain.json", "[1]")
    write(made, "gone/DELETE.json", {"request": {"method": "DELETE", "path": "/gone"}, "responses": [{"status": 204}]})
    write(made, "broken/GET.json", "{")
    for name, vary in (("any", "*"), ("said", "Accept, ORIGIN")):
        write(made, f"{name}/GET.json", {"request": {"path": f"/{name}"}, "responses": [{"headers": {"vary": vary}}]})
    return made


@pytest.fixture(scope="module")
def replay(folder: Path) -> Iterator[Running]:
    with replaymock("replay", folder, "--cors-origin", LISTED, "--max-body", "1KB") as server:
        yield server


@contextmanager
def recording(folder: Path, answer: bytes, *options: str) -> Iterator[tuple[Running, list[bytes]]]:
    """A recorder before a backend that gives everyone this answer; what the backend was asked."""
    asked: list[bytes] = []

    def handle(connection: Any) -> None:
        request = read_request(connection)
        if request:
            asked.append(request)
            connection.sendall(answer)

    with raw_backend(handle) as upstream, replaymock("record", folder, "--upstream", upstream, *options) as server:
        yield server, asked


def said(*headers: str, status: str = "200 OK") -> bytes:
    """A response of the backend, with the CORS headers of one that knows a single page."""
    own = ["Access-Control-Allow-Origin: https://shop.example.com", "Access-Control-Allow-Credentials: true"]
    fields = [*own, "Content-Type: application/json", "Content-Length: 2", "Connection: close", *headers]
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", "{}"]).encode()


ECHOED = (
    "http://localhost",
    "http://localhost:3000",
    "https://localhost:8443",
    "http://app.localhost:5173",
    "http://a.b-c.localhost",
    "http://127.0.0.1:8080",
    "http://127.8.9.10",
    "http://[::1]:3000",
    LISTED,
)

STRANGE = (
    "null",
    "http://localhost.evil.com",
    "http://localhost.evil.com:3000",
    "http://127.0.0.1.evil.com",
    "http://evil-localhost:80",
    "http://evillocalhost",
    "http://evil.com:localhost",
    "http://localhost@evil.com",
    "http://localhost:3000@evil.com",
    "http://evil.com#.localhost",
    "http://evil.com/.localhost",
    "http://evil.com?.localhost",
    "http://evil.com\\.localhost",
    "http://evil.com .localhost",
    "http://.localhost",
    "http://a..localhost",
    "http://localhost.",
    "http://localhost:",
    "http://localhost:3000/",
    "http://localhost:port",
    "HTTP://LOCALHOST:3000",
    "http://LOCALHOST:3000",
    "http://localho\u00dft",
    "http://128.0.0.1",
    "http://127.0.0",
    "http://127.0.0.1.",
    "http://1127.0.0.1",
    "http://0.0.0.0:3000",
    "http://[::2]",
    "http://[::1].evil.com",
    "http://[::ffff:127.0.0.1]",
    "http://::1",
    "localhost",
    "//localhost",
    "ftp://localhost",
    "file://localhost",
    "http://localhost, http://evil.com",
    "http://localhost http://evil.com",
    "*",
    f"{LISTED}.evil.com",
    f"{LISTED}:8443",
    f"{LISTED}/",
    "http://app.example.com",
    "https://evil-app.example.com",
)


@pytest.mark.parametrize("origin", ECHOED)
def test_a_loopback_or_listed_origin_is_echoed_with_credentials(replay: Running, origin: str) -> None:
    for target in ("/items", "/missing"):
        assert leave(ask(replay.port, f"GET {target}", f"Origin: {origin}")) == (origin, True)


@pytest.mark.parametrize("origin", STRANGE)
def test_any_other_origin_gets_a_star_and_no_credentials(replay: Running, origin: str) -> None:
    for target in ("/items", "/missing"):
        assert leave(ask(replay.port, f"GET {target}", f"Origin: {origin}")) == ("*", False)


@pytest.mark.parametrize("spelled", ["https://App.Example.COM", "https://app.example.com:443"])
def test_a_listed_origin_is_known_as_browsers_send_it_however_it_was_spelled(folder: Path, spelled: str) -> None:
    with replaymock("replay", folder, "--cors-origin", spelled) as server:
        assert leave(ask(server.port, "GET /items", f"Origin: {LISTED}")) == (LISTED, True)


def test_an_origin_sent_twice_is_nobodys(replay: Running) -> None:
    for first, second in ((PAGE, "http://evil.com"), ("http://evil.com", PAGE), (PAGE, PAGE)):
        assert leave(ask(replay.port, "GET /items", f"Origin: {first}", f"Origin: {second}")) == ("*", False)


ANSWERS = {
    "a hit": (200, "GET /items"),
    "a hit by HEAD": (200, "HEAD /items"),
    "a plain mock": (200, "GET /plain"),
    "a 204": (204, "DELETE /gone"),
    "a miss": (404, "GET /missing"),
    "a miss by HEAD": (404, "HEAD /missing"),
    "a miss of a write": (404, "PATCH /items"),
    "a broken cassette": (500, "GET /broken"),
    "an absolute target": (400, "GET http://localhost/items"),
    "an asterisk": (400, "OPTIONS *"),
    "a fragment": (400, "GET /items#top"),
    "a tunnel": (400, "CONNECT localhost:80"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_kind_of_answer_may_be_read_by_the_page_that_asked(replay: Running, kind: str) -> None:
    status, line = ANSWERS[kind]
    answer = ask(replay.port, line, f"Origin: {PAGE}")
    assert answer.status == status
    assert leave(answer) == (PAGE, True)
    assert "origin" in answer.vary
    alone = ask(replay.port, line)
    assert (alone.status, leave(alone)) == (status, ("*", False))
    assert "origin" in alone.vary


BAD_FRAMING = {
    "two hosts": ("POST /items", ("Host: other",)),
    "two lengths": ("POST /items", ("Content-Length: 1", "Content-Length: 1")),
    "a length that is none": ("POST /items", ("Content-Length: -1",)),
    "length and chunks": ("POST /items", ("Content-Length: 5", "Transfer-Encoding: chunked")),
    "an unknown coding": ("POST /items", ("Transfer-Encoding: gzip",)),
}


@pytest.mark.parametrize("kind", BAD_FRAMING)
def test_a_refusal_of_bad_framing_may_be_read_too(replay: Running, kind: str) -> None:
    line, headers = BAD_FRAMING[kind]
    answer = ask(replay.port, line, f"Origin: {PAGE}", *headers, body=b"0\r\n\r\n")
    assert answer.status == 400
    assert leave(answer) == (PAGE, True)
    assert "origin" in answer.vary


def test_a_body_too_large_is_refused_readably_by_length_and_by_chunks(replay: Running) -> None:
    by_length = ask(replay.port, "POST /items", f"Origin: {PAGE}", "Content-Length: 2000", body=b"x" * 2000)
    chunks = b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n"
    by_chunks = ask(replay.port, "POST /items", f"Origin: {PAGE}", "Transfer-Encoding: chunked", body=chunks)
    for answer in (by_length, by_chunks):
        assert (answer.status, answer.json["code"]) == (413, "body_too_large")
        assert leave(answer) == (PAGE, True)
        assert "origin" in answer.vary


def test_what_a_cassette_says_of_cors_is_not_served(replay: Running) -> None:
    answer = ask(replay.port, "GET /items", f"Origin: {PAGE}")
    exposed = "Date, x-total-count, content-type, Cache-Status, Replaymock-Cassette"
    assert answer.cors() == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": exposed,
    }


def test_origin_is_added_to_a_vary_that_names_others_and_said_once_where_it_is_named(replay: Running) -> None:
    assert ask(replay.port, "GET /items").all("vary") == ["Accept-Language, Cookie, Origin"]
    assert ask(replay.port, "GET /said").all("vary") == ["Accept, ORIGIN"]
    assert ask(replay.port, "GET /any").all("vary") == ["*"]


def test_answers_kept_ready_for_one_origin_are_not_given_to_another(replay: Running) -> None:
    for origin in (PAGE, LISTED, "http://evil.com", PAGE, "null", LISTED):
        allowed = (origin, True) if origin in (PAGE, LISTED) else ("*", False)
        assert leave(ask(replay.port, "GET /items", f"Origin: {origin}")) == allowed


def preflight(port: int, target: str, method: str, *headers: str, origin: str = PAGE) -> Heard:
    return ask(port, f"OPTIONS {target}", f"Origin: {origin}", f"Access-Control-Request-Method: {method}", *headers)


@pytest.mark.parametrize("target", ["/items", "/never/heard/of", "/a%2Fb?x=%00", "//", "/broken"])
def test_a_preflight_is_granted_for_any_path_and_kept_by_the_browser_for_seconds_only(
    replay: Running, target: str
) -> None:
    answer = preflight(replay.port, target, "PUT", "Access-Control-Request-Headers: authorization,content-type,x-note")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.cors() == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "authorization, content-type, x-note",
        "access-control-max-age": "10",
    }
    assert "origin" in answer.vary
    assert not answer.all("content-length")


@pytest.mark.parametrize("origin", ["null", "http://localhost.evil.com", "http://evil.com"])
def test_a_preflight_of_a_strange_origin_is_granted_without_credentials(replay: Running, origin: str) -> None:
    answer = preflight(replay.port, "/items", "DELETE", origin=origin)
    assert (answer.status, leave(answer)) == (204, ("*", False))
    assert answer.cors()["access-control-allow-methods"] == "DELETE"


@pytest.mark.parametrize("method", ["GET", "patch", "PURGE", "M-SEARCH", "!#$%&'*+-.^_`|~"])
def test_any_method_that_is_a_token_is_granted_as_it_was_asked_for(replay: Running, method: str) -> None:
    assert preflight(replay.port, "/items", method).cors()["access-control-allow-methods"] == method


@pytest.mark.parametrize("method", ["", "GE T", "GET, PUT", "GET;x", "P\u00dcT", "<script>", '"PUT"'])
def test_a_method_that_is_no_token_is_not_echoed(replay: Running, method: str) -> None:
    answer = preflight(replay.port, "/items", method)
    assert answer.status == 204
    assert "access-control-allow-methods" not in answer.cors()


def test_only_header_names_that_are_tokens_are_granted(replay: Running) -> None:
    odd = 'x-a, ,x b,x:y,<b>,\u00e9,"q",Authorization,x_c,, !#$%&\'*+-.^_`|~ '
    answer = preflight(replay.port, "/items", "PUT", f"Access-Control-Request-Headers: {odd}")
    assert answer.cors()["access-control-allow-headers"] == "x-a, Authorization, x_c, !#$%&'*+-.^_`|~"
    nothing = preflight(replay.port, "/items", "PUT", "Access-Control-Request-Headers: x y, <>")
    assert "access-control-allow-headers" not in nothing.cors()


def test_a_preflight_counts_neither_as_a_request_nor_as_a_miss(folder: Path) -> None:
    with replaymock("replay", folder) as server:
        assert preflight(server.port, "/never/heard/of", "PUT").status == 204
        assert ask(server.port, "GET /__replaymock/misses").json == {"misses": []}
        assert ask(server.port, "GET /__replaymock/requests").json == {"requests": []}


@pytest.mark.parametrize("headers", [(), (f"Origin: {PAGE}",), ("Access-Control-Request-Method: PUT",)])
def test_options_that_is_no_preflight_is_a_request_like_any_other(replay: Running, headers: tuple[str, ...]) -> None:
    answer = ask(replay.port, "OPTIONS /items", *headers)
    assert (answer.status, answer.json["reason"]) == (404, "other method")


@pytest.mark.parametrize(
    "line", ["GET misses", "GET health", "GET unknown", "POST misses", "POST reset", "OPTIONS reset"]
)
def test_own_endpoints_answer_no_cors_headers(replay: Running, line: str) -> None:
    method, name = line.split()
    headers = (f"Origin: {PAGE}", "Access-Control-Request-Method: POST")
    answer = ask(replay.port, f"{method} /__replaymock/{name}", *headers)
    assert answer.cors() == {}


CROSS_SITE = {
    "a loopback page": ("Origin: http://localhost:3000",),
    "a listed page": (f"Origin: {LISTED}",),
    "a sandboxed page": ("Origin: null",),
    "the same host under TLS": ("Origin: https://localhost",),
    "a page of the same site": ("Sec-Fetch-Site: same-site",),
    "a page of another site": ("Sec-Fetch-Site: cross-site",),
    "a page that lies of its origin": ("Origin: http://localhost", "Sec-Fetch-Site: cross-site"),
    "two origins": ("Origin: http://localhost", "Origin: http://evil.com"),
}


@pytest.mark.parametrize("who", CROSS_SITE)
def test_another_sites_page_may_not_reset(replay: Running, who: str) -> None:
    answer = ask(replay.port, "POST /__replaymock/reset", *CROSS_SITE[who])
    assert (answer.status, answer.json["code"]) == (403, "cross_site")


@pytest.mark.parametrize("headers", [(), ("Origin: http://localhost",), ("Sec-Fetch-Site: same-origin",)])
def test_a_script_and_the_mocks_own_page_may_reset(replay: Running, headers: tuple[str, ...]) -> None:
    assert ask(replay.port, "POST /__replaymock/reset", *headers).status == 200


def test_while_recording_what_the_backend_says_of_cors_is_replaced_and_not_stored(tmp_path: Path) -> None:
    answer = said("Vary: Accept", "Vary: Cookie", "X-Total: 1", "Access-Control-Made-Up: yes")
    with recording(tmp_path, answer) as (server, _):
        heard = ask(server.port, "GET /items", f"Origin: {PAGE}")
        stranger = ask(server.port, "GET /items", "Origin: http://localhost.evil.com")
        unstored = [ask(server.port, "OPTIONS /items", f"Origin: {PAGE}"), ask(server.port, "HEAD /items")]
    assert (leave(heard), leave(stranger)) == ((PAGE, True), ("*", False))
    assert "access-control-made-up" not in heard.cors()
    assert "X-Total" in heard.cors()["access-control-expose-headers"].split(", ")
    assert heard.all("vary") == ["Accept, Cookie, Origin"]
    assert [leave(answer) for answer in unstored] == [(PAGE, True), ("*", False)]
    assert "access-control" not in "".join(file.read_text().lower() for file in tmp_path.rglob("*.json"))


def test_a_preflight_is_neither_forwarded_nor_recorded(tmp_path: Path) -> None:
    with recording(tmp_path, said()) as (server, asked):
        answer = preflight(server.port, "/items", "PUT", "Access-Control-Request-Headers: authorization")
    assert (answer.status, answer.cors()["access-control-allow-headers"]) == (204, "authorization")
    assert asked == []
    assert not list(tmp_path.rglob("*.json"))


def test_the_failures_of_recording_may_be_read_by_a_page(tmp_path: Path) -> None:
    def hang_up(_connection: object) -> None:
        return None

    with raw_backend(hang_up) as upstream, replaymock("record", tmp_path, "--upstream", f"/api={upstream}") as server:
        failures = {
            line: ask(server.port, line, f"Origin: {PAGE}") for line in ("GET /api/x", "GET /else", "GET /api/\u00e9")
        }
    assert [answer.status for answer in failures.values()] == [502, 502, 400]
    for answer in failures.values():
        assert leave(answer) == (PAGE, True)
        assert "origin" in answer.vary


def test_an_error_of_the_backend_may_be_read_by_a_page(tmp_path: Path) -> None:
    with recording(tmp_path, said("Vary: *", status="503 Busy")) as (server, _):
        answer = ask(server.port, "GET /items", f"Origin: {PAGE}")
    assert (answer.status, leave(answer), answer.vary) == (503, (PAGE, True), ["*"])


BACKENDS_OWN = {"access-control-allow-origin": "https://shop.example.com", "access-control-allow-credentials": "true"}


def test_without_cors_the_backends_own_is_passed_and_replayed(tmp_path: Path) -> None:
    with recording(tmp_path, said("Vary: Accept"), "--no-cors") as (server, asked):
        live = [ask(server.port, "GET /items", f"Origin: {PAGE}"), preflight(server.port, "/items", "PUT")]
    assert [request.split()[0] for request in asked] == [b"GET", b"OPTIONS"]
    with replaymock("replay", tmp_path, "--no-cors") as server:
        again = [ask(server.port, "GET /items", f"Origin: {PAGE}"), preflight(server.port, "/items", "PUT")]
        missed = ask(server.port, "GET /missing", f"Origin: {PAGE}")
    for answer in live + again:
        assert (answer.status, answer.cors(), answer.all("vary")) == (200, BACKENDS_OWN, ["Accept"])
    assert (missed.status, missed.cors(), missed.all("vary")) == (404, {}, [])


def test_what_was_recorded_without_cors_is_replayed_with_it_all_the_same(tmp_path: Path) -> None:
    with recording(tmp_path, said(), "--no-cors") as (server, _):
        ask(server.port, "GET /items")
    with replaymock("replay", tmp_path) as server:
        assert leave(ask(server.port, "GET /items", f"Origin: {PAGE}")) == (PAGE, True)
        assert preflight(server.port, "/items", "PUT").status == 204


def test_what_was_recorded_with_cors_has_none_of_the_backends_to_replay(tmp_path: Path) -> None:
    with recording(tmp_path, said()) as (server, _):
        ask(server.port, "GET /items")
    with replaymock("replay", tmp_path, "--no-cors") as server:
        assert ask(server.port, "GET /items", f"Origin: {PAGE}").cors() == {}
