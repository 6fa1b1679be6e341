"""A backend that gives the same answers to the same requests in the same order, on any day: every date in it is fixed.

It has one of each kind: layouts of JSON, texts, streams, files, redirects, cookies, codings, a login, writes and jobs.
"""

import base64
import gzip
import json
import re
import socket
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import brotli
from websockets.asyncio.server import ServerConnection

from tests.support.running import raw_backend, read_whole, reply

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LATER = "Fri, 01 Jan 2100 00:00:00 GMT"
BINARY = bytes(range(256)) * 3
LARGE = "".join(f"line {number:05} of a text that is kept in a file of its own\n" for number in range(2000))
PASSWORD = "correct-" + "horse-" + "battery"
REFRESH = "rt-" + "6f1d2c3b4a59" * 3
FEED = b'retry: 2000\n\nevent: tick\nid: 1\ndata: {"price": 41}\n\n: still here\n\nid: 2\ndata: two\ndata: lines\n\n'

JSON_TEXTS = {
    "compact": '{"a":1,"b":[true,false,null],"c":{"d":"e"}}',
    "spaced": '{"a": 1, "b": [1, 2, 3]}',
    "indent-2": '{\n  "a": 1,\n  "b": [\n    1,\n    2\n  ]\n}',
    "indent-4-newline": '{\n    "a": 1,\n    "b": {}\n}\n',
    "odd-space": '{"a" :1,\t"b":  2 }',
    "tokens": '{"f":1.10,"e":1e5,"big":12345678901234567890,"neg":-0,"x":"\\u00e9\\/\\ud83d\\ude00","two":1,"two":2}',
    "scalar": "null",
    "text": '"only a text"',
    "cut": '{"a": 1, "b": [',
    "literal": '{"says":"{{origin}}/here"}',
    "unicode": '{"name":"Ünïcødé ✓","mail":"ada@example.com"}',
}


def encoded(value: Any) -> str:
    """A part of a JSON Web Token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def token(number: int) -> str:
    """A JSON Web Token that nobody signed, good until 2100."""
    claims = {"sub": "ada", "sid": f"s-{number:08}", "iat": 1767225600, "exp": 4102444800}
    return ".".join((encoded({"alg": "HS256", "typ": "JWT"}), encoded(claims), f"{number}sig" + "Zm9vYmFy" * 5))


class Backend:
    """Its state is what was written to it, and how often some paths were asked for."""

    def __init__(self) -> None:
        self.items: dict[int, Any] = {1: {"id": 1, "name": "pen"}, 2: {"id": 2, "name": "ink"}}
        self.looks = 0
        self.logins = 0
        self.user = "Ada"

    def serve(self, connection: socket.socket) -> None:
        """Answers one request."""
        head, body = read_whole(connection)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        found = self.answer(method, target, headers, body)
        connection.sendall(found.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else found)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        """The whole answer to a request."""
        path, _, query = target.partition("?")
        for pattern, respond in _ROUTES:
            found = re.fullmatch(pattern, f"{method} {path}")
            if found:
                return respond(self, Asked(found, query, headers, body))
        return as_json({"error": "not found", "path": path}, status="404 Not Found")


class Asked:
    """What a route is told of a request."""

    def __init__(self, found: re.Match[str], query: str, headers: dict[str, str], body: bytes) -> None:
        self.name = found.groups()[0] if found.groups() else ""
        self.query = query
        self.headers = headers
        self.body = body

    @property
    def origin(self) -> str:
        """The backend's own origin, as it was asked for."""
        return f"http://{self.headers['host']}"


Route = Callable[[Backend, Asked], bytes]


def as_json(value: Any, *headers: str, status: str = "200 OK") -> bytes:
    """An answer of compact JSON."""
    return reply(json.dumps(value, separators=(",", ":")).encode(), *headers, status=status)


def empty(status: str, *headers: str) -> bytes:
    """An answer without body, and without a length, as it may have none."""
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers, "", ""]).encode("latin-1")


def _layout(_backend: Backend, asked: Asked) -> bytes:
    return reply(JSON_TEXTS[asked.name].encode())


def _links(_backend: Backend, asked: Asked) -> bytes:
    here = asked.origin
    escaped = here.replace("/", "\\/")
    text = f'{{"self":"{here}/links","escaped":"{escaped}\\/x","other":"http://example.com/y"}}'
    return reply(text.encode(), f'Link: <{here}/links?page=2>; rel="next"')


