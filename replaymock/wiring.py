"""What only `record` needs, constructed; replay opens no outgoing connection, so it does not even load this."""

import base64
import secrets
import time

from replaymock.config.settings import Settings
from replaymock.http.cors import CorsPolicy
from replaymock.http.origin import OriginRewriter
from replaymock.matching.matcher import Matcher
from replaymock.proxy.forwarder import ForwardOptions, RecordingForwarder
from replaymock.proxy.upstreams import Upstreams
from replaymock.recording.cassette_builder import CassetteBuilder
from replaymock.recording.pipeline import CassetteStore
from replaymock.recording.response_capture import RecordingPolicy
from replaymock.replay.engine import RECORD_MODES
from replaymock.telemetry.journal import Report

_SHORTEST_CREDENTIAL = 6


def build_record_stack(
    settings: Settings, matcher: Matcher, cors: CorsPolicy, library: CassetteStore, report: Report
) -> tuple[RecordingForwarder, Upstreams]:
    """The recorder of a run, and the backends it asks, to be closed at the end."""
    forwarding = ForwardOptions(
        via=f"1.1 replaymock-{secrets.token_hex(4)}",
        added=settings.headers,
        only=settings.only,
        skip=settings.skip,
        diagnostics=settings.diagnostics,
        lookup=RECORD_MODES[settings.mode].lookup,
    )
    origins = OriginRewriter(tuple(upstream.origin + upstream.base for upstream in settings.upstreams))
    backends = Upstreams(settings)
    recorder = RecordingForwarder(
        forwarding=forwarding,
        recording=CassetteBuilder(_policy(settings), matcher, origins),
        backends=backends,
        cors=cors,
        library=library,
        report=report,
        clock=time.monotonic,
    )
    return recorder, backends


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
