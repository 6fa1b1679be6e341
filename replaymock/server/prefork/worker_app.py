"""What a worker needs of its app, so that `prefork` does not depend on how an app is constructed."""

import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from replaymock.telemetry.events import Emit
from replaymock.telemetry.journal import AskAll, Journal


class Share(Struct, frozen=True):
    """What makes an app one of several workers: the sockets it listens on, and how it asks the others."""

    sockets: list[socket.socket]
    ask_all: AskAll


class WorkerApp(Protocol):
    """One run of `replay`, prepared before the fork and run after it."""

    @property
    def journal(self) -> Journal:
        """The journal of this process."""

    def prepare(self) -> None:
        """Loads the cassettes. UsageError if there is no folder to load them from."""

    def running(self, share: Share) -> AbstractAsyncContextManager[object]:
        """Serves while the context is open, and shuts down in order at its end."""

    async def ended(self) -> None:
        """Waits until `end` is called."""

    def end(self) -> None:
        """The first call ends the run once requests in flight are answered; the second does not wait for them."""

    def reload(self) -> None:
        """Scans the folder and loads again."""

    def reset(self, session: str | None) -> None:
        """Rewinds a session, or all of them."""

    def unused(self) -> set[str]:
        """The cassettes from which no request was answered in this process."""


MakeApp = Callable[[Emit], WorkerApp]
"""Makes an app that emits its events there."""
