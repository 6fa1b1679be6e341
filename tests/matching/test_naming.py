"""Names of cassettes: readable, distinct and legal on every disk, and inside the folder."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replaymock.cassettes import filenames
from replaymock.cassettes.filenames import NAME_LIMIT
from replaymock.http.media_types import extension
from replaymock.http.messages import Request
from replaymock.matching import naming
from replaymock.matching.matcher import Matcher
from replaymock.matching.naming import HASH_DIGITS, PART_LIMIT, cassette_name
from tests.support import strategies
from tests.support.factories import a_request

MATCHER = Matcher()
RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
ALLOWED = re.compile(r"[a-zA-Z0-9._-]+")


def name(request: Request, digits: int = HASH_DIGITS) -> str:
    return cassette_name(MATCHER.canonical(request), digits)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (a_request("GET", "/api/items"), r"api/items/GET\.json"),
        (a_request("GET", "/api/items?page=2"), r"api/items/GET--page-2-[0-9a-f]{8}\.json"),
        (a_request("POST", "/api/items", strategies.JSON_TYPE, b"{}"), r"api/items/POST--[0-9a-f]{8}\.json"),
        (
            a_request("POST", "/graphql", strategies.JSON_TYPE, b'{"query":"query GetUser { a }"}'),
            r"graphql/POST--GetUser-[0-9a-f]{8}\.json",
        ),
        (a_request("GET", "/logo.png"), r"logo\.png/GET\.json"),
        (a_request("GET", "/"), r"GET\.json"),
        (a_request("GET", "/items/"), r"items/GET--[0-9a-f]{8}\.json"),
        (a_request("GET", "/Items"), r"items/GET--[0-9a-f]{8}\.json"),
        (a_request("GET", "/a/../../etc/passwd"), r"a/_/_/etc/passwd/GET--[0-9a-f]{8}\.json"),
        (a_request("GET", "/a%2Fb"), r"a-b/GET--[0-9a-f]{8}\.json"),
        (a_request("GET", "/con/aux.txt"), r"_con/_aux\.txt/GET--[0-9a-f]{8}\.json"),
        (a_request("GET", "/a.json"), r"a-json/GET--[0-9a-f]{8}\.json"),
        (a_request("GET", "/Zoë"), r"zoe/GET--[0-9a-f]{8}\.json"),
        (a_request("x-own", "/a"), r"a/X-OWN--[0-9a-f]{8}\.json"),
        (a_request("1", "/a"), r"a/X1--[0-9a-f]{8}\.json"),
        (a_request("A.B", "/a"), r"a/A-B--[0-9a-f]{8}\.json"),
        (a_request("!~", "/a"), r"a/X---[0-9a-f]{8}\.json"),
        (a_request("GET", "/a?token=abc"), r"a/GET--[0-9a-f]{8}\.json"),
    ],
)
def test_names_read_like_their_requests(request_: Request, expected: str) -> None:
    assert re.fullmatch(expected, name(request_))


@settings(max_examples=200)
@given(strategies.requests(), st.sampled_from([HASH_DIGITS, HASH_DIGITS * 2]))
def test_a_name_is_legal_everywhere_and_stays_in_the_folder(request: Request, digits: int) -> None:
    is_legal(name(request, digits))


def is_legal(whole: str) -> None:
    """Holds a name against what every disk takes."""
    longest_sidecar = whole.removesuffix(".json") + ".999.body." + extension("application/x-ndjson")
    for path in (whole, longest_sidecar):
        assert len(path) <= NAME_LIMIT
        for part in path.split("/"):
            assert ALLOWED.fullmatch(part) and len(part) <= PART_LIMIT
            assert not RESERVED.fullmatch(part)
            assert not part.endswith(".") and not part.startswith(".")
    assert filenames.is_cassette_name(whole.rpartition("/")[2])
    assert not [
        folder for folder in whole.split("/")[:-1] if folder.endswith(".json") or filenames.is_sidecar_name(folder)
    ]


def test_vast_paths_have_names_like_any_other() -> None:
    segments = ["a", "A", "..", "CON", "%C3%A9", "e%CC%81", "a.", "%00", "C:", "x" * 30, "x" * 10_000, "X" * 10_000]
    paths = [f"/{segment}" * count for segment in segments for count in (2_999, 3_000)]
    names = [name(a_request("GET", path)) for path in paths if len(path) <= 100_000]
    names += [name(a_request("GET", f"/{segment}")) for segment in ("x" * 30_000, "x" * 30_001, "%00" * 10_000)]
    for whole in names:
        is_legal(whole)
    assert len({folded(whole) for whole in names}) == len(names) >= 20


def folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


@settings(max_examples=200)
@given(strategies.requests(), strategies.requests())
def test_two_requests_have_two_names_on_a_disk_that_folds_case(one: Request, other: Request) -> None:
    if MATCHER.key(one) != MATCHER.key(other):
        assert folded(name(one)) != folded(name(other))


LOOKALIKES = [
    "/a",
    "/A",
    "/a/",
    "//a",
    "/a.",
    "/.a",
    "/a%20",
    "/%61b",
    "/AB",
    "/é",
    "/e%CC%81",
    "/e",
    "/ﬁ",
    "/fi",
    "/a%2Fb",
    "/a/b",
]
LOOKALIKES += [
    "/con",
    "/_con",
    "/a.json",
    "/a-json",
    "/ß",
    "/ss",
    "/..",
    "/_",
    "/%2e%2e",
    "/" + "x" * 80,
    "/" + "x" * 81,
    "/" + "x" * 300,
]
LOOKALIKES += [
    "/get.body.png",
    "/_get.body.png",
    "/" + "/".join("y" * 40 for _ in range(6)),
    "/" + "/".join("y" * 40 for _ in range(7)),
]


def test_lookalike_paths_have_names_of_their_own() -> None:
    requests = [a_request(method, path) for path in LOOKALIKES for method in ("GET", "POST", "get")]
    keys = {MATCHER.key(request) for request in requests}
    assert len({folded(name(request)) for request in requests}) == len(keys)


@given(strategies.requests())
def test_a_name_is_the_same_on_every_run(request: Request) -> None:
    assert name(request) == name(request)


@settings(max_examples=200)
@given(strategies.names, strategies.secrets, st.text(max_size=5))
def test_no_redacted_value_is_in_a_name(field: str, secret: str, more: str) -> None:
    target = f"/x/{secret if len(secret) > 20 else 'y'}?" + strategies.urlencoded(
        [(field, f"{more} {secret}"), ("token", "hunter2")]
    )
    file = name(a_request("GET", target))
    assert "hunter2" not in file
    assert len(secret) < 20 or naming._slug(secret)[:12] not in file
