"""Waiting for what a thread, a process or a socket does: for the thing itself, however busy the machine is."""

import asyncio
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds until what is waited for counts as never coming."""


async def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.005)


async def until_over(name: str) -> None:
    """Until no task of this name is left."""
    await until(lambda: all(task.get_name() != name for task in asyncio.all_tasks()))
