"""The shop of the demo on a real socket."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from replaymock.demo.server import open_shop
from replaymock.demo.shop import PASSWORD, USER

LOGIN = {"user": USER, "password": PASSWORD}


def in_the_shop(visit: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    async def stay() -> Any:
        async with open_shop() as origin, httpx.AsyncClient(base_url=origin, trust_env=False) as client:
            return await visit(client)

    return asyncio.run(stay())


def ask(method: str, path: str, **more: Any) -> httpx.Response:
    return in_the_shop(lambda client: client.request(method, path, **more))


def test_a_page_of_the_list_links_to_the_next_one_under_the_host_that_was_asked_for() -> None:
    page = ask("GET", "/api/items?limit=3", headers={"Host": "shop.example:99"}).json()
    assert [item["id"] for item in page["items"]] == [1, 2, 3]
    assert page["items"][0]["image"] == "http://shop.example:99/images/1.png"
    assert page["next"] == "http://shop.example:99/api/items?page=2&limit=3"


def test_the_last_page_links_to_no_other() -> None:
    page = ask("GET", "/api/items?page=2&limit=3").json()
    assert ([item["id"] for item in page["items"]], page["next"]) == ([4, 5], None)


def test_a_new_article_is_in_the_list_until_it_is_deleted() -> None:
    async def visit(client: httpx.AsyncClient) -> list[int]:
        added = await client.post("/api/items", json={"name": "Café crème", "price": 350})
        assert added.json() == {"id": 6, "name": "Café crème", "price": 350}
        place = added.headers["location"]
        assert (await client.get(place)).json() == added.json()
        assert [item["id"] for item in (await client.get("/api/items")).json()["items"]] == [1, 2, 3, 4, 5, 6]
        asked = (await client.delete(place), await client.delete(place), await client.get(place))
        return [added.status_code, *(answer.status_code for answer in asked)]

    assert in_the_shop(visit) == [201, 204, 404, 404]


def test_login_hands_out_a_json_web_token_and_a_session_cookie() -> None:
    answer = ask("POST", "/login", json=LOGIN)
    _, claims, _ = answer.json()["token"].split(".")
    assert json.loads(urlsafe_b64decode(claims + "=="))["sub"] == USER
    assert answer.headers["set-cookie"].startswith("session=")


def test_the_account_is_shown_to_whoever_has_the_token_and_to_nobody_else() -> None:
    async def visit(client: httpx.AsyncClient) -> list[int]:
        token = (await client.post("/login", json=LOGIN)).json()["token"]
        tried = [f"Bearer {token}", f"Bearer {token}x", f"Basic {token}", ""]
        return [(await client.get("/account", headers={"Authorization": sent})).status_code for sent in tried]

    assert in_the_shop(visit) == [200, 401, 401, 401]


def test_the_latest_article_is_a_redirect_away() -> None:
    answer = ask("GET", "/latest", headers={"Host": "shop.example"})
    assert (answer.status_code, answer.headers["location"]) == (302, "http://shop.example/api/items/5")


def test_an_article_has_a_picture() -> None:
    answer = ask("GET", "/images/1.png")
    assert (answer.headers["content-type"], answer.content[:4]) == ("image/png", b"\x89PNG")


def test_two_equal_answers_carry_different_request_ids_and_a_date() -> None:
    async def visit(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [await client.get("/api/items/1") for _ in range(2)]

    one, other = in_the_shop(visit)
    assert one.content == other.content
    assert one.headers["x-request-id"] != other.headers["x-request-id"]
    assert "date" in one.headers


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("GET", "/api/items/99", None, 404),
        ("GET", "/images/99.png", None, 404),
        ("GET", "/api/items?page=0", None, 400),
        ("GET", "/api/items?limit=x", None, 400),
        ("POST", "/api/items", "no object", 400),
        ("POST", "/api/items", {"name": "Mug", "price": "a lot"}, 400),
        ("POST", "/login", {"user": USER}, 400),
        ("POST", "/login", {"user": USER, "password": "guessed"}, 401),
        ("PUT", "/api/items", {}, 405),
    ],
)
def test_what_cannot_be_answered_is_an_error_in_json(method: str, path: str, body: Any, status: int) -> None:
    answer = ask(method, path, json=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_a_closed_shop_answers_no_more() -> None:
    async def come_late() -> None:
        async with open_shop() as origin:
            pass
        async with httpx.AsyncClient(base_url=origin, trust_env=False) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("/api/items")

    asyncio.run(come_late())
