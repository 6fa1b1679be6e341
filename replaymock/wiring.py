"""What only `record` needs, constructed; replay opens no outgoing connection, so it does not even load this."""

import base64
import secrets
import time
from collections.abc import Callable

from msgspec import Struct

from replaymock.config.settings import Settings
from replaymock.http.cors import CorsPolicy
from replaymock.http.origin import OriginRewriter
from replaymock.matching.matcher import Matcher
from replaymock.proxy.forwarder import Forwarder, ForwardOptions
from replaymock.proxy.upstreams import Upstreams
from replaymock.recording.cassette_builder import CassetteBuilder
from replaymock.recording.late_redaction import LateRedactionSweep
from replaymock.recording.pipeline import CassetteStore, RecordingPipeline
from replaymock.recording.recorder import ExchangeRecorder, RecorderOptions
from replaymock.recording.response_capture import RecordingPolicy
from replaymock.recording.run import RecordingRun
from replaymock.replay.engine import RECORD_MODES
from replaymock.replay.sessions import Sessions
from replaymock.storage.folder import CassetteFolder
from replaymock.storage.library import CassetteLibrary
from replaymock.telemetry.events import Emit, ServedRequest
from replaymock.telemetry.journal import Journal
from replaymock.telemetry.request_warnings import RequestWarnings

_SHORTEST_CREDENTIAL = 6


class RecordStack(Struct, frozen=True):
    """What records: `upstreams` are closed at the end of the run."""

    run: RecordingRun
    upstreams: Upstreams
    recorder: ExchangeRecorder
    forwarder: Forwarder


def build_record_stack(
    settings: Settings,
    matcher: Matcher,
    cors: CorsPolicy,
    library: CassetteStore,
    emit: Emit,
    served: Callable[[ServedRequest], None],
) -> RecordStack:
    """The recorder of a run, and what forwards to its upstreams."""
    clock = time.monotonic
    policy = _policy(settings)
    origins = OriginRewriter(tuple(upstream.origin + upstream.base for upstream in settings.upstreams))
    warn = RequestWarnings(emit, matcher.redactor.shown, clock)
    run = RecordingRun()
    builder = CassetteBuilder(policy, matcher, origins, run)
    pipeline = RecordingPipeline(builder, library, warn)
    mode = RECORD_MODES[settings.mode]
    options = RecorderOptions(settings.only, settings.skip, fills_gaps=mode.lookup)
    recorder = ExchangeRecorder(options, builder, pipeline, library, warn, served, clock)
    upstreams = Upstreams(settings)
    forwarder = Forwarder(
        _forwarding(settings, policy, misses_only=mode.lookup),
        upstreams,
        recorder,
        cors,
        origins if policy.rewrite else None,
        warn,
        emit,
        clock,
    )
    return RecordStack(run, upstreams, recorder, forwarder)


def build_late_redaction(
    stack: RecordStack,
    folder: CassetteFolder,
    library: CassetteLibrary,
    matcher: Matcher,
    sessions: Sessions,
    journal: Journal,
    emit: Emit,
) -> LateRedactionSweep:
    """What hides secrets that become known after they were written."""
    return LateRedactionSweep(folder, library, sessions, journal, stack.run, matcher, stack.recorder.pipeline, emit)


def _forwarding(settings: Settings, policy: RecordingPolicy, *, misses_only: bool) -> ForwardOptions:
    status = f"replaymock; fwd={'uri-miss' if misses_only else 'request'}" if settings.diagnostics else ""
    return ForwardOptions(
        via=f"1.1 replaymock-{secrets.token_hex(4)}",
        added=settings.headers,
        max_body=policy.max_body,
        max_stream_time=policy.max_stream_time,
        cache_status=status,
    )


def _policy(settings: Settings) -> RecordingPolicy:
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
    """What of an added header must not be stored: all of it, and what follows a scheme such as `Bearer`."""
    scheme, _, rest = value.partition(" ")
    return [text for text in (value, rest, _password(scheme, rest)) if len(text) >= _SHORTEST_CREDENTIAL]


def _password(scheme: str, credentials: str) -> str:
    """What `Basic` (RFC 7617) says behind the name of the user; empty for any other scheme."""
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials).decode("utf-8").partition(":")[2]
    except ValueError:
        return ""
