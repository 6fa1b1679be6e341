"""How responses are played: with which latency and which fault, and at which pace.

The options of the run say so, then rules of the configuration for some requests, then the request itself by the header
`Prefer` (RFC 7240).
"""

import re
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from replaymock.cassettes.path_templates import compile_template
from replaymock.errors import RequestRefused, UsageError
from replaymock.http.conditional import ConditionalRequest, parse_conditional
from replaymock.http.cors import CorsPolicy
from replaymock.http.headers import get
from replaymock.http.messages import Request
from replaymock.http.problem import problem
from replaymock.http.rendered import RenderedResponse, delayed, without_body
from replaymock.http.uri import normal_path
from replaymock.matching.config_location import ConfigLocation
from replaymock.replay.faults import FaultSpec, Latency, ReplayOverride, inject, parse_fault, parse_latency
from replaymock.replay.pacing import at_pace
from replaymock.replay.renderer import RenderContext, ResponseRenderer
from replaymock.replay.time_shift import TimeShifter

NO_LATENCY = Latency()


class ReplayOptions(Struct, frozen=True):
    """How cassettes are played: the sequence policy, the latency, the status of a miss, the header naming a session.

    `overrides` hold for some requests; the last one that fits counts. Misses name `folder` as the place for a new
    cassette, and `home` as the place for a line of configuration. With `conditional`, conditional requests may get a
    304. `time_shifter` moves times, if there is one.
    """

    sequence: str = "auto"
    latency: Latency = NO_LATENCY
    overrides: tuple[ReplayOverride, ...] = ()
    miss_status: int = 404
    session_header: str = "replaymock-session"
    ignored: tuple[str, ...] = ()
    folder: str = ""
    home: ConfigLocation = ConfigLocation()
    conditional: bool = False
    time_shifter: TimeShifter | None = None

    def is_constant(self, responses: int) -> bool:
        """Whether a cassette with so many responses always gives the same response."""
        return self.sequence in ("first", "last") or (responses == 1 and self.sequence != "strict")


class ResponseBehavior(Struct, frozen=True):
    """How one response is played."""

    latency: Latency = NO_LATENCY
    fault: FaultSpec | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the response is sent at once, as it is."""
        return self.fault is None and not (self.latency.factor or self.latency.high)


class BehaviorResolver:
    """Finds out how the response to a request is played, and renders it so."""

    def __init__(self, options: ReplayOptions, cors: CorsPolicy, random: Random) -> None:
        self._options = options
        self._cors = cors
        self._random = random
        self._usual = ResponseBehavior(options.latency)

    def behavior(self, request: Request) -> ResponseBehavior:
        """How the response to a request is played. RequestRefused if its `Prefer` is not understood."""
        behavior = self._usual
        if self._options.overrides:
            behavior = self._overridden(request, behavior)
        preferred = get(request.headers, "prefer")
        return _preferred(preferred, behavior) if "replaymock-" in preferred else behavior

    def replacement(self, request: Request, behavior: ResponseBehavior) -> RenderedResponse | None:
        """The fault that takes the place of the recorded response this time; None if there is none."""
        fault = behavior.fault
        if fault is None or not fault.comes_first or not self._happens(fault):
            return None
        headers = self._cors.apply(
            (("Cache-Status", "replaymock; detail=fault"),), self._cors.credentialed_origin(request.headers)
        )
        response = problem(fault.number or 500, "injected_fault", f"the fault {fault.kind} was asked for", headers)
        return inject(response, fault) if fault.kind != "status" else response

    def render(self, request: Request, renderer: ResponseRenderer, behavior: ResponseBehavior) -> RenderedResponse:
        """The response to a request, rendered from the recorded one."""
        headers = request.headers
        context = RenderContext(
            origin=request.origin,
            echoed_origin=self._cors.credentialed_origin(headers),
            accept_encoding=get(headers, "accept-encoding"),
            base=request.base,
            last_event_id=get(headers, "last-event-id"),
        )
        response = renderer.render(context, self.conditional(request))
        if request.method == "HEAD":
            response = without_body(response)
        latency, fault = behavior.latency, behavior.fault
        response = at_pace(response, renderer.recorded, latency.factor)
        if fault and not fault.comes_first and self._happens(fault):
            response = inject(response, fault)
        return delayed(response, self._random.uniform(latency.low, latency.high)) if latency.high else response

    def conditional(self, request: Request) -> ConditionalRequest | None:
        """The condition or range of a request, if it has one that is served."""
        return parse_conditional(request.method, request.headers, conditional=self._options.conditional)

    def _overridden(self, request: Request, behavior: ResponseBehavior) -> ResponseBehavior:
        path = normal_path(request.path)
        for override in self._options.overrides:
            if override.method in ("", request.method) and compile_template(override.path).match(path):
                behavior = ResponseBehavior(override.latency or behavior.latency, override.fault or behavior.fault)
        return behavior

    def _happens(self, fault: FaultSpec) -> bool:
        return fault.percent >= 100 or self._random.random() * 100 < fault.percent  # noqa: PLR2004 - always


def _preferred(value: str, behavior: ResponseBehavior) -> ResponseBehavior:
    """The behavior with what a `Prefer` header asks for."""
    for name, quoted, word in _PREFERENCE.findall(value):
        text = quoted or word
        try:
            if name == "fault":
                behavior = replace(behavior, fault=parse_fault(text, "Prefer: replaymock-fault"))
            else:
                behavior = replace(behavior, latency=parse_latency(text, "Prefer: replaymock-latency"))
        except UsageError as error:
            raise RequestRefused(400, "bad_preference", str(error)) from error
    return behavior


_PREFERENCE = re.compile(r"(?:^|[,;\s])replaymock-(fault|latency)\s*=\s*(?:\"([^\"]*)\"|([^\s,;]*))")
