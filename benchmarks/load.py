"""Load: wrk where it is installed, else a small client on raw sockets, which is itself the bound above some speed."""

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

Drive = Callable[[int, list[str], int, float], float]
"""From port, paths, connections and seconds to answers a second. RuntimeError if one of them is not a 200."""


def choose(*, bundled: bool) -> tuple[str, Drive]:
    """What drives the load, and how it does."""
    return ("the bundled client", _bundled) if bundled or not shutil.which("wrk") else ("wrk", _wrk)


def _bundled(port: int, paths: list[str], connections: int, seconds: float) -> float:
    return asyncio.run(_raw(port, paths, connections, seconds))


def _wrk(port: int, paths: list[str], connections: int, seconds: float) -> float:
    quoted = ",".join(f'"{path}"' for path in paths)
    script = f"local paths = {{{quoted}}}\n{_NEXT_PATH}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "paths.lua"
        file.write_text(script)
        line = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(seconds, 1):.0f}s",
            "-s",
            str(file),
            f"http://127.0.0.1:{port}",
        ]
        out = subprocess.run(line, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed words
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(out)
    found = re.search(r"Requests/sec:\s+([0-9.]+)", out)
    if not found:
        raise RuntimeError(out)
    return float(found.group(1))


async def _raw(port: int, paths: list[str], connections: int, seconds: float) -> float:
    requests = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode() for path in paths]
    started = time.perf_counter()
    counts = await asyncio.gather(
        *(_connection(port, requests[at:] + requests[:at], started + seconds) for at in range(connections))
    )
    return sum(counts) / (time.perf_counter() - started)


async def _connection(port: int, requests: list[bytes], deadline: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.perf_counter() < deadline:
        writer.write(requests[count % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode("latin-1"))
        if b"chunked" in head:
            await reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            length = re.search(rb"content-length: ([0-9]+)", head, re.IGNORECASE)
            await reader.readexactly(int(length.group(1)) if length else 0)
        count += 1
    writer.close()
    await writer.wait_closed()
    return count


_NEXT_PATH = """\
local at = 0
function request()
    at = at % #paths + 1
    return wrk.format(nil, paths[at])
end
"""
