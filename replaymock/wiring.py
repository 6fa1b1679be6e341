"""The only place that constructs the parts of a run and joins them; `app` then runs them.

Whatever opens outgoing connections is imported inside the functions that need it, so that replay never loads it.
"""

import base64
import os
import time
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct

from replaymock.config.settings import Settings
from replaymock.http.cors import CorsPolicy
from replaymock.http.origin import OriginRewriter
from replaymock.http.via import TAG_BYTES, via
from replaymock.matching.lookup import CassetteLookup
from replaymock.matching.matcher import Matcher
from replaymock.redaction.redactor import Redactor
from replaymock.replay.engine import RECORD_MODES, REPLAY, ReplayEngine
from replaymock.replay.overrides import ReplayOptions
from replaymock.replay.renderer import RenderOptions
from replaymock.replay.response_cache import ResponseCache
from replaymock.replay.sessions import Sessions
from replaymock.replay.time_shift import TimeShifter
from replaymock.server.access import HostGuard
from replaymock.server.admin.endpoints import AdminEndpoints
from replaymock.server.fastpath.acceptor import FastPath
from replaymock.server.http_server import HttpServer
from replaymock.server.request_handler import RequestServices, WebSockets
from replaymock.server.router import RoutedAnswers, Router
from replaymock.storage.folder import CassetteFolder
from replaymock.storage.library import CassetteLibrary
from replaymock.telemetry.events import Emit, Warned
from replaymock.telemetry.journal import AskAll, Journal
from replaymock.telemetry.lifecycle import place_of
from replaymock.telemetry.subscribers import EventSubscribers

if TYPE_CHECKING:
    from replaymock.proxy.forwarder import Forwarder, ForwardOptions
    from replaymock.proxy.upstreams import Upstreams
    from replaymock.recording.late_redaction import LateRedactionSweep
    from replaymock.recording.recorder import ExchangeRecorder
    from replaymock.recording.response_capture import RecordingPolicy
    from replaymock.recording.run import RecordingRun

_SHORTEST_CREDENTIAL = 6


class ReplayStack(Struct, frozen=True):
    """The parts that answer from the cassettes, and `subscribers` to the events of the run."""

    folder: CassetteFolder
    library: CassetteLibrary
    matcher: Matcher
    engine: ReplayEngine
    subscribers: EventSubscribers


class RecordStack(Struct, frozen=True):
    """The parts that forward and record. `upstreams` are to be closed at the end of the run."""

    run: "RecordingRun"
    upstreams: "Upstreams"
    recorder: "ExchangeRecorder"
    forwarder: "Forwarder"
    late_redaction: "LateRedactionSweep"


class ServerStack(Struct, frozen=True):
    """The parts that accept connections: the server, and the fast path in front of it, if there is one."""

    server: HttpServer
    fast_path: FastPath | None


def build_replay_stack(settings: Settings, emit: Emit, *, wants_requests: bool) -> ReplayStack:
    """The cassettes of a run and what answers from them. With `wants_requests`, each request is emitted as an event."""
    subscribers = EventSubscribers(emit)
    matcher = Matcher(settings.file.rules, Redactor(settings.file.redaction))
    folder = CassetteFolder(Path(settings.cassettes))
    journal = Journal()
    library = CassetteLibrary(folder, matcher, subscribers.emit, journal.unsaved)
    cors = CorsPolicy(settings.cors_origins, is_enabled=settings.cors)
    rendering = RenderOptions(cors, settings.diagnostics, _time_shifter(settings))
    lookup = CassetteLookup(library, matcher)
    responses = ResponseCache(library, rendering)

    def changed(files: Iterable[str]) -> None:
        for file in files:
            responses.drop(file)
        lookup.forget()

    library.subscribe(changed)
    engine = ReplayEngine(
        mode=RECORD_MODES[settings.mode] if settings.upstreams else REPLAY,
        options=_replay_options(settings, rendering),
        matcher=matcher,
        lookup=lookup,
        responses=responses,
        cors=cors,
        journal=journal,
        sessions=Sessions(),
        emit=subscribers.emit,
        emits_requests=wants_requests,
        clock=time.monotonic,
        random=Random(settings.seed),  # noqa: S311 - latency needs no secret, and the same run twice is wanted
    )
    return ReplayStack(folder, library, matcher, engine, subscribers)


def build_record_stack(settings: Settings, replay: ReplayStack) -> RecordStack:
    """The parts that forward to the upstreams of a run, and record."""
    from replaymock.proxy.forwarder import Forwarder
    from replaymock.proxy.upstreams import Upstreams
    from replaymock.recording.cassette_builder import CassetteBuilder
    from replaymock.recording.late_redaction import LateRedactionSweep
    from replaymock.recording.pipeline import RecordingPipeline
    from replaymock.recording.recorder import ExchangeRecorder, RecorderOptions
    from replaymock.recording.run import RecordingRun
    from replaymock.telemetry.request_warnings import RequestWarnings

    clock, emit = time.monotonic, replay.subscribers.emit
    engine, library, matcher = replay.engine, replay.library, replay.matcher
    policy = _policy(settings)
    origins = OriginRewriter(tuple(upstream.origin + upstream.base for upstream in settings.upstreams))
    warn = RequestWarnings(emit, matcher.redactor.shown, clock)
    run = RecordingRun()
    builder = CassetteBuilder(policy, matcher, origins, run)
    pipeline = RecordingPipeline(builder, library, warn)
    options = RecorderOptions(settings.only, settings.skip, fills_gaps=engine.mode.lookup)
    recorder = ExchangeRecorder(options, builder, pipeline, library, warn, engine.count, clock)
    upstreams = Upstreams(settings.upstream_options)
    forwarder = Forwarder(
        _forward_options(settings, policy, misses_only=engine.mode.lookup),
        upstreams,
        recorder,
        engine.cors,
        origins if policy.rewrite else None,
        warn,
        emit,
        clock,
    )
    late_redaction = LateRedactionSweep(
        replay.folder, library, engine.sessions, engine.journal, run, matcher, pipeline, emit
    )
    return RecordStack(run, upstreams, recorder, forwarder, late_redaction)


