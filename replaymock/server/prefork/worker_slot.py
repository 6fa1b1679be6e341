"""The parent's record of one worker: its sockets, its process, and when that is started again."""

import os
import signal
import socket

from replaymock.server.prefork import ipc

MOST_DEATHS = 5
DEATHS_SECONDS = 10.0
"""The time in which a slot's processes may die so often; once more, and the run is given up."""

_FIRST_PAUSE = 0.1


class WorkerSlot:
    """A slot has a process, or is empty, or is empty until the time at which a process is started again."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self.sockets = sockets
        self.pid = 0
        self.link: ipc.Link | None = None
        self.is_ready = False
        self.failure = ""
        self.restart_at: float | None = None
        self._deaths: list[float] = []

    @property
    def is_in_use(self) -> bool:
        """Whether there is a process, or will be one again."""
        return bool(self.pid) or self.restart_at is not None

    @property
    def deaths(self) -> int:
        """How many deaths are remembered."""
        return len(self._deaths)

    def is_due(self, now: float) -> bool:
        """Whether it is time to start a process again."""
        return self.restart_at is not None and self.restart_at <= now

    def fill(self, pid: int, link: ipc.Link) -> None:
        """Records a new process."""
        self.pid, self.link, self.failure, self.restart_at = pid, link, "", None

    def mark_ready(self) -> None:
        """Records that the process answers requests."""
        self.is_ready = True

    def mark_failed(self, reason: str) -> None:
        """Records why the process cannot start, in its own words."""
        self.failure = reason

    def empty(self) -> None:
        """Records that the process has ended."""
        self.pid, self.link, self.is_ready = 0, None, False

    def pause_after_death(self, now: float) -> float | None:
        """Records a death. Gives the seconds to wait before the next start, None if there were too many."""
        self._deaths = [*self._deaths[-MOST_DEATHS:], now]
        return pause_before_restart(self._deaths, now)

    def plan_restart(self, moment: float) -> None:
        """Sets the time at which a process is started again."""
        self.restart_at = moment

    def cancel_restart(self) -> None:
        """Cancels the planned start."""
        self.restart_at = None

    def close_sockets(self) -> None:
        """Closes the parent's copies of the sockets it listens on."""
        for listening in self.sockets:
            listening.close()

    def kill(self) -> None:
        """Ends the process at once, if there is one."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)


def pause_before_restart(deaths: list[float], now: float) -> float | None:
    """The seconds to wait after the last of some deaths: longer after each; None if there were too many."""
    recent = [moment for moment in deaths if now - moment < DEATHS_SECONDS]
    if len(recent) > MOST_DEATHS:
        return None
    return 0.0 if len(recent) < 2 else _FIRST_PAUSE * 2.0 ** (len(recent) - 2)  # noqa: PLR2004 - the first is free


def how_it_ended(code: int) -> str:
    """The end of a process in words, from its exit code, which is negative for a signal."""
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
