"""Callers that go before they are answered leave nothing behind."""

import asyncio
import contextlib
import os
import socket
import struct
import time
from pathlib import Path

from tests.support.running import ask, eventually, raw_backend, read_request, replaymock, reply

ABORTS = 2000
WARMING = 600
AT_ONCE = 100


def _slow(connection: socket.socket) -> None:
    """Answers /quick at once; anything else waits before its head, or between its pieces, until the other side goes."""
    head = read_request(connection)
    if b" /quick" in head:
        connection.sendall(reply(b'{"quick": true}'))
        return
    if b" /body" in head:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"5\r\nhello\r\n")
    connection.settimeout(30)
    connection.recv(1)


async def _abort(port: int, number: int, gate: asyncio.Semaphore) -> None:
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        target = "/body" if number % 2 else "/head"
        upload = b"Content-Length: 50\r\n\r\nhalf" if number % 5 == 0 else b"\r\n"
        method = b"POST" if number % 5 == 0 else b"GET"
        writer.write(method + f" {target}{number} HTTP/1.1\r\nHost: localhost\r\n".encode() + upload)
        await writer.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(100), 0.005 * (number % 7))
        if number % 3 == 0:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _abort_all(port: int, count: int) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_abort(port, number, gate) for number in range(count)))


def test_after_two_thousand_aborts_every_request_is_answered_and_nothing_leaks(tmp_path: Path) -> None:
    with raw_backend(_slow) as backend, replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        pid = server.process.pid
        asyncio.run(_abort_all(server.port, WARMING))
        eventually(lambda: _open_files(pid) < AT_ONCE)
        memory = _resident(pid)
        asyncio.run(_abort_all(server.port, ABORTS - WARMING))
        started = time.monotonic()
        answers = [ask(server.url, "GET", f"/quick?{number}").status for number in range(100)]
        assert answers == [200] * 100
        assert time.monotonic() - started < 30
        eventually(lambda: _open_files(pid) < 40)
        assert _resident(pid) - memory < 30_000_000
        assert "warning" not in server.log
        assert server.stop() == 0
    assert len(list((tmp_path / "c").rglob("*.json"))) == 100


def test_a_caller_who_goes_frees_upstream(tmp_path: Path) -> None:
    gone: list[float] = []

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.settimeout(5)
        connection.recv(1)
        gone.append(time.monotonic())

    with raw_backend(handle) as backend, replaymock("record", tmp_path / "c", "--upstream", backend) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as caller:
            caller.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            caller.recv(100)
        left = time.monotonic()
        eventually(lambda: gone, 3)
    assert gone[0] - left < 1
    assert not list((tmp_path / "c").rglob("*.json"))


def test_aborted_replays_leave_nothing_behind_either(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_text('["' + "x" * 2_000_000 + '"]')
    with replaymock("replay", tmp_path, "--latency", "5-20") as server:
        for number in range(60):
            with socket.create_connection(("127.0.0.1", server.port)) as caller:
                caller.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
                if number % 2:
                    caller.recv(10)
        eventually(lambda: _open_files(server.process.pid) < 20)
        assert ask(server.url, "GET", "/large").status == 200
        assert "warning" not in server.log
        started = time.monotonic()
        assert server.stop() == 0
    assert time.monotonic() - started < 3


def _open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _resident(pid: int) -> int:
    """The bytes of memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
