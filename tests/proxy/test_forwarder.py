"""Recording: one exchange from the caller to upstream, and to the cassette it becomes."""

import asyncio
import dataclasses
import gzip
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from replaymock.http.cors import CorsPolicy
from replaymock.http.messages import Request
from replaymock.http.origin import OriginRewriter
from replaymock.matching.matcher import Matcher
from replaymock.proxy.forwarder import Forwarder, ForwardOptions
from replaymock.proxy.options import UpstreamOptions
from replaymock.proxy.routes import Upstream
from replaymock.proxy.upstreams import Upstreams
from replaymock.recording.cassette_builder import CassetteBuilder
from replaymock.recording.pipeline import RecordingPipeline
from replaymock.recording.recorder import ExchangeRecorder, RecorderOptions
from replaymock.recording.response_capture import RecordingPolicy
from replaymock.redaction.redactor import Redactor
from replaymock.telemetry.events import Event, ServedRequest
from replaymock.telemetry.request_warnings import AGAIN_SECONDS, RequestWarnings
from tests.support.clients import Callers
from tests.support.factories import a_request
from tests.support.running import raw_backend, read_whole, reply
from tests.support.stored import HeldCassettes

HOST = (("Host", "localhost:8081"),)


class Run:
    """A recorder between a caller and a real backend; what it asks upstream, saves and tells."""

    def __init__(self, origin: str, heads: list[bytes]) -> None:
        self.origin = origin
        self.heads = heads
        self.cassettes = HeldCassettes()
        self.saved = self.cassettes.saved
        self.told: list[str] = []
        self.clock: Callable[[], float] = lambda: 0.0
        self.policy = RecordingPolicy()
        self.forwarding = ForwardOptions(via="1.1 replaymock-test", cache_status="replaymock; fwd=request")
        self.recording = RecorderOptions()
        self.served: list[ServedRequest] = []
        self.upstreams = (Upstream("", origin),)

    def send(self, *requests: Request) -> list[tuple[ServedRequest, Callers]]:
        """Each request in turn, through one recorder."""
        return asyncio.run(self._send(requests))

    def now(self) -> float:
        return self.clock()

    def recorder(self) -> Forwarder:
        origins = OriginRewriter((self.origin,))
        warn = RequestWarnings(self._emit, Redactor().shown, self.now)
        builder = CassetteBuilder(self.policy, Matcher(), origins)
        pipeline = RecordingPipeline(builder, self.cassettes, warn)
        return Forwarder(
            options=replace(self.forwarding, max_body=self.policy.max_body),
            upstreams=Upstreams(UpstreamOptions(upstreams=self.upstreams, read_timeout=5)),
            recorder=ExchangeRecorder(
                self.recording, builder, pipeline, self.cassettes, warn, self.served.append, self.now
            ),
            cors=CorsPolicy(),
            origins=origins,
            warn=warn,
            emit=self._emit,
            clock=self.now,
        )

    async def _send(self, requests: tuple[Request, ...]) -> list[tuple[ServedRequest, Callers]]:
        recorder = self.recorder()
        found = []
        for request in requests:
            out = Callers()
            await recorder.forward(request, _body(request.body), out)
            found.append((self.served[-1], out))
        await recorder.upstreams.aclose()
        return found

    def _emit(self, event: Event) -> None:
        self.told.append(f"{event.name}: {event.to_json()['message']}")


