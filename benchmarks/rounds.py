"""Rounds in which all sides take turns, so that what else the machine does falls on all alike."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import figures, machine, material, processes
from benchmarks.figures import Sample
from benchmarks.load import Drive, Load
from benchmarks.machine import Cores
from benchmarks.peers import Peer, Place, Recipe
from benchmarks.processes import DidNotStart, Server, started

WARM_SECONDS = 1.0
_MOST_WARM_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How the load is driven, where, how often and how long; and what is here to compare with."""

    drive: Drive
    cores: Cores
    rounds: int
    seconds: float
    quick: bool
    count: int
    peers: tuple[Peer, ...]
    notes: list[str]
    faults: list[str]

    def fault(self, text: str) -> None:
        """Notes something that must not be, so that the whole run fails in the end."""
        self.faults.append(text)
        self.note(text)

    def note(self, text: str) -> None:
        """Keeps something that the reader has to know, and says it at once."""
        self.notes.append(text)
        say(text)


@dataclass(frozen=True, slots=True)
class Side:
    """A server and what it is asked for."""

    name: str
    server: Server
    load: Load


@dataclass(slots=True)
class Measured:
    """What the rounds of a side gave."""

    samples: list[Sample] = field(default_factory=list)
    cpu: list[float | None] = field(default_factory=list)
    memory: tuple[float, float] | None = None

    @property
    def rates(self) -> list[float]:
        """Answers a second, round by round."""
        return [sample.rate for sample in self.samples]

    def cells(self) -> list[str]:
        """Rate, p99, CPU in microseconds per request, memory, for a row."""
        late = figures.middle([sample.p99 for sample in self.samples], ",.2f")
        held = f"{self.memory[0]:,.0f} / {self.memory[1]:,.0f}" if self.memory else figures.NONE
        return [figures.spread(self.rates), late, figures.middle(self.cpu, ",.1f"), held]


CELLS = ("requests/s (least to most)", "p99 ms", "CPU µs a request", "memory MB, now / peak")


def say(text: str) -> None:
    """To the one who waits; not part of the report."""
    print(text, file=sys.stderr, flush=True)


def interleaved(sides: list[Side], connections: int, plan: Plan) -> dict[str, Measured]:
    """What each side gave, by name. A side that fails is noted and left out from there on."""
    measured = {side.name: Measured() for side in sides if _warmed(side, connections, plan)}
    for number in range(plan.rounds):
        say(f"  round {number + 1} of {plan.rounds}, {connections} connections")
        for side in sides:
            if side.name in measured and not _round(side, connections, plan, measured[side.name]):
                del measured[side.name]
    for side in sides:
        if side.name in measured:
            measured[side.name].memory = machine.memory(side.server.pid)
    return measured


def compared(measured: dict[str, Measured], base: str) -> dict[str, str]:
    """The medians of the ratios to one side, round by round."""
    theirs = measured[base].rates if base in measured else []
    return {name: figures.middle(figures.ratios(found.rates, theirs), ",.2f") for name, found in measured.items()}


@contextlib.contextmanager
def peer(found: Peer, recipe: Recipe, plan: Plan, *, count: int = 0, upstream: int = 0) -> Iterator[Server]:
    """A peer, once it answers; for one that records, once it listens, so that nothing is recorded before."""
    path = material.PATH.replace("{n}", "0")
    with tempfile.TemporaryDirectory(prefix="replaymock-peer-") as folder:
        place = Place(Path(folder), processes.free_port(), count, upstream)

        def ready() -> bool:
            return processes.listens(place.port) if upstream else processes.answers(place.port, path)

        with started(plan.cores.pinned(recipe(place)), place.port, ready) as server:
            say(f"  {found.name} is ready")
            yield server


def add_peers(stack: contextlib.ExitStack, plan: Plan, what: str, **place: int) -> list[tuple[str, Server]]:
    """The peers that can do `what`, `replay` or `record`, and started; one that did not is noted."""
    servers = []
    for found in plan.peers:
        recipe = getattr(found, what)
        if recipe is None:
            continue
        try:
            servers.append((found.name, stack.enter_context(peer(found, recipe, plan, **place))))
        except DidNotStart as error:
            plan.note(f"{found.name} did not start to {what}: {error}")
    return servers


def _warmed(side: Side, connections: int, plan: Plan) -> bool:
    """Asks for everything at least once, if that can be done in a while, so that rounds see what is usual."""
    for _ in range(_MOST_WARM_ROUNDS):
        if side.load.answered and side.load.answered >= side.load.count:
            break
        if not _round(side, connections, plan, Measured(), WARM_SECONDS):
            return False
    return True


def _round(side: Side, connections: int, plan: Plan, measured: Measured, seconds: float = 0.0) -> bool:
    before = machine.cpu_seconds(side.server.pid)
    try:
        sample = plan.drive(side.server.port, side.load, connections, min(seconds, plan.seconds) or plan.seconds)
    except (RuntimeError, OSError, EOFError) as error:
        plan.note(f"{side.name} failed at {connections} connections: {' '.join(str(error).split())}")
        return False
    after = machine.cpu_seconds(side.server.pid)
    measured.samples.append(sample)
    spent = None if before is None or after is None else (after - before) / sample.count * 1e6
    measured.cpu.append(spent)
    return True