def _text(_backend: Backend, asked: Asked) -> bytes:
    here = asked.origin
    kinds = {
        "plain": ("text/plain; charset=utf-8", "one line\nand öne more\n".encode()),
        "latin": ("text/plain; charset=iso-8859-1", "café\r\ncrème\r\n".encode("latin-1")),
        "html": ("text/html", f'<a href="{here}/next">next</a><img src="{here}/logo.png">\n'.encode()),
        "csv": ("text/csv", b"id,name\n1,pen\n2,ink\n"),
        "xml": ("application/xml", f'<?xml version="1.0"?><list href="{here}/x"><one/></list>'.encode()),
        "script": ("text/javascript", b"const wait = 1;\nexport default wait;\n"),
    }
    media_type, body = kinds[asked.name]
    return reply(body, f"Content-Type: {media_type}")


def _coded(_backend: Backend, asked: Asked) -> bytes:
    # What no one can decode here holds no origin, as its digest would tell of the port.
    home = "/home" if asked.name == "own" else f"{asked.origin}/home"
    text = json.dumps({"coding": asked.name, "home": home, "fill": "x" * 100}).encode()
    encode: dict[str, Callable[[bytes], bytes]] = {
        "gzip": lambda data: gzip.compress(data, mtime=0),
        "deflate": zlib.compress,
        "br": brotli.compress,
        "zstd": zstd.compress,
        "own": lambda data: data[::-1],
    }
    return reply(encode[asked.name](text), f"Content-Encoding: {asked.name}", "Vary: Accept-Encoding")


def _moved(_backend: Backend, asked: Asked) -> bytes:
    status, location = {
        "absolute": ("302 Found", f"{asked.origin}/json/compact?from=old"),
        "relative": ("301 Moved Permanently", "../json/compact"),
        "elsewhere": ("307 Temporary Redirect", "https://example.com/login"),
        "after-post": ("303 See Other", f"{asked.origin}/items"),
    }[asked.name]
    return empty(status, f"Location: {location}", "Content-Length: 0")


def _cookies(_backend: Backend, asked: Asked) -> bytes:
    return as_json(
        {"set": True},
        f"Set-Cookie: theme=dark; Path=/; Expires={LATER}",
        "Set-Cookie: session_id=9f8e7d6c5b4a39281706; Path=/; HttpOnly; Secure; SameSite=None",
        f"Set-Cookie: pref=a%20b; Domain={asked.headers['host'].partition(':')[0]}; Max-Age=3600",
        "Set-Cookie: __Host-csrf=1a2b3c4d5e6f70819203; Path=/; Secure",
    )


def _headers(_backend: Backend, asked: Asked) -> bytes:
    return as_json(
        {"many": True},
        "Date: Thu, 01 Jan 2026 00:00:00 GMT",
        "Server: scripted/1.0",
        "X-Request-Id: 5f0c",
        "Strict-Transport-Security: max-age=60",
        "Access-Control-Allow-Origin: https://elsewhere.example",
        "Vary: Accept",
        "Vary: Accept-Language",
        'ETag: "v1"',
        "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT",
        "Cache-Control: max-age=60",
        f"X-Home: {asked.origin}/home",
        "X-Case-Kept: Yes",
        "X-Api-Key: k-" + "4e5f60718293" * 2,
    )


def _login(backend: Backend, _asked: Asked) -> bytes:
    backend.logins += 1
    return as_json(
        {"access_token": token(backend.logins), "refresh_token": REFRESH, "expires_in": 3600, "user": {"id": 7}},
        f"Set-Cookie: sid=c0ffee{backend.logins:014}; Path=/; HttpOnly",
    )


def _me(_backend: Backend, asked: Asked) -> bytes:
    if not asked.headers.get("authorization", "").startswith("Bearer ey"):
        return as_json({"error": "who are you?"}, "WWW-Authenticate: Bearer", status="401 Unauthorized")
    return as_json({"id": 7, "name": "Ada", "token": asked.headers["authorization"].removeprefix("Bearer ")})


def _graphql(backend: Backend, asked: Asked) -> bytes:
    sent = json.loads(asked.body)
    if "mutation" in sent["query"]:
        backend.user = sent["variables"]["name"]
    return as_json({"data": {"user": {"id": "7", "name": backend.user}}})


def _items(backend: Backend, asked: Asked) -> bytes:
    return as_json({"items": list(backend.items.values()), "self": f"{asked.origin}/items"})


