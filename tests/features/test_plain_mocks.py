"""The use the project started from: put JSON at a path, get it at that path."""

from pathlib import Path

import httpx

from tests.running import replaymock


def test_the_projects_own_cassettes_are_served_with_cors() -> None:
    with replaymock("replay", Path("cassettes").resolve()) as server:
        answer = httpx.get(f"{server.url}/api/1")
    assert answer.json() == {"items": [{"item1": "test1"}, {"item2": "test2"}]}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
