"""Record: what a recorder lets through at 32 connections, and what it adds to a request at one."""

import contextlib
from pathlib import Path

from benchmarks import figures, rounds
from benchmarks.figures import table
from benchmarks.load import Load
from benchmarks.machine import Cores
from benchmarks.processes import ours, replaymock
from benchmarks.rounds import CELLS, Measured, Plan, Side

CONNECTIONS = 32
DIRECT = "the backend itself"
STOCK = "stock Tornado with httpx, keeping nothing"
UNCHANGED = "replaymock, all answers as recorded before"
NEW = "replaymock, all answers new"
_KNOWN = 100


def record(folder: Path, plan: Plan) -> str:
    """Two tables over the same servers, and whether every answer of the new ones is on disk."""
    # The backend is part of the load: it must not take from the recorder's core.
    with ours(Cores(None, None), "backend") as backend, contextlib.ExitStack() as stack:
        upstream = f"http://127.0.0.1:{backend.port}"
        arguments = ("--upstream", upstream)
        same = stack.enter_context(replaymock(plan.cores, "record", folder / "same", *arguments))
        fresh = stack.enter_context(replaymock(plan.cores, "record", folder / "fresh", *arguments))
        stock = stack.enter_context(ours(plan.cores, "proxy", upstream))
        new = Load("/new/{n}")
        sides = [Side(UNCHANGED, same, Load("/items/{n}", _KNOWN)), Side(NEW, fresh, new)]
        sides += [Side(STOCK, stock, Load("/items/{n}", _KNOWN)), Side(DIRECT, backend, Load("/items/{n}", _KNOWN))]
        others = rounds.add_peers(stack, plan, "record", upstream=backend.port)
        sides += [Side(f"{name}, all answers new", server, Load("/new/{n}")) for name, server in others]
        many = rounds.interleaved(sides, CONNECTIONS, plan)
        one = rounds.interleaved([side for side in sides if side.name in many], 1, plan)
        # Ended before they are counted: the recorder has told the disk everything only then.
        stack.close()
    parts = [
        f"At {CONNECTIONS} connections:",
        _table(many),
        _kept(folder / "fresh", new, plan),
        "At one:",
        _latencies(one),
    ]
    return "\n\n".join(parts)


def added(measured: list[float], direct: list[float]) -> list[float]:
    """What the way through the recorder adds, round by round."""
    return [through - straight for through, straight in zip(measured, direct, strict=False)]


def _table(measured: dict[str, Measured]) -> str:
    compared = rounds.compared(measured, STOCK)
    return table(
        ["recorder", "of stock", *CELLS], [[name, compared[name], *found.cells()] for name, found in measured.items()]
    )


def _latencies(measured: dict[str, Measured]) -> str:
    compared = rounds.compared(measured, STOCK)
    medians = {name: [sample.p50 for sample in found.samples] for name, found in measured.items()}
    direct = medians.pop(DIRECT, [])
    rows = [
        [name, figures.spread(added(found, direct), ".2f"), compared[name], figures.spread(measured[name].rates)]
        for name, found in medians.items()
    ]
    head = ["recorder", "added at the median, ms", "requests/s of stock", CELLS[0]]
    straight = f"The backend asked directly answers in {figures.spread(direct, '.2f')} ms at the median."
    return f"{table(head, rows)}\n\n{straight}"


def _kept(folder: Path, new: Load, plan: Plan) -> str:
    kept = sum(1 for _ in folder.glob("new/*/GET*.json"))
    said = f"{new.answered:,} new answers were counted in all, {kept:,} cassettes are on disk"
    if kept < new.answered:
        plan.fault(said)
        return f"**{said}: {new.answered - kept:,} were lost.**"
    return f"{said} (those above were on their way when a round ended)."
