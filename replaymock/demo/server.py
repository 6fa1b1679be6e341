"""The shop on a real socket, with all that backends have: absolute links, a redirect, pictures, a login, fresh ids.

The only module that uses `tornado.web`: what it adds to responses by itself is what real backends add.
"""

import contextlib
import json
import secrets
import uuid
from collections.abc import AsyncIterator
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from replaymock.demo.shop import PASSWORD, TOKEN_SECONDS, USER, Shop, Signer, picture

_LARGEST_PAGE = 100


@contextlib.asynccontextmanager
async def open_shop() -> AsyncIterator[str]:
    """Opens a shop on a free port of the loopback; gives its origin. It is closed when the context ends."""
    shop = Shop()
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(application(shop, Signer()))
    server.add_sockets(sockets)
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        server.stop()
        await server.close_all_connections()
        shop.close()


def application(shop: Shop, signer: Signer) -> Application:
    """The application with all paths of the shop."""
    parts = {"shop": shop, "signer": signer}
    routes: list[tuple[str, type[_Handler], dict[str, Any]]] = [
        (r"/api/items", _Items, parts),
        (r"/api/items/([0-9]{1,9})", _Item, parts),
        (r"/images/([0-9]{1,9})\.png", _Picture, parts),
        (r"/latest", _Latest, parts),
        (r"/login", _Login, parts),
        (r"/account", _Account, parts),
    ]
    return Application(
        routes,
        default_handler_class=_Handler,
        default_handler_args=parts,
        # Tornado's own would log each 404, and these are part of the demo.
        log_function=lambda _handler: None,
    )


class _Handler(RequestHandler):
    def initialize(self, shop: Shop, signer: Signer) -> None:
        self.shop = shop
        self.signer = signer

    def prepare(self) -> None:
        if type(self) is _Handler:
            raise HTTPError(404)

    def set_default_headers(self) -> None:
        self.set_header("X-Request-Id", str(uuid.uuid4()))

    def write_error(self, status_code: int, **_more: Any) -> None:
        self.send(status_code, {"error": self._reason})

    def send(self, status: int, value: Any) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(value, separators=(",", ":"), ensure_ascii=False))

    def link(self, path: str) -> str:
        return f"{self.request.protocol}://{self.request.host}{path}"

    def number(self, name: str, default: int, most: int) -> int:
        text = self.get_query_argument(name, str(default))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise HTTPError(400)
        return int(text)

    def sent(self, **kinds: type) -> list[Any]:
        """The named members of the JSON object that was sent."""
        try:
            members = json.loads(self.request.body)
            values = [members[name] for name in kinds]
        except (ValueError, TypeError, KeyError):
            raise HTTPError(400) from None
        if any(type(value) is not kind for value, kind in zip(values, kinds.values(), strict=True)):
            raise HTTPError(400)
        return values


class _Items(_Handler):
    def get(self) -> None:
        page, limit = self.number("page", 1, 10**6), self.number("limit", 10, _LARGEST_PAGE)
        more = page * limit < self.shop.count()
        articles = [
            {**article.to_json(), "image": self.link(f"/images/{article.id}.png")}
            for article in self.shop.articles(page, limit)
        ]
        following = self.link(f"/api/items?page={page + 1}&limit={limit}") if more else None
        self.send(200, {"items": articles, "next": following})

    def post(self) -> None:
        name, price = self.sent(name=str, price=int)
        article = self.shop.add(name, price)
        self.set_header("Location", self.link(f"/api/items/{article.id}"))
        self.send(201, article.to_json())


class _Item(_Handler):
    def get(self, number: str) -> None:
        article = self.shop.article(int(number))
        if article is None:
            raise HTTPError(404)
        self.send(200, article.to_json())

    def delete(self, number: str) -> None:
        if not self.shop.remove(int(number)):
            raise HTTPError(404)
        self.set_status(204)


class _Picture(_Handler):
    def get(self, number: str) -> None:
        if self.shop.article(int(number)) is None:
            raise HTTPError(404)
        self.set_header("Content-Type", "image/png")
        self.finish(picture(int(number)))


class _Latest(_Handler):
    def get(self) -> None:
        self.redirect(self.link(f"/api/items/{self.shop.latest()}"))


class _Login(_Handler):
    def post(self) -> None:
        user, password = self.sent(user=str, password=str)
        if (user, password) != (USER, PASSWORD):
            raise HTTPError(401)
        self.set_cookie("session", secrets.token_hex(16), httponly=True, samesite="Lax")
        self.send(200, {"token": self.signer.token(user), "token_type": "Bearer", "expires_in": TOKEN_SECONDS})


class _Account(_Handler):
    def get(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        user = self.signer.user(token) if scheme == "Bearer" else None
        if user is None:
            self.set_header("WWW-Authenticate", 'Bearer realm="shop"')
            self.send(401, {"error": "log in first"})
            return
        self.send(200, {"user": user, "orders": [{"item": 1, "count": 2}]})
