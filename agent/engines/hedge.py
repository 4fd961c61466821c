"""Several ways to get the same stream: the first that gives something is taken."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar

from agent.model import ModelError

T = TypeVar("T")


async def first_of(
    attempts: Iterator[AsyncGenerator[T, None]], patience: float | None, passes_on: Callable[[ModelError], bool]
) -> AsyncGenerator[T, None]:
    """The items of the first attempt that has one.

    The next attempt is made when one failed in a way that `passes_on`, and beside the first when that stayed silent
    for `patience` seconds. Attempts that lose are closed before the first item is given. Raises the last failure.
    """
    running: dict[asyncio.Task[T], AsyncGenerator[T, None]] = {}
    failure = ModelError("unreachable", "no model server is left to ask")
    winner: asyncio.Task[T] | None = None
    try:
        while winner is None:
            attempt = next(attempts, None)
            if attempt is not None:
                running[asyncio.create_task(_first(attempt))] = attempt
            elif not running:
                raise failure
            hedged = attempt is not None and len(running) == 1
            done, _ = await asyncio.wait(
                running, timeout=patience if hedged else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in [task for task in running if task in done]:
                match task.exception():
                    case None:
                        winner = winner or task
                    case ModelError() as error if passes_on(error):
                        failure = error
                        await running.pop(task).aclose()
                    case error:
                        raise error
        stream = running.pop(winner)
        await _close(running)
        running[winner] = stream
        yield winner.result()
        async for item in stream:
            yield item
    finally:
        await _close(running)


async def _first(stream: AsyncGenerator[T, None]) -> T:
    return await anext(stream)


async def _close(running: dict[asyncio.Task[T], AsyncGenerator[T, None]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for stream in running.values():
        await stream.aclose()
    running.clear()
