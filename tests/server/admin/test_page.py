"""The page and its event stream as answers; what a browser makes of them is in e2e/test_page.py."""

import re
from itertools import islice

import pytest

from replaymock.http.rendered import Delay, Detach, SendBody, SendHead
from replaymock.server.admin import page
from replaymock.server.admin.endpoints import HEADERS
from replaymock.telemetry.events import ServedRequest
from replaymock.telemetry.journal import Journal
from replaymock.telemetry.subscribers import MOST_SUBSCRIBERS, EventSubscribers


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("", "text/html"),
        ("page/style.css", "text/css"),
        ("page/page.js", "text/javascript"),
        ("page/icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_of_the_page_has_one_policy_that_allows_nothing_from_elsewhere_or_inline(
    name: str, media_type: str
) -> None:
    answer = page.page(name, HEADERS)
    head = answer.head.decode()
    assert f"\r\nContent-Type: {media_type}; charset=utf-8\r\n" in head
    (policy,) = re.findall(r"\r\nContent-Security-Policy: (.*)\r\n", head)
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in policy
    assert "\r\nX-Content-Type-Options: nosniff\r\n" in head


def test_the_page_holds_no_script_or_style_of_its_own_and_never_makes_markup_of_text() -> None:
    markup = page.page("", HEADERS).body.decode()
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=|javascript:", markup)
    script = page.page("page/page.js", HEADERS).body.decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(", script)


def test_what_happens_is_streamed_until_the_caller_leaves() -> None:
    journal, listeners = Journal(), EventSubscribers(lambda _event: None)
    steps = iter(page.events(listeners, journal, HEADERS).steps)
    assert list(islice(steps, 4)) == [SendHead(), Detach(), SendBody(b"retry: 1000\n\n"), Delay(page.LOOK_SECONDS)]
    journal.served(ServedRequest("GET", "/a\n", 200, "hit", "a.json", 1.0))
    told = next(steps)
    assert isinstance(told, SendBody)
    assert told.data.startswith(b'event: request\ndata: {"method":"GET","target":"/a\\n",')
    assert told.data.count(b"\n") == 3
    quiet = [step for step in islice(steps, 200) if isinstance(step, SendBody)]
    assert quiet == [SendBody(b": nothing new\n\n")] * 3
    del steps
    assert len(listeners) == 0


def test_too_many_listeners_are_told_so() -> None:
    listeners = EventSubscribers(lambda _event: None)
    open_streams = [iter(page.events(listeners, Journal(), HEADERS).steps) for _ in range(MOST_SUBSCRIBERS)]
    for steps in open_streams:
        next(steps)
    assert page.events(listeners, Journal(), HEADERS).status == 503
