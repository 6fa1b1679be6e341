"""Lines for stdout and stderr that nobody waits for: a thread writes them, so that no reader can stop a server.

What finds no room while a pipe is not read, a disk is full or a terminal is held is dropped and counted.
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
WITHOUT_PROGRESS_SECONDS = 1.0
LAST_SECONDS = 5.0
_AT_ONCE = 4096
_REST_SECONDS = 0.005
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 1.0


class Printer:
    """A stream that takes lines at once and writes them in their order.

    Once there is no room, what comes is dropped until all that came before is written; then a line, made by
    `tell_dropped` from their count, says how many are missing.
    """

    def __init__(self, raw: io.RawIOBase, tell_dropped: Callable[[int], str], encoding: str = "utf-8") -> None:
        self._raw = raw
        self._tell_dropped = tell_dropped
        self._encoding = encoding
        self._written = 0
        self.forget()

    def forget(self) -> None:
        """Begins anew, as in the child of a fork: it has neither the thread, nor what its parent will write."""
        # What the collector calls in the middle of `write` may write too: this lock and this queue allow it.
        self._lock = threading.RLock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._lines: list[bytes] = []
        self._last: list[bytes] = []
        self._count = self._size = self._dropped = 0
        self._idle = self._closing = False
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> int:
        """Takes some text, a line with its end."""
        self._take(text)
        return len(text)

    def write_surely(self, text: str) -> None:
        """Takes a line that is not dropped; for the few that say what became of the whole run."""
        self._take(text, self._last)

    def flush(self) -> None:
        """Does nothing: what is taken is written as soon as it can be."""

    def isatty(self) -> bool:
        """Whether this is a terminal."""
        return self._raw.isatty()

    def fileno(self) -> int:
        """The descriptor that is written to."""
        return self._raw.fileno()

    def close(self) -> int:
        """Waits, as long as it gets on and not for ever, until all is written; the number of lines that are not."""
        with self._lock:
            thread, self._closing = self._thread, True
        self._wake.put(None)
        end = time.monotonic() + LAST_SECONDS
        while thread and thread.is_alive() and time.monotonic() < end:
            before = self._written
            thread.join(WITHOUT_PROGRESS_SECONDS)
            if self._written == before:
                break
        return self._count + self._dropped + len(self._last)

    def _take(self, text: str, surely: list[bytes] | None = None) -> None:
        data = text.encode(self._encoding, "backslashreplace")
        with self._lock:
            if self._dropped or (self._count and (self._count >= MOST_LINES or self._size + len(data) > MOST_BYTES)):
                if surely is None:
                    self._dropped += 1
                else:
                    surely.append(data)
                return
            self._lines.append(data)
            self._count += 1
            self._size += len(data)
            if self._idle:
                self._idle = False
                self._wake.put(None)
            elif self._thread is None:
                self._start()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="printing", daemon=True)
        with contextlib.suppress(RuntimeError):  # no more threads now: the next line tries again
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        while lines := self._next():
            if not all(self._put(piece) for piece in _pieces(lines)):
                return
            with self._lock:
                self._count -= len(lines)
                self._size -= sum(map(len, lines))
            # Many lines a second are not to wake this thread, and others from their work, as often.
            if not self._closing:
                time.sleep(_REST_SECONDS)

    def _next(self) -> list[bytes]:
        """The lines that have come, once there are some; none when there will be no more."""
        while True:
            with self._lock:
                self._idle = not self._closing
                if not self._lines:
                    self._resume()
                lines, self._lines = self._lines, []
                if lines or self._closing:
                    self._idle = False
                    return lines
            self._wake.get()

    def _resume(self) -> None:
        """Takes lines again, after one that tells how many were dropped and those that were kept for this moment."""
        if self._dropped:
            notice = f"{self._tell_dropped(self._dropped)}\n".encode(self._encoding, "backslashreplace")
            self._lines = [notice, *self._last]
            self._count, self._size = len(self._lines), sum(map(len, self._lines))
            self._dropped, self._last = 0, []

    def _put(self, data: bytes) -> bool:
        """Writes as long as it takes; False if it cannot be done and nobody is going to wait for it."""
        pause = _FIRST_PAUSE
        while data:
            count: int | None = 0
            with contextlib.suppress(OSError, ValueError):
                count = self._raw.write(data)
            if count:
                data, pause = data[count:], _FIRST_PAUSE
                self._written += count
                continue
            # None: the stream is set not to block by whom it is shared with, and takes no more now.
            if self._closing and count is not None:
                return False
            with contextlib.suppress(Empty):
                self._wake.get(timeout=pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True


def _pieces(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Whole lines together, up to what a pipe takes without mixing it with what others write there."""
    start = size = 0
    for at, line in enumerate(lines):
        if size and size + len(line) > _AT_ONCE:
            yield b"".join(lines[start:at])
            start, size = at, 0
        size += len(line)
    yield b"".join(lines[start:])


def printer(stream: TextIO, tell_dropped: Callable[[int], str]) -> Printer | TextIO:
    """What takes lines for a stream; the stream itself where it is only memory."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    if not isinstance(raw, io.RawIOBase):
        return stream
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
    return Printer(raw, tell_dropped, stream.encoding)


def say_at_the_end(text: str) -> None:
    """Writes a last line to stderr, and waits for that no longer than is sensible."""
    found = printer(sys.stderr, str)
    found.write(f"{text}\n")
    found.close() if isinstance(found, Printer) else found.flush()


def let_go() -> None:
    """Gives up what stdout and stderr could not take: trying again at exit would make an exit code of its own."""
    for number, stream in ((1, sys.stdout), (_STDERR, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def open_closed() -> None:
    """Opens what of stdin, stdout and stderr is closed on nothing, as files and sockets would have their numbers."""
    with contextlib.suppress(OSError):
        while (opened := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
            pass
        os.close(opened)
    # Python has None for what was closed when it started.
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", encoding="utf-8", closefd=False)


_STDERR = 2
