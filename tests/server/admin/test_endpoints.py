"""The own endpoints: who may ask what, and what they tell."""

import json
import os
from dataclasses import replace
from typing import Any

import pytest

from replaymock.errors import CassetteError
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers
from replaymock.replay.engine import RECORD_MODES, ReplayEngine
from replaymock.server.access import HostGuard
from replaymock.server.admin.endpoints import is_admin_path
from replaymock.server.router import Route
from tests.support.factories import a_cassette, a_request, recorded
from tests.support.inside import a_router, admin_endpoints, an_engine

OWN = HostGuard("localhost", (), CorsPolicy())
ANY = HostGuard("0.0.0.0", (), CorsPolicy())
LOCAL = (("Host", "localhost:8081"),)


def asked(
    engine: ReplayEngine, name: str, headers: Headers = LOCAL, method: str = "GET", guard: HostGuard = OWN
) -> tuple[int, Any]:
    routed = a_router(engine, guard).route(a_request(method, f"/__replaymock/{name}", headers))
    assert routed.route is Route.OWN_ENDPOINT
    answer = admin_endpoints(engine, guard).answer(routed.request)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/__replaymock", True),
        ("/__replaymock/", True),
        ("/__replaymock/misses", True),
        ("/__replaymocked", False),
        ("/x/__replaymock/", False),
        ("/__REPLAYMOCK/", False),
        ("/__replaymock%2Fmisses", True),
        ("//__replaymock/", True),
        ("/%5F_replaymock/misses", True),
        ("/%255f%255freplaymock/misses", True),
        ("/x/../__replaymock/misses", True),
        ("/x/%2e%2e/__replaymock/misses", True),
        ("/./__replaymock", True),
        ("\\__replaymock\\misses", True),
        ("/x%20y", False),
        ("/x//__replaymock/", False),
        ("/__replaymock/../misses", True),
    ],
)
def test_only_whole_segments_below_the_prefix_are_own(path: str, own: bool) -> None:
    assert is_admin_path(path) is own


@pytest.mark.parametrize(
    ("host", "hosts", "allowed"),
    [
        ("localhost", OWN, True),
        ("localhost:8081", OWN, True),
        ("LOCALHOST:1", OWN, True),
        ("127.0.0.1:8081", OWN, True),
        ("[::1]:8081", OWN, True),
        ("[::1]", OWN, True),
        ("evil.example", OWN, False),
        ("localhost.evil.example:8081", OWN, False),
        ("127.0.0.1.nip.io", OWN, False),
        ("127.0.0.2", OWN, True),
        ("shop.localhost:3000", OWN, True),
        ("xlocalhost", OWN, False),
        ("localhost:8081.evil.example", OWN, False),
        ("", OWN, False),
        ("mock.internal", ANY, True),
    ],
)
@pytest.mark.parametrize(
    ("name", "method"), [("misses", "GET"), ("requests", "GET"), ("cassettes", "GET"), ("reset", "POST")]
)
def test_what_the_mock_knows_is_told_under_its_own_names_only(
    host: str, hosts: HostGuard, allowed: bool, name: str, method: str
) -> None:
    status, said = asked(an_engine(), name, (("Host", host),), method, hosts)
    assert (status, said.get("code")) == ((200, None) if allowed else (403, "host_not_allowed"))


@pytest.mark.parametrize("name", ["health", "ready"])
def test_health_is_told_under_any_name(name: str) -> None:
    assert asked(an_engine(), name, (("Host", "service.cluster:80"),))[0] == 200


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ((), True),
        ((("Sec-Fetch-Site", "none"),), True),
        ((("Sec-Fetch-Site", "same-origin"), ("Origin", "http://localhost:8081")), True),
        ((("Origin", "http://localhost:8081"),), True),
        ((("Sec-Fetch-Site", "same-site"),), False),
        ((("Sec-Fetch-Site", "cross-site"),), False),
        ((("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:8081")), False),
        ((("Origin", "http://localhost:3000"),), False),
        ((("Origin", "https://localhost:8081"),), False),
        ((("Origin", "http://evil.example"),), False),
        ((("Origin", "null"),), False),
        ((("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")), False),
    ],
)
def test_a_page_of_another_origin_may_not_reset(headers: Headers, allowed: bool) -> None:
    engine = an_engine(a_cassette("/a", recorded(b"1"), recorded(b"2")))
    engine.answer(a_request("GET", "/a"))
    status, said = asked(engine, "reset", (*LOCAL, *headers), "POST")
    assert (status, said.get("code")) == ((200, None) if allowed else (403, "cross_site"))
    again = engine.answer(a_request("GET", "/a"))
    assert again is not None
    assert again.body == (b"1" if allowed else b"2")


