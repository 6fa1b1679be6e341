"""Bodies that arrive in pieces."""

import asyncio
from collections.abc import AsyncIterator

Source = tuple[bytes | float | Exception, ...]


async def chunks(source: Source) -> AsyncIterator[bytes]:
    for item in source:
        if isinstance(item, bytes):
            yield item
        elif isinstance(item, Exception):
            raise item
        else:
            await asyncio.sleep(item)
