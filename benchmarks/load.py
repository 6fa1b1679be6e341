"""Load: wrk where it is installed, else a small client on raw sockets, which is itself the bound above some speed."""

import asyncio
import json
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Sample, parse_wrk, quantile


@dataclass(slots=True)
class Load:
    """What is asked for: `{n}` in path and body counts, up to `count` and again, or without end where that is 0.

    A round goes on where the one before it stopped, so that all are asked for in turn however short the rounds are.
    """

    path: str
    count: int = 0
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    asked: int = 0
    answered: int = 0

    def request(self, number: int, port: int) -> bytes:
        """The bytes of a request."""
        turn = str(number % self.count if self.count else number)
        body = self.body.replace("{n}", turn)
        headers = [("Host", f"127.0.0.1:{port}"), *self.headers]
        if body:
            headers.append(("Content-Length", str(len(body))))
        lines = [
            f"{self.method} {self.path.replace('{n}', turn)} HTTP/1.1",
            *(f"{key}: {value}" for key, value in headers),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


Drive = Callable[[int, Load, int, float], Sample]
"""From port, load, connections and seconds to what was seen. RuntimeError if an answer is not fine."""


def choose(*, bundled: bool) -> tuple[str, Drive]:
    """What drives the load, and how it does."""
    if bundled:
        return "the bundled client", _counted(_bundled)
    if not shutil.which("wrk"):
        return "the bundled client (wrk is not installed)", _counted(_bundled)
    return "wrk", _counted(_wrk)


def _counted(drive: Drive) -> Drive:
    def counting(port: int, load: Load, connections: int, seconds: float) -> Sample:
        sample = drive(port, load, connections, seconds)
        # What was asked for when time was up was not counted as answered, and must not be asked for again.
        load.asked += sample.count + connections
        load.answered += sample.count
        return sample

    return counting


def _wrk(port: int, load: Load, connections: int, seconds: float) -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "requests.lua"
        script.write_text(lua(load))
        line = ["wrk", "-t1", f"-c{connections}", f"-d{max(seconds, 1):.0f}s", "--latency", "--timeout", "10s"]
        line += ["-s", str(script), f"http://127.0.0.1:{port}"]
        before = _children_seconds()
        started = time.perf_counter()
        out = subprocess.run(line, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed words
        busy = (_children_seconds() - before) / (time.perf_counter() - started)
    found = parse_wrk(out)
    return Sample(found.count, found.rate, found.p50, found.p99, busy)


def lua(load: Load) -> str:
    """The script that tells wrk what to ask for; JSON strings are Lua strings as long as they are plain ASCII."""
    headers = "".join(f"wrk.headers[{json.dumps(key)}] = {json.dumps(value)}\n" for key, value in load.headers)
    names = {"method": load.method, "path": load.path, "body": load.body}
    values = "".join(f"local {name} = {json.dumps(value)}\n" for name, value in names.items())
    return f"local at, count = {load.asked}, {load.count}\n{values}{headers}{_LUA}"


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _bundled(port: int, load: Load, connections: int, seconds: float) -> Sample:
    return asyncio.run(_Client(port, load).run(connections, seconds))


class _Client:
    """Connections that ask one after the other, and share the counting."""

    def __init__(self, port: int, load: Load) -> None:
        self._port = port
        self._load = load
        self._at = load.asked
        self._delays: list[float] = []

    async def run(self, connections: int, seconds: float) -> Sample:
        """Asks until time is up."""
        started, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(self._connection(started + seconds) for _ in range(connections)))
        took = time.perf_counter() - started
        count = len(self._delays)
        middle, late = (quantile(self._delays, share) * 1000 for share in (0.5, 0.99))
        return Sample(count, count / took, middle, late, (time.process_time() - used) / took)

    async def _connection(self, deadline: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        # The first is always asked for, so that there is something to tell of even the shortest round.
        while True:
            number, self._at = self._at, self._at + 1
            started = time.perf_counter()
            writer.write(self._load.request(number, self._port))
            await _answer(reader)
            ended = time.perf_counter()
            self._delays.append(ended - started)
            if ended > deadline:
                break
        writer.close()
        await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode("latin-1"))
    if b"chunked" in head:
        await reader.readuntil(b"\r\n0\r\n\r\n")
    else:
        length = re.search(rb"content-length: ([0-9]+)", head, re.IGNORECASE)
        await reader.readexactly(int(length.group(1)) if length else 0)


_LUA = """\
wrk.method = method
local function whole(number)
    local sent = body:gsub("{n}", number)
    return wrk.format(nil, (path:gsub("{n}", number)), nil, sent ~= "" and sent or nil)
end
-- Made once where they repeat, so that the load is not what is measured.
local made = {}
function init()
    for number = 0, count - 1 do made[number] = whole(string.format("%d", number)) end
end
function request()
    local number = at
    at = at + 1
    return count > 0 and made[number % count] or whole(string.format("%d", number))
end
"""
