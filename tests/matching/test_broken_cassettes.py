"""Which requests the cassettes that cannot be read would have answered."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from replaymock.cassettes.model import WEBSOCKET_BODY, CassetteRequest
from replaymock.cassettes.reader import CHECK_ONLY
from replaymock.errors import CassetteError
from replaymock.http.bodies import Text
from replaymock.matching.broken_cassettes import BrokenCassettes
from replaymock.matching.matcher import Matcher
from replaymock.matching.naming import cassette_name
from replaymock.storage.loader import CassetteLoader
from tests.support.factories import JSON, a_cassette, a_request
from tests.support.inside import an_entry, put

MATCHER = Matcher()


def faults(*files: str) -> BrokenCassettes:
    """Faults of files of which nothing could be read."""
    return BrokenCassettes({file: CassetteError(file, 1, 1, "not JSON") for file in files}, MATCHER)


def meant(
    broken: BrokenCassettes, method: str = "GET", target: str = "/items", body: bytes = b"", entry: Any = None
) -> str:
    """The file that should answer a request."""
    request = a_request(method, target, JSON if body else (), body)
    error = broken.error_for(entry, MATCHER.canonical(request))
    return error.file if error else ""


@pytest.mark.parametrize(
    ("file", "method", "target"),
    [
        ("items/GET.json", "GET", "/items"),
        ("items/GET.json", "HEAD", "/items"),
        ("items/HEAD.json", "HEAD", "/items"),
        (cassette_name(MATCHER.canonical(a_request("GET", "/items?page=2"))), "GET", "/items?page=2"),
        ("items.json", "GET", "/items"),
        ("a b/ü.json", "GET", "/a%20b/%C3%BC"),
    ],
)
def test_a_file_that_holds_nothing_readable_is_known_by_its_name(file: str, method: str, target: str) -> None:
    assert meant(faults(file), method, target) == file
    assert meant(faults(file), method, "/other") == meant(faults(file), "DELETE", target) == ""
    assert meant(faults(), method, target) == ""


REQUESTS: dict[str, tuple[dict[str, Any], tuple[str, str, bytes], tuple[str, str, bytes]]] = {
    "by its path": ({"path": "/items"}, ("GET", "/items", b""), ("GET", "/others", b"")),
    "for HEAD": ({"path": "/items"}, ("HEAD", "/items", b""), ("PUT", "/items", b"")),
    "by its query": (
        {"path": "/items", "query": {"page": "2"}},
        ("GET", "/items?page=2", b""),
        ("GET", "/items?page=3", b""),
    ),
    "by its body": (
        {"method": "POST", "path": "/items", "json": {"a": 1}},
        ("POST", "/items", b'{"a": 1}'),
        ("POST", "/items", b'{"a": 2}'),
    ),
    "by its template": ({"path": "/items/{id}"}, ("GET", "/items/7", b""), ("GET", "/items/7/8", b"")),
}


@pytest.mark.parametrize("ending", [', "responses": [{"status": 99}]}', ', "responses": [{"json": {,', "", "}"])
@pytest.mark.parametrize("known", REQUESTS)
def test_a_file_is_known_by_its_request_whatever_else_is_wrong_with_it(tmp_path: Any, known: str, ending: str) -> None:
    request, asked, other = REQUESTS[known]
    put(tmp_path, "any/GET--mine.json", f'{{"version": 1, "request": {json.dumps(request)}{ending}')
    _, error = CassetteLoader(tmp_path).read("any/GET--mine.json", CHECK_ONLY)
    assert isinstance(error, CassetteError)
    broken = BrokenCassettes({"any/GET--mine.json": error}, MATCHER)
    assert meant(broken, *asked).endswith("any/GET--mine.json")
    assert meant(broken, *other) == ""


@pytest.mark.parametrize("text", ["", "{", '{"request"', '{"request": ', '{"request": {"path": 7}}', '{"request": {}}'])
def test_a_file_without_a_readable_request_answers_none(tmp_path: Any, text: str) -> None:
    put(tmp_path, "GET--mine.json", text)
    _, error = CassetteLoader(tmp_path).read("GET--mine.json", CHECK_ONLY)
    assert isinstance(error, CassetteError) and error.request is None
    assert meant(BrokenCassettes({"GET--mine.json": error}, MATCHER)) == ""


@pytest.mark.parametrize(
    "before", ['"responses": [{"messages": [{"from": "robot"}]}]', '"responses": [{"status": 101}]']
)
def test_a_websocket_is_told_from_a_page_by_its_messages(tmp_path: Any, before: str) -> None:
    put(tmp_path, "ws/GET--mine.json", f'{{"request": {{"path": "/ws"}}, {before}}}')
    _, error = CassetteLoader(tmp_path).read("ws/GET--mine.json", CHECK_ONLY)
    assert isinstance(error, CassetteError) and isinstance(error.request, CassetteRequest)
    broken = BrokenCassettes({"ws/GET--mine.json": error}, MATCHER)
    socket = MATCHER.canonical(a_request("GET", "/ws"), WEBSOCKET_BODY)
    is_socket = "messages" in before
    assert bool(broken.error_for(None, socket)) is is_socket
    assert bool(broken.error_for(None, MATCHER.canonical(a_request("GET", "/ws")))) is not is_socket


def test_what_goes_before_a_file_answers_though_that_is_broken() -> None:
    """An exact cassette goes before a plain mock, and that before a template."""
    exact, template = an_entry(a_cassette("/items")), an_entry(a_cassette("/{any}"))
    plain = replace(exact, is_plain=True)
    assert meant(faults("items/GET.json", "items.json"), entry=exact) == ""
    assert meant(faults("items.json"), entry=plain) == ""
    assert meant(faults("items/GET.json"), entry=plain) == "items/GET.json"
    assert meant(faults("items.json"), entry=template) == "items.json"


def test_a_request_that_cannot_be_compared_answers_none() -> None:
    error = CassetteError("a/GET--x.json", 1, 1, "its request cannot be compared with others")
    error.request = CassetteRequest(
        "POST", "/a", headers=(("content-type", "text/plain; charset=ascii"),), body=Text("é")
    )
    assert meant(BrokenCassettes({"a/GET--x.json": error}, MATCHER), "POST", "/a") == ""
