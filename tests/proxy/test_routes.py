"""Which URLs are an upstream."""

import pytest

from replaymock.errors import UsageError
from replaymock.proxy import routes
from replaymock.proxy.routes import Upstream


@pytest.mark.parametrize(
    ("text", "upstream"),
    [
        ("https://api.example.com", Upstream("", "https://api.example.com")),
        ("http://localhost:3000/", Upstream("", "http://localhost:3000")),
        ("https://API.example.com:443/v1/", Upstream("", "https://api.example.com", "/v1")),
        ("http://[::1]:80", Upstream("", "http://[::1]")),
        ("/auth=https://auth.example.com", Upstream("/auth", "https://auth.example.com")),
        ("/auth/=https://auth.example.com/x=y", Upstream("/auth", "https://auth.example.com", "/x=y")),
        ("/=http://h", Upstream("", "http://h")),
    ],
)
def test_an_upstream_is_a_url_with_or_without_a_prefix(text: str, upstream: Upstream) -> None:
    assert routes.parse_upstream(text) == upstream


@pytest.mark.parametrize(
    "text",
    [
        "api.example.com",
        "ftp://h",
        "http://",
        "http://h:99999",
        "http://h:0",
        "http://h?a=1",
        "http://h#a",
        "/auth",
        "",
        "http://[::1",
        "http://ann:pw@h",
        "http://ann@h",
        "http://é",
        "http://x y",
        'http://x"y',
        "http://h/a b",
        "http://h/é",
        "http://h/a\nb",
    ],
)
def test_other_upstreams_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--upstream"):
        routes.parse_upstream(text)


def test_credentials_in_a_url_are_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        routes.parse_upstream("https://ann:hunter2@api.example.com")
    assert "hunter2" not in str(caught.value)
