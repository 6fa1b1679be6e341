"""Prints events: as JSON lines on stdout for programs, as text on stderr for people."""

import contextlib
import os
import sys
from typing import TextIO

import msgspec

from replaymock.telemetry.event_text import colored, missing_lines, plain, text_of
from replaymock.telemetry.events import Changed, Dropped, Event, Hidden, Ready, Reloaded, ServedRequest, Summary, Warned
from replaymock.telemetry.printing import Printer, printer

# Never dropped, however slowly the output is read: there are few of them, and they tell of the whole run.
_SURE = (Ready, Summary)
_LEFT_OUT_WHEN_QUIET = (Ready, Summary, Reloaded, Hidden, Changed)


class Console:
    """Prints events. Requests are only shown in a terminal or when asked for; misses and warnings always."""

    def __init__(self, *, json: bool, verbose: bool, quiet: bool, out: TextIO, err: TextIO, color: bool) -> None:
        self._json = json
        self._quiet = quiet
        self._shows_requests = verbose or (err.isatty() and not quiet)
        self._paint = colored if color else plain
        self.wants_requests = json or self._shows_requests
        self._out = printer(out, lambda count: _json_line(Dropped(count)))
        # Where both are one file, as after `2>&1`, one printer keeps their lines in order.
        shares_one = json and _are_one_file(out, err)
        self.err = self._out if shares_one else printer(err, lambda count: text_of(Dropped(count), self._paint))

    def emit(self, event: Event) -> None:
        """Prints an event, or queues it to be printed; never waits."""
        if isinstance(event, ServedRequest) and not self.wants_requests:
            return
        is_sure = isinstance(event, _SURE)
        if self._json:
            _write_line(self._out, _json_line(event), is_sure=is_sure)
        text = text_of(event, self._paint) if self._is_for_people(event) else ""
        if text:
            _write_line(self.err, text, is_sure=is_sure)

    def start_anew(self) -> None:
        """Starts anew in a child process: what is queued is printed by its parent."""
        for stream in (self._out, self.err):
            if isinstance(stream, Printer):
                stream.start_anew()

    def close(self) -> None:
        """Waits a moment until everything is printed; warns on stderr of lines that stdout did not take."""
        missing = self._out.close() if isinstance(self._out, Printer) and self._out is not self.err else 0
        if missing:
            self.emit(Warned(missing_lines(missing, "stdout")))
        if isinstance(self.err, Printer):
            self.err.close()

    def _is_for_people(self, event: Event) -> bool:
        if isinstance(event, ServedRequest):
            return self._shows_requests and not self._json
        return not (self._quiet and isinstance(event, _LEFT_OUT_WHEN_QUIET))


def standard(*, json: bool, verbose: bool, quiet: bool, no_color: bool) -> Console:
    """A console on this process's stdout and stderr."""
    color = sys.stderr.isatty() and not no_color
    return Console(json=json, verbose=verbose, quiet=quiet, out=sys.stdout, err=sys.stderr, color=color)


def _json_line(event: Event) -> str:
    return _encoder.encode({"event": event.name, **event.to_json()}).decode()


def _write_line(stream: Printer | TextIO, text: str, *, is_sure: bool) -> None:
    if isinstance(stream, Printer):
        (stream.write_surely if is_sure else stream.write)(f"{text}\n")
        return
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except (BrokenPipeError, ValueError):
        return


def _are_one_file(out: TextIO, err: TextIO) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return os.path.sameopenfile(out.fileno(), err.fileno())
    return False


_encoder = msgspec.json.Encoder()