def build_server(
    settings: Settings, replay: ReplayStack, record: RecordStack | None, ask_all: AskAll | None
) -> ServerStack:
    """The parts that accept connections; needs a running loop. `ask_all` asks the other workers, if there are any."""
    engine, emit = replay.engine, replay.subscribers.emit
    guard = HostGuard(
        settings.host,
        settings.allowed_hosts,
        engine.cors,
        forwards=record is not None,
        adds_credentials=bool(settings.headers or settings.client_cert),
    )
    router = Router(engine.mode, engine.cors, guard, engine.options.session_header)
    answers = RoutedAnswers(router, engine)
    admin = AdminEndpoints(engine, engine.journal, engine.sessions, replay.subscribers, guard, ask_all)
    forwarder = record.forwarder if record else None
    services = RequestServices(router, answers, admin, engine, settings.max_body, forwarder)

    def warn(message: str) -> None:
        emit(Warned(message))

    server = HttpServer(services, lambda: build_websockets(settings, replay, record), warn)
    if record or not settings.fast_lane:
        return ServerStack(server, None)
    # Repetitions are only counted, unless each request is to be emitted.
    repeat = engine.count if engine.emits_requests else engine.journal.served_again
    fast_path = FastPath(answers, server, engine.count, repeat, warn)
    replay.library.subscribe(lambda _files: fast_path.forget())
    return ServerStack(server, fast_path)


def build_websockets(settings: Settings, replay: ReplayStack, record: RecordStack | None) -> WebSockets:
    """The WebSockets of a run. Called, and their modules loaded, with the first request for one."""
    from replaymock.replay.websocket import WebSocketReplay
    from replaymock.server.websocket import WebSocketUpgrades

    engine = replay.engine
    recorded = WebSocketReplay(engine, replay.matcher, settings.max_body, Random(0))  # noqa: S311 - as above
    if record is None:
        return WebSocketUpgrades(recorded, None, engine.fail)
    from replaymock.proxy.websocket_forwarder import WebSocketForwarder

    return WebSocketUpgrades(recorded, WebSocketForwarder(record.forwarder), engine.fail)


def _replay_options(settings: Settings, rendering: RenderOptions) -> ReplayOptions:
    return ReplayOptions(
        sequence=settings.sequence,
        latency=settings.latency,
        overrides=settings.directions,
        miss_status=settings.miss_status,
        session_header=settings.session_header.lower(),
        ignored=settings.file.ignored,
        home=settings.file.home,
        folder=place_of(settings.cassettes),
        conditional=settings.conditional,
        time_shifter=rendering.time_shifter,
    )


def _time_shifter(settings: Settings) -> TimeShifter | None:
    """What moves times; None while recording, as replayed and live responses are served side by side then."""
    if settings.upstreams or not settings.shift_time:
        return None
    return TimeShifter(time.time, all_json=settings.shift_time == "json")


def _forward_options(settings: Settings, policy: "RecordingPolicy", *, misses_only: bool) -> "ForwardOptions":
    from replaymock.proxy.forwarder import ForwardOptions

    status = f"replaymock; fwd={'uri-miss' if misses_only else 'request'}" if settings.diagnostics else ""
    return ForwardOptions(
        via=via(os.urandom(TAG_BYTES).hex()),
        added=settings.headers,
        max_body=policy.max_body,
        max_stream_time=policy.max_stream_time,
        cache_status=status,
    )


def _policy(settings: Settings) -> "RecordingPolicy":
    from replaymock.recording.response_capture import RecordingPolicy

    return RecordingPolicy(
        statuses=settings.statuses,
        dropped_headers=settings.file.dropped_headers,
        keep_cors=not settings.cors,
        rewrite=settings.rewrite,
        max_body=settings.max_body,
        max_stream_time=settings.max_stream_time,
        never_stored=tuple(text for _, value in settings.headers for text in _credentials(value)),
    )


def _credentials(value: str) -> list[str]:
    """The parts of an added header that must not be stored: its value, and what follows a scheme such as `Bearer`."""
    scheme, _, rest = value.partition(" ")
    return [text for text in (value, rest, _password(scheme, rest)) if len(text) >= _SHORTEST_CREDENTIAL]


def _password(scheme: str, credentials: str) -> str:
    """The password in credentials for `Basic` (RFC 7617); empty for any other scheme."""
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials).decode("utf-8").partition(":")[2]
    except ValueError:
        return ""
