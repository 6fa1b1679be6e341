"""The product run inside the test, so that a test can look at its parts while real sockets talk to them."""

import asyncio
import contextlib
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from replaymock.app import App
from replaymock.cassettes.model import Cassette
from replaymock.config.settings import FileConfig, Settings
from replaymock.errors import CassetteError
from replaymock.http.cors import CorsPolicy
from replaymock.matching.index import IndexEntry, entry_for
from replaymock.matching.lookup import CassetteLookup
from replaymock.matching.matcher import Matcher
from replaymock.matching.naming import cassette_name
from replaymock.redaction.redactor import Redactor
from replaymock.replay.engine import REPLAY, Mode, ReplayEngine
from replaymock.replay.overrides import ReplayOptions
from replaymock.replay.renderer import RenderOptions
from replaymock.replay.response_cache import ResponseCache
from replaymock.replay.sessions import Sessions
from replaymock.server.access import HostGuard
from replaymock.server.admin.endpoints import AdminEndpoints
from replaymock.server.http_server import HttpServer
from replaymock.server.request_handler import RequestServices, WebSockets
from replaymock.server.router import RoutedAnswers, Router
from replaymock.telemetry.console import Console
from replaymock.telemetry.events import Emit
from replaymock.telemetry.journal import Journal
from replaymock.telemetry.subscribers import EventSubscribers
from tests.support.stored import HeldCassettes

Opened = TypeVar("Opened")


class Told:
    """What a run reports: the events as programs get them, and the log as people do."""

    def __init__(self) -> None:
        self._out = io.StringIO()
        self._err = io.StringIO()
        self.console = Console(json=True, verbose=False, quiet=False, out=self._out, err=self._err, color=False)

    @property
    def log(self) -> str:
        """What is printed to stderr so far."""
        return self._err.getvalue()

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of one name so far."""
        events = map(json.loads, self._out.getvalue().splitlines())
        return [event for event in events if event["event"] == name]


@contextlib.contextmanager
def held_open(make: Callable[[], AbstractAsyncContextManager[Opened]]) -> Iterator[Opened]:
    """What an asynchronous context gives, held open by an event loop in a thread of its own."""
    ready: Future[tuple[Opened, Callable[[], object]]] = Future()

    async def hold() -> None:
        ending = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with make() as value:
            ready.set_result((value, lambda: loop.call_soon_threadsafe(ending.set)))
            await ending.wait()

    with ThreadPoolExecutor(1) as thread:
        held = thread.submit(asyncio.run, hold())
        held.add_done_callback(lambda done: ready.done() or ready.set_exception(done.exception() or AssertionError()))
        value, end = ready.result(20)
        try:
            yield value
        finally:
            end()
            held.result(20)


@contextlib.contextmanager
def running_app(folder: Path, told: Told | None = None, **settings: Any) -> Iterator[App]:
    """`record` (with `upstreams`) or `replay` of a folder on a free port."""
    console = (told or Told()).console
    chosen = Settings(**{"cassettes": str(folder), "port": 0, **settings})
    with held_open(lambda: App(chosen, console.emit).running()) as app:
        yield app


def an_entry(cassette: Cassette, matcher: Matcher | None = None) -> IndexEntry:
    """A cassette in the index, under the name it would be recorded by."""
    return entry_for(file_of(cassette, matcher), cassette, matcher or Matcher())


def file_of(cassette: Cassette, matcher: Matcher | None = None) -> str:
    """The name a cassette would be recorded by."""
    return cassette_name((matcher or Matcher()).canonical(cassette.request.to_request()))


def an_engine(
    *served: Cassette,
    mode: Mode = REPLAY,
    options: ReplayOptions | None = None,
    config: FileConfig | None = None,
    cors: CorsPolicy | None = None,
    broken: dict[str, CassetteError] | None = None,
    emit: Emit = lambda _event: None,
    clock: Callable[[], float] = lambda: 0.0,
    cassettes: HeldCassettes | None = None,
) -> ReplayEngine:
    """An engine that serves these cassettes, and others as they are put into `cassettes`."""
    config, cors = config or FileConfig(), cors or CorsPolicy()
    matcher = Matcher(config.rules, Redactor(config.redaction))
    options = options or ReplayOptions(ignored=config.ignored)
    cassettes = cassettes or HeldCassettes(matcher=matcher)
    cassettes.broken = broken or {}
    lookup = CassetteLookup(cassettes, matcher)
    responses = ResponseCache(cassettes, RenderOptions(cors, time_shifter=options.time_shifter))
    cassettes.subscribe(lambda _files: lookup.forget())
    cassettes.subscribe(lambda files: [responses.drop(file) for file in files])
    for cassette in served:
        cassettes.put(file_of(cassette, matcher), cassette)
    return ReplayEngine(
        mode=mode,
        options=options,
        matcher=matcher,
        lookup=lookup,
        responses=responses,
        cors=cors,
        journal=Journal(),
        sessions=Sessions(),
        emit=emit,
        emits_requests=True,
        clock=clock,
        random=Random(0),
    )


def admin_endpoints(engine: ReplayEngine, guard: HostGuard) -> AdminEndpoints:
    """The own endpoints of a server that is no worker."""
    return AdminEndpoints(engine, engine.journal, engine.sessions, EventSubscribers(lambda _event: None), guard)


def a_router(engine: ReplayEngine, guard: HostGuard | None = None) -> Router:
    """A router of requests to this engine."""
    guard = guard or HostGuard("localhost", (), engine.cors, forwards=engine.mode.forward)
    return Router(engine.mode, engine.cors, guard, engine.options.session_header)


def a_server(engine: ReplayEngine, max_body: int, **more: Any) -> HttpServer:
    """A server on the loopback that answers by this engine and opens no WebSockets."""
    guard = HostGuard("localhost", (), CorsPolicy())
    router = a_router(engine, guard)
    admin = admin_endpoints(engine, guard)
    return HttpServer(RequestServices(router, RoutedAnswers(router, engine), admin, engine, max_body), _none, **more)


def _none() -> WebSockets:
    raise AssertionError("no WebSocket is opened here")


def put(folder: Path, name: str, value: Any) -> Path:
    """A JSON file in a folder."""
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(value if isinstance(value, str) else json.dumps(value, indent=2) + "\n")
    return place


def simple(path: str, *bodies: Any, method: str = "GET", **more: Any) -> dict[str, Any]:
    """A cassette as one is written by hand: a response for each body."""
    return {"request": {"method": method, "path": path}, "responses": [{"json": body, **more} for body in bodies]}
