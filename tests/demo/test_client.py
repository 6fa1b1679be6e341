"""The customer of the demo, at the real shop and in front of a closed door."""

import asyncio
import socket

from replaymock.demo.client import visit
from replaymock.demo.compare import Seen
from replaymock.demo.server import open_shop


def visited() -> list[Seen]:
    async def go() -> list[Seen]:
        async with open_shop() as origin:
            return await visit(origin)

    return asyncio.run(go())


def test_a_visit_sees_pages_a_login_a_change_and_its_undoing() -> None:
    assert [(seen.request, seen.status) for seen in visited()] == [
        ("GET /api/items?limit=3", 200),
        ("GET /api/items?page=2&limit=3", 200),
        ("GET /images/1.png", 200),
        ("GET /latest", 302),
        ("GET /api/items/5", 200),
        ("GET /account, no token", 401),
        ("POST /login", 200),
        ("GET /account, with token", 200),
        ("GET /api/items", 200),
        ("POST /api/items", 201),
        ("GET /api/items/6", 200),
        ("GET /api/items", 200),
        ("DELETE /api/items/6", 204),
        ("GET /api/items/6", 404),
        ("GET /api/items", 200),
        ("GET /api/items, again", 200),
    ]


def test_the_list_differs_after_each_change_and_a_repeat_does_not() -> None:
    lists = [seen.body for seen in visited() if seen.request in ("GET /api/items", "GET /api/items, again")]
    before, after_post, after_delete, again = lists
    assert before != after_post != after_delete == again


def test_a_visit_where_nobody_answers_is_told_row_by_row() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        seen = asyncio.run(visit(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert {one.status for one in seen} == {0}
    assert seen[0].body.startswith(b"no answer: ConnectError")
    assert len(seen) == len(visited())
