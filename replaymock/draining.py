"""Waiting for what is in flight at the end of a run."""

import asyncio
from collections.abc import Callable


async def wait_while(is_busy: Callable[[], bool], seconds: float, hurry: asyncio.Event | None = None) -> None:
    """Waits while `is_busy`, at most for so many seconds or until `hurry` is set."""
    now = asyncio.get_running_loop().time
    deadline = now() + seconds
    # Polling, as this runs once, at the end: an event would cost time in every request.
    while is_busy() and now() < deadline and not (hurry and hurry.is_set()):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
