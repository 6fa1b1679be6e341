"""Recordings do not rot: what was good when recorded is as good a year later."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import chromium
from tests.support.inside import put, running_app
from tests.support.running import ask, replaymock
from tests.support.tokens import a_token, claims_of

RECORDED = datetime.now(UTC).replace(microsecond=0) - timedelta(days=365)
AN_HOUR = timedelta(hours=1)
JSON = {"content-type": "application/json"}


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A login recorded a year ago, good for an hour, and what is asked for with what it gave."""
    found = tmp_path_factory.mktemp("cassettes")
    end = RECORDED + AN_HOUR
    headers = {
        **JSON,
        "expires": format_datetime(end, usegmt=True),
        "set-cookie": [
            f"basket=7; Path=/; Expires={format_datetime(end, usegmt=True)}",
            f"theme=; Path=/; Expires={format_datetime(RECORDED - AN_HOUR, usegmt=True)}",
        ],
    }
    ticket = a_token(json.dumps({"sub": "ann", "exp": int(end.timestamp())}), signature="")
    body = {"ticket": ticket, "expires_at": iso(end), "expires_in": 3600, "server_time": iso(RECORDED)}
    put(found, "login/GET.json", cassette({"path": "/login"}, body, headers=headers))
    put(found, "feed/GET.json", cassette({"path": "/feed", "query": {"since": iso(RECORDED)}}, ["new"]))
    put(found, "renew/POST.json", cassette({"method": "POST", "path": "/renew", "json": {"until": iso(end)}}, "done"))
    put(found, "page/GET.json", cassette({"path": "/page"}, None, headers={"content-type": "text/html"}))
    return found


def cassette(request: dict[str, Any], body: Any, headers: dict[str, Any] = JSON) -> dict[str, Any]:
    return {"request": request, "responses": [{"headers": headers, "json": body, "recorded_at": iso(RECORDED)}]}


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with replaymock("replay", folder, "--shift-time", "json") as running:
        yield running.url


def test_a_login_recorded_a_year_ago_is_good_for_an_hour_from_now(url: str) -> None:
    answer = ask(url, "GET", "/login")
    body = answer.json()
    in_an_hour = datetime.now(UTC) + AN_HOUR
    ends = [
        parsedate_to_datetime(answer.header("expires")),
        datetime.fromisoformat(body["expires_at"]),
        datetime.fromtimestamp(json.loads(claims_of(body["ticket"]))["exp"], UTC),
        parsedate_to_datetime(answer.all("set-cookie")[0].rpartition("=")[2]),
    ]
    assert not [end for end in ends if not timedelta(0) <= in_an_hour - end < timedelta(minutes=1)]
    assert parsedate_to_datetime(answer.all("set-cookie")[1].rpartition("=")[2]) == RECORDED - AN_HOUR
    assert body["expires_in"] == 3600


def test_what_the_client_sends_back_of_it_is_understood(url: str) -> None:
    body = ask(url, "GET", "/login").json()
    assert ask(url, "GET", f"/feed?since={body['server_time']}").json() == ["new"]
    sent = json.dumps({"until": body["expires_at"]}).encode()
    assert ask(url, "POST", "/renew", [("Content-Type", "application/json")], sent).json() == "done"
    assert ask(url, "GET", "/feed?since=2001-01-01T00:00:00Z").status == 404


@pytest.mark.browser
def test_a_browser_keeps_the_cookie_that_is_good_and_drops_the_one_that_is_not(url: str) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.goto(url + "/page")
        page.evaluate("document.cookie = 'theme=dark; path=/'")
        page.evaluate("fetch('/login')")
        assert page.evaluate("document.cookie") == "basket=7"


def test_frozen_every_time_is_as_it_was_recorded(folder: Path) -> None:
    with running_app(folder, shift_time="") as app:
        answer = ask(app.url, "GET", "/login")
    assert parsedate_to_datetime(answer.header("expires")) == RECORDED + AN_HOUR
    assert answer.json()["expires_at"] == iso(RECORDED + AN_HOUR)


def test_by_default_only_what_expires_moves(folder: Path) -> None:
    with running_app(folder) as app:
        body = ask(app.url, "GET", "/login").json()
    assert body["server_time"] == iso(RECORDED)
    assert body["expires_at"] > iso(RECORDED + AN_HOUR)
