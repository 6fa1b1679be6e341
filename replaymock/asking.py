"""What the requests of a recording come down to: without secrets, also those that only this recording knows of."""

from dataclasses import replace

from replaymock import bodies
from replaymock.exchange import Request
from replaymock.headers import get
from replaymock.known import KnownValues
from replaymock.labels import Label
from replaymock.matching import KnownBody, Matcher
from replaymock.redaction import decoded
from replaymock.rewrites import Canonical

_MOST_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 1000


class Asking:
    """Brings requests to canonical form; those whose target tells all are remembered."""

    def __init__(self, matcher: Matcher, known: KnownValues) -> None:
        self._matcher = matcher
        self._known = known
        self._learned = 0
        self._read: dict[tuple[str, str], tuple[Canonical, str]] = {}

    def read(self, request: Request, kind: KnownBody | None = None) -> tuple[Canonical, str]:
        """The canonical form of a request, and its target as it may be shown."""
        if kind or request.body or self._matcher.uses_headers or len(request.target) > _LONGEST_REMEMBERED:
            return self._matcher.read(self.hidden(request), kind)
        if self._learned != self._known.learned or len(self._read) >= _MOST_REMEMBERED:
            self._read.clear()
            self._learned = self._known.learned
        name = (request.method, request.target)
        found = self._read.get(name)
        if found is None:
            found = self._read[name] = self._matcher.read(self.hidden(request))
        return found

    def learn(self, request: Request, label: Label) -> None:
        """Takes note of the secrets of a request, which its answer may repeat; those of its headers are not stored."""

        def note(name: str, value: str) -> str:
            self._known.remember(value, f"{{{{redacted:{name.lower()}}}}}")
            return value

        redactor = self._matcher.redactor
        redactor.headers(request.headers, note)
        of_body = tuple(pair for pair in request.headers if pair[0].lower() in ("content-type", "content-encoding"))
        redactor.request(replace(request, headers=of_body), label)

    def hidden(self, request: Request) -> Request:
        """The request without the values that are known to be secret; what is kept as a digest stays as it came."""
        if not self._known.learned:
            return request
        found = self._known.request(decoded(request))
        kept = bodies.kept(get(request.headers, "content-type"), found.body) if found.body else None
        parts = kept.parts if isinstance(kept, bodies.Multipart) else ()
        if isinstance(kept, bodies.Digest) or any(isinstance(part.body, bodies.Digest) for part in parts):
            return replace(request, target=found.target)
        return found
