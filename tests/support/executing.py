"""Waiting for work that is done in a thread."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.001)
