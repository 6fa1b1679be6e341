"""How cassettes are played: from the response at a position to the answer its caller gets, at its pace."""

from random import Random

from msgspec import Struct

from replaymock.answer import Answer, delayed, without_body
from replaymock.conditional import Asked, asked
from replaymock.cors import Cors
from replaymock.exchange import Request
from replaymock.headers import get
from replaymock.index import Entry
from replaymock.prepare import Caller
from replaymock.settings import Latency
from replaymock.shifting import Shifting
from replaymock.timing import at_pace

NO_LATENCY = Latency()


class Playing(Struct, frozen=True):
    """How cassettes are played: the sequence policy, the latency, the status of a miss, the header naming a session.

    `conditional` has conditions of a request answered by 304; `shifting` moves times.
    """

    sequence: str = "auto"
    latency: Latency = NO_LATENCY
    miss_status: int = 404
    session_header: str = "replaymock-session"
    ignored: tuple[str, ...] = ()
    conditional: bool = False
    shifting: Shifting | None = None

    @property
    def takes_time(self) -> bool:
        """Whether answers are held back."""
        return self.latency.factor > 0 or self.latency.high > 0

    def stays(self, responses: int) -> bool:
        """Whether a cassette with so many responses always gives the same one."""
        return self.sequence in ("first", "last") or (responses == 1 and self.sequence != "strict")


class Player:
    """Makes answers as `playing` says."""

    def __init__(self, playing: Playing, cors: Cors, random: Random) -> None:
        self._playing = playing
        self._cors = cors
        self._random = random

    def answer(self, request: Request, entry: Entry, position: int) -> Answer:
        """The answer to a request from one response of its entry."""
        headers = request.headers
        caller = Caller(
            origin=request.origin,
            echoed_origin=self._cors.echoed(headers),
            accept_encoding=get(headers, "accept-encoding"),
            base=request.base,
            last_event_id=get(headers, "last-event-id"),
        )
        prepared = entry.prepared(position)
        latency = self._playing.latency
        answer = prepared.answer(caller, self.asked(request))
        if request.method == "HEAD":
            answer = without_body(answer)
        answer = at_pace(answer, prepared.recorded, latency.factor)
        if not latency.high:
            return answer
        return delayed(answer, self._random.uniform(latency.low, latency.high))

    def asked(self, request: Request) -> Asked | None:
        """What less than a whole answer a request asks for, as far as that is listened to."""
        return asked(request.method, request.headers, conditional=self._playing.conditional)
