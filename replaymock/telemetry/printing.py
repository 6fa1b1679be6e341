"""Writes lines to stdout and stderr from a thread, so that a server never waits for whoever reads them.

While a pipe is not read, a disk is full or a terminal is held, lines wait up to a bound; past it they are dropped and
counted.
"""

import contextlib
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import TextIO

MOST_LINES = 10_000
MOST_BYTES = 1 << 20
"""How many lines, and how many bytes, wait to be written before lines are dropped."""

WITHOUT_PROGRESS_SECONDS = 1.0
LAST_SECONDS = 5.0
"""How long the end waits for a reader: while it reads on, and in all."""

_ATOMIC_BYTES = 4096
_REST_SECONDS = 0.005
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 1.0
_STDERR = 2


class Printer:
    """A stream that queues lines and writes them in their order.

    Once the queue is full, lines are dropped until it is written whole; then a line, made by `dropped_line` from their
    count, says how many are missing.
    """

    def __init__(self, raw: io.RawIOBase, dropped_line: Callable[[int], str], encoding: str = "utf-8") -> None:
        self._raw = raw
        self._dropped_line = dropped_line
        self._encoding = encoding
        self._written = 0
        self.start_anew()

    def start_anew(self) -> None:
        """Starts with an empty queue; for the child of a fork, as thread and queued lines are the parent's."""
        # The garbage collector may run in the middle of `write` and call what writes too; this lock and queue allow it.
        self._lock = threading.RLock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._lines: list[bytes] = []
        self._last: list[bytes] = []
        self._count = self._size = self._dropped = 0
        self._is_idle = self._is_closing = False
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> int:
        """Queues a line, given with its end."""
        self._queue(text)
        return len(text)

    def write_surely(self, text: str) -> None:
        """Queues a line that is never dropped: for the few that tell of the whole run."""
        self._queue(text, self._last)

    def flush(self) -> None:
        """Does nothing: what is queued is written as soon as it can be."""

    def isatty(self) -> bool:
        """Whether this is a terminal."""
        return self._raw.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream."""
        return self._raw.fileno()

    def close(self) -> int:
        """Waits until all is written, while that goes on and for a bounded time; the number of lines that are not."""
        with self._lock:
            thread, self._is_closing = self._thread, True
        self._wake.put(None)
        end = time.monotonic() + LAST_SECONDS
        while thread and thread.is_alive() and time.monotonic() < end:
            before = self._written
            thread.join(WITHOUT_PROGRESS_SECONDS)
            if self._written == before:
                break
        return self._count + self._dropped + len(self._last)

    def _queue(self, text: str, late: list[bytes] | None = None) -> None:
        data = text.encode(self._encoding, "backslashreplace")
        with self._lock:
            if self._dropped or (self._count and (self._count >= MOST_LINES or self._size + len(data) > MOST_BYTES)):
                if late is None:
                    self._dropped += 1
                else:
                    late.append(data)
                return
            self._lines.append(data)
            self._count += 1
            self._size += len(data)
            if self._is_idle:
                self._is_idle = False
                self._wake.put(None)
            elif self._thread is None:
                self._start()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="printing", daemon=True)
        with contextlib.suppress(RuntimeError):  # no thread can be started now: the next line tries again
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        while lines := self._next():
            if not all(self._write_out(piece) for piece in _joined(lines)):
                return
            with self._lock:
                self._count -= len(lines)
                self._size -= sum(map(len, lines))
            # Else many lines a second would wake this thread for each, and keep others from their work.
            if not self._is_closing:
                time.sleep(_REST_SECONDS)

    def _next(self) -> list[bytes]:
        """Waits for lines and takes them; none once the printer is closed."""
        while True:
            with self._lock:
                self._is_idle = not self._is_closing
                if not self._lines:
                    self._resume()
                lines, self._lines = self._lines, []
                if lines or self._is_closing:
                    self._is_idle = False
                    return lines
            self._wake.get()

    def _resume(self) -> None:
        """Queues a line that counts the dropped ones, then those that are never dropped; from here on, none is."""
        if self._dropped:
            notice = f"{self._dropped_line(self._dropped)}\n".encode(self._encoding, "backslashreplace")
            self._lines = [notice, *self._last]
            self._count, self._size = len(self._lines), sum(map(len, self._lines))
            self._dropped, self._last = 0, []

    def _write_out(self, data: bytes) -> bool:
        """Writes, trying as long as it takes; False if that fails once the printer is being closed."""
        pause = _FIRST_PAUSE
        while data:
            count: int | None = 0
            with contextlib.suppress(OSError, ValueError):
                count = self._raw.write(data)
            if count:
                data, pause = data[count:], _FIRST_PAUSE
                self._written += count
                continue
            # None: another process that shares the stream has set it not to block, and it takes no more now.
            if self._is_closing and count is not None:
                return False
            with contextlib.suppress(Empty):
                self._wake.get(timeout=pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True


def _joined(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Whole lines together, up to what a pipe takes without mixing it with what other processes write there."""
    start = size = 0
    for at, line in enumerate(lines):
        if size and size + len(line) > _ATOMIC_BYTES:
            yield b"".join(lines[start:at])
            start, size = at, 0
        size += len(line)
    yield b"".join(lines[start:])


def printer(stream: TextIO, dropped_line: Callable[[int], str]) -> Printer | TextIO:
    """A printer for a stream; the stream itself where it is only memory."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    if not isinstance(raw, io.RawIOBase):
        return stream
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
    return Printer(raw, dropped_line, stream.encoding)


def print_last(text: str) -> None:
    """Prints a last line on stderr, and waits for that a bounded time."""
    stream = printer(sys.stderr, str)
    stream.write(f"{text}\n")
    stream.close() if isinstance(stream, Printer) else stream.flush()


def discard_unwritten() -> None:
    """Gives up what stdout and stderr did not take: Python would try again at exit, and fail with a code of its own."""
    for number, stream in ((1, sys.stdout), (_STDERR, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def open_closed_streams() -> None:
    """Opens the null device in place of a closed stdin, stdout or stderr: else files and sockets get their numbers."""
    with contextlib.suppress(OSError):
        while (opened := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
            pass
        os.close(opened)
    # Python has None for what was closed when it started.
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", encoding="utf-8", closefd=False)
