"""Measures replaymock beside stock Tornado and the peers that are installed, in interleaved rounds."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import figures, load, machine, peers
from benchmarks.events import events
from benchmarks.growth import growth
from benchmarks.processes import DidNotStart
from benchmarks.record import record
from benchmarks.redaction import redaction
from benchmarks.replay import matched, replay
from benchmarks.rounds import Plan, say

PAGE = Path(__file__).parent.parent / "docs/performance.md"
TABLES: dict[str, tuple[str, Callable[[Path, Plan], str]]] = {
    "replay": ("Replay: {count:,} bodies of about 1 KiB, 32 connections", replay),
    "matched": ("Matched: a POST that is looked up by its JSON body, 32 connections", matched),
    "growth": ("Growth", growth),
    "record": ("Record", record),
    "redaction": ("Record with and without redaction", redaction),
    "events": ("Streams", events),
}


def main() -> None:
    """Measures as the arguments say; exits with 1 if something that must hold did not."""
    # What was started is ended, and what was written removed, on any way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    parser = _parser()
    given = parser.parse_args()
    if given.write and given.only:
        parser.error("--write takes all tables: leave out --only")
    name, drive = load.choose(bundled=given.bundled)
    found, missing = peers.installed()
    rounds, seconds = (2, 1.0) if given.quick else (5, 2.0)
    plan = Plan(
        drive,
        machine.pin(),
        given.rounds or rounds,
        given.seconds or seconds,
        given.quick,
        given.count,
        tuple(peer for peer, _ in found),
        [],
        [],
    )
    said = [_circumstances(name, plan, [f"{peer.name} {version}" for peer, version in found], missing)]
    print(said[0], flush=True)
    with tempfile.TemporaryDirectory(prefix="replaymock-bench-") as folder:
        for key in given.only or TABLES:
            said.append(_section(key, Path(folder), plan))
            print(f"\n{said[-1]}", flush=True)
    if plan.notes:
        said.append(
            "\n".join(["Not measured, or not as it should be:", "", *(f"- {_line(note)}" for note in plan.notes)])
        )
        print(f"\n{said[-1]}", flush=True)
    if given.write:
        PAGE.write_text(figures.replace_part(PAGE.read_text(), "\n\n".join(said)))
    sys.exit(1 if plan.faults else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, help="rounds, in each of which all take turns (default 5, quickly 2)")
    parser.add_argument("--seconds", type=float, help="seconds of load for a server in a round (default 2, quickly 1)")
    parser.add_argument("--count", type=int, default=1000, help="cassettes to replay and to match (default 1,000)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, and no 100,000 cassettes")
    parser.add_argument(
        "--only", action="append", choices=TABLES, metavar="NAME", help=f"one of {', '.join(TABLES)}; repeatable"
    )
    parser.add_argument("--bundled", action="store_true", help="drive by the bundled client though wrk is installed")
    parser.add_argument("--write", action="store_true", help="write what was measured into docs/performance.md too")
    return parser


def _section(key: str, folder: Path, plan: Plan) -> str:
    title, measure = TABLES[key]
    title = title.format(count=plan.count)
    say(f"{title} …")
    started = time.perf_counter()
    try:
        text = measure(folder, plan)
    except DidNotStart as error:
        plan.fault(f"{key}: one of our own servers did not start: {error}")
        text = "Not measured, see below."
    say(f"  took {time.perf_counter() - started:.0f} s")
    return f"### {title}\n\n{text}"


def _circumstances(drive: str, plan: Plan, found: list[str], missing: list[str]) -> str:
    driver = f"wrk {machine.version_of('wrk', '-v')}" if drive == "wrk" else drive
    lines = [
        f"- {machine.describe()}",
        f"- {plan.rounds} rounds of {plan.seconds:g} s, interleaved; load by {driver}",
        f"- {plan.cores.describe()}",
        f"- beside it: {', '.join(found) or 'nothing else is installed'}",
    ]
    if missing:
        lines.append(f"- not installed, and left out: {', '.join(missing)}")
    return "\n".join(lines)


def _line(note: str) -> str:
    return " ".join(note.split())


if __name__ == "__main__":
    main()
