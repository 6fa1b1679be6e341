"""Warnings about requests. The same one is emitted only now and then, with how often it occurred."""

from collections.abc import Callable

from replaymock.http.messages import Request
from replaymock.telemetry.events import Emit, Warned

AGAIN_SECONDS = 5.0
"""How long the same warning is held back after it was emitted."""

_MOST_WARNINGS = 1000


class RequestWarnings:
    """Warns about requests. `shown` gives a path as it may be shown, `clock` the time in seconds."""

    def __init__(self, emit: Emit, shown: Callable[[str], str], clock: Callable[[], float]) -> None:
        self._emit = emit
        self._shown = shown
        self._clock = clock
        self._emitted: dict[str, tuple[float, int]] = {}

    def __call__(self, request: Request, text: str) -> None:
        """Emits a warning about a request, unless the same was emitted a moment ago."""
        now = self._clock()
        last, times = self._emitted.pop(text, (None, 0))
        if last is not None and now - last < AGAIN_SECONDS:
            self._emitted[text] = (last, times + 1)
            return
        if len(self._emitted) >= _MOST_WARNINGS:
            self._emitted.clear()
        self._emitted[text] = (now, 0)
        more = f" ({times} more times since it was last told)" if times else ""
        self._emit(Warned(f"{request.method} {self._shown(request.path)}: {text}{more}"))
