"""A recorder under load that is killed at random, over and over: `python -m tests.killing FOLDER TIMES SEED`.

Each life is forked from one process that has loaded everything, so that it begins in milliseconds. It records what a
backend within it answers, binary bodies among them, into the same folder as the lives before it. After each one every
cassette is read as strictly as `check` does, and held against what was announced. Prints one JSON object.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from replaymock import wiring  # noqa: F401 - loaded before the first life
from replaymock.app import App
from replaymock.config.settings import Settings
from replaymock.proxy.routes import Upstream
from replaymock.storage.folder import CassetteFolder
from replaymock.telemetry.events import Event, ServedRequest

SERIAL = 6
SIZE = 100_000
CALLERS = 8


def body_of(number: int) -> bytes:
    """A binary body that is whole only if all of it is of one answer."""
    return b"\xff" + b"%0*d" % (SERIAL, number) * (SIZE // SERIAL)


class Backend:
    """Answers differently each time; paths that end in `.bin` by a binary body with its number as entity tag."""

    def __init__(self, start: int) -> None:
        self._number = start

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self._number += 1
                is_binary = head.split(b" ")[1].endswith(b".bin")
                body = body_of(self._number) if is_binary else b'{"n": %d}' % self._number
                kind = b"application/octet-stream" if is_binary else b"application/json"
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (kind, len(body)))
                writer.write(body)
                await writer.drain()


async def call(port: int, random: Random) -> None:
    """Asks for one path after the other, for ever."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        name = random.choice(["%d", "%d.bin", "deep/%d/x"]) % random.randrange(30)
        writer.write(f"GET /{name} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))


async def live(folder: Path, life: int, told: int) -> None:
    """One life: a backend, a recorder and its callers, until the end comes from outside."""
    backend = await asyncio.start_server(Backend(life * 1000).serve, "127.0.0.1", 0)
    upstream = Upstream("", f"http://127.0.0.1:{backend.sockets[0].getsockname()[1]}")
    settings = Settings(cassettes=str(folder), host="127.0.0.1", port=0, upstreams=(upstream,), mode="all")

    def emit(event: Event) -> None:
        if not isinstance(event, ServedRequest):
            os.write(told, json.dumps({"event": event.name, **event.to_json()}).encode() + b"\n")

    async with App(settings, emit).running() as app:
        await asyncio.gather(*(call(app.port, Random(life * CALLERS + caller)) for caller in range(CALLERS)))


def announced_by(told: int, count: int) -> bytes:
    """What a life tells until it has announced so many cassettes."""
    data = b""
    while b'"ready"' not in data or data.count(b'"recorded"') < count:
        piece = os.read(told, 1 << 16)
        if not piece:
            sys.exit(f"a life ended by itself: {data!r}")
        data += piece
    return data


def begin(folder: Path, life: int) -> tuple[int, int]:
    """Forks a life; its process, and where it tells what happens."""
    told, telling = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(told)
            asyncio.run(live(folder, life, telling))
        finally:
            os._exit(1)
    os.close(telling)
    return pid, told


def events_in(data: bytes) -> list[dict[str, Any]]:
    """The events that were told, the last one only if all of it was."""
    return [json.loads(line) for line in data.splitlines(keepends=True) if line.endswith(b"\n")]


def faults(folder: Path, announced: set[str]) -> list[str]:
    """What is wrong with a folder."""
    store = CassetteFolder(folder)
    store.scan()
    found = [str(error) for error in store.broken.values()]
    known = {loaded.file for loaded in store.loaded}
    found += [f"{file} was announced and is not there" for file in sorted(announced - known)]
    for file in folder.rglob("*.body*"):
        data = file.read_bytes() if not file.name.startswith(".") else body_of(0)
        if data != body_of(int(data[1 : 1 + SERIAL])):
            found.append(f"{file} is not whole")
    return found


def main(folder: Path, times: int, seed: int) -> None:
    random = Random(seed)
    announced: set[str] = set()
    left_over = warned = 0
    for life in range(times):
        pid, told = begin(folder, life)
        started = time.monotonic()
        data = announced_by(told, random.randrange(1, 6))
        # The writer writes and rests in turns, each about as long as this took.
        time.sleep(random.uniform(0, min(2 * (time.monotonic() - started), 0.3)))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(told, "rb") as rest:
            events = events_in(data + rest.read())
        announced |= {event["file"] for event in events if event["event"] == "recorded"}
        warned += sum(event["event"] in ("warning", "broken") for event in events)
        left_over += bool({file.name for file in folder.rglob(".replaymock-*")})
        if found := faults(folder, announced):
            sys.exit(f"after life {life}: {found}")
    print(json.dumps({"lives": times, "announced": len(announced), "left_over": left_over, "warned": warned}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
