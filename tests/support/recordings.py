"""Recordings without a server: exchanges in, cassettes out."""

from replaymock.http.origin import OriginRewriter
from replaymock.matching.matcher import Matcher
from replaymock.recording.cassette_builder import CassetteBuilder
from replaymock.recording.response_capture import RecordingPolicy

MATCHER = Matcher()


BACKEND = "https://api.example.com"


def a_recording(policy: RecordingPolicy | None = None) -> CassetteBuilder:
    return CassetteBuilder(policy or RecordingPolicy(), MATCHER, OriginRewriter((BACKEND,)))
