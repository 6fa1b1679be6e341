"""What names this server in a request names the upstream to the backend."""

import pytest

from replaymock.http.headers import Headers
from replaymock.proxy.own_origin import normal, own, to_backend
from replaymock.proxy.routes import Upstream

UPSTREAM = Upstream("", "https://api.example.com", "/v1")
HERE = own("localhost", 8081)
SESSION = "/__replaymock/session/ada"


def told(name: str, value: str, signed: tuple[str, ...] = (), upstream: Upstream = UPSTREAM) -> str:
    ((found, changed),) = to_backend(((name, value),), HERE, upstream, signed)
    assert found == name
    return changed


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:8081",
        "http://127.0.0.1:8081",
        "http://[::1]:8081",
        "HTTP://LocalHost:8081",
        "http://localhost.:8081",
        "http://[0:0:0:0:0:0:0:1]:8081",
    ],
)
def test_every_spelling_of_this_server_is_the_backend(origin: str) -> None:
    assert told("Origin", origin) == "https://api.example.com"
    assert told("referer", f"{origin}/page?q=1") == "https://api.example.com/v1/page?q=1"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://localhost",
        "http://localhost:80810",
        "http://localhost:808",
        "https://localhost:8081",
        "http://localhost:8081.evil.example",
        "http://localhost:8081@evil.example",
        "http://evil.example@localhost:8081",
        "http://evil.example",
        "http://localhost:8081, http://evil.example",
        "http://mylocalhost:8081",
        "http://[::2]:8081",
        "http://[zz]:8081",
        "http://localhost:3000",
        "ws://localhost:8081",
        "http://localhost:8081\\@evil.example",
    ],
)
def test_what_is_not_this_server_stays(origin: str) -> None:
    assert told("Origin", origin) == origin
    for rest in ("", "/page", "?q=http://localhost:8081/x"):
        assert told("Referer", origin + rest) == origin + rest


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("http://localhost:8081", "https://api.example.com/v1"),
        ("http://localhost:8081/", "https://api.example.com/v1/"),
        ("http://localhost:8081?q", "https://api.example.com/v1?q"),
        (f"http://localhost:8081{SESSION}/page", "https://api.example.com/v1/page"),
        (f"http://localhost:8081{SESSION}", "https://api.example.com/v1"),
        (f"http://localhost:8081{SESSION}?q", "https://api.example.com/v1?q"),
        (
            "http://localhost:8081/caf\xe9?next=http://localhost:8081/a",
            "https://api.example.com/v1/caf\xe9?next=http://localhost:8081/a",
        ),
    ],
)
def test_a_page_is_where_the_backend_has_it(sent: str, seen: str) -> None:
    assert told("Referer", sent) == seen
    assert told("Destination", sent) == seen


def test_a_destination_may_be_a_path_and_nothing_else_is() -> None:
    assert told("Destination", "/b") == "/v1/b"
    assert told("Destination", f"{SESSION}/b") == "/v1/b"
    assert told("Destination", "//evil.example/b") == "//evil.example/b"
    assert told("Referer", "/b") == "/b"


def test_without_a_path_of_its_own_the_backend_has_the_same_paths() -> None:
    plain = Upstream("/dav", "http://files.test:8080")
    assert told("Destination", "/dav/b", upstream=plain) == "/dav/b"
    assert told("Referer", "http://localhost:8081/dav/a", upstream=plain) == "http://files.test:8080/dav/a"


@pytest.mark.parametrize("name", ["Origin", "Referer", "Destination"])
def test_what_is_signed_stays(name: str) -> None:
    assert told(name, "http://localhost:8081/", signed=(name.lower(),)) == "http://localhost:8081/"


def test_no_other_header_is_touched() -> None:
    headers: Headers = (
        ("X-Forwarded-Host", "http://localhost:8081"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Origin", "http://localhost:8081"),
    )
    assert to_backend(headers, HERE, UPSTREAM)[:2] == headers[:2]
    assert to_backend(headers[:2], HERE, UPSTREAM) == headers[:2]


def test_a_server_goes_by_the_names_of_the_loopback_and_its_own() -> None:
    assert own("0.0.0.0", 80) == {"http://localhost", "http://127.0.0.1", "http://[::1]"}
    assert "http://mock.test:81" in own("mock.test", 81)
    assert own("::1", 81) == own("localhost", 81)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("http://A.test:80", "http://a.test"),
        ("https://a.test:443", "https://a.test"),
        ("https://a.test:80", "https://a.test:80"),
        ("http://a.test:0081", "http://a.test:81"),
        ("http://a.test/", "http://a.test/"),
        ("ftp://a.test", "ftp://a.test"),
    ],
)
def test_an_origin_has_one_form(text: str, form: str) -> None:
    assert normal(text) == form
