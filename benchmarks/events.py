"""Streams: how much later the first event of an SSE stream comes through the recorder than directly."""

import http.client
import statistics
import time
from pathlib import Path

from benchmarks.figures import table
from benchmarks.machine import Cores
from benchmarks.processes import ours, replaymock
from benchmarks.rounds import Plan
from benchmarks.servers import EVENT_SECONDS

ASKED = 50
_ASKED_QUICKLY = 20


def events(folder: Path, plan: Plan) -> str:
    """Both ways in turn, one request at a time, each way on a connection of its own."""
    asked = _ASKED_QUICKLY if plan.quick else ASKED
    with ours(Cores(None, None), "events") as backend:
        upstream = f"http://127.0.0.1:{backend.port}"
        with replaymock(plan.cores, "record", folder / "events", "--upstream", upstream) as recorder:
            ways = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for port in (backend.port, recorder.port)]
            for way in ways:
                first_event(way)
            direct, through = zip(*([first_event(way) for way in ways] for _ in range(asked)), strict=True)
            for way in ways:
                way.close()
    later = [one - other for one, other in zip(through, direct, strict=True)]
    cells = [f"{statistics.median(values):.2f}" for values in (direct, through, later)]
    head = [f"{asked} streams, the first event {EVENT_SECONDS * 1000:.0f} ms after the head", "directly, ms"]
    return table([*head, "through the recorder, ms", "later, ms"], [["median", *cells]])


def first_event(connection: http.client.HTTPConnection) -> float:
    """Milliseconds from the request to the first byte of the first event."""
    started = time.perf_counter()
    connection.request("GET", "/events", headers={"Accept": "text/event-stream"})
    response = connection.getresponse()
    response.read(1)
    delay = (time.perf_counter() - started) * 1000
    response.read()
    return delay
