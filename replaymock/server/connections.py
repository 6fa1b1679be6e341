"""The connections that are open on the ordinary road, each watched for patience."""

import asyncio
from collections.abc import Callable
from typing import cast

from tornado import httputil
from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection

from replaymock.server.patience import Line, Watch


class Connections(httputil.HTTPServerConnectionDelegate):
    """The connections that are open; gives each request its delegate, and tells whose connection was `left`."""

    def __init__(
        self,
        delegate: Callable[[HTTP1Connection], httputil.HTTPMessageDelegate],
        left: Callable[[Line], None],
        seconds: float,
    ) -> None:
        self._delegate = delegate
        self._left = left
        self._open: dict[object, Line] = {}
        self._watch = Watch(seconds)

    def __len__(self) -> int:
        return len(self._open)

    def start(self, connection: HTTP1ServerConnection, line: Line) -> None:
        """Serves a connection."""
        self._open[connection] = line
        self._watch.add(line)
        connection.start_serving(self)

    def start_request(self, server: object, connection: httputil.HTTPConnection) -> httputil.HTTPMessageDelegate:
        self._open[server].expects_head()
        return self._delegate(cast(HTTP1Connection, connection))

    def on_close(self, server: object) -> None:
        line = self._open.pop(server)
        self._watch.remove(line)
        self._left(line)

    async def close(self) -> None:
        """Closes every connection."""
        self._watch.stop()
        await asyncio.gather(*(cast(HTTP1ServerConnection, connection).close() for connection in list(self._open)))
