"""What replaymock is measured beside, each as its own process: `python -m benchmarks.servers NAME [ARGUMENT]`.

`stock` serves a folder of bodies from memory by a Tornado handler; `backend` is a fast local upstream; `proxy` forwards
to one by a Tornado handler and httpx.AsyncClient. Each prints its port when it listens.
"""

import asyncio
import sys
from pathlib import Path

import httpx
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

JSON = "application/json; charset=utf-8"


class Stock(RequestHandler):
    """A body from a dictionary, as one would write it by hand."""

    def initialize(self, bodies: dict[str, bytes]) -> None:
        """Takes the bodies by path."""
        self._bodies = bodies

    def get(self) -> None:
        """Answers with the body of the path."""
        self.set_header("Content-Type", JSON)
        self.set_header("Access-Control-Allow-Origin", "*")
        self.finish(self._bodies[self.request.path])


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


async def stock(folder: str) -> None:
    """Serves the JSON files of a folder, read once, at their paths without `.json`."""
    await _serve(Application([("/.*", Stock, {"bodies": _bodies(Path(folder))})]))


async def proxy(upstream: str) -> None:
    """Forwards to `upstream`."""
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as client:
        await _serve(Application([("/.*", Proxy, {"client": client, "upstream": upstream})]))


async def backend(size: str) -> None:
    """Answers every request with the same JSON of about `size` bytes, in as few steps as asyncio allows."""
    body = b'{"text":"' + b"x" * int(size) + b'"}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    class Answering(asyncio.Protocol):
        """Counts blank lines; requests here have no bodies."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            """Keeps the connection."""
            self._transport: asyncio.Transport = transport  # type: ignore[assignment]
            self._rest = b""

        def data_received(self, data: bytes) -> None:
            """Answers each request that is whole."""
            *whole, self._rest = (self._rest + data).split(b"\r\n\r\n")
            self._transport.write((head + body) * len(whole))

    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _bodies(root: Path) -> dict[str, bytes]:
    return {f"/{file.relative_to(root).as_posix()[:-5]}": file.read_bytes() for file in root.rglob("*.json")}


async def _serve(application: Application) -> None:
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(application).add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run({"stock": stock, "proxy": proxy, "backend": backend}[sys.argv[1]](sys.argv[2]))
