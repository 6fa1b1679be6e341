"""Measures replay and record beside stock Tornado in interleaved rounds, and prints the table of medians."""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load

COUNT = 1000
BODY_BYTES = 1000
REPLAY_CONNECTIONS = 32
RECORD_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """How the load is driven, how often and how long."""

    drive: load.Drive
    rounds: int
    seconds: float


def main() -> None:
    """Measures as the arguments say."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each of every server in turn (default 5)")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="seconds of load for a server in a round (default 3)"
    )
    parser.add_argument("--bundled", action="store_true", help="drive by the bundled client though wrk is installed")
    given = parser.parse_args()
    name, drive = load.choose(bundled=given.bundled)
    plan = Plan(drive, given.rounds, given.seconds)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load by {name}")
    print(f"{plan.rounds} rounds of {plan.seconds:g} s, interleaved, requests a second\n")
    with tempfile.TemporaryDirectory(prefix="replaymock-bench-") as folder:
        print("| what | replaymock | stock Tornado | ratio |\n|---|---|---|---|", flush=True)
        _replay(Path(folder), plan)
        _record(Path(folder), plan)
        _start(Path(folder) / "cassettes", plan)


def _replay(folder: Path, plan: Plan) -> None:
    paths = _write_cassettes(folder)
    with replaymock("replay", folder / "cassettes") as ours, server("stock", str(folder / "bodies")) as theirs:
        rates = _interleaved({"ours": ours, "theirs": theirs}, paths, REPLAY_CONNECTIONS, plan)
    _row(f"replay, {COUNT:,} cassettes of about 1 KiB, {REPLAY_CONNECTIONS} connections", rates)


def _record(folder: Path, plan: Plan) -> None:
    paths = [f"/items/{number}" for number in range(100)]
    with server("backend", str(BODY_BYTES)) as backend:
        upstream = f"http://127.0.0.1:{backend}"
        recorded = replaymock("record", folder / "recorded", "--upstream", upstream)
        with recorded as ours, server("proxy", upstream) as theirs:
            rates = _interleaved({"ours": ours, "theirs": theirs}, paths, RECORD_CONNECTIONS, plan)
    _row(
        f"record, answers unchanged, {RECORD_CONNECTIONS} connections (beside Tornado with httpx, keeping nothing)",
        rates,
    )


def _start(cassettes: Path, plan: Plan) -> None:
    times = []
    for _ in range(plan.rounds):
        started = time.perf_counter()
        with replaymock("replay", cassettes):
            times.append(time.perf_counter() - started)
    print(f"| start to ready, {COUNT:,} cassettes | {statistics.median(times) * 1000:.0f} ms | | |")


def _interleaved(ports: dict[str, int], paths: list[str], connections: int, plan: Plan) -> dict[str, list[float]]:
    """The rates of each server, round by round, so that what else the machine does falls on all alike."""
    for port in ports.values():
        plan.drive(port, paths, connections, min(1, plan.seconds))
    rates: dict[str, list[float]] = {name: [] for name in ports}
    for _ in range(plan.rounds):
        for name, port in ports.items():
            rates[name].append(plan.drive(port, paths, connections, plan.seconds))
    return rates


def _row(what: str, rates: dict[str, list[float]]) -> None:
    ours, theirs = statistics.median(rates["ours"]), statistics.median(rates["theirs"])
    ratios = [one / other for one, other in zip(rates["ours"], rates["theirs"], strict=True)]
    print(f"| {what} | {ours:,.0f} | {theirs:,.0f} | {statistics.median(ratios):.2f} |", flush=True)


def _write_cassettes(folder: Path) -> list[str]:
    """The same bodies as recorded cassettes for replaymock and as bare files for stock Tornado; their paths."""
    names = [f"/api/items/{number}" for number in range(COUNT)]
    for number, name in enumerate(names):
        body = {"id": number, "text": "x" * (BODY_BYTES - 30)}
        response = {"status": 200, "headers": {"content-type": "application/json; charset=utf-8"}, "json": body}
        cassette = {"version": 1, "request": {"method": "GET", "path": name}, "responses": [response]}
        _write(folder / f"cassettes{name}/GET.json", json.dumps(cassette, indent=2))
        _write(folder / f"bodies{name}.json", json.dumps(body, separators=(",", ":")))
    return names


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n")


@contextlib.contextmanager
def replaymock(command: str, cassettes: Path, *arguments: str) -> Iterator[int]:
    """The real command, ready; its port."""
    line = [sys.executable, "-m", "replaymock", command, "--cassettes", str(cassettes), "--port", "0", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        process = subprocess.Popen([*line, "--ready-file", str(ready), *arguments])  # noqa: S603 - our own command
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise RuntimeError("replaymock did not start")
                time.sleep(0.005)
            yield int(json.loads(ready.read_text())["port"])
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def server(name: str, argument: str) -> Iterator[int]:
    """One of the other servers, ready; its port."""
    line = [sys.executable, "-m", "benchmarks.servers", name, argument]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            yield int(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
