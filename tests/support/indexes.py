"""An index of cassettes that are given as they stand."""

from replaymock.http.messages import Request
from replaymock.matching.index import Index
from replaymock.matching.matcher import Matcher
from replaymock.recording.capture import Capture
from tests.support.factories import an_exchange
from tests.support.recordings import a_recording
from tests.support.stored import HeldCassettes


def index_of(*requests: Request, matcher: Matcher | None = None) -> Index:
    held = HeldCassettes(matcher=matcher)
    for request in requests:
        built = a_recording().build(Capture(an_exchange(request)), HeldCassettes())
        held.put(built.file, built.cassette)
    return held.index
