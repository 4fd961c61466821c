"""Endings that are not cut short: whoever waits for them may be cancelled meanwhile, and is once they are done."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

End = Callable[[], Awaitable[None]]


async def completed(*ends: End) -> None:
    """One after the other, each though one before it failed. Raises what the last failure was."""
    stack = AsyncExitStack()
    for end in reversed(ends):
        stack.push_async_callback(end)
    ending = asyncio.create_task(stack.aclose(), name="an ending")
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.wait([ending])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        ending.result()
    else:
        raise cancelled from (None if ending.cancelled() else ending.exception())