@pytest.mark.parametrize(
    ("name", "method", "takes"),
    [("reset", "GET", "POST"), ("reset", "HEAD", "POST"), ("misses", "POST", "GET"), ("health", "DELETE", "GET")],
)
def test_another_method_is_told_the_right_one(name: str, method: str, takes: str) -> None:
    answer = admin_endpoints(an_engine(), OWN).answer(a_request(method, f"/__replaymock/{name}", LOCAL))
    assert answer.status == 405
    assert f"\r\nAllow: {takes}\r\n".encode() in answer.head


@pytest.mark.parametrize("name", ["nothing", "misses/1", "../health", "page/../../admin.py", "page/"])
def test_an_unknown_endpoint_names_those_there_are(name: str) -> None:
    status, said = asked(an_engine(), name)
    assert (status, said["code"]) == (404, "unknown_endpoint")
    assert "/__replaymock/misses" in said["detail"]


@pytest.mark.parametrize("name", ["health", "misses", "nothing", "reset"])
def test_own_answers_are_not_kept_and_nothing_a_page_could_embed_or_read(name: str) -> None:
    request = a_request("GET", f"/__replaymock/{name}", (*LOCAL, ("Origin", "http://localhost:1")))
    head = admin_endpoints(an_engine(), OWN).answer(request).head
    for line in (
        b"Cache-Control: no-store",
        b"X-Content-Type-Options: nosniff",
        b"Cross-Origin-Resource-Policy: same-origin",
        b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
    ):
        assert b"\r\n" + line + b"\r\n" in head
    assert b"access-control" not in head.lower()


@pytest.mark.parametrize("name", ["health", "misses", "reset"])
def test_another_replaymock_is_told_nothing(name: str) -> None:
    by_way_of = (*LOCAL, ("Via", "1.1 squid, 1.1 replaymock-0a1b2c3d"))
    status, said = asked(an_engine(), name, by_way_of, "POST" if name == "reset" else "GET")
    assert (status, said["code"]) == (403, "not_by_proxy")
    assert asked(an_engine(), "health", (*LOCAL, ("Via", "1.1 squid")))[0] == 200


def test_what_happened_is_told() -> None:
    broken = {"bad/GET.json": CassetteError("c/bad/GET.json", 3, 7, "not JSON")}
    engine = an_engine(a_cassette("/a"), a_cassette("/b"), broken=broken)
    for target in ("/a", "/none?token=s3cr3t-value", "/none?token=s3cr3t-value"):
        engine.answer(a_request("GET", target))
    assert asked(engine, "ready")[1] == {
        "status": "ready",
        "mode": "replay",
        "pid": os.getpid(),
        "cassettes": 2,
        "broken": 1,
    }
    assert asked(engine, "unused")[1] == {"unused": ["b/GET.json"]}
    told = asked(engine, "cassettes")[1]
    assert told["broken"] == ["c/bad/GET.json:3:7: not JSON"]
    assert told["cassettes"][0] == {"file": "a/GET.json", "method": "GET", "path": "/a", "responses": 1}
    requests = asked(engine, "requests")[1]["requests"]
    assert [request["outcome"] for request in requests] == ["hit", "miss", "miss"]
    (miss,) = asked(engine, "misses")[1]["misses"]
    assert (miss["count"], miss["reason"]) == (2, "never recorded")
    assert "s3cr3t-value" not in json.dumps([requests, miss])


def test_reset_rewinds_the_session_that_is_named_or_all() -> None:
    engine = an_engine(a_cassette("/a", recorded(b"1"), recorded(b"2")))

    def both() -> list[bytes]:
        answers = [engine.answer(replace(a_request("GET", "/a"), session=name)) for name in ("", "one")]
        return [answer.body for answer in answers if answer]

    named = (*LOCAL, ("Replaymock-Session", "one"))
    assert [both(), both()] == [[b"1", b"1"], [b"2", b"2"]]
    assert asked(engine, "reset", named, "POST")[1] == {"status": "reset", "session": "one"}
    assert both() == [b"2", b"1"]
    assert asked(engine, "reset", LOCAL, "POST")[1] == {"status": "reset", "session": None}
    assert both() == [b"1", b"1"]


def test_sessions_tells_where_each_one_stands() -> None:
    engine = an_engine(a_cassette("/a"), a_cassette("/a", recorded(b"", 201), method="POST"))
    for method, name in (("GET", ""), ("GET", "one"), ("POST", "one")):
        engine.answer(replace(a_request(method, "/a"), session=name))
    assert asked(engine, "sessions")[1]["sessions"] == [
        {"session": None, "writes": {}, "positions": {"a/GET.json": 0}},
        {"session": "one", "writes": {"POST /a": 1}, "positions": {"a/GET.json": 0, "a/POST.json": 0}},
    ]


def test_they_answer_in_every_mode() -> None:
    for mode in RECORD_MODES.values():
        assert asked(an_engine(mode=mode), "health") == (200, {"status": "ok"})
