"""Answers to a request for a WebSocket, over sockets."""

import contextlib
import socket
import threading

from replaymock.http.websocket_handshake import accept


def answer(head: bytes, *lines: str, status: str = "101 Switching Protocols") -> bytes:
    """The answer to a request; `ACCEPT` in a line is the right key."""
    key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
    right = accept(key.partition(b":")[2].strip().decode())
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).replace("ACCEPT", right).encode()


GOOD = ("Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Accept: ACCEPT")


def through(connection: socket.socket, target: str) -> None:
    """Joins two connections until one ends."""
    host, _, port = target.partition(":")
    with socket.create_connection((host, int(port))) as far:

        def back() -> None:
            with contextlib.suppress(OSError):
                while data := far.recv(65536):
                    connection.sendall(data)

        thread = threading.Thread(target=back, daemon=True)
        thread.start()
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)
        thread.join(5)
