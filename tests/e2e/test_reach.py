"""Who reaches what: names that lead here, pages of other origins, and one replaymock behind another."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from replaymock.app import App
from replaymock.proxy.routes import parse_upstream
from tests.support.inside import Told, put, running_app, simple
from tests.support.running import exchange

SERVED, HOST, ORIGIN, FOREIGN, NOTHING = (
    "200",
    "host_not_allowed",
    "origin_not_allowed",
    "cross_site",
    "unknown_endpoint",
)
NEAR = ("Origin: http://localhost:3000", "Sec-Fetch-Site: same-site")
FAR = ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site")
OWN = ("Origin: http://HERE", "Sec-Fetch-Site: same-origin")
IMAGE = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
LINK = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
EVIL = "Host: evil.example"


@dataclass(frozen=True)
class Chain:
    """A replay, and before it a recorder that adds a credential."""

    replay: App
    recorder: App
    folder: Path
    told: Told


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    served, folder = tmp_path_factory.mktemp("served"), tmp_path_factory.mktemp("recorded") / "c"
    for path in ("a", "x"):
        put(served, f"{path}/GET.json", simple(f"/{path}", 1))
        put(served, f"{path}/POST.json", simple(f"/{path}", 1, method="POST"))
    told = Told()
    with running_app(served) as replay:
        upstreams = (parse_upstream(f"http://localhost:{replay.port}"),)
        lent = (("Authorization", "Bearer of-the-team"),)
        with running_app(folder, told, upstreams=upstreams, mode="all", headers=lent) as recorder:
            yield Chain(replay, recorder, folder, told)


def verdict(app: App, line: str, headers: tuple[str, ...]) -> str:
    """The code of the refusal, or the status."""
    here = f"localhost:{app.port}"
    head = [f"{line} HTTP/1.1", "Connection: close", *(header.replace("HERE", here) for header in headers)]
    if not any(header.startswith("Host:") for header in headers):
        head.append(f"Host: {here}")
    answer = exchange(app.port, "\r\n".join([*head, "Content-Length: 0", "", ""]).encode())
    code = answer.partition(b'"code": "')[2].partition(b'"')[0]
    return (code or answer.split(b" ")[1]).decode()


def saved(chain: Chain) -> set[Path]:
    """What was recorded, but for what the requests that are served leave, which may still be on its way to the disk."""
    return {place for place in chain.folder.rglob("*.json") if place.parent.name != "a"}


@pytest.mark.parametrize(
    ("line", "headers", "recorder", "replay"),
    [
        # the mock itself
        ("GET /a", (), SERVED, SERVED),
        ("GET /a", (EVIL,), HOST, SERVED),
        ("GET /a", ("Host: localhost.evil.example",), HOST, SERVED),
        ("POST /a", (EVIL, "Origin: http://evil.example", "Sec-Fetch-Site: same-origin"), HOST, SERVED),
        ("GET /a", ("Host: shop.localhost:1",), SERVED, SERVED),
        ("GET /a", NEAR, SERVED, SERVED),
        ("POST /a", NEAR, SERVED, SERVED),
        ("GET /a", OWN, SERVED, SERVED),
        ("GET /a", FAR, ORIGIN, SERVED),
        ("POST /a", FAR, ORIGIN, SERVED),
        ("POST /a", ("Origin: null",), ORIGIN, SERVED),
        ("OPTIONS /a", (*FAR, "Access-Control-Request-Method: PUT"), ORIGIN, "204"),
        ("GET /a", IMAGE, ORIGIN, SERVED),
        ("GET /a", LINK, SERVED, SERVED),
        ("POST /a", LINK, ORIGIN, SERVED),
        ("GET /a", (*FAR, "Upgrade: websocket", "Connection: Upgrade"), ORIGIN, "websocket_version"),
        ("GET /__replaymock/session/one/a", (EVIL,), HOST, SERVED),
        ("GET /__replaymock/session/one/a", FAR, ORIGIN, SERVED),
        # what the mock knows
        ("GET /__replaymock/misses", (), SERVED, SERVED),
        ("GET /__replaymock/misses", (EVIL,), HOST, HOST),
        ("GET /__replaymock/", (), SERVED, SERVED),
        ("GET /__replaymock/", (EVIL,), HOST, HOST),
        ("GET /__replaymock/page/page.js", (EVIL,), HOST, HOST),
        ("GET /__replaymock/health", (EVIL,), SERVED, SERVED),
        ("GET /__replaymock/ready", (EVIL,), SERVED, SERVED),
        ("HEAD /__replaymock/events", FAR, "403", "403"),
        ("GET /__replaymock/events", (EVIL,), HOST, HOST),
        ("GET /__replaymock/events", NEAR, FOREIGN, FOREIGN),
        ("GET /__replaymock/events", IMAGE, FOREIGN, FOREIGN),
        ("GET /__replaymock/events", ("Upgrade: websocket", "Connection: Upgrade", *NEAR), FOREIGN, FOREIGN),
        # what changes it
        ("POST /__replaymock/reset", (), SERVED, SERVED),
        ("POST /__replaymock/reset", OWN, SERVED, SERVED),
        ("POST /__replaymock/reset", NEAR, FOREIGN, FOREIGN),
        ("POST /__replaymock/reset", FAR, FOREIGN, FOREIGN),
        ("POST /__replaymock/reset", ("Origin: null",), FOREIGN, FOREIGN),
        ("POST /__replaymock/reset", IMAGE, FOREIGN, FOREIGN),
        ("POST /__replaymock/reset", (EVIL, "Origin: http://evil.example"), HOST, HOST),
        ("GET /__replaymock/reset", (), "method_not_allowed", "method_not_allowed"),
        ("OPTIONS /__replaymock/reset", (*FAR, "Access-Control-Request-Method: POST"), "method_not_allowed", "method_not_allowed"),
        ("POST /__replaymock/session/one/__replaymock/reset", FAR, FOREIGN, FOREIGN),
        # other spellings of it, which a server further up might take for its own
        ("GET //__replaymock/misses", (), NOTHING, NOTHING),
        ("GET /%5F_replaymock/misses", (), NOTHING, NOTHING),
        ("GET /%5f%5freplaymock/misses", (), NOTHING, NOTHING),
        ("GET /%255F_replaymock/misses", (), NOTHING, NOTHING),
        ("GET /__replaymock%2Fmisses", (), NOTHING, NOTHING),
        ("GET /__replaymock/../__replaymock/misses", (), NOTHING, NOTHING),
        ("GET /x/../__replaymock/misses", (), NOTHING, NOTHING),
        ("GET /x/%2e%2e/__replaymock/misses", (), NOTHING, NOTHING),
        ("GET /./__replaymock/misses", (), NOTHING, NOTHING),
        ("GET /\\__replaymock\\misses", (), NOTHING, NOTHING),
        ("GET /__replaymock/session/one//__replaymock/misses", (), NOTHING, NOTHING),
        ("GET /__replaymock/session/one/%5F_replaymock/misses", (), NOTHING, NOTHING),
        ("GET //__replaymock/session/one/x", (), NOTHING, NOTHING),
        ("POST //__replaymock/reset", (), NOTHING, NOTHING),
        # no open proxy
        ("GET http://localhost:1/__replaymock/misses", (), "bad_request", "bad_request"),
        ("GET http://elsewhere.example/", (), "bad_request", "bad_request"),
        ("CONNECT elsewhere.example:443", (), "bad_request", "bad_request"),
    ],
)  # fmt: skip
def test_a_refused_request_reaches_nothing_and_leaves_nothing(
    chain: Chain, line: str, headers: tuple[str, ...], recorder: str, replay: str
) -> None:
    asked, files = chain.replay.replay.engine.journal.total, saved(chain)
    listeners = len(chain.recorder.replay.subscribers)
    assert verdict(chain.recorder, line, headers) == recorder
    if recorder != SERVED or "/__replaymock/" in line.replace("session/one", ""):
        assert chain.replay.replay.engine.journal.total == asked
        assert saved(chain) == files
    assert len(chain.recorder.replay.subscribers) == listeners
    assert verdict(chain.replay, line, headers) == replay


def test_the_recorder_behind_another_tells_it_nothing(chain: Chain, tmp_path: Path) -> None:
    base = parse_upstream(f"http://localhost:{chain.replay.port}/__replaymock")
    with running_app(tmp_path / "c", upstreams=(base,), mode="all") as app:
        for name in ("misses", "health", "events"):
            assert verdict(app, f"GET /{name}", ()) == "not_by_proxy"
        assert verdict(app, "POST /reset", ()) == "not_by_proxy"


def test_a_wide_recorder_takes_any_name_until_some_are_allowed(tmp_path: Path) -> None:
    upstreams = (parse_upstream("http://127.0.0.1:9"),)
    for allowed, expected in (((), "upstream_unreachable"), (("mock.test",), HOST)):
        folder = tmp_path / f"c{len(allowed)}"
        with running_app(folder, upstreams=upstreams, mode="all", host="0.0.0.0", allowed_hosts=allowed) as app:
            assert verdict(app, "GET /a", (EVIL,)) == expected
            assert verdict(app, "GET /a", ("Host: mock.test:80",)) == "upstream_unreachable"
