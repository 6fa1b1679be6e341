"""The parent with an app that serves nothing: what its workers report becomes one run. The stories are in e2e."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence

# A process of its own, as the parent catches signals and forks.
PARENT = """
import asyncio, contextlib, os, sys
from replaymock.errors import UsageError
from replaymock.server.prefork.supervisor import Supervisor, SupervisorOptions
from replaymock.telemetry import console
from replaymock.telemetry.events import Ready, ServedRequest, Summary, Warned
from replaymock.telemetry.journal import Journal
from replaymock.telemetry.lifecycle import RunDescription

class Idle:
    def __init__(self, emit):
        self.emit, self.journal, self.is_ending = emit, Journal(), asyncio.Event()
    def prepare(self):
        self.emit(Warned("loading"))
    @contextlib.asynccontextmanager
    async def running(self, share):
        if "fail" in sys.argv:
            raise UsageError("no room")
        self.file = f"{os.getpid()}.json"
        self.journal.served(ServedRequest("GET", "/", 200, "hit", self.file, 1.0))
        self.emit(Warned("serving"))
        self.emit(Ready("http://localhost:1", 1, os.getpid(), 2))
        yield
        self.emit(Summary(*[0] * 9, is_recording=False))
    async def ended(self):
        await self.is_ending.wait()
    def end(self):
        self.is_ending.set()
    def unused(self):
        return {"nobody's.json", f"not {self.file}"}

options = SupervisorOptions(RunDescription("replay", "127.0.0.1", "c", workers=2), 0)
printer = console.standard(json=True, verbose=False, quiet=True, no_color=True)
with contextlib.closing(printer):
    sys.exit(Supervisor(Idle, options, printer).run())
"""


def started(*arguments: str) -> "subprocess.Popen[str]":
    line: Sequence[str] = [sys.executable, "-c", PARENT, *arguments]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_workers_that_know_nothing_of_each_other_are_one_run() -> None:
    with started() as parent:
        assert parent.stdout
        events = [json.loads(parent.stdout.readline()) for _ in range(3)]
        parent.send_signal(signal.SIGTERM)
        out, err = parent.communicate(timeout=15)
        events += map(json.loads, out.splitlines())
    assert parent.returncode == 0, err
    assert [event["event"] for event in events] == ["warning", "warning", "ready", "summary"]
    assert [event["message"] for event in events[:2]] == ["loading", "serving"]
    assert (events[2]["cassettes"], events[2]["workers"]) == (2, 2)
    assert (events[3]["hits"], events[3]["unused"]) == (2, 1)


def test_a_worker_that_cannot_start_is_the_end_and_says_why() -> None:
    with started("fail") as parent:
        out, err = parent.communicate(timeout=15)
    assert parent.returncode == 1
    assert err.endswith("replaymock.errors.UsageError: no room\n")
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["warning"]
