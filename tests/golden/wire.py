"""Requests as bytes under a Host that never changes, and answers as texts to compare."""

import gzip
import hashlib
import json
import re
import socket
import sys
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

import brotli

from tests.golden.steps import Ask
from tests.support.running import exchange, undated

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HOST = "localhost:8081"
_MOST_SHOWN = 400


@dataclass(frozen=True)
class Heard:
    """An answer: the lines of its head in their order without its date, and its body without framing."""

    head: tuple[str, ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        pairs = (line.partition(": ") for line in self.head[1:])
        return [value for key, _, value in pairs if key.lower() == name]


def sent(ask: Ask) -> bytes:
    """A request that asks for its connection to be closed."""
    given = {name.lower() for name, _ in ask.headers}
    lines = [f"{ask.method} {ask.target} HTTP/1.1", *([] if "host" in given else [f"Host: {HOST}"])]
    lines += ["Connection: close", *(f"{name}: {value}" for name, value in ask.headers)]
    if ask.body is not None:
        lines.append(f"Content-Length: {len(ask.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (ask.body or b"")


def hear(port: int, ask: Ask) -> Heard:
    """The whole answer to a request."""
    return heard(exchange(port, sent(ask), 20.0))


def heard(data: bytes) -> Heard:
    """An answer from its bytes."""
    head, _, body = undated(data).partition(b"\r\n\r\n")
    found = Heard(tuple(head.decode("latin-1").split("\r\n")), body)
    return Heard(found.head, _unchunked(body)) if found.values("transfer-encoding") else found


def hear_until(port: int, ask: Ask, wanted: bytes, then: Callable[[], object]) -> bytes:
    """An answer that has no end, as far as what is waited for; `then` is done once its head is there."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent(ask))
        data = connection.recv(65536)
        then()
        while wanted not in data:
            piece = connection.recv(65536)
            assert piece, data
            data += piece
        return data


def as_sent(heard: Heard) -> str:
    """A body out of its content coding: its size and, of a short text, all of it; of all else the digest."""
    (coding,) = heard.values("content-encoding") or ("",)
    body = _DECODERS[coding](heard.body) if coding in _DECODERS and heard.body else heard.body
    if "application/problem+json; charset=utf-8" in heard.values("content-type"):
        return as_document(heard)
    if len(body) > _MOST_SHOWN or re.search(rb"[^\x20-\x7e\r\n\t]", body):
        return f"({len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()})"
    return f"({len(body)} bytes)\n{body.decode()}".replace("\r", "\\r") if body else ""


def as_document(heard: Heard) -> str:
    """A JSON body, line by line; of any other only that there is one."""
    if not any("json" in value for value in heard.values("content-type")):
        return "(a body)" if heard.body else ""
    return json.dumps(json.loads(heard.body), indent=2, ensure_ascii=False) if heard.body else ""


def shown(ask: Ask, heard: Heard, tell: Callable[[Heard], str] = as_sent, without: Collection[str] = ()) -> str:
    """A request and its answer, but for the headers of some names in small letters."""
    asked = [f"{ask.method} {ask.target}", *(f"{name}: {value}" for name, value in ask.headers)]
    lines = [
        line.rstrip() for line in map(_unsized(heard), heard.head) if line.partition(":")[0].lower() not in without
    ]
    body = tell(heard)
    return "\n".join([*(f"> {line}" for line in asked), *lines, *(["", body] if body else [])]).rstrip("\n") + "\n"


def _unsized(heard: Heard) -> Callable[[str], str]:
    """How long a body is in a coding is for the library of that coding to say."""
    if not heard.values("content-encoding"):
        return str
    return lambda line: "Content-Length: (coded)" if line.lower().startswith("content-length:") else line


def _unchunked(data: bytes) -> bytes:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        body, data = body + data[:length], data[length + 2 :]
    return body


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}
