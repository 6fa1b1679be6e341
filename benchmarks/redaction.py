"""Redaction: what a recorder lets through with it and without it, all answers new."""

import contextlib
from pathlib import Path

from benchmarks import rounds
from benchmarks.figures import table
from benchmarks.load import Load
from benchmarks.machine import Cores
from benchmarks.processes import ours, replaymock
from benchmarks.record import CONNECTIONS
from benchmarks.rounds import CELLS, Plan, Side

KINDS = {
    "1 KiB, nothing secret": "/new/{n}",
    "1 KiB, a cookie, a password and two tokens": "/secret/{n}",
    "48 KiB, nothing secret": "/large/{n}",
}
WITH, WITHOUT = "redacted", "not redacted"


def redaction(folder: Path, plan: Plan) -> str:
    """For each kind of answer the real recorder, and beside it one that hides nothing."""
    with ours(Cores(None, None), "backend") as backend, contextlib.ExitStack() as stack:
        arguments = ("--upstream", f"http://127.0.0.1:{backend.port}")
        servers = {
            WITH: stack.enter_context(replaymock(plan.cores, "record", folder / "hidden", *arguments)),
            WITHOUT: stack.enter_context(
                replaymock(plan.cores, "record", folder / "open", *arguments, module="benchmarks.unredacted")
            ),
        }
        sides = [
            Side(_name(kind, how), server, Load(path))
            for kind, path in KINDS.items()
            for how, server in servers.items()
        ]
        measured = rounds.interleaved(sides, CONNECTIONS, plan)
    rows = []
    for kind in KINDS:
        compared = rounds.compared(measured, _name(kind, WITHOUT))
        rows += [
            [name, compared[name], *measured[name].cells()]
            for name in (_name(kind, how) for how in servers)
            if name in measured
        ]
    head = ["recorder, answers", "of not redacted", *CELLS]
    return f"All answers new, {CONNECTIONS} connections:\n\n{table(head, rows)}\n\n{_found(folder, plan)}"


def _name(kind: str, how: str) -> str:
    return f"{kind}: {how}"


def _found(folder: Path, plan: Plan) -> str:
    """Whether the two did what their rows say."""
    passwords = {how: _with_password(folder / name) for how, name in ((WITH, "hidden"), (WITHOUT, "open"))}
    said = f"With a password in them: {passwords[WITH]:,} cassettes of the one, {passwords[WITHOUT]:,} of the other."
    if passwords[WITH] or not passwords[WITHOUT]:
        plan.fault(said)
    return said


def _with_password(folder: Path) -> int:
    return sum(1 for file in folder.glob("secret/*/GET*.json") if b'"pw-' in file.read_bytes())
