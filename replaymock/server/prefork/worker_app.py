"""What a worker needs of the app it serves by, so that the processes do not depend on how an app is put together."""

import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from replaymock.telemetry.events import Emit
from replaymock.telemetry.journal import AskAll, Journal


@dataclass(frozen=True, slots=True)
class Share:
    """What makes an app one of several workers: the sockets it listens on, and how it asks the others."""

    sockets: list[socket.socket]
    ask_all: AskAll


class WorkerApp(Protocol):
    """One run of `replay`, prepared before the fork and run after it."""

    @property
    def journal(self) -> Journal:
        """What happened in this process."""

    def prepare(self) -> None:
        """Loads the cassettes. UsageError if there is no folder to load them from."""

    def running(self, share: Share) -> AbstractAsyncContextManager[object]:
        """Serves while the context is open, and shuts down in order at its end."""

    async def ended(self) -> None:
        """Waits until `end` is called."""

    def end(self) -> None:
        """Ends once requests in flight are answered; called again, without waiting for them."""

    def reload(self) -> None:
        """Reads the folder again."""

    def reset(self, session: str | None) -> None:
        """Rewinds a session, or all of them."""

    def unused(self) -> set[str]:
        """The cassettes that no request was answered from in this process."""


MakeApp = Callable[[Emit], WorkerApp]
"""Makes an app that reports its events there."""
