"""Where each session stands."""

import pytest

from replaymock.errors import RequestRefused
from replaymock.http.headers import Headers
from replaymock.http.messages import Request
from replaymock.replay.sessions import IDLE_SECONDS, MOST_SESSIONS, Sessions, assign


def test_a_session_has_positions_and_writes_of_its_own() -> None:
    sessions = Sessions()
    sessions.get("a", 0).positions["x"] = 1
    sessions.get("a", 0).writes["POST /x"] += 1
    assert sessions.get("a", 1).positions == {"x": 1}
    assert sessions.get("a", 1).writes == {"POST /x": 1}
    assert sessions.get("b", 1).positions == {}
    assert sessions.get("", 1).positions == {}


def test_an_idle_session_expires_and_a_used_one_does_not() -> None:
    sessions = Sessions()
    for name in ("idle", "used"):
        sessions.get(name, 0).positions["x"] = 1
    sessions.get("used", IDLE_SECONDS / 2)
    assert sessions.get("used", IDLE_SECONDS).positions == {"x": 1}
    assert sessions.get("idle", IDLE_SECONDS).positions == {}


def test_a_session_that_comes_back_too_late_begins_anew() -> None:
    sessions = Sessions()
    sessions.get("late", 0).positions["x"] = 1
    assert sessions.get("late", IDLE_SECONDS + 1).positions == {}


def test_the_default_session_never_expires() -> None:
    sessions = Sessions()
    sessions.get("", 0).positions["x"] = 1
    sessions.get("other", 10 * IDLE_SECONDS)
    assert sessions.get("", 20 * IDLE_SECONDS).positions == {"x": 1}


def test_there_is_room_for_so_many_and_the_longest_unused_goes_first() -> None:
    sessions = Sessions()
    for number in range(MOST_SESSIONS + 1):
        sessions.get(str(number), 0).positions["x"] = 1
    assert sessions.get("1", 0).positions == {"x": 1}
    assert sessions.get("0", 0).positions == {}


def test_a_reset_rewinds_one_or_all() -> None:
    sessions = Sessions()
    for name in ("", "a", "b"):
        sessions.get(name, 0).positions["x"] = 1
    sessions.reset("a")
    assert [bool(sessions.get(name, 0).positions) for name in ("", "a", "b")] == [True, False, True]
    sessions.reset("")
    assert [bool(sessions.get(name, 0).positions) for name in ("", "b")] == [False, True]
    sessions.reset()
    assert not sessions.get("b", 0).positions


def test_resetting_an_unknown_session_is_no_trouble() -> None:
    Sessions().reset("nobody")


def assigned(target: str, *headers: tuple[str, str]) -> Request:
    return assign(Request("GET", target, (*headers, ("Accept", "*/*"))), "x-session")


REST: Headers = (("Accept", "*/*"),)


@pytest.mark.parametrize(
    ("target", "headers", "found"),
    [
        ("/a?b=1", [], ("", "/a?b=1", REST)),
        ("/a", [("X-Session", "one")], ("one", "/a", REST)),
        ("/a", [("Cookie", "replaymock-session=two")], ("two", "/a", REST)),
        ("/a", [("Cookie", "x=1; replaymock-session=two; y=2")], ("two", "/a", (("Cookie", "x=1; y=2"), *REST))),
        ("/a", [("Cookie", "replaymock-session=two; y=2")], ("two", "/a", (("Cookie", "y=2"), *REST))),
        (
            "/a",
            [("Cookie", "not-replaymock-session=two")],
            ("", "/a", (("Cookie", "not-replaymock-session=two"), *REST)),
        ),
        ("/a", [("X-Session", "one"), ("Cookie", "replaymock-session=two")], ("one", "/a", REST)),
        ("/__replaymock/session/three/a//b?c=%2F", [], ("three", "/a//b?c=%2F", REST)),
        ("/__replaymock/session/three/", [], ("three", "/", REST)),
        ("/__replaymock/session/three", [], ("three", "/", REST)),
        ("/__replaymock/session/three?q=/x", [], ("three", "/?q=/x", REST)),
    ],
)
def test_a_request_names_its_session(
    target: str, headers: list[tuple[str, str]], found: tuple[str, str, Headers]
) -> None:
    request = assigned(target, *headers)
    assert (request.session, request.target, request.headers) == found


def test_links_lead_back_to_below_the_base_path() -> None:
    assert assigned("/__replaymock/session/three/a", ("Host", "localhost")).origin == (
        "http://localhost/__replaymock/session/three"
    )


@pytest.mark.parametrize("name", ["", "a b", "a%2Fb", "x" * 129])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(RequestRefused):
        assigned(f"/__replaymock/session/{name}/a")


def test_a_header_that_is_no_name_is_refused() -> None:
    with pytest.raises(RequestRefused):
        assigned("/a", ("X-Session", "a b"))
