"""Values of settings, read from the text they are given as."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaymock.config import settings
from replaymock.errors import UsageError
from replaymock.proxy import routes
from replaymock.replay import faults
from replaymock.replay.faults import Latency


@pytest.mark.parametrize(("text", "pair"), [("A: b", ("A", "b")), ("X-Y:  b:c ", ("X-Y", "b:c")), ("A:", ("A", ""))])
def test_a_header_is_a_name_and_a_value(text: str, pair: tuple[str, str]) -> None:
    assert settings.parse_header(text) == pair


def test_a_value_of_a_broken_header_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        settings.parse_header("Author ization: hunter2")
    assert "hunter2" not in str(caught.value)


VALUES: list[tuple[Callable[[str], Any], str, Any]] = [
    (faults.parse_latency, "0", Latency()),
    (faults.parse_latency, "200", Latency(0.2, 0.2)),
    (faults.parse_latency, "100-300", Latency(0.1, 0.3)),
    (faults.parse_latency, "recorded", Latency(factor=1)),
    (faults.parse_latency, "x0.5", Latency(factor=0.5)),
    (settings.parse_statuses, "", frozenset()),
    (settings.parse_statuses, "401,500-502", frozenset((401, 500, 501, 502))),
    (settings.parse_statuses, " 401 , 403", frozenset((401, 403))),
    (settings.parse_size, "500", 500),
    (settings.parse_size, "64KiB", 65536),
    (settings.parse_size, "10 mb", 10_000_000),
    (settings.parse_size, "1GiB", 1 << 30),
    (lambda text: settings.parse_workers(text, 6), "auto", 6),
    (lambda text: settings.parse_workers(text, 6), "256", 256),
    (settings.parse_origin, "https://app.example.com", "https://app.example.com"),
    (settings.parse_origin, "capacitor://localhost", "capacitor://localhost"),
]


@pytest.mark.parametrize(("parse", "text", "value"), VALUES)
def test_a_value_is_read(parse: Callable[[str], Any], text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (faults.parse_latency, "fast"),
        (faults.parse_latency, "300-100"),
        (faults.parse_latency, "-1"),
        (faults.parse_latency, "x-1"),
        (settings.parse_statuses, "99"),
        (settings.parse_statuses, "500-400"),
        (settings.parse_statuses, "600"),
        (settings.parse_statuses, "abc"),
        (settings.parse_size, "64 parsecs"),
        (settings.parse_size, "-1"),
        (settings.parse_size, ""),
        (settings.parse_origin, "https://app.example.com/"),
        (settings.parse_origin, "app.example.com"),
        (settings.parse_origin, "*"),
        *((lambda text: settings.parse_workers(text, 6), text) for text in ("0", "257", "-1", "two", "1.5", "", "٣")),
        (settings.parse_header, "no colon"),
        (settings.parse_header, "A: b\r\nC: d"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_the_flag(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(UsageError, match=r"^--[a-z-]+"):
        parse(text)


@given(st.text(max_size=12))
def test_any_text_is_a_value_or_a_usage_error(text: str) -> None:
    for parse in (
        routes.parse_upstream,
        settings.parse_header,
        faults.parse_latency,
        settings.parse_statuses,
        settings.parse_size,
        settings.parse_origin,
    ):
        try:
            parse(text)
        except UsageError:
            continue


def test_names_and_globs_are_checked() -> None:
    assert settings.parse_header_name("X-Session", "--session-header") == "X-Session"
    assert settings.check_globs(("/api/**",), "--only") == ("/api/**",)
    with pytest.raises(UsageError, match="is not a header name"):
        settings.parse_header_name("a b", "--session-header")
    with pytest.raises(UsageError, match="begins with /"):
        settings.check_globs(("api/**",), "--only")


@pytest.mark.parametrize("text", ["", "a:80", "[::1]:80", "http://a", "a/b", "a b", "*.a"])
def test_an_allowed_host_is_a_name_without_a_port(text: str) -> None:
    with pytest.raises(UsageError, match="--allow-host"):
        settings.parse_host(text)
    assert settings.parse_host("Mock.Test") == "mock.test"
    assert settings.parse_host("[FE80::1]") == "[fe80::1]"


@pytest.mark.parametrize(
    "url", ["httq://ann:tr0ub4dor@h/", "http://h/?token=tr0ub4dor", "http://h\u00e9/#token=tr0ub4dor"]
)
def test_a_wrong_address_is_told_without_its_secrets(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        routes.parse_upstream(url)
    assert "{{redacted}}" in str(refused.value) and "tr0ub4dor" not in str(refused.value)
