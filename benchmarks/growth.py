"""Growth: what 1,000, 10,000 and 100,000 cassettes cost at start, in memory and per request."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import figures, machine, material, rounds
from benchmarks.figures import table
from benchmarks.load import Load
from benchmarks.processes import replaymock
from benchmarks.rounds import Plan, Side, say

CONNECTIONS = 32
SIZES = (1_000, 10_000, 100_000)
REFERENCE = "import tornado.web, click"
_HUGE_STARTS = 3
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_MEMORY_BYTES = 2 << 30


def growth(folder: Path, plan: Plan) -> str:
    """The same rows for each size; the first is what the others are held against."""
    sizes = SIZES[:-1] if plan.quick else SIZES
    say("  writing cassettes")
    with contextlib.ExitStack() as stack:
        folder = _in_memory(folder, stack)
        folders = {size: material.cassettes(folder / f"growth-{size}", size) for size in sizes}
        reference, times, memory = _starts(folders, plan)
        servers = [(size, stack.enter_context(replaymock(plan.cores, "replay", folders[size]))) for size in sizes]
        sides = [Side(f"{size:,}", server, Load(material.PATH, size)) for size, server in servers]
        measured = rounds.interleaved(sides, CONNECTIONS, plan)
    compared = rounds.compared(measured, f"{sizes[0]:,}")
    rows = []
    for size in sizes:
        name = f"{size:,}"
        ratio = figures.middle(figures.ratios(times[size], reference), ".2f")
        start = [figures.spread(times[size], ".2f"), ratio, figures.middle(memory[size], ",.0f")]
        served = (
            [compared[name], *measured[name].cells()] if name in measured else [figures.NONE] * (1 + len(rounds.CELLS))
        )
        rows.append([name, *start, *served])
    head = ["cassettes", "start to ready, s", "of the reference", "MB after start", f"of {sizes[0]:,}", *rounds.CELLS]
    said = f'The reference, `python -c "{REFERENCE}"` on the same interpreter: {figures.spread(reference, ".2f")} s.'
    return f"{table(head, rows)}\n\n{said}"


def _in_memory(folder: Path, stack: contextlib.ExitStack) -> Path:
    """A folder on a disk in memory, where there is one: just written files are read from memory on any disk."""
    # Writing and deleting 100,000 of them takes minutes on some disks, and is none of our business.
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _MEMORY_BYTES:
        return folder
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="replaymock-bench-", dir=_MEMORY)))


def _starts(
    folders: dict[int, Path], plan: Plan
) -> tuple[list[float], dict[int, list[float]], dict[int, list[float | None]]]:
    """Seconds of the reference, and by size the seconds to ready and the megabytes then, all in turn."""
    reference: list[float] = []
    times: dict[int, list[float]] = {size: [] for size in folders}
    memory: dict[int, list[float | None]] = {size: [] for size in folders}
    for number in range(plan.rounds):
        say(f"  start {number + 1} of {plan.rounds}")
        started = time.perf_counter()
        subprocess.run(plan.cores.pinned([sys.executable, "-c", REFERENCE]), check=True)  # noqa: S603 - fixed words
        reference.append(time.perf_counter() - started)
        for size, cassettes in folders.items():
            if size == SIZES[-1] and number >= _HUGE_STARTS:
                continue
            started = time.perf_counter()
            with replaymock(plan.cores, "replay", cassettes) as server:
                times[size].append(time.perf_counter() - started)
                held = machine.memory(server.pid)
                memory[size].append(held[0] if held else None)
    return reference, times, memory
