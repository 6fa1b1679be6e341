"""A folder that is watched: told of by the system, or looked through in turns where it cannot tell."""

import asyncio
import contextlib
import os
import platform
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

POLL_SECONDS = 0.3
_NOT_ASKED = ("false", "disable", "disabled")

Item = TypeVar("Item")
Change = tuple[str, bool]
"""A file or folder to which something has happened, with `/` from the watched one, and whether it came into being."""


def with_rests(files: Iterable[Item], rest: Callable[[], None]) -> Iterator[Item]:
    """Files, with a `rest` after some of them, again and again."""
    for number, file in enumerate(files, 1):
        yield file
        if number % _BETWEEN_RESTS == 0:
            rest()


def rest() -> None:
    """Leaves the interpreter to the loop for a moment.

    A thread that is never idle makes the loop wait for it after each of its system calls: with 100,000 cassettes not
    one request was answered for seconds.
    """
    time.sleep(_REST_SECONDS)


async def watch(folder: Path, scan: Callable[[], bool], heed: Callable[[list[Change]], bool]) -> AsyncIterator[None]:
    """Yields whenever `scan`, or `heed` of some changes, finds news; both run in threads of their own."""
    from watchfiles import Change as Kind  # noqa: PLC0415 - 50 ms that need not delay the first answer
    from watchfiles import awatch  # noqa: PLC0415

    polling = _wants_polling()
    while True:
        watched = _identity(folder)
        if await asyncio.to_thread(scan):
            yield
        # Not by watchfiles: its polling compares whole seconds, and misses a second edit in one (seen in 1.3.0).
        if polling or watched is None:
            await asyncio.sleep(POLL_SECONDS)
            continue
        try:
            rounds = awatch(folder, debounce=100, step=50, rust_timeout=200, yield_on_timeout=True, force_polling=False)
            async with contextlib.aclosing(rounds):
                first = True
                async for found in rounds:
                    changes = [(path, kind is Kind.added) for kind, path in found]
                    # What changed before the watch began is only seen by looking at all there is.
                    if first or changes:
                        news = await (
                            asyncio.to_thread(scan) if first else asyncio.to_thread(_heed, folder, changes, heed)
                        )
                        if news:
                            yield
                    first = False
                    if _identity(folder) != watched:
                        break
        except (OSError, RuntimeError):
            polling = True
            await asyncio.sleep(POLL_SECONDS)


def _identity(folder: Path) -> int | None:
    """Which folder it is now: a removed one that is made again is another one, and not the one that is watched."""
    try:
        return folder.stat().st_ino
    except OSError:
        return None


def _heed(folder: Path, changes: list[Change], heed: Callable[[list[Change]], bool]) -> bool:
    return heed([(os.path.relpath(path, folder).replace(os.sep, "/"), is_new) for path, is_new in changes])


def _wants_polling() -> bool:
    """Whether to look at the folder in turns: as watchfiles' own variable says, and where watchfiles would too."""
    asked = os.environ.get("WATCHFILES_FORCE_POLLING", "").lower()
    return asked not in _NOT_ASKED if asked else "microsoft-standard" in platform.release()


_BETWEEN_RESTS = 64
_REST_SECONDS = 0.002
