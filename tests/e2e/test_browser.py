"""A page of another origin does in real Chromium what front ends do, while the backend is recorded and on replay."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.browser import Shop, chromium, pages, serving
from tests.support.running import Running, replaymock

pytestmark = pytest.mark.browser

CONFIG = """
[[rule]]
path = "/*/basket"
headers = ["cookie"]
"""


@dataclass(frozen=True)
class Told:
    """What the page saw in one mode, from a loopback origin, from a listed one and from a stranger's."""

    port: int
    near: dict[str, Any]
    listed: dict[str, Any]
    stranger: dict[str, Any]
    cookies: list[dict[str, Any]]


@dataclass(frozen=True)
class Story:
    """The same visits made twice: while recording, and with the backend gone."""

    record: Told
    replay: Told
    folder: Path
    requests: list[tuple[str, str, dict[str, str]]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page_port() -> Iterator[int]:
    with serving(pages()) as port:
        yield port


@contextmanager
def a_page(browser: Any, origin: str, path: str = "shop.html") -> Iterator[Any]:
    """The shop's page on an origin, in a context of its own: no cookie, no cache."""
    context = browser.new_context()
    context.set_default_timeout(10_000)
    try:
        page = context.new_page()
        page.goto(f"{origin}/{path}")
        yield page
    finally:
        context.close()


def call(page: Any, what: str, base: str) -> Any:
    """The result of one of the page's functions."""
    return page.evaluate(f"base => inTime({what}(base))", base)


def visits(browser: Any, page_port: int, port: int) -> Told:
    """Everything the page does, from three origins."""
    near, far = f"http://localhost:{port}", f"http://api.example.test:{port}"
    with a_page(browser, f"http://localhost:{page_port}") as page:
        from_near = call(page, "visit", f"{near}/near")
        cookies = page.context.cookies()
    with a_page(browser, f"http://app.example.test:{page_port}") as page:
        from_listed = call(page, "visit", f"{far}/listed")
    with a_page(browser, f"http://other.example.test:{page_port}") as page:
        from_stranger = call(page, "stranger", f"{far}/stranger")
    return Told(port, from_near, from_listed, from_stranger, cookies)


@pytest.fixture(scope="module")
def story(browser: Any, page_port: int, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("browser")
    config = folder / "replaymock.toml"
    config.write_text(CONFIG)
    options = ["--cors-origin", f"http://app.example.test:{page_port}", "--config", str(config)]
    options += ["--allow-host", "api.example.test"]
    cassettes = folder / "cassettes"
    shop = Shop()
    with serving(shop) as backend, ExitStack() as stack:
        upstream = f"http://127.0.0.1:{backend}"
        server = stack.enter_context(replaymock("record", cassettes, "--upstream", upstream, *options))
        recorded = visits(browser, page_port, server.port)
        assert server.stop() == 0, server.log
    with replaymock("replay", cassettes, *options) as server:
        replayed = visits(browser, page_port, server.port)
    return Story(recorded, replayed, cassettes, shop.requests)


@pytest.fixture(params=["record", "replay"])
def told(request: pytest.FixtureRequest, story: Story) -> Told:
    """What the page saw in either mode."""
    found: Told = getattr(story, request.param)
    return found


@pytest.fixture(params=["near", "listed"])
def seen(request: pytest.FixtureRequest, told: Told) -> dict[str, Any]:
    """What a page that may send credentials saw in either mode."""
    found: dict[str, Any] = getattr(told, request.param)
    return found


def test_a_page_gets_json_and_the_headers_it_asks_for(seen: dict[str, Any]) -> None:
    assert seen["list"] == {"status": 200, "items": ["pen"], "total": "1", "etag": '"1"'}


def test_a_page_puts_json_with_headers_that_need_a_preflight(seen: dict[str, Any]) -> None:
    assert seen["put"]["status"] == 200
    assert seen["put"]["json"] == {"saved": "pencil", "note": "by hand", "allowed": True}
    assert seen["changed"]["items"] == ["pencil"]


def test_a_page_deletes_and_sees_the_list_without_what_it_deleted(seen: dict[str, Any]) -> None:
    assert (seen["removed"]["status"], seen["removed"]["text"]) == (204, "")
    assert seen["emptied"] == {"status": 200, "items": [], "total": "0", "etag": '"0"'}


def test_a_cookie_the_backend_set_for_its_own_https_domain_is_kept_and_sent(seen: dict[str, Any]) -> None:
    empty, full = {"basket": "empty"}, {"basket": "full"}
    assert seen["basket"] == {"before": empty, "cookie": None, "after": full, "without": empty}


def test_the_cookies_in_the_browser_are_those_of_the_mocks_host(told: Told) -> None:
    kept = {cookie["name"]: cookie for cookie in told.cookies}
    assert set(kept) == {"basket", "session"}
    assert kept["basket"]["value"] == "7"
    for cookie in kept.values():
        assert (cookie["domain"], cookie["path"], cookie["secure"]) == ("localhost", "/", False)
        assert cookie["httpOnly"]
        assert cookie["sameSite"] != "None"


def test_a_page_follows_an_absolute_link_to_the_mock_and_not_to_the_backend(seen: dict[str, Any]) -> None:
    assert seen["follow"]["here"]
    assert seen["follow"]["link"] == '</items/2>; rel="next"'
    assert seen["follow"]["json"]["items"] == ["page two"]


def test_a_page_shows_an_image_and_may_read_its_pixels(seen: dict[str, Any]) -> None:
    assert seen["picture"] == {"width": 2, "colour": [200, 30, 60, 255]}


def test_an_event_source_gets_each_event_as_it_comes(seen: dict[str, Any]) -> None:
    assert seen["events"] == [{"id": number, "data": f"event {number}"} for number in ("1", "2", "3")]


def test_a_page_of_an_unlisted_origin_reads_all_but_what_asks_for_credentials(told: Told) -> None:
    assert told.stranger["plain"]["json"]["items"] == ["pen"]
    assert told.stranger["put"]["json"]["saved"] == "ink"
    assert told.stranger["withCredentials"] == {"refused": "TypeError"}


def test_replay_tells_a_page_the_same_story_as_the_backend_did(story: Story) -> None:
    assert comparable(story.record) == comparable(story.replay)


def comparable(told: Told) -> Any:
    """What a page saw, but for the port and for how the answer came about."""
    text = json.dumps([told.near, told.listed, told.stranger]).replace(f":{told.port}/", ":PORT/")
    return json.loads(re.sub(r"replaymock; (hit|fwd=request(; stored)?)", "HOW", text))


def test_no_preflight_reaches_the_backend_or_a_cassette(story: Story) -> None:
    assert {method for method, _, _ in story.requests} == {"GET", "PUT", "POST", "DELETE"}
    assert not list(story.folder.rglob("OPTIONS*"))


def test_what_the_page_sent_in_secret_is_in_no_file(story: Story) -> None:
    assert any(headers.get("authorization") == "Bearer of-the-page" for _, _, headers in story.requests)
    written = "".join(file.read_text("latin-1") for file in story.folder.rglob("*") if file.is_file())
    assert "of-the-page" not in written
    assert "a-secret-of" not in written


@pytest.fixture(scope="module")
def mock(page_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A replay of three answers in a row, for pages that do what they should not."""
    folder = tmp_path_factory.mktemp("hand-written")
    responses = [{"json": {"step": step}} for step in (1, 2, 3)]
    (folder / "steps").mkdir()
    (folder / "steps" / "GET.json").write_text(
        json.dumps({"version": 1, "request": {"path": "/steps"}, "responses": responses})
    )
    with replaymock("replay", folder, "--max-body", "100KB") as server:
        yield server


@pytest.fixture
def page(browser: Any, page_port: int) -> Iterator[Any]:
    """The shop's page on a loopback origin: as near to the mock as another origin can be."""
    with a_page(browser, f"http://localhost:{page_port}") as found:
        yield found


def test_a_page_reads_why_nothing_was_found(page: Any, mock: Running) -> None:
    missed = call(page, "read", f"{mock.url}/nothing/here")
    assert missed["status"] == 404
    assert missed["type"].startswith("application/problem+json")
    assert (missed["json"]["code"], missed["json"]["reason"]) == ("no_match", "never recorded")
    assert "nothing/here.json" in missed["json"]["hint"]
    assert missed["headers"]["cache-status"] == "replaymock; fwd=uri-miss"


def test_a_page_reads_that_the_backend_is_down(page: Any, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        upstream = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with replaymock("record", tmp_path, "--upstream", upstream) as server:
            failed = call(page, "read", f"{server.url}/items")
    assert (failed["status"], failed["json"]["code"]) == (502, "upstream_unreachable")
    assert upstream in failed["json"]["detail"]


def test_a_page_reads_that_its_upload_was_too_large(page: Any, mock: Running) -> None:
    refused = page.evaluate(
        "url => inTime(read(url, {method: 'POST', body: new Uint8Array(3_000_000)}))", f"{mock.url}/steps"
    )
    assert (refused["status"], refused["json"]["code"]) == (413, "body_too_large")


def steps(mock: Running) -> int:
    """Which of the three answers in a row is served now."""
    found: int = httpx.get(f"{mock.url}/steps").json()["step"]
    return found


def test_a_foreign_page_cannot_read_what_the_mock_knows(page: Any, mock: Running) -> None:
    for name in ("misses", "requests", "cassettes", "unused", "health", "ready"):
        own = f"{mock.url}/__replaymock/{name}"
        assert call(page, "read", own) == {"refused": "TypeError"}
        assert httpx.get(own).status_code == 200


FETCHES = {
    "plain": "fetch(url, {method: 'POST', mode: 'no-cors', body: 'now', headers: {'Content-Type': 'text/plain'}})",
    "without referrer": "fetch(url, {method: 'POST', mode: 'no-cors', referrerPolicy: 'no-referrer'})",
    "beacon": "navigator.sendBeacon(url, 'now')",
}


@pytest.mark.parametrize("way", FETCHES)
def test_a_foreign_page_cannot_rewind_the_mock(page: Any, mock: Running, way: str) -> None:
    httpx.post(f"{mock.url}/__replaymock/reset").raise_for_status()
    assert [steps(mock), steps(mock)] == [1, 2]
    with page.expect_event("requestfailed", lambda asked: asked.url == f"{mock.url}/__replaymock/reset"):
        page.evaluate(f"url => void ({FETCHES[way]})", f"{mock.url}/__replaymock/reset")
    assert steps(mock) == 3


def test_a_foreign_page_gets_no_leave_by_preflight_to_rewind_the_mock(page: Any, mock: Running) -> None:
    httpx.post(f"{mock.url}/__replaymock/reset").raise_for_status()
    assert [steps(mock), steps(mock)] == [1, 2]
    ask = "url => read(url, {method: 'POST', headers: {'X-Requested-With': 'a page'}})"
    assert page.evaluate(ask, f"{mock.url}/__replaymock/reset") == {"refused": "TypeError"}
    assert steps(mock) == 3


def test_a_form_of_a_foreign_page_cannot_rewind_the_mock(page: Any, mock: Running) -> None:
    httpx.post(f"{mock.url}/__replaymock/reset").raise_for_status()
    assert [steps(mock), steps(mock)] == [1, 2]
    form = "url => { document.body.innerHTML = `<form method=post action=${url}>`; document.forms[0].submit(); }"
    with page.expect_response(f"{mock.url}/__replaymock/reset") as waiting:
        page.evaluate(form, f"{mock.url}/__replaymock/reset")
    assert waiting.value.status == 403
    assert steps(mock) == 3


def test_a_page_on_a_name_made_to_lead_here_cannot_read_what_the_mock_knows(browser: Any, mock: Running) -> None:
    with a_page(browser, f"http://rebound.example.test:{mock.port}", "steps") as page:
        read = "path => fetch(path).then(answer => answer.json())"
        assert page.evaluate(read, "/__replaymock/misses")["code"] == "host_not_allowed"
        reset = "path => fetch(path, {method: 'POST'}).then(answer => answer.status)"
        assert page.evaluate(reset, "/__replaymock/reset") == 403


def test_a_recorder_that_adds_a_credential_works_for_pages_nearby_and_for_no_other(
    browser: Any, page_port: int, tmp_path: Path
) -> None:
    shop = Shop()
    lending = ("--header", "Authorization: Bearer of-the-team")
    image = (
        "url => new Promise(done => { const i = new Image(); i.onload = i.onerror = e => done(e.type); i.src = url; })"
    )
    code = "url => fetch(url, {method: 'DELETE', headers: {}}).then(a => a.json()).then(j => j.code, e => e.name)"
    form = "url => { document.body.innerHTML = `<form method=post action=${url}>`; document.forms[0].submit(); }"

    def asked_for() -> list[str]:
        # The icon is what Chromium asks for by itself, and of this origin.
        return [headers["authorization"] for _, path, headers in shop.requests if path != "/favicon.ico"]

    with (
        serving(shop) as backend,
        replaymock("record", tmp_path / "c", "--upstream", f"http://127.0.0.1:{backend}", *lending) as server,
    ):
        with a_page(browser, f"http://other.example.test:{page_port}") as page:
            assert page.evaluate(
                "url => fetch(url).then(a => a.json()).then(j => j.code)", f"{server.url}/x/items"
            ) == ("origin_not_allowed")
            assert page.evaluate(code, f"{server.url}/x/items/1") == "TypeError"  # its preflight was refused
            assert page.evaluate(image, f"{server.url}/x/pixel.png") == "error"
            with page.expect_response(f"{server.url}/x/login") as waiting:
                page.evaluate(form, f"{server.url}/x/login")
            assert waiting.value.status == 403
        with a_page(browser, f"http://rebound.example.test:{server.port}", "x/items") as page:
            assert "host_not_allowed" in page.content()
        assert asked_for() == []
        with a_page(browser, f"http://localhost:{page_port}") as page:
            assert page.evaluate(image, f"{server.url}/x/pixel.png") == "load"
        assert asked_for() == ["Bearer of-the-team"]


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_without_chromium_the_story_is_skipped_but_fails_where_ci_is_set(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr("tests.support.browser.CHROMIUM", Path("/no/chromium"))
    monkeypatch.setenv("CI", ci)
    # Both are caught, or the wrong one would skip this very test.
    with pytest.raises((pytest.skip.Exception, pytest.fail.Exception), match="/no/chromium") as given, chromium():
        pass
    assert given.type is outcome
