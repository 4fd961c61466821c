"""A watch on a stream: how long it may be silent before its first item and between items."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TypeVar, cast

T = TypeVar("T")


class Stalled(RuntimeError):
    """The stream was silent for `seconds`."""

    code = "stalled"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing for {seconds:g} s")
        self.seconds = seconds


async def paced(stream: AsyncIterator[T], first: float, following: float) -> AsyncGenerator[T, None]:
    """The items of `stream`, an async generator, which is closed with this one. Raises Stalled."""
    patience = first
    async with aclosing(cast("AsyncGenerator[T, None]", stream)) as items:
        while True:
            try:
                async with asyncio.timeout(patience):
                    item = await anext(items)
            except TimeoutError as error:
                raise Stalled(patience) from error
            except StopAsyncIteration:
                return
            yield item
            patience = following
