"""An index of cassettes that are given as they stand."""

from replaymock.http.cors import CorsPolicy
from replaymock.http.messages import Request
from replaymock.matching.index import Index, RenderOptions, entry_for
from replaymock.matching.matcher import Matcher
from tests.support.factories import an_exchange
from tests.support.recordings import a_recording

SERVING = RenderOptions(CorsPolicy())


def index_of(*requests: Request, matcher: Matcher | None = None) -> Index:
    matcher = matcher or Matcher()
    found = Index()
    for request in requests:
        taken = a_recording().take(an_exchange(request), Index())
        found.add(entry_for(taken.file, taken.cassette, plain=False, matcher=matcher, serving=SERVING))
    return found
