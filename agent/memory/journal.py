"""What is still to be written to the records: kept in order, written in the background, tried again until it is."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from agent.memory.records import Entry, Records, RecordsError

log = logging.getLogger(__name__)

_MOST = 10_000
"""Entries that wait at most; beyond that the oldest are given up."""
_BATCH = 256
_PAUSES = (0.1, 0.3, 1.0, 2.0)
"""Seconds before the next trial; the last one from then on."""


@dataclass(frozen=True, slots=True)
class State:
    """`pending`: entries not written yet; `lost`: given up since the start; `trouble`: what keeps them."""

    pending: int
    lost: int
    trouble: str | None


class Journal:
    """One for all conversations of a process, so that what is written at the same time is one commit."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._pending: deque[tuple[str, Entry]] = deque()
        self._writing = 0
        self._given = 0
        self._settled = 0
        self._lost = 0
        self._trouble: RecordsError | None = None
        self._turn = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def put(self, user: str, *entries: Entry) -> None:
        """Never waits and never fails."""
        for entry in entries:
            self._pending.append((user, entry))
            self._given += 1
        while len(self._pending) > max(_MOST, self._writing + 1):
            self._give_up(self._writing)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write(), name="writing the records")

    async def settled(self) -> None:
        """Until all that was put before is on the disk. Raises RecordsError when some of it was given up."""
        given, lost = self._given, self._lost
        async with self._changed:
            await self._changed.wait_for(lambda: self._settled >= given)
        if self._lost > lost:
            raise self._trouble or RecordsError("refused", "an entry could not be written")

    async def alone(self, does: Callable[[], Awaitable[None]], gone: Callable[[str, Entry], bool]) -> None:
        """Do something to the records while nothing is being written; of what waits, that which is `gone` never is."""
        async with self._turn:
            kept = [one for one in self._pending if not gone(*one)]
            self._settled += len(self._pending) - len(kept)
            self._pending = deque(kept)
            await does()
        async with self._changed:
            self._changed.notify_all()

    def state(self) -> State:
        trouble = self._trouble
        return State(len(self._pending), self._lost, f"{trouble.code}: {trouble}" if trouble else None)

    async def aclose(self, seconds: float) -> None:
        """What cannot be written within `seconds`, though nobody else is writing, is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._pending and await self._written():
                    pass
        if self._pending:
            log.error("%d entries of the records were not written: %s", len(self._pending), self.state().trouble)

    async def _written(self) -> bool:
        """One more trial; False where there is no use in another."""
        try:
            await self._batch()
        except RecordsError as error:
            self._trouble = error
            await asyncio.sleep(_PAUSES[0])
            return error.code == "locked"
        return True

    async def _write(self) -> None:
        trials = 0
        while self._pending:
            try:
                async with self._turn:
                    await self._batch()
                trials, self._trouble = 0, None
            except RecordsError as error:
                if self._trouble is None:
                    log.warning("the records cannot be written: %s: %s", error.code, error)
                self._trouble = error
                await asyncio.sleep(_PAUSES[min(trials, len(_PAUSES) - 1)])
                trials += 1
            async with self._changed:
                self._changed.notify_all()

    async def _batch(self) -> None:
        batch = [self._pending[at][1] for at in range(min(_BATCH, len(self._pending)))]
        if not batch:
            return
        self._writing = len(batch)
        try:
            await self._records.write(batch)
        except RecordsError as error:
            if error.code != "refused":
                raise
            await self._one_by_one()
        else:
            for _ in batch:
                self._pending.popleft()
            self._settled += len(batch)
        finally:
            self._writing = 0

    async def _one_by_one(self) -> None:
        """One entry of a batch was refused: the others are written, and it is given up."""
        for _ in range(self._writing):
            try:
                await self._records.write([self._pending[0][1]])
            except RecordsError as error:
                if error.code != "refused":
                    raise
                log.error("an entry of the records was refused: %s", error)
                self._give_up(0)
            else:
                self._pending.popleft()
                self._settled += 1

    def _give_up(self, at: int) -> None:
        del self._pending[at]
        self._settled += 1
        self._lost += 1
