"""Engines built off the event loop, and closed with whoever has them built."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

from configs.engines import ConfigError, EngineSpec, Kind, build
from configs.home import Home

Close = Callable[[Any], Awaitable[None]]


async def built(parts: AsyncExitStack, kind: Kind, spec: EngineSpec, home: Home, close: Close | None = None) -> Any:
    """A thread cannot be stopped: what it builds is closed with `parts` even if nobody waits for it."""
    building = asyncio.create_task(asyncio.to_thread(build, kind, spec, home))

    async def end() -> None:
        with suppress(ConfigError):
            engine = await building
            if close is not None:
                await close(engine)

    parts.push_async_callback(end)
    return await asyncio.shield(building)


async def aclose(engine: Any) -> None:
    await engine.aclose()


async def close_in_thread(engine: Any) -> None:
    """Embedders and rerankers that hold nothing open need no `close`."""
    if (close := getattr(engine, "close", None)) is not None:
        await asyncio.to_thread(close)
