"""Which way a request goes, and what is answered on each way without an upstream."""

import pytest

from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers
from replaymock.replay.engine import RECORD_MODES, REPLAY, Mode
from replaymock.server.access import HostGuard
from replaymock.server.router import Route, RoutedAnswers, RoutedRequest, Router
from tests.support.factories import a_cassette, a_request, recorded
from tests.support.handshakes import opening
from tests.support.inside import a_router, an_engine

HERE = (("Host", "localhost:8081"),)
ELSEWHERE = (("Host", "evil.example"),)
PREFLIGHT = (("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "PUT"))
MODES = {"replay": REPLAY, **RECORD_MODES}


def a_router_of(mode: Mode, cors: CorsPolicy | None = None) -> Router:
    cors = cors or CorsPolicy()
    return Router(mode, cors, HostGuard("localhost", (), cors, forwards=mode.forward), "x-session")


def routed(target: str, headers: Headers = HERE, method: str = "GET", mode: Mode = REPLAY) -> RoutedRequest:
    return a_router_of(mode).route(a_request(method, target, headers))


@pytest.mark.parametrize(
    ("mode", "route"),
    [
        ("replay", Route.REPLAY),
        ("all", Route.FORWARD),
        ("new", Route.LOOK_UP_THEN_FORWARD),
        ("rewrite", Route.FORWARD),
    ],
)
def test_the_mode_decides_on_what_is_nothing_special(mode: str, route: Route) -> None:
    assert routed("/items", mode=MODES[mode]) == RoutedRequest(a_request("GET", "/items", HERE), route)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("target", "headers", "method", "route"),
    [
        ("/__replaymock/health", HERE, "GET", Route.OWN_ENDPOINT),
        ("/__replaymock/health?a=1", ELSEWHERE, "GET", Route.OWN_ENDPOINT),
        ("//__replaymock/none", HERE, "OPTIONS", Route.OWN_ENDPOINT),
        ("/__replaymock/", (*HERE, *PREFLIGHT), "OPTIONS", Route.OWN_ENDPOINT),
        ("/__replaymock/events", (*HERE, ("Upgrade", "websocket")), "GET", Route.OWN_ENDPOINT),
        ("/__replaymock/session/one/__replaymock/reset", HERE, "POST", Route.OWN_ENDPOINT),
        ("/items", (*HERE, *PREFLIGHT), "OPTIONS", Route.PREFLIGHT),
        ("/__replaymock/session/one/items", (*HERE, *PREFLIGHT), "OPTIONS", Route.PREFLIGHT),
    ],
)
def test_own_endpoints_and_preflights_are_so_in_every_mode(
    mode: str, target: str, headers: Headers, method: str, route: Route
) -> None:
    assert routed(target, headers, method, MODES[mode]).route is route


@pytest.mark.parametrize("mode", MODES)
def test_a_websocket_is_one_in_every_mode(mode: str) -> None:
    assert a_router_of(MODES[mode]).route(opening()).route is Route.WEBSOCKET


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_what_is_no_whole_preflight_goes_as_the_mode_says(method: str) -> None:
    assert routed("/items", (*HERE, PREFLIGHT[0]), method).route is Route.REPLAY
    off = a_router_of(REPLAY, CorsPolicy(is_enabled=False))
    assert off.route(a_request("OPTIONS", "/items", (*HERE, *PREFLIGHT))).route is Route.REPLAY


@pytest.mark.parametrize(
    ("target", "headers", "expected"),
    [
        ("/__replaymock/session/one/a?b=1", HERE, ("/a?b=1", "one", "/__replaymock/session/one", HERE)),
        ("/a", (*HERE, ("X-Session", "two")), ("/a", "two", "", HERE)),
        ("/a", (*HERE, ("Cookie", "replaymock-session=three")), ("/a", "three", "", HERE)),
        ("/a", HERE, ("/a", "", "", HERE)),
    ],
)
def test_a_session_is_assigned_on_the_way(
    target: str, headers: Headers, expected: tuple[str, str, str, Headers]
) -> None:
    request = routed(target, headers).request
    assert (request.target, request.session, request.base, request.headers) == expected


@pytest.mark.parametrize("mode", MODES)
def test_a_session_without_a_name_is_refused(mode: str) -> None:
    refused = routed("/__replaymock/session//items", mode=MODES[mode])
    assert refused.route is Route.REFUSED
    assert refused.refusal is not None
    assert (refused.refusal.status, refused.refusal.code) == (400, "bad_session")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", ELSEWHERE),
        ("OPTIONS", (*ELSEWHERE, *PREFLIGHT)),
        ("GET", opening(Host="evil.example").headers),
    ],
)
def test_a_recorder_refuses_by_any_other_name_what_replay_answers(method: str, headers: Headers) -> None:
    refused = routed("/__replaymock/session/one/a", headers, method, RECORD_MODES["all"])
    assert refused.route is Route.REFUSED
    assert refused.refusal is not None
    assert (refused.refusal.code, refused.request.target) == ("host_not_allowed", "/a")
    assert routed("/a", headers, method).route is not Route.REFUSED


