"""A run of `record` or `replay` that is asked one thing after the other, and what it told, step by step."""

import contextlib
import threading
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.golden.normal import normal
from tests.golden.steps import Ask
from tests.golden.wire import Heard, hear
from tests.support.running import Running, eventually, replaymock

PATIENCE = 20.0


class Told:
    """What a run has written so far: events to stdout where it was asked for them, lines for people to stderr."""

    def __init__(self, running: Running, *, by_events: bool) -> None:
        self._running = running
        self._by_events = by_events
        self._events: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.port = running.port
        self.wait_for("ready")

    def wait_for(self, word: str) -> None:
        """Waits until there is an event of that name, or a line with that word."""
        eventually(lambda: self._count(word), PATIENCE)

    def hear(self, ask: Ask) -> Heard:
        """The answer to a request, once all is told that will be told of it, so that the order is always the same."""
        before, recorded = len(self._lines), self._count("recorded")
        got = hear(self.port, ask)
        if not _is_untold(ask):
            eventually(lambda: self._is_told(before, recorded), PATIENCE)
        return got

    def end(self, folder: Path) -> str:
        """Stops the run; all it told."""
        code = self._running.stop()
        self._thread.join(PATIENCE)
        told = [
            *_settled(self._events),
            *(f"stderr: {line}\n" for line in self._running.log.splitlines()),
            f"exit {code}\n",
        ]
        return normal("".join(told), folder)

    def _read(self) -> None:
        assert self._running.process.stdout is not None
        with contextlib.suppress(ValueError):
            self._events.extend(self._running.process.stdout)

    def _is_told(self, before: int, recorded: int) -> bool:
        new = "".join(self._lines[before:])
        if not self._by_events:
            return " ms" in new
        return '"event":"request"' in new and ('"outcome":"recorded"' not in new or self._count("recorded") > recorded)

    @property
    def _lines(self) -> list[str]:
        return self._events if self._by_events else self._running.log.splitlines()

    def _count(self, word: str) -> int:
        name = f'{{"event":"{word}"' if self._by_events else word
        return sum(name in line for line in self._lines)


def _settled(events: list[str]) -> list[str]:
    """Events with those of writing in the order of their texts, where they stand together: a thread of its own writes."""
    by_writer = groupby(events, lambda line: '{"event":"recorded"' in line or '{"event":"hidden"' in line)
    return [line for is_so, lines in by_writer for line in (sorted(lines) if is_so else lines)]


def _is_untold(ask: Ask) -> bool:
    """Whether nobody hears of a request: one for an own endpoint, or a preflight."""
    return ask.target.startswith("/__replaymock/") or "Access-Control-Request-Method" in dict(ask.headers)


@contextlib.contextmanager
def told_by(command: str, folder: Path, *options: str) -> Iterator[Told]:
    """A run within a folder that holds its cassettes; `--json` among the options has it tell events."""
    with replaymock(command, Path("cassettes"), *options, cwd=folder, env={"NO_COLOR": "1"}) as running:
        yield Told(running, by_events="--json" in options)
