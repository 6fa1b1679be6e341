"""The open connections of the server."""

import socket
from pathlib import Path

from tests.support.inside import put, running_app
from tests.support.running import eventually


def test_connections_are_counted_while_they_are_open_and_closed_at_the_end(tmp_path: Path) -> None:
    put(tmp_path, "a.json", [])
    with running_app(tmp_path, fast_lane=False) as app:
        one, other = (socket.create_connection(("127.0.0.1", app.port), timeout=5) for _ in range(2))
        for connection in (one, other):
            connection.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        one.close()
        eventually(lambda: app.replay.engine.journal.counts["hit"] == 2)
    other.settimeout(5)
    while other.recv(1000):
        pass
    other.close()
