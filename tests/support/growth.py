"""How the work for a text grows with its length: in proportion, whatever the text says."""

import gc
import time
from collections.abc import Callable

TIMES = 4
MOST = 10
LEAST_SECONDS = 0.002
TRIES = 5


def grows_in_proportion(work: Callable[[str], object], piece: str, length: int = 4000) -> bool:
    """Whether four times as much of a piece takes about four times as long, and not sixteen times.

    What takes next to no time is not held against it, and one that did well once did: a machine has other work to do.
    """
    short = piece * (length // len(piece))
    for _ in range(TRIES):
        least = min(_seconds(work, short) for _ in range(2))
        if _seconds(work, short * TIMES) < MOST * max(least, LEAST_SECONDS):
            return True
    return False


def _seconds(work: Callable[[str], object], text: str) -> float:
    gc.disable()  # what else is in memory is no work for this text
    try:
        started = time.thread_time()
        work(text)
        return time.thread_time() - started
    finally:
        gc.enable()
