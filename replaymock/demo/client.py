"""A customer of the shop: a real client that makes the same requests on each visit.

It follows the links and redirects of responses and sends their tokens, so a wrong one shows in later requests.
"""

from typing import Any

import httpx

from replaymock.demo.compare import Seen
from replaymock.demo.shop import PASSWORD, USER


async def visit(origin: str) -> list[Seen]:
    """Makes one visit; gives every response, in order."""
    # Proxies named in the environment are for the network, not for the loopback.
    async with httpx.AsyncClient(base_url=origin, trust_env=False) as client:
        customer = _Customer(client, origin)
        await customer.browse()
        await customer.log_in()
        await customer.change()
        return customer.seen


class _Customer:
    def __init__(self, client: httpx.AsyncClient, origin: str) -> None:
        self._client = client
        self._origin = origin
        self.seen: list[Seen] = []

    async def browse(self) -> None:
        page = await self._ask("GET", "/api/items?limit=3")
        await self._ask("GET", _member(page, "next"))
        await self._ask("GET", "/images/1.png")
        latest = await self._ask("GET", "/latest")
        await self._ask("GET", latest.headers.get("location", "/") if latest else "/")

    async def log_in(self) -> None:
        await self._ask("GET", "/account", note=", no token")
        login = await self._ask("POST", "/login", json={"user": USER, "password": PASSWORD})
        token = {"Authorization": f"Bearer {_member(login, 'token')}"}
        await self._ask("GET", "/account", note=", with token", headers=token)

    async def change(self) -> None:
        await self._ask("GET", "/api/items")
        added = await self._ask("POST", "/api/items", json={"name": "Café crème", "price": 350})
        place = added.headers.get("location", "/") if added else "/"
        await self._ask("GET", place)
        await self._ask("GET", "/api/items")
        await self._ask("DELETE", place)
        await self._ask("GET", place)
        await self._ask("GET", "/api/items")
        await self._ask("GET", "/api/items", note=", again")

    async def _ask(self, method: str, url: str, note: str = "", **more: Any) -> httpx.Response | None:
        shown = f"{method} {url.removeprefix(self._origin)}{note}"
        try:
            response = await self._client.request(method, url, **more)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            text = f"no answer: {type(error).__name__} {error}"
            self.seen.append(Seen(shown, self._origin, 0, (), text.encode()))
            return None
        headers = tuple(response.headers.multi_items())
        cassette = response.headers.get("replaymock-cassette", "")
        self.seen.append(Seen(shown, self._origin, response.status_code, headers, response.content, cassette))
        return response


def _member(response: httpx.Response | None, name: str) -> str:
    """A member of a JSON response; `/` if there is none, so that the visit goes on."""
    try:
        return str(response.json()[name]) if response else "/"
    except (ValueError, KeyError, TypeError):
        return "/"