def _add(backend: Backend, asked: Asked) -> bytes:
    number = max(backend.items) + 1
    backend.items[number] = {"id": number, **json.loads(asked.body)}
    return as_json(backend.items[number], f"Location: {asked.origin}/items/{number}", status="201 Created")


def _item(backend: Backend, asked: Asked) -> bytes:
    found = backend.items.get(int(asked.name))
    return as_json(found) if found else as_json({"error": "gone"}, status="404 Not Found")


def _change(backend: Backend, asked: Asked) -> bytes:
    found = backend.items[int(asked.name)] = {**backend.items[int(asked.name)], **json.loads(asked.body)}
    return as_json(found)


def _remove(backend: Backend, asked: Asked) -> bytes:
    del backend.items[int(asked.name)]
    return empty("204 No Content")


def _job(backend: Backend, _asked: Asked) -> bytes:
    backend.looks += 1
    return as_json({"state": "done" if backend.looks > 2 else "pending", "look": min(backend.looks, 3)})


def _status(_backend: Backend, asked: Asked) -> bytes:
    number = int(asked.name)
    return as_json({"status": number}, status=f"{number} {HTTPStatus(number).phrase}")


def _echo(_backend: Backend, asked: Asked) -> bytes:
    return as_json({"query": asked.query, "bytes": len(asked.body)})


def _told(_backend: Backend, asked: Asked) -> bytes:
    """What came of the headers that a proxy may change."""
    names = ("host", "origin", "referer", "accept-encoding", "if-none-match", "cookie", "x-kept")
    found = {name: asked.headers[name] for name in names if name in asked.headers}
    return as_json({**found, "host": "own" if asked.headers["host"] in asked.origin else "other"})


def answering(body: bytes, *headers: str, status: str = "200 OK") -> Route:
    """A route that always answers the same."""
    return lambda _backend, _asked: reply(body, *headers, status=status)


_NDJSON = b'{"n":1}\n{"n":2,"t":"two"}\n{"n":3}\n'
_ROUTES: list[tuple[str, Route]] = [
    (r"(?:GET|HEAD) /json/(.+)", _layout),
    (r"GET /links", _links),
    (r"GET /text/(\w+)", _text),
    (r"GET /coded/(\w+)", _coded),
    (r"(?:GET|POST) /moved/(.+)", _moved),
    (r"GET /cookies", _cookies),
    (r"GET /headers", _headers),
    (r"POST /login", _login),
    (r"GET /me", _me),
    (r"POST /graphql", _graphql),
    (r"GET /items", _items),
    (r"POST /items", _add),
    (r"GET /items/(\d+)", _item),
    (r"(?:PUT|PATCH) /items/(\d+)", _change),
    (r"DELETE /items/(\d+)", _remove),
    (r"GET /job", _job),
    (r"GET /status/(\d+)", _status),
    (r"GET /vendor", answering(b'{"data":[]}', "Content-Type: application/vnd.api+json")),
    (r"GET /feed", answering(FEED, "Content-Type: text/event-stream", "Cache-Control: no-cache")),
    (r"GET /feed-crlf", answering(FEED.replace(b"\n", b"\r\n"), "Content-Type: text/event-stream")),
    (r"GET /lines", answering(_NDJSON, "Content-Type: application/x-ndjson")),
    (r"GET /logo\.png", answering(BINARY, "Content-Type: image/png")),
    (r"GET /large\.txt", answering(LARGE.encode(), "Content-Type: text/plain")),
    (r"GET /clock", answering(b'{"now":2,"zone":"UTC"}')),
    (r"GET /fine", answering(b"{}", status="200 Very Well")),
    (r"GET /untyped", answering(b"\x00\x01\x02", "Content-Type:")),
    (r"HEAD /only-head", answering(b"0123456789", "Content-Type: text/plain", 'ETag: "h1"')),
    (r"OPTIONS /options", answering(b"{}", "Allow: GET, OPTIONS")),
    (r"(?:GET|POST|PUT) /echo.*", _echo),
    (r"GET /told", _told),
]


@contextmanager
def scripted_backend() -> Iterator[str]:
    """A new backend; its origin."""
    with raw_backend(Backend().serve) as origin:
        yield origin


async def chat(connection: ServerConnection) -> None:
    """Greets, answers each message once, and closes when told goodbye."""
    await connection.send(json.dumps({"type": "welcome", "user": "ada"}))
    async for message in connection:
        if message == "goodbye":
            await connection.close(1000, "until then")
        elif isinstance(message, bytes):
            await connection.send(message[::-1])
        else:
            await connection.send(json.dumps({"type": "echo", "said": message}))
