"""Blocking calls of an engine's one thread, for which a question waits only so long."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Calls:
    """`what`: the engine, in messages. A late call goes on; until it has come back, the others fail at once."""

    def __init__(self, thread: ThreadPoolExecutor, what: str) -> None:
        self._thread, self._what = thread, what
        self._late: Future[Any] | None = None

    async def within(self, seconds: float, call: Callable[[], T]) -> T:
        """What the call returns or raises. Raises TimeoutError, which says why, where it is late or never begun."""
        if self._late is not None and not self._late.done():
            raise TimeoutError(f"{self._what} has not come back from an earlier question")
        try:
            job = self._thread.submit(call)
        except RuntimeError as error:
            raise TimeoutError(f"{self._what} is closed") from error
        waiting = asyncio.wrap_future(job)
        try:
            await asyncio.wait({waiting}, timeout=seconds)
            if not waiting.done():
                if job.running():
                    self._late = job
                raise TimeoutError(f"{self._what} took longer than {seconds:g} s")
            return waiting.result()
        finally:
            waiting.cancel()
