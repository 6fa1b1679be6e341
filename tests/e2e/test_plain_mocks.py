"""The use the project started from: put JSON at a path, get it at that path."""

from pathlib import Path

import httpx

from tests.support.running import ask, replaymock


def test_the_projects_own_cassettes_are_served_with_cors() -> None:
    with replaymock("replay", Path("cassettes").resolve()) as server:
        answer = httpx.get(f"{server.url}/api/1")
    assert answer.json() == {"items": [{"item1": "test1"}, {"item2": "test2"}]}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_mock_is_there_as_soon_as_its_file_is(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    with replaymock("replay", folder) as server:
        for number in range(20):
            (folder / f"n{number}.json").write_text(f"{number}")
            assert ask(server.url, "GET", f"/n{number}").body == str(number).encode()


def test_what_is_written_for_a_post_without_a_body_takes_any(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "POST--any.json").write_text(
        '{"request": {"method": "POST", "path": "/orders"}, "responses": [{"status": 201, "json": {"id": 7}}]}'
    )
    with replaymock("replay", folder) as server:
        answer = ask(server.url, "POST", "/orders", (("Content-Type", "application/json"),), b'{"pen": 2}')
    assert (answer.status, answer.body) == (201, b'{"id":7}')
