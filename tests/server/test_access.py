"""Under which names this server is reached, and for whose pages it works."""

import pytest

from replaymock.errors import RequestRefused
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import Headers
from replaymock.server.access import HostGuard
from tests.support.factories import a_request

LISTED = "https://app.example"
SITE, MODE, DEST = "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"


def verdict(guard: HostGuard, headers: Headers, method: str = "GET") -> str:
    """The code of the refusal, or `served`."""
    try:
        guard.check(a_request(method, "/a", headers))
    except RequestRefused as error:
        assert error.status == 403
        return error.code
    return "served"


@pytest.mark.parametrize(
    ("address", "allowed", "taken", "refused"),
    [
        ("localhost", (), "localhost localhost:8081 LOCALHOST a.b.localhost:1 127.0.0.1:8081 127.9.9.9 [::1]:8081 localhost.", "evil.example localhost.evil.example 127.0.0.1.nip.io xlocalhost 10.0.0.1 [::2] 0.0.0.0"),
        ("::1", (), "localhost [::1]", "evil.example"),
        ("127.0.0.2", (), "127.0.0.2:80", "evil.example"),
        ("localhost", ("mock.test",), "mock.test:8081 MOCK.test localhost", "a.mock.test mock.test.evil.example evil.example"),
        ("0.0.0.0", (), "evil.example 10.0.0.1 localhost", ""),
        ("0.0.0.0", ("mock.test", "[fe80::1]"), "mock.test [FE80::1]:80 127.0.0.1", "evil.example 10.0.0.1"),
    ],
)  # fmt: skip
def test_a_recorder_is_reached_by_its_own_names_only(
    address: str, allowed: tuple[str, ...], taken: str, refused: str
) -> None:
    guard = HostGuard(address, allowed, CorsPolicy(), forwards=True)
    assert {verdict(guard, (("Host", host),)) for host in taken.split()} == {"served"}
    assert {verdict(guard, (("Host", host),)) for host in refused.split()} <= {"host_not_allowed"}
    assert verdict(guard, ()) == "served"


def test_a_refused_host_is_named_with_the_option_that_helps() -> None:
    guard = HostGuard("localhost", (), CorsPolicy())
    with pytest.raises(RequestRefused, match=r"--allow-host mock\.test$"):
        guard.check_host(a_request("GET", "/", (("Host", "Mock.test:8081"),)))


def test_replay_answers_under_any_name_to_any_page() -> None:
    guard = HostGuard("localhost", (), CorsPolicy(), adds_credentials=True)
    assert verdict(guard, (("Host", "evil.example"), ("Origin", "https://evil.example"))) == "served"


@pytest.mark.parametrize(
    ("headers", "method", "expected"),
    [
        ((), "GET", "served"),
        ((("Origin", "http://localhost:3000"), (SITE, "same-site")), "POST", "served"),
        ((("Origin", "http://localhost:8081"), (SITE, "same-origin")), "POST", "served"),
        ((("Origin", LISTED), (SITE, "cross-site")), "PUT", "served"),
        ((("Origin", "https://evil.example"), (SITE, "cross-site")), "GET", "origin_not_allowed"),
        ((("Origin", "https://evil.example"),), "POST", "origin_not_allowed"),
        ((("Origin", "null"),), "POST", "origin_not_allowed"),
        (((SITE, "cross-site"), (MODE, "no-cors"), (DEST, "image")), "GET", "origin_not_allowed"),
        (((SITE, "cross-site"), (MODE, "no-cors"), (DEST, "script")), "GET", "origin_not_allowed"),
        (((SITE, "cross-site"), (MODE, "navigate"), (DEST, "iframe")), "GET", "origin_not_allowed"),
        (((SITE, "cross-site"), (MODE, "navigate"), (DEST, "document")), "GET", "served"),
        (((SITE, "cross-site"), (MODE, "navigate"), (DEST, "document")), "POST", "origin_not_allowed"),
        (((SITE, "same-site"), (MODE, "no-cors"), (DEST, "image")), "GET", "served"),
        (((SITE, "none"), (MODE, "navigate"), (DEST, "document")), "GET", "served"),
    ],
)
def test_credentials_are_lent_to_no_foreign_page(headers: Headers, method: str, expected: str) -> None:
    here = (("Host", "localhost:8081"), *headers)
    lending = HostGuard("localhost", (), CorsPolicy((LISTED,)), forwards=True, adds_credentials=True)
    assert verdict(lending, here, method) == expected
    assert verdict(HostGuard("localhost", (), CorsPolicy(), forwards=True), here, method) == "served"