async def _body(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


@pytest.fixture
def run() -> Iterator[Run]:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        head, _ = read_whole(connection)
        heads.append(head)
        path = head.split(b" ")[1].partition(b"?")[0]
        status = path[2:].decode() if path.startswith(b"/s") else "200"
        if path == b"/cut":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            return
        if path.startswith(b"/coded"):
            coding = "gzip" if path == b"/coded/damaged" else "compress"
            body = gzip.compress(b'{"token": "s3cr3t-of-the-test"}')[:-1]
            connection.sendall(reply(body, f"Content-Encoding: {coding}"))
            return
        cookie = ("Set-Cookie: __Host-sid=1; Secure; Path=/",) if path.startswith(b"/cookie") else ()
        connection.sendall(reply(b'{"a": 1}', *cookie, status=f"{status} Said"))

    with raw_backend(handle) as origin:
        yield Run(origin, heads)


def get(target: str, **more: Any) -> Request:
    return dataclasses.replace(a_request("GET", target, HOST), **more)


def test_an_exchange_is_answered_saved_and_found_from_then_on(run: Run) -> None:
    ((served, out),) = run.send(get("/a?token=s3cr3t-value"))
    assert (served.outcome, served.status, out.log, out.body) == ("recorded", 200, ["begin", "finish"], b'{"a": 1}')
    ((file, cassette),) = run.saved
    assert (served.file, list(run.cassettes.index.entries)) == (file, [file])
    assert cassette.responses[0].body == b'{"a": 1}'
    assert "s3cr3t" not in repr((served, run.saved, run.told))


def test_the_same_again_is_unchanged_and_not_saved_again(run: Run) -> None:
    found = run.send(get("/a"), get("/a"), get("/a"))
    assert [served.outcome for served, _ in found] == ["recorded", "unchanged", "unchanged"]
    assert len(run.saved) == 1


def test_the_answer_says_what_became_of_it(run: Run) -> None:
    (one, two) = run.send(get("/a"), get("/s500"))
    assert one[1].head is not None
    assert two[1].head is not None
    assert ("Cache-Status", "replaymock; fwd=request; stored") in one[1].head.headers
    assert ("Replaymock-Cassette", "a/GET.json") in one[1].head.headers
    assert ("Cache-Status", "replaymock; fwd=request") in two[1].head.headers
    assert two[0].outcome == "forwarded"


def test_without_diagnostics_it_says_nothing(run: Run) -> None:
    run.forwarding = replace(run.forwarding, cache_status="")
    ((_, out),) = run.send(get("/a"))
    assert out.head is not None
    assert not [name for name, _ in out.head.headers if name.lower().startswith(("cache-status", "replaymock"))]


@pytest.mark.parametrize(
    ("only", "skip", "recorded"),
    [
        ((), (), ["/a", "/api/b", "/api/x/c"]),
        (("/api/**",), (), ["/api/b", "/api/x/c"]),
        ((), ("/api/x/*",), ["/a", "/api/b"]),
        (("/api/**", "/a"), ("/api/b",), ["/a", "/api/x/c"]),
        (("/%61",), (), ["/a"]),
    ],
)
def test_only_and_skip_choose_what_is_recorded_and_all_is_forwarded(
    run: Run, only: tuple[str, ...], skip: tuple[str, ...], recorded: list[str]
) -> None:
    run.recording = RecorderOptions(only, skip)
    found = run.send(get("/a"), get("/api/b"), get("/api/x/c"))
    assert [cassette.request.path for _, cassette in run.saved] == recorded
    assert len(run.heads) == 3
    assert {served.status for served, _ in found} == {200}


def test_the_spelling_of_a_path_decides_no_glob(run: Run) -> None:
    run.recording = RecorderOptions(("/a/**",), ("/a/%7e",))
    run.send(get("/%61/b"), get("/a/~"), get("/a%2Fb"))
    assert [cassette.request.path for _, cassette in run.saved] == ["/%61/b"]


def test_conditions_and_ranges_go_upstream_only_where_nothing_is_recorded(run: Run) -> None:
    run.recording = RecorderOptions(skip=("/skipped",))
    headers = (*HOST, ("If-None-Match", '"1"'), ("Range", "bytes=0-1"))
    run.send(get("/a", headers=headers), get("/skipped", headers=headers))
    assert [b"Range: bytes=0-1" in head for head in run.heads] == [False, True]
    assert [b'If-None-Match: "1"' in head for head in run.heads] == [False, True]


@pytest.mark.parametrize("target", ["/cut", "/big"])
def test_what_is_not_whole_is_not_saved_and_the_user_is_told(run: Run, target: str) -> None:
    run.policy = RecordingPolicy(max_body=64 if target == "/cut" else 4)
    ((served, out),) = run.send(get(f"{target}?token=s3cr3t-value"))
    assert run.saved == []
    assert out.log[-1] == ("abort" if target == "/cut" else "finish")
    assert served.outcome == ("error" if target == "/cut" else "forwarded")
    (told,) = run.told
    assert told.startswith(f"warning: GET {target}: ")
    assert ("broke the connection" if target == "/cut" else "--max-body") in told


def test_what_cannot_be_searched_is_told_of_and_not_saved_where_a_secret_shows(run: Run) -> None:
    run.send(get("/coded/unknown"), get("/coded/unknown"), get("/coded/damaged"))
    assert [file for file, _ in run.saved] == ["coded/unknown/GET.json"]
    unknown, damaged = run.told
    assert "coded/unknown/GET.json keeps its content coding, and was not searched for secrets" in unknown
    assert "/coded/damaged: not saved, its content coding is damaged" in damaged


def test_a_request_over_the_limit_is_passed_on_but_not_saved(run: Run) -> None:
    run.policy = RecordingPolicy(max_body=10)
    body = (*HOST, ("Content-Length", "20"))
    ((served, out),) = run.send(Request("POST", "/up", body, b"x" * 20))
    assert (served.outcome, out.body, run.saved) == ("forwarded", b'{"a": 1}', [])


def test_a_cookie_no_browser_keeps_over_plain_http_is_noted_once(run: Run) -> None:
    run.send(get("/cookie/1"), get("/cookie/2"))
    (told,) = run.told
    assert told.startswith("warning: cookie __Host-sid:")


def test_a_request_that_came_through_here_is_a_loop(run: Run) -> None:
    ((served, out),) = run.send(get("/a", headers=(*HOST, ("Via", "1.1 other, 1.1 replaymock-test"))))
    assert (served.status, served.outcome, run.heads) == (508, "error", [])
    assert out.answered is not None
    assert b"loop_detected" in out.answered.body


def test_a_path_without_upstream_is_answered_with_the_prefixes_there_are(run: Run) -> None:
    run.upstreams = (Upstream("/api", run.origin),)
    ((served, out),) = run.send(get("/other"))
    assert (served.outcome, run.heads) == ("error", [])
    assert served.status >= 400
    assert out.answered is not None
    assert b"--upstream" in out.answered.body


def test_an_added_header_replaces_the_callers_and_is_not_kept(run: Run) -> None:
    run.forwarding = replace(run.forwarding, added=(("Authorization", "Bearer added-s3cr3t"),))
    run.send(get("/a", headers=(*HOST, ("authorization", "Bearer mine"))))
    (head,) = run.heads
    assert head.lower().count(b"authorization:") == 1
    assert b"Authorization: Bearer added-s3cr3t" in head
    assert "added-s3cr3t" not in repr((run.saved, run.told))


def test_a_trouble_that_goes_on_is_told_of_now_and_then(run: Run) -> None:
    run.upstreams = (Upstream("", "http://127.0.0.1:9"),)
    seconds = [0.0]
    run.clock = lambda: seconds[0]
    recorder = run.recorder()
    for number in range(3):
        recorder.warn(a_request("GET", f"/{number}"), "refuses the connection")
    recorder.warn(a_request("GET", "/other"), "sent nothing")
    seconds[0] = AGAIN_SECONDS
    recorder.warn(a_request("GET", "/last"), "refuses the connection")
    assert run.told == [
        "warning: GET /0: refuses the connection",
        "warning: GET /other: sent nothing",
        "warning: GET /last: refuses the connection (2 more times since it was last told)",
    ]
