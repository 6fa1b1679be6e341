"""Recordings without a server: exchanges in, cassettes out."""

from replaymock.http.cors import CorsPolicy
from replaymock.http.origin import OriginRewriter
from replaymock.matching.index import Index, RenderOptions, entry_for
from replaymock.matching.matcher import Matcher
from replaymock.recording.cassette_builder import BuiltCassette, CassetteBuilder
from replaymock.recording.response_capture import RecordingPolicy

MATCHER = Matcher()


SERVING = RenderOptions(CorsPolicy())


BACKEND = "https://api.example.com"


def a_recording(policy: RecordingPolicy | None = None) -> CassetteBuilder:
    return CassetteBuilder(policy or RecordingPolicy(), MATCHER, OriginRewriter((BACKEND,)))


def index_of(*found: BuiltCassette) -> Index:
    return Index(
        entry_for(taken.file, taken.cassette, plain=False, matcher=MATCHER, serving=SERVING) for taken in found
    )
