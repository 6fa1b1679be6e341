"""The requests of the corpus, in their order: sent once to a recorder and once to a replay."""

import json
from dataclasses import dataclass
from typing import Any

from tests.golden.backend import BINARY, LARGE, PASSWORD, REFRESH, token

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Ask:
    """A request, byte for byte but for its Host and framing."""

    method: str
    target: str
    headers: Pairs = ()
    body: bytes | None = None


def get(target: str, **headers: str) -> Ask:
    return Ask("GET", target, _pairs(headers))


def send(method: str, target: str, value: Any, **headers: str) -> Ask:
    """A request with JSON."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Ask(method, target, (("Content-Type", "application/json"), *_pairs(headers)), body)


def form(target: str, text: str) -> Ask:
    return Ask("POST", target, (("Content-Type", "application/x-www-form-urlencoded"),), text.encode())


def _pairs(headers: dict[str, str]) -> Pairs:
    return tuple((name.replace("_", "-"), value) for name, value in headers.items())


def _multipart() -> Ask:
    parts = [
        b'Content-Disposition: form-data; name="title"\r\n\r\nSunset',
        b'Content-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n{"a": 1}',
        b'Content-Disposition: form-data; name="photo"; filename="s.png"\r\nContent-Type: image/png\r\n\r\n' + BINARY,
    ]
    body = b"".join(b"--line\r\n" + part + b"\r\n" for part in parts) + b"--line--\r\n"
    return Ask("POST", "/echo/upload", (("Content-Type", "multipart/form-data; boundary=line"),), body)


_GET_USER = "query GetUser($id: ID!) {\n  user(id: $id) { id name }\n}"
_RENAME = "mutation Rename($id: ID!, $name: String!) { rename(id: $id, name: $name) { id name } }"
_USER = {"operationName": "GetUser", "query": _GET_USER, "variables": {"id": "7"}}
_RENAMED = {"operationName": "Rename", "query": _RENAME, "variables": {"id": "7", "name": "Grace"}}
_SOAP = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><Get/></e:Body></e:Envelope>'

STEPS: tuple[Ask, ...] = (
    *(
        get(f"/json/{name}")
        for name in "compact spaced indent-2 indent-4-newline odd-space tokens scalar text cut literal unicode".split()
    ),
    get("/vendor"),
    get("/links"),
    *(get(f"/text/{name}") for name in "plain latin html csv xml script".split()),
    get("/untyped"),
    get("/fine"),
    # queries and paths
    get("/echo?tag=b&tag=a&page=2"),
    get("/echo?page=2&tag=b&tag=a"),
    get("/echo?flag"),
    get("/echo?flag="),
    get("/echo?q=caf%C3%A9%20cr%c3%a8me&api_key=" + "k1l2m3n4o5" * 2),
    get("/echo/a%2Fb/c%7Ed"),
    get("/echo/slash/"),
    get("/echo//twice"),
    # bodies
    form("/echo/form", f"user=ada&password={PASSWORD}&tag=1&tag=2"),
    _multipart(),
    Ask("POST", "/echo/blob", (("Content-Type", "application/octet-stream"),), BINARY),
    Ask("PUT", "/echo/large", (("Content-Type", "text/plain"),), LARGE.encode()),
    Ask("POST", "/echo/soap", (("Content-Type", "text/xml"), ("SOAPAction", '"urn:get"')), _SOAP),
    send("POST", "/echo/json", {"b": [1, 2.50], "a": {"z": None, "client_secret": "s-" + "0a1b2c3d4e" * 2}}),
    # streams and files
    get("/feed", Accept="text/event-stream"),
    get("/feed-crlf"),
    get("/lines"),
    get("/logo.png"),
    get("/large.txt"),
    get("/large.txt", Range="bytes=0-9"),
    # redirects, cookies, headers
    *(get(f"/moved/{name}") for name in ("absolute", "relative", "elsewhere")),
    form("/moved/after-post", "a=1"),
    get("/cookies", Origin="http://localhost:3000"),
    get("/headers", If_None_Match='"v0"'),
    get("/told", Origin="http://localhost:8081", Referer="http://localhost:8081/page", X_Kept="yes"),
    # a login
    get("/me"),
    send("POST", "/login", {"user": "ada", "password": PASSWORD}),
    get("/me", Authorization=f"Bearer {token(1)}"),
    send("POST", "/login", {"grant_type": "refresh_token", "refresh_token": REFRESH}),
    get("/me", Authorization=f"Bearer {token(2)}"),
    # GraphQL
    send("POST", "/graphql", _USER),
    send("POST", "/graphql", _RENAMED),
    send("POST", "/graphql", _USER),
    # writes, and what they bring about
    get("/items"),
    send("POST", "/items", {"name": "cap"}),
    get("/items"),
    get("/items/1"),
    send("PATCH", "/items/1", {"name": "nib"}),
    get("/items/1"),
    send("PUT", "/items/2", {"name": "well"}),
    Ask("DELETE", "/items/1"),
    get("/items/1"),
    get("/items"),
    get("/items"),
    # a job that is looked at until it is done
    *(get("/job"),) * 4,
    # codings
    *(get(f"/coded/{name}", Accept_Encoding="gzip, deflate, br, zstd") for name in "gzip deflate br zstd own".split()),
    get("/coded/gzip"),
    # methods and statuses
    Ask("HEAD", "/json/compact"),
    Ask("HEAD", "/only-head"),
    Ask("OPTIONS", "/options"),
    Ask("OPTIONS", "/items", (("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "PUT"))),
    *(get(f"/status/{number}") for number in (400, 403, 404, 410, 429, 503)),
)
