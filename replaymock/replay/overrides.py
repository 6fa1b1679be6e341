"""How cassettes are played: from the response at a position to the answer its client gets, at its pace.

A fault is injected where a rule of the configuration or the request itself asks for one. The request does so, and asks
for a latency, by the header `Prefer` (RFC 7240).
"""

import re
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from replaymock.cassettes.path_templates import compile_template
from replaymock.errors import RequestRefused, UsageError
from replaymock.http.conditional import ConditionalRequest, asked
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import get
from replaymock.http.messages import Request
from replaymock.http.problem import problem
from replaymock.http.rendered import RenderedResponse, delayed, without_body
from replaymock.http.uri import normal_path
from replaymock.matching.config_location import ConfigLocation
from replaymock.replay.faults import FaultSpec, Latency, ReplayOverride, injected, parse_fault, parse_latency
from replaymock.replay.pacing import at_pace
from replaymock.replay.renderer import RenderContext, ResponseRenderer
from replaymock.replay.time_shift import TimeShifter

NO_LATENCY = Latency()


class ReplayOptions(Struct, frozen=True):
    """How cassettes are played: the sequence policy, the latency, the status of a miss, the header naming a session.

    `directions` say otherwise for some requests, the last one that fits. `folder` is where misses say that a cassette
    can be written, `home` where a line of configuration can. `conditional` has conditions of a request answered by
    304; `shifting` moves times.
    """

    sequence: str = "auto"
    latency: Latency = NO_LATENCY
    directions: tuple[ReplayOverride, ...] = ()
    miss_status: int = 404
    session_header: str = "replaymock-session"
    ignored: tuple[str, ...] = ()
    folder: str = ""
    home: ConfigLocation = ConfigLocation()
    conditional: bool = False
    shifting: TimeShifter | None = None

    def is_constant(self, responses: int) -> bool:
        """Whether a cassette with so many responses always gives the same one."""
        return self.sequence in ("first", "last") or (responses == 1 and self.sequence != "strict")


class ResponseBehavior(Struct, frozen=True):
    """How one answer is played."""

    latency: Latency = NO_LATENCY
    fault: FaultSpec | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the answer is written at once, as it is."""
        return self.fault is None and not (self.latency.factor or self.latency.high)


class BehaviorResolver:
    """Makes answers as `playing` says."""

    def __init__(self, playing: ReplayOptions, cors: CorsPolicy, random: Random) -> None:
        self._playing = playing
        self._cors = cors
        self._random = random
        self._usual = ResponseBehavior(playing.latency)

    def behavior(self, request: Request) -> ResponseBehavior:
        """How the answer to a request is played. RequestRefused where its `Prefer` is not understood."""
        behavior = self._usual
        if self._playing.directions:
            behavior = self._overridden(request, behavior)
        preferred = get(request.headers, "prefer")
        return _preferred(preferred, behavior) if "replaymock-" in preferred else behavior

    def instead(self, request: Request, behavior: ResponseBehavior) -> RenderedResponse | None:
        """The answer by which a fault takes the place of the cassette's; None where that is played."""
        fault = behavior.fault
        if fault is None or not fault.comes_first or not self._happens(fault):
            return None
        headers = self._cors.apply((("Cache-Status", "replaymock; detail=fault"),), self._cors.echoed(request.headers))
        answer = problem(fault.number or 500, "injected_fault", f"the fault {fault.kind} was asked for", headers)
        return injected(answer, fault) if fault.kind != "status" else answer

    def render(self, request: Request, renderer: ResponseRenderer, behavior: ResponseBehavior) -> RenderedResponse:
        """The answer to a request from a response of its cassette."""
        headers = request.headers
        context = RenderContext(
            origin=request.origin,
            echoed_origin=self._cors.echoed(headers),
            accept_encoding=get(headers, "accept-encoding"),
            base=request.base,
            last_event_id=get(headers, "last-event-id"),
        )
        answer = renderer.answer(context, self.conditional(request))
        if request.method == "HEAD":
            answer = without_body(answer)
        latency, fault = behavior.latency, behavior.fault
        answer = at_pace(answer, renderer.recorded, latency.factor)
        if fault and not fault.comes_first and self._happens(fault):
            answer = injected(answer, fault)
        return delayed(answer, self._random.uniform(latency.low, latency.high)) if latency.high else answer

    def conditional(self, request: Request) -> ConditionalRequest | None:
        """What less than a whole answer a request asks for, as far as that is listened to."""
        return asked(request.method, request.headers, conditional=self._playing.conditional)

    def _overridden(self, request: Request, found: ResponseBehavior) -> ResponseBehavior:
        path = normal_path(request.path)
        for direction in self._playing.directions:
            if direction.method in ("", request.method) and compile_template(direction.path).match(path):
                found = ResponseBehavior(direction.latency or found.latency, direction.fault or found.fault)
        return found

    def _happens(self, fault: FaultSpec) -> bool:
        return fault.percent >= 100 or self._random.random() * 100 < fault.percent  # noqa: PLR2004 - always


def _preferred(value: str, found: ResponseBehavior) -> ResponseBehavior:
    """The manner a `Prefer` header asks for."""
    for name, quoted, word in _PREFERENCE.findall(value):
        text = quoted or word
        try:
            if name == "fault":
                found = replace(found, fault=parse_fault(text, "Prefer: replaymock-fault"))
            else:
                found = replace(found, latency=parse_latency(text, "Prefer: replaymock-latency"))
        except UsageError as error:
            raise RequestRefused(400, "bad_preference", str(error)) from error
    return found


_PREFERENCE = re.compile(r"(?:^|[,;\s])replaymock-(fault|latency)\s*=\s*(?:\"([^\"]*)\"|([^\s,;]*))")
