"""Troubles with requests, told to the user: one that goes on only now and then, with how often it was."""

from collections.abc import Callable

from replaymock.http.messages import Request
from replaymock.telemetry.events import Emit, Warned

AGAIN_SECONDS = 5.0
"""How long the same trouble is not told of again."""

_MOST_TROUBLES = 1000


class RequestWarnings:
    """Warns of requests; `shown` gives a path as it may be shown, `clock` seconds."""

    def __init__(self, emit: Emit, shown: Callable[[str], str], clock: Callable[[], float]) -> None:
        self._emit = emit
        self._shown = shown
        self._clock = clock
        self._troubles: dict[str, tuple[float, int]] = {}

    def __call__(self, request: Request, text: str) -> None:
        """Tells of a trouble with a request, unless the same was told a moment ago."""
        now = self._clock()
        last, times = self._troubles.pop(text, (None, 0))
        if last is not None and now - last < AGAIN_SECONDS:
            self._troubles[text] = (last, times + 1)
            return
        if len(self._troubles) >= _MOST_TROUBLES:
            self._troubles.clear()
        self._troubles[text] = (now, 0)
        more = f" ({times} more times since it was last told)" if times else ""
        self._emit(Warned(f"{request.method} {self._shown(request.path)}: {text}{more}"))
