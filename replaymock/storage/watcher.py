"""Watches a folder: by the system's notifications, or by scanning it regularly where there are none."""

import asyncio
import contextlib
import os
import platform
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

POLL_SECONDS = 0.3
_NOT_FORCED = ("false", "disable", "disabled")

Item = TypeVar("Item")
Change = tuple[str, bool]
"""A file or folder that changed, relative to the watched folder and with `/`, and whether it is new."""


def yielding_gil(items: Iterable[Item], rest: Callable[[], None]) -> Iterator[Item]:
    """The items, with a call of `rest` after every few of them."""
    for number, item in enumerate(items, 1):
        yield item
        if number % _BETWEEN_RESTS == 0:
            rest()


def rest() -> None:
    """Leaves the interpreter to the event loop for a moment.

    The loop waits for a busy thread after each of its own system calls: with 100,000 cassettes no request was answered
    for seconds.
    """
    time.sleep(_REST_SECONDS)


async def watch(
    folder: Path, scan: Callable[[], bool], on_changes: Callable[[list[Change]], bool]
) -> AsyncIterator[None]:
    """Yields whenever `scan`, or `on_changes` with some changes, gives True. Both run in threads."""
    from watchfiles import Change as Kind  # noqa: PLC0415 - 50 ms that need not delay the first answer
    from watchfiles import awatch  # noqa: PLC0415 - as above

    is_polling = _wants_polling()
    while True:
        watched = _identity(folder)
        if await asyncio.to_thread(scan):
            yield
        # Not with watchfiles: its polling compares whole seconds, and misses a second edit in one (seen in 1.3.0).
        if is_polling or watched is None:
            await asyncio.sleep(POLL_SECONDS)
            continue
        try:
            rounds = awatch(folder, debounce=100, step=50, rust_timeout=200, yield_on_timeout=True, force_polling=False)
            async with contextlib.aclosing(rounds):
                is_first = True
                async for events in rounds:
                    changes = [(path, kind is Kind.added) for kind, path in events]
                    # What changed before the watch began is seen only by a full scan.
                    if is_first or changes:
                        news = await (
                            asyncio.to_thread(scan)
                            if is_first
                            else asyncio.to_thread(_relative, folder, changes, on_changes)
                        )
                        if news:
                            yield
                    is_first = False
                    if _identity(folder) != watched:
                        break
        except (OSError, RuntimeError):
            is_polling = True
            await asyncio.sleep(POLL_SECONDS)


def _identity(folder: Path) -> int | None:
    """The inode of the folder. One that is removed and made anew is another folder, and not the one that is watched."""
    try:
        return folder.stat().st_ino
    except OSError:
        return None


def _relative(folder: Path, changes: list[Change], on_changes: Callable[[list[Change]], bool]) -> bool:
    return on_changes([(os.path.relpath(path, folder).replace(os.sep, "/"), is_new) for path, is_new in changes])


def _wants_polling() -> bool:
    """Whether to scan regularly: as watchfiles' own environment variable says, or on WSL, as watchfiles does."""
    forced = os.environ.get("WATCHFILES_FORCE_POLLING", "").lower()
    return forced not in _NOT_FORCED if forced else "microsoft-standard" in platform.release()


_BETWEEN_RESTS = 64
_REST_SECONDS = 0.002
