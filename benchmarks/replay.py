"""Replay: the road of what is constant and the road of what must be matched, beside stock Tornado and what is here."""

import contextlib
from pathlib import Path

from benchmarks import figures, material, rounds
from benchmarks.figures import table
from benchmarks.load import Load
from benchmarks.processes import ours, replaymock
from benchmarks.rounds import CELLS, Measured, Plan, Side

CONNECTIONS = 32
PLAIN = "replaymock"
BROWSER = "replaymock, `Origin` and ten browser headers"
SLOW = "replaymock `--no-fast-lane`"
STOCK = "stock Tornado handler"
_MATCHED = "replaymock, a POST matched by its JSON body"


def replay(folder: Path, plan: Plan) -> str:
    """Bodies of about 1 KiB, asked for in turn."""
    cassettes = material.cassettes(folder / "replay", plan.count)
    with contextlib.ExitStack() as stack:
        fast = stack.enter_context(replaymock(plan.cores, "replay", cassettes))
        slow = stack.enter_context(replaymock(plan.cores, "replay", cassettes, "--no-fast-lane"))
        stock = stack.enter_context(ours(plan.cores, "stock", str(plan.count)))
        servers = [(PLAIN, fast), (SLOW, slow), (STOCK, stock)]
        servers += rounds.add_peers(stack, plan, "replay", count=plan.count)
        sides = [Side(name, server, Load(material.PATH, plan.count)) for name, server in servers]
        sides.insert(1, Side(BROWSER, fast, Load(material.PATH, plan.count, headers=material.BROWSER)))
        measured = rounds.interleaved(sides, CONNECTIONS, plan)
    return f"{_table(measured)}\n\n{_beside_itself(measured)}"


def matched(folder: Path, plan: Plan) -> str:
    """Recorded POSTs of one path, told apart by their bodies, beside a handler that only answers."""
    cassettes = material.orders(folder / "orders", plan.count)
    with (
        replaymock(plan.cores, "replay", cassettes) as mine,
        ours(plan.cores, "stock", "1") as stock,
    ):
        servers = ((_MATCHED, mine), (STOCK, stock))
        sides = [Side(name, server, _orders(plan.count)) for name, server in servers]
        return _table(rounds.interleaved(sides, CONNECTIONS, plan))


def _orders(count: int) -> Load:
    headers = (("Content-Type", material.JSON),)
    return Load(material.ORDERS, count, "POST", headers, material.sent_order())


def _table(measured: dict[str, Measured]) -> str:
    bases = {"of stock": STOCK, "of nginx": "nginx"}
    bases = {title: base for title, base in bases.items() if base in measured}
    columns = [rounds.compared(measured, base) for base in bases.values()]
    rows = [
        [name, *(column[name] for column in columns), *found.cells(), _busy(found)] for name, found in measured.items()
    ]
    return table(["server", *bases, *CELLS, "load's core"], rows)


def _busy(found: Measured) -> str:
    return figures.middle([sample.busy for sample in found.samples], ".0%")


def _beside_itself(measured: dict[str, Measured]) -> str:
    if PLAIN not in measured or BROWSER not in measured:
        return ""
    found = figures.ratios(measured[BROWSER].rates, measured[PLAIN].rates)
    return f"With the browser's headers replaymock reaches {figures.spread(found, '.2f')} of its own plain figure."
