"""The page at the prefix in real Chromium: it shows what happens as it happens, as text, and nothing foreign runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replaymock.app import App
from tests.support.browser import chromium, pages, serving
from tests.support.inside import put, running_app, simple
from tests.support.running import ask, eventually

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
SENT = "%3Cb%3E/<img/src=x/onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A replay of cassettes that somebody has filled with markup wherever they could."""
    folder = tmp_path_factory.mktemp("marked")
    put(folder, "steps/GET.json", simple("/steps", 1, 2, 3))
    put(folder, f"{MARKUP.replace('/', '')}.json", {MARKUP: MARKUP})
    put(folder, "page/GET.json", simple(f"/{MARKUP}", MARKUP, headers={"x-note": MARKUP, "content-type": "text/html"}))
    put(
        folder, "query/GET.json", {"request": {"path": "/query", "query": {MARKUP: MARKUP}}, "responses": [{"json": 1}]}
    )
    put(folder, f"broken{MARKUP.replace('/', '')}.json", "{")
    with running_app(folder) as app:
        yield app


@pytest.fixture
def page(browser: Any, mock: App) -> Iterator[Any]:
    """The page, once it is live; whatever it or the browser complains of fails the test."""
    context = browser.new_context(viewport={"width": 400, "height": 800})
    context.set_default_timeout(10_000)
    try:
        opened = context.new_page()
        complaints: list[str] = []
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        opened.goto(f"{mock.url}/__replaymock/")
        # Not by wait_for_function, whose `eval` the page's policy forbids.
        eventually(lambda: opened.inner_text("#state") == "live" or complaints)
        yield opened
        assert complaints == []
    finally:
        context.close()


def text_of(page: Any, name: str, part: str) -> str:
    """The text of a part of the page, once it holds what it should."""
    return str(eventually(lambda: found if part in (found := page.inner_text(f"#{name}")) else ""))


def test_markup_in_cassettes_requests_and_misses_is_shown_as_text_and_runs_nothing(page: Any, mock: App) -> None:
    for target in (f"/{SENT}", f"/query?{SENT}", f"/query?a={SENT}"):
        assert ask(mock.url, "GET", target).status == 404
    assert "<img/src=x/onerror=alert(1)>" in text_of(page, "requests", "/query?a=")
    misses = text_of(page, "misses", "query differs")
    assert "<img/src=x/onerror=alert(1)>" in misses
    assert MARKUP in misses
    assert "at the top of replaymock.toml: ignore = [" in " ".join(misses.split())
    assert "broken<img src=x" in text_of(page, "broken", "broken")
    page.click("summary")
    assert MARKUP.replace("/", "") in page.inner_text("#cassettes")
    assert page.evaluate("[document.images.length, document.scripts.length, document.title]") == [0, 1, "replaymock"]


def test_requests_and_what_was_not_used_are_shown_as_it_happens(page: Any, mock: App) -> None:
    ask(mock.url, "POST", "/__replaymock/reset")
    assert "steps/GET.json" in page.inner_text("#unused") + page.inner_text("#requests")
    ask(mock.url, "GET", "/steps")
    assert "/steps" in text_of(page, "requests", "/steps")
    eventually(lambda: "steps/GET.json" not in page.inner_text("#unused"))
    assert "(the default session): 1 cassette played, 0 writes" in text_of(page, "sessions", "1 cassette played")
    assert page.inner_text("#mode").startswith("replay, 4 cassettes")
    assert "favicon" not in page.inner_text("#misses")  # to look must not change what is looked at


def test_a_difference_is_said_as_the_command_line_says_it(page: Any, mock: App) -> None:
    assert ask(mock.url, "GET", "/query?extra=1").status == 404
    assert 'query:extra: not recorded, this request has "1"' in text_of(page, "misses", "query:extra")
    assert ", missing in this request" in text_of(page, "misses", "query:extra")


def test_a_page_without_cassettes_says_how_to_begin(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with running_app(tmp_path / "none") as app:
        opened = browser.new_page()
        opened.goto(f"{app.url}/__replaymock/")
        assert "replaymock record --upstream URL" in text_of(opened, "unused", "no cassettes yet")
        put(tmp_path / "none", "GET--one.json", simple("/one", 1))
        assert text_of(opened, "unused", "GET--one.json") == "GET--one.json"
        ask(app.url, "GET", "/one")
        assert text_of(opened, "unused", "every cassette") == "every cassette was used"
        opened.close()


def test_the_keyboard_rewinds_and_a_narrow_window_needs_no_scrolling_aside(page: Any, mock: App) -> None:
    ask(mock.url, "POST", "/__replaymock/reset")
    assert [ask(mock.url, "GET", "/steps").json() for _ in range(2)] == [1, 2]
    page.focus("#reset")
    page.keyboard.press("Enter")
    assert text_of(page, "state", "rewound") == "rewound"
    assert ask(mock.url, "GET", "/steps").json() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_it_is_dark_where_that_is_preferred(page: Any) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) != light


def test_a_page_on_a_name_made_to_lead_here_and_one_that_frames_it_see_nothing_of_it(browser: Any, mock: App) -> None:
    with serving(pages()) as port:
        page = browser.new_page()
        try:
            answer = page.goto(f"http://rebound.example.test:{mock.port}/__replaymock/")
            assert answer.status == 403
            page.goto(f"http://localhost:{port}/shop.html")
            framed = page.evaluate(
                """url => new Promise(done => {
                    const frame = document.createElement('iframe');
                    frame.onload = () => { try { done(frame.contentDocument?.title ?? 'kept out'); } catch { done('kept out'); } };
                    frame.src = url;
                    document.body.append(frame);
                })""",
                f"{mock.url}/__replaymock/",
            )
            assert framed == "kept out"
            embedded = page.evaluate(
                """url => new Promise(done => {
                    const script = document.createElement('script');
                    script.onload = () => done('ran');
                    script.onerror = () => done('refused');
                    script.src = url;
                    document.body.append(script);
                })""",
                f"{mock.url}/__replaymock/page/page.js",
            )
            assert embedded == "refused"
            listening = "url => new Promise(done => { const one = new EventSource(url); one.onerror = () => done(one.readyState); })"
            assert page.evaluate(listening, f"{mock.url}/__replaymock/events") == 2
        finally:
            page.close()
