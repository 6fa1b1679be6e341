"""Connections between their exchanges: idle ones for anybody, and those that belong to the client that logged in.

The clock is the running loop's.
"""

import asyncio
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Reusable(Hashable, Protocol):
    """A connection that can carry one exchange after another."""

    @property
    def idle_since(self) -> float:
        """When its last exchange ended, by the loop's clock."""

    @property
    def is_busy(self) -> bool:
        """Whether an exchange is under way."""

    @property
    def is_owned(self) -> bool:
        """Whether it is one client's own."""

    def become_owned(self) -> None:
        """Makes it one client's own: what is sent over it is said in that client's name."""

    def is_quiet(self) -> bool:
        """Whether it is open and nothing waits to be read, not even the news that upstream has closed."""

    def abort(self) -> None:
        """Closes it at once."""


Connection = TypeVar("Connection", bound=Reusable)


class KeptConnections(Generic[Connection]):
    """Idle connections by origin, kept for `keepalive` seconds, and owned ones by client, kept while both last."""

    def __init__(self, keepalive: float) -> None:
        self._keepalive = keepalive
        self._idle: dict[str, dict[Connection, None]] = {}
        self._owned: dict[Hashable, dict[str, Connection]] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def has_own(self, origin: str, client: Hashable | None) -> bool:
        """Whether a client has a connection of its own to an origin."""
        return origin in self._owned.get(client, ())

    def take(self, origin: str) -> Connection | None:
        """An idle connection, the youngest first, on which nothing has come since: neither bytes nor its end."""
        idle = self._idle.get(origin)
        now = asyncio.get_running_loop().time()
        while idle:
            connection, _ = idle.popitem()
            if now - connection.idle_since < self._keepalive and connection.is_quiet():
                return connection
            connection.abort()
        return None

    def own(self, origin: str, client: Hashable | None) -> Connection | None:
        """A client's own connection, unless it is gone or still in use."""
        return _usable(self._owned.get(client, {}).get(origin))

    def give_away(self, origin: str, client: Hashable) -> Connection | None:
        """A client's own connection, which from here on is not kept any more; None where it is gone or in use."""
        return _usable(self._owned.get(client, {}).pop(origin, None))

    def make_own(self, connection: Connection, origin: str, client: Hashable | None) -> None:
        """Makes a connection one client's own, for as long as both last."""
        connection.become_owned()
        if client is not None:
            self._owned.setdefault(client, {})[origin] = connection

    def keep(self, connection: Connection, origin: str, client: Hashable | None) -> None:
        """Takes a connection back after an exchange for this client."""
        if connection.is_owned:
            if self._owned.get(client, {}).get(origin) is not connection:
                connection.abort()  # its client is gone, or has another by now
            return
        self._idle.setdefault(origin, {})[connection] = None
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._keepalive, self._close_idle)

    def forget(self, connection: Connection, origin: str) -> None:
        """Learns that a connection is gone."""
        self._idle.get(origin, {}).pop(connection, None)

    def left(self, client: Hashable) -> None:
        """Learns that a client is gone; its connections end with it."""
        for connection in self._owned.pop(client, {}).values():
            connection.abort()

    def stop(self) -> None:
        """Looks after idle connections no more."""
        if self._sweep is not None:
            self._sweep.cancel()

    def _close_idle(self) -> None:
        """Closes what has been idle for too long."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._keepalive
        for idle in self._idle.values():
            for connection in [connection for connection in idle if connection.idle_since <= oldest]:
                del idle[connection]
                connection.abort()
        left = [connection.idle_since for idle in self._idle.values() for connection in idle]
        self._sweep = loop.call_at(min(left) + self._keepalive, self._close_idle) if left else None


def _usable(connection: Connection | None) -> Connection | None:
    if connection is None or connection.is_busy:
        return None
    if connection.is_quiet():
        return connection
    connection.abort()
    return None
