"""What the machine has and what a process took of it: cores, and CPU and memory by /proc where there is one."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PIN_CORES = 2


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the servers get, which the load; None where the system decides."""

    server: int | None
    load: int | None

    def pinned(self, command: Sequence[str]) -> list[str]:
        """The command of a server, on the core of the servers."""
        return list(command) if self.server is None else ["taskset", "-c", str(self.server), *command]

    def describe(self) -> str:
        """What was done, for people."""
        if self.server is None:
            return "servers and load on any core (no taskset, or a single core)"
        return f"servers on core {self.server}, load and backend on core {self.load} (taskset)"


def pin() -> Cores:
    """Takes this process and what it starts to the core of the load, and leaves another to the servers."""
    if not hasattr(os, "sched_setaffinity") or not shutil.which("taskset"):
        return Cores(None, None)
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < _PIN_CORES:
        return Cores(None, None)
    os.sched_setaffinity(0, {usable[1]})
    return Cores(usable[0], usable[1])


def parse_stat(text: str) -> tuple[int, int]:
    """Of /proc/PID/stat: the parent, and the ticks of user and system time."""
    # The name comes second, in brackets, and may itself hold blanks and brackets.
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), int(fields[11]) + int(fields[12])


def tree(root: int) -> list[int]:
    """A process and all below it."""
    parents = {pid: found[0] for pid, found in _stats().items()}
    found = [root]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found


def cpu_seconds(root: int) -> float | None:
    """User and system time of a process and all below it; None where there is no /proc."""
    stats = _stats()
    if root not in stats:
        return None
    return sum(stats[pid][1] for pid in tree(root) if pid in stats) / os.sysconf("SC_CLK_TCK")


def memory(root: int) -> tuple[float, float] | None:
    """Megabytes resident now and at most so far, of a process and all below it; None where there is no /proc."""
    sizes = [parse_status(_read(_PROC / str(pid) / "status")) for pid in tree(root)]
    if not any(sizes):
        return None
    return sum(now for now, _ in sizes), sum(peak for _, peak in sizes)


def parse_status(text: str) -> tuple[float, float]:
    """Of /proc/PID/status: megabytes resident, now and at most; zeros for a process that is gone."""
    found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", text, re.MULTILINE))
    return int(found.get("VmRSS", 0)) / 1024, int(found.get("VmHWM", 0)) / 1024


def describe() -> str:
    """The machine and the versions that count."""
    model = re.search(r"^model name\s*:\s*(.+)$", _read(_PROC / "cpuinfo"), re.MULTILINE)
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("tornado", "httpx", "httptools"))
    cpu = f"{model.group(1)}, " if model else ""
    return f"{cpu}{platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, {libraries}"


def version_of(*command: str) -> str:
    """The first number a program says when it is asked for its version, or nothing."""
    if not shutil.which(command[0]):
        return ""
    # wrk and nginx say it on stderr, and wrk calls it a failure.
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - commands of our table
    found = re.search(r"\d+\.\d+(?:\.\d+)?", done.stdout + done.stderr)
    return found.group() if found else ""


def _stats() -> dict[int, tuple[int, int]]:
    texts = {int(entry.name): _read(entry / "stat") for entry in _PROC.glob("[0-9]*")}
    return {pid: parse_stat(text) for pid, text in texts.items() if text}


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
