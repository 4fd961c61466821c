"""A watch on a stream: how long it may be silent before its first item and between items."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


class Stalled(RuntimeError):
    """The stream was silent for `seconds`."""

    code = "stalled"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing for {seconds:g} s")
        self.seconds = seconds


async def paced(stream: AsyncGenerator[T, None], first: float, following: float) -> AsyncGenerator[T, None]:
    """The items of `stream`, which is closed with this generator. Raises Stalled."""
    patience = first
    async with aclosing(stream) as items:
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