@pytest.mark.parametrize(
    ("changed", "version", "status", "code"),
    [
        ({"Sec_WebSocket_Version": "8"}, "HTTP/1.1", 426, "websocket_version"),
        ({}, "HTTP/1.0", 400, "bad_handshake"),
        ({"Origin": "https://evil.example"}, "HTTP/1.1", 403, "origin_not_allowed"),
        ({"Origin": "null"}, "HTTP/1.1", 403, "origin_not_allowed"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_a_websocket_that_may_not_be_opened_is_refused(
    mode: str, changed: dict[str, str], version: str, status: int, code: str
) -> None:
    refused = a_router_of(MODES[mode]).route(opening(**changed), version)
    assert refused.route is Route.REFUSED
    assert refused.refusal is not None
    assert (refused.refusal.status, refused.refusal.code) == (status, code)


def answers_of(*targets: str, mode: Mode = REPLAY) -> tuple[RoutedAnswers, Router]:
    engine = an_engine(*(a_cassette(target, recorded(target.encode())) for target in targets), mode=mode)
    router = a_router(engine)
    return RoutedAnswers(router, engine), router


@pytest.mark.parametrize("mode", MODES)
def test_a_preflight_is_answered_in_every_mode(mode: str) -> None:
    answers, router = answers_of("/a", mode=MODES[mode])
    answer = answers.answer(router.route(a_request("OPTIONS", "/a", (*HERE, *PREFLIGHT))))
    assert answer is not None
    assert (answer.status, answer.body) == (204, b"")
    assert b"\r\nAccess-Control-Allow-Methods: PUT\r\n" in answer.head


@pytest.mark.parametrize(
    ("mode", "target", "status"),
    [
        ("replay", "/a", 200),
        ("replay", "/none", 404),
        ("new", "/a", 200),
        ("new", "/none", None),
        ("all", "/a", None),
    ],
)
def test_the_cassettes_answer_where_they_are_asked_and_upstream_the_rest(
    mode: str, target: str, status: int | None
) -> None:
    answers, router = answers_of("/a", mode=MODES[mode])
    answer = answers.answer(router.route(a_request("GET", target, HERE)))
    assert (answer and answer.status) == status


@pytest.mark.parametrize(
    ("target", "headers", "constant", "direct"),
    [
        ("/a", HERE, True, True),
        ("/none", HERE, False, False),
        ("/__replaymock/session/one/a", HERE, False, True),
        ("/__replaymock/session//a", HERE, False, False),
        ("/__replaymock/health", HERE, False, False),
        ("/__replaymock/../a", HERE, False, False),
    ],
)
def test_at_once_is_answered_what_is_replayed_only(target: str, headers: Headers, constant: bool, direct: bool) -> None:
    answers, _ = answers_of("/a", "/__replaymock/health", "/__replaymock/../a")
    request = a_request("GET", target, headers)
    assert (bool(answers.constant_answer(request)), bool(answers.answer_at_once(request))) == (constant, direct)


def test_only_a_preflight_is_answered_as_one() -> None:
    engine = an_engine()
    router = a_router(engine)
    answer = RoutedAnswers(router, engine).answer(router.route(a_request("OPTIONS", "/a", (*HERE, *PREFLIGHT))))
    assert answer is not None
    assert (answer.status, answer.body) == (204, b"")
    assert router.route(a_request("OPTIONS", "/a", (*HERE, PREFLIGHT[0]))).route is not Route.PREFLIGHT
    assert engine.journal.requests() == []
