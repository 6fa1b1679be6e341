"""The opening handshake of a WebSocket (RFC 6455 section 4): its subprotocol and compression."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from replaymock.errors import RequestRefused
from replaymock.http.headers import TOKEN, Headers, get, get_all, has, list_items
from replaymock.http.messages import Request

VERSION = "13"
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class DeflateParameters:
    """The negotiated parameters of permessage-deflate (RFC 7692 section 7.1)."""

    client_no_context_takeover: bool = False
    server_no_context_takeover: bool = False
    client_max_window_bits: int = 15
    server_max_window_bits: int = 15


def is_upgrade(request: Request) -> bool:
    """Whether a request asks for a WebSocket, valid or not."""
    protocols_named = get(request.headers, "upgrade")
    # Runs for every request, and few have this header.
    return bool(protocols_named) and "websocket" in list_items(protocols_named)


def validate_handshake(request: Request, version: str) -> None:
    """Raises RequestRefused unless a request for a WebSocket is valid (RFC 6455 section 4.2.1)."""
    headers = request.headers
    if request.method != "GET" or version != "HTTP/1.1":
        raise RequestRefused(400, "bad_handshake", "a WebSocket is asked for by GET over HTTP/1.1")
    if "upgrade" not in list_items(get(headers, "connection")):
        raise RequestRefused(400, "bad_handshake", "send Connection: Upgrade with Upgrade: websocket")
    if has(headers, "transfer-encoding") or get(headers, "content-length", "0") != "0":
        raise RequestRefused(400, "bad_handshake", "a request for a WebSocket has no body")
    if get_all(headers, "sec-websocket-version") != [VERSION]:
        raise RequestRefused(426, "websocket_version", f"this server speaks Sec-WebSocket-Version {VERSION}")
    keys = get_all(headers, "sec-websocket-key")
    if len(keys) != 1 or not _is_key(keys[0]):
        raise RequestRefused(400, "bad_handshake", "send one Sec-WebSocket-Key, of 16 bytes in base64")
    if not all(TOKEN.fullmatch(name) for name in protocols(headers)):
        raise RequestRefused(400, "bad_handshake", "Sec-WebSocket-Protocol holds what is no name")


def accept(key: str) -> str:
    """The `Sec-WebSocket-Accept` for a key."""
    return base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode("latin-1"), usedforsecurity=False).digest()).decode()


def protocols(headers: Headers) -> list[str]:
    """The subprotocols that a request offers, or the one that a response chose. Case matters."""
    return [name.strip() for name in get(headers, "sec-websocket-protocol").split(",") if name.strip()]


def negotiate_deflate(headers: Headers) -> DeflateParameters | None:
    """The compression that a server accepts: the first offer of permessage-deflate that it supports, if any."""
    offers = get(headers, "sec-websocket-extensions").split(",")
    return next((parameters for parameters in map(_parse_deflate, offers) if parameters), None)


def parse_accepted_extension(headers: Headers) -> DeflateParameters | None:
    """The compression that the response to our `OFFER` chose. ValueError if that was not offered."""
    value = get(headers, "sec-websocket-extensions").strip()
    parameters = _parse_deflate(value) if value else None
    if value and not parameters:
        raise ValueError(f"it chose the extension {value!r}, which was not offered")
    return parameters


def switching_head(request: Request, protocol: str, deflate: DeflateParameters | None, headers: Headers) -> bytes:
    """The head of the 101 that opens a WebSocket. `protocol` may be empty."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines.append(f"Sec-WebSocket-Accept: {accept(get(request.headers, 'sec-websocket-key'))}")
    if protocol:
        lines.append(f"Sec-WebSocket-Protocol: {protocol}")
    if deflate:
        lines.append(f"Sec-WebSocket-Extensions: {format_extension(deflate)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def client_headers(headers: Headers, key: str, offered: list[str], *, compress: bool) -> Headers:
    """The headers of a request for a WebSocket: `headers` and those of the handshake."""
    fields = (
        *headers,
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Version", VERSION),
    )
    if offered:
        fields = (*fields, ("Sec-WebSocket-Protocol", ", ".join(offered)))
    return (*fields, ("Sec-WebSocket-Extensions", OFFER)) if compress else fields


def format_extension(deflate: DeflateParameters) -> str:
    """The parameters as a header value. Default ones are left out."""
    parts = [EXTENSION]
    parts += ["server_no_context_takeover"] if deflate.server_no_context_takeover else []
    parts += ["client_no_context_takeover"] if deflate.client_no_context_takeover else []
    for name in ("server_max_window_bits", "client_max_window_bits"):
        bits = getattr(deflate, name)
        parts += [f"{name}={bits}"] if bits < _MOST_BITS else []
    return "; ".join(parts)


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _parse_deflate(text: str) -> DeflateParameters | None:
    """One permessage-deflate with its parameters; None for another extension, and for an unsupported parameter."""
    name, *parameters = (part.strip() for part in text.split(";"))
    deflate, names = DeflateParameters(), set[str]()
    if name != EXTENSION:
        return None
    for parameter in parameters:
        key, equals, value = (part.strip() for part in parameter.partition("="))
        apply = _PARAMETERS.get(key)
        updated = apply(deflate, value.strip('"') if equals else None) if apply and key not in names else None
        if updated is None:
            return None
        deflate = updated
        names.add(key)
    return deflate


def _bits(value: str | None) -> int | None:
    # 8 is legal but not supported: zlib has no raw window of 256 bytes.
    return int(value) if value and _BITS.fullmatch(value) else None


def _with_client_bits(deflate: DeflateParameters, value: str | None) -> DeflateParameters | None:
    bits = _MOST_BITS if value is None else _bits(value)
    return replace(deflate, client_max_window_bits=bits) if bits else None


def _with_server_bits(deflate: DeflateParameters, value: str | None) -> DeflateParameters | None:
    bits = _bits(value)
    return replace(deflate, server_max_window_bits=bits) if bits else None


def _without_client_context(deflate: DeflateParameters, value: str | None) -> DeflateParameters | None:
    return replace(deflate, client_no_context_takeover=True) if value is None else None


def _without_server_context(deflate: DeflateParameters, value: str | None) -> DeflateParameters | None:
    return replace(deflate, server_no_context_takeover=True) if value is None else None


EXTENSION = "permessage-deflate"
OFFER = f"{EXTENSION}; client_max_window_bits"
_MOST_BITS = 15
_BITS = re.compile(r"9|1[0-5]")
_PARAMETERS: dict[str, Callable[[DeflateParameters, str | None], DeflateParameters | None]] = {
    "client_no_context_takeover": _without_client_context,
    "server_no_context_takeover": _without_server_context,
    "client_max_window_bits": _with_client_bits,
    "server_max_window_bits": _with_server_bits,
}
