"""From a recorded response to the answers made of it: the one place that knows both what people edit and the wire."""

from dataclasses import dataclass

from replaymock import codings, origin
from replaymock.answer import Answer, frame
from replaymock.cassette import Recorded
from replaymock.cors import Cors, add_vary
from replaymock.headers import Headers, get, without

_MOST_VARIANTS = 16


@dataclass(frozen=True, slots=True)
class Caller:
    """What of a request an answer depends on; `base` is the path the caller's session is under."""

    origin: str
    echoed_origin: str
    accept_encoding: str
    base: str = ""


class Prepared:
    """One recorded response and the answers made of it so far, one for each kind of caller."""

    __slots__ = ("_cors", "_extra", "_to_head", "_variants", "codings", "recorded", "uses_origin")

    def __init__(self, recorded: Recorded, extra: Headers, cors: Cors, *, to_head: bool = False) -> None:
        self.recorded = recorded
        self.codings = _codings_to_do(recorded)
        self.uses_origin = _holds_token(recorded)
        self._to_head = to_head
        self._extra = extra
        self._cors = cors
        self._variants: dict[tuple[str, str, str, bool], Answer] = {}

    def answer(self, caller: Caller) -> Answer:
        """The answer for a caller, made when first asked for."""
        coded = bool(self.codings) and codings.accepted(caller.accept_encoding, self.codings)
        variant = (caller.origin if self.uses_origin else "", caller.base, caller.echoed_origin, coded)
        found = self._variants.get(variant)
        if found is None:
            if len(self._variants) >= _MOST_VARIANTS:
                self._variants.clear()
            found = self._variants[variant] = self._make(caller, coded)
        return found

    def _make(self, caller: Caller, coded: bool) -> Answer:
        recorded = self.recorded
        headers, body = origin.below(origin.local_cookies(recorded.headers), caller.base), recorded.body
        if self.uses_origin:
            headers = tuple((name, value.replace(origin.TOKEN, caller.origin)) for name, value in headers)
            body = origin.from_token(body, caller.origin) if recorded.rewrite else body
        if self.codings:
            headers = add_vary(headers, "Accept-Encoding")
            headers = headers if coded else without(headers, ("content-encoding",))
        if coded and body:
            body = codings.encode(body, self.codings)
        headers = self._cors.apply((*headers, *self._extra), caller.echoed_origin)
        bodyless = not body and (self._to_head or bool(get(headers, "content-length")))
        return frame(recorded.status, recorded.reason, headers, body, bodyless=bodyless)


def _codings_to_do(recorded: Recorded) -> list[str]:
    """The content codings to be made when served: none where the body still is in them, or is served as it stands."""
    found = codings.parse(get(recorded.headers, "content-encoding"))
    return found if not recorded.encoded and codings.is_known(found) else []


def _holds_token(recorded: Recorded) -> bool:
    if recorded.rewrite and b"{{origin}}" in recorded.body:
        return True
    return any(origin.TOKEN in value for _, value in recorded.headers)
