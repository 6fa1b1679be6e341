"""A tiny SOCKS5 proxy (RFC 1928), with a login (RFC 1929) where it is to ask for one."""

import contextlib
import socket
from collections.abc import Callable

from tests.support.upgrading import through

Handle = Callable[[socket.socket], None]


def socks(targets: list[str], login: bytes = b"", names: dict[str, str] | None = None, refusal: int = 0) -> Handle:
    """Handles connections for `raw_backend`; notes where each was to lead.

    `names` are hosts that nobody else knows, by the address that they lead to. With a `refusal` none leads anywhere.
    """

    def handle(connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        _, count = stream.read(2)
        methods = stream.read(count)
        wanted = 2 if login else 0
        if wanted not in methods:
            connection.sendall(b"\x05\xff")
            return
        connection.sendall(bytes((5, wanted)))
        if login:
            user = stream.read(stream.read(2)[1])
            password = stream.read(stream.read(1)[0])
            is_right = user + b":" + password == login
            connection.sendall(bytes((1, not is_right)))
            if not is_right:
                return
        kind = stream.read(4)[3]
        host = socket.inet_ntoa(stream.read(4)) if kind == 1 else stream.read(stream.read(1)[0]).decode()
        port = int.from_bytes(stream.read(2), "big")
        targets.append(f"{host}:{port}")
        connection.sendall(bytes((5, refusal, 0, 1)) + bytes(6))
        if not refusal:
            with contextlib.suppress(OSError):
                through(connection, f"{(names or {}).get(host, host)}:{port}")

    return handle
