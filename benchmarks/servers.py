"""What replaymock is measured beside and against, each its own process: `python -m benchmarks.servers NAME PORT …`.

`stock` serves the bodies from memory by a Tornado handler; `proxy` forwards by a Tornado handler and httpx.AsyncClient;
`backend` and `events` are fast local upstreams on a bare asyncio Protocol.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine

import httpx
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from benchmarks import material

EVENT_SECONDS = 0.02
_EVENT = b"data: something happened\n\n"
_SMALL = material.body(0).encode()[1:]
_LARGE = f'"items":[{",".join(material.body(number) for number in range(48))}]}}'.encode()


class Stock(RequestHandler):
    """A body from a dictionary, as one would write it by hand."""

    def initialize(self, bodies: dict[str, bytes]) -> None:
        """Takes the bodies by path."""
        self._bodies = bodies

    def get(self) -> None:
        """Answers with the body of the path."""
        self._answer(self._bodies[self.request.path])

    def post(self) -> None:
        """Answers with one body whatever was sent, without a look at it."""
        self._answer(self._bodies[material.ORDERS])

    def _answer(self, body: bytes) -> None:
        self.set_header("Content-Type", material.JSON)
        self.set_header("Access-Control-Allow-Origin", "*")
        self.finish(body)


class Proxy(RequestHandler):
    """Forwards a GET, and answers with status, type and body of what came back."""

    def initialize(self, client: httpx.AsyncClient, upstream: str) -> None:
        """Takes the client that all requests share, and the origin to forward to."""
        self._client = client
        self._upstream = upstream

    async def get(self) -> None:
        """Forwards, and answers when the whole body is there."""
        response = await self._client.get(self._upstream + self.request.uri)
        self.set_status(response.status_code)
        self.set_header("Content-Type", response.headers["content-type"])
        self.finish(response.content)


class Answering(asyncio.Protocol):
    """Answers requests without bodies, each by `answer` with its target, in as few steps as asyncio allows."""

    def __init__(self, answer: Callable[[asyncio.Transport, bytes], None]) -> None:
        self._answer = answer
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the connection."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answers each request that is whole."""
        *whole, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for head in whole:
            self._answer(self._transport, head.split(b" ", 2)[1])


async def stock(port: int, count: str) -> None:
    """Serves `count` items, and orders."""
    bodies = {material.PATH.replace("{n}", str(number)): material.body(number).encode() for number in range(int(count))}
    bodies[material.ORDERS] = material.body(0).encode()
    await _serve(port, Application([("/.*", Stock, {"bodies": bodies})]))


async def proxy(port: int, upstream: str) -> None:
    """Forwards to `upstream`."""
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as client:
        await _serve(port, Application([("/.*", Proxy, {"client": client, "upstream": upstream})]))


async def backend(port: int) -> None:
    """Answers with JSON of about 1 KiB that names the target; 48 below `/large/`, with new secrets below `/secret/`."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {material.JSON}\r\nContent-Length: ".encode()

    def answer(transport: asyncio.Transport, target: bytes) -> None:
        kind, _, number = target[1:].partition(b"/")
        fields, members = material.secrets(number.decode()) if kind == b"secret" else ("", "")
        rest = _LARGE if kind == b"large" else _SMALL
        body = b'{"target":"%b",%b%b' % (target, members.encode(), rest)
        transport.write(b"%b%d\r\n%b\r\n%b" % (head, len(body), fields.encode(), body))

    await _listen(port, answer)


async def events(port: int) -> None:
    """Answers with a head at once, an event a little later, and another at the end."""
    loop = asyncio.get_running_loop()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT)

    def answer(transport: asyncio.Transport, _target: bytes) -> None:
        transport.write(head)
        loop.call_later(EVENT_SECONDS, transport.write, chunk)
        loop.call_later(2 * EVENT_SECONDS, transport.write, chunk + b"0\r\n\r\n")

    await _listen(port, answer)


async def _listen(port: int, answer: Callable[[asyncio.Transport, bytes], None]) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Answering(answer), "127.0.0.1", port)
    await server.serve_forever()


async def _serve(port: int, application: Application) -> None:
    HTTPServer(application).add_sockets(bind_sockets(port, "127.0.0.1"))
    await asyncio.Event().wait()


if __name__ == "__main__":
    name, port, *arguments = sys.argv[1:]
    table: dict[str, Callable[..., Coroutine[None, None, None]]] = {
        "stock": stock,
        "proxy": proxy,
        "backend": backend,
        "events": events,
    }
    asyncio.run(table[name](int(port), *arguments))
