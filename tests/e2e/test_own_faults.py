"""A fault of our own while recording: the client has its whole answer, one warning names the exchange, others go on."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from replaymock.matching import matcher
from replaymock.proxy.routes import Upstream
from replaymock.recording import (
    cassette_builder,
    causality,
    late_redaction,
    pipeline,
    request_capture,
    response_capture,
)
from replaymock.redaction import loose_text, placeholders, redactor
from replaymock.redaction import text as hiding
from tests.support.inside import Told, running_app
from tests.support.running import ask, cassettes, eventually, raw_backend, read_whole, reply
from tests.support.sockets import echo, socket_backend, talk

CSV = [("Content-Type", "text/csv")]
LARGE = b"id,name\n" + b"1,x\n" * 30_000
SECRET = "hunter2-of-the-test"

# Where it goes wrong: what a message is searched by, what a request comes down to, how it joins what is stored.
PLACES: list[tuple[Any, str]] = [
    (loose_text, "redact_table"),
    (hiding.TextRedactor, "value"),
    (redactor.Redactor, "request"),
    (redactor.Redactor, "response"),
    (matcher.Matcher, "canonicalize_redacted"),
    (response_capture.ResponseCapture, "response"),
    (request_capture.RequestCapture, "learn"),
    (request_capture.RequestCapture, "stored"),
    (placeholders.PlaceholderAllocator, "try_merge"),
    (cassette_builder, "merge_response"),
    (cassette_builder, "digest_of"),
    (causality.WriteHistory, "attribute"),
    (pipeline.RecordingPipeline, "put"),
]


def _fails(*_args: object, **_named: object) -> None:
    raise KeyError(SECRET)


@contextlib.contextmanager
def failing(place: tuple[Any, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*place, _fails)
        yield


@pytest.fixture
def backend() -> Iterator[str]:
    def handle(connection: socket.socket) -> None:
        _, body = read_whole(connection)
        connection.sendall(reply(body or b"id,name\n1,x\n", "Content-Type: text/csv"))

    with raw_backend(handle) as origin:
        yield origin


@pytest.mark.parametrize("mode", ["all", "new"])
@pytest.mark.parametrize("body", [None, b"id,name\n2,y\n", LARGE], ids=["GET", "POST", "large"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].__name__}.{place[1]}")
def test_a_fault_takes_out_one_exchange_and_no_answer(
    backend: str, tmp_path: Path, place: tuple[Any, str], body: bytes | None, mode: str
) -> None:
    told = Told()
    method = "GET" if body is None else "POST"
    with running_app(tmp_path, told, upstreams=(Upstream("", backend),), mode=mode) as app:
        with failing(place):
            got = ask(app.url, method, "/export.csv?a=1", CSV, body)
            assert (got.status, got.body) == (200, body or b"id,name\n1,x\n")
            (done,) = eventually(lambda: told.events("request"))
            is_used = done["outcome"] != "recorded"
        assert is_used or place[1] == "try_merge", "this is used for large ones only"
        assert ask(app.url, "GET", "/other.csv").status == 200
        eventually(lambda: len(told.events("request")) == 2)
    assert list(cassettes(tmp_path))[-1] == "other.csv/GET.json"
    assert len(cassettes(tmp_path)) == (1 if is_used else 2)
    if is_used:
        assert done["outcome"] == "forwarded"
        warnings = [warning["message"] for warning in told.events("warning")]
        assert [text for text in warnings if "a fault in replaymock: KeyError at " in text]
        assert all(text.startswith((f"{method} /export.csv", f"{method} /…")) for text in warnings), warnings
    assert SECRET not in told.log


@pytest.mark.parametrize(
    "place", [(redactor.Redactor, "request"), (loose_text, "redact_table")], ids=["shown", "table"]
)
def test_on_replay_there_is_no_other_answer_and_the_log_names_the_fault(tmp_path: Path, place: tuple[Any, str]) -> None:
    told = Told()
    with running_app(tmp_path, told) as app, failing(place):
        got = ask(app.url, "POST", "/export.csv", CSV, b"id,name\n")
    assert (got.status, got.json()["code"]) == (500, "internal_error")
    assert "a fault in replaymock: KeyError at " in told.log
    assert SECRET not in told.log


@pytest.mark.parametrize("size", [1, 80_000])
@pytest.mark.parametrize(
    "place", [(response_capture.ResponseCapture, "message"), (matcher.Matcher, "canonicalize_redacted")]
)
def test_what_is_said_on_a_websocket_is_relayed_whatever_becomes_of_the_cassette(
    tmp_path: Path, place: tuple[Any, str], size: int
) -> None:
    told = Told()

    async def conversation(url: str) -> str | bytes:
        async with connect(url.replace("http:", "ws:", 1) + "/ws", max_size=None) as connection:
            await connection.send("x" * size)
            return await connection.recv()

    with (
        socket_backend(echo) as origin,
        running_app(tmp_path, told, upstreams=(Upstream("", origin),), mode="all") as app,
    ):
        with failing(place):
            assert talk(conversation(app.url)) == "x" * size
            eventually(lambda: told.events("request"))
        assert talk(conversation(app.url)) == "x" * size
        eventually(lambda: len(told.events("request")) == 2)
    assert [done["outcome"] for done in told.events("request")] == ["forwarded", "recorded"]
    assert "GET /ws: not saved, a fault in replaymock: KeyError at " in told.log


def test_looking_back_goes_on_after_a_fault(backend: str, tmp_path: Path) -> None:
    told = Told()
    upstreams = (Upstream("", backend),)
    with (
        running_app(tmp_path, told, upstreams=upstreams, mode="all") as app,
        failing((late_redaction.LateRedactor, "hide")),
    ):
        ask(app.url, "POST", "/note", [("Content-Type", "text/plain")], SECRET.encode())
        ask(app.url, "POST", "/login", [("Content-Type", "application/json")], b'{"password": "%b"}' % SECRET.encode())
        eventually(lambda: "a fault in replaymock: KeyError at " in told.log)
    assert len(cassettes(tmp_path)) == 2
    with running_app(tmp_path, upstreams=upstreams, mode="all") as app:
        ask(app.url, "POST", "/login", [("Content-Type", "application/json")], b'{"password": "%b"}' % SECRET.encode())
    assert SECRET not in repr(cassettes(tmp_path))
    assert SECRET not in told.log
