"""The audit log: who did what, when and to which session; never what was said.

A conversation never waits for it: entries are written by a task of its own, one by one, each synced to the disk.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from agent.chain import Chain

log = logging.getLogger(__name__)

Detail = Mapping[str, str | int | float | bool | None]
_KEPT = 1000
"""Entries that wait for the disk; more are lost, and counted."""
_LONG = 200
"""Characters of a value: a name, a category, an address."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`who`: "operator Mei", "key of museum", "presenter". `what`: "takeover", "whisper", "moderated" …"""

    who: str
    what: str
    session: str = ""
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditState:
    """`pending`: entries not yet on the disk. `lost`: entries that never will be."""

    pending: int
    lost: int
    trouble: str | None


def fingerprint(text: str) -> Detail:
    """What the log keeps of words: how many characters, and their sha256."""
    return {"characters": len(text), "sha256": hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()}


class Audit:
    """`async with` it. A disk that takes no more is told in `state`; entries wait, and those that do not fit are lost
    and counted in the log when it goes on."""

    def __init__(
        self, chain: Chain, *, retry: float = 5.0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._chain, self._retry, self._clock = chain, retry, clock
        self._entries: deque[dict[str, object]] = deque()
        self._filled = asyncio.Event()
        self._lost = self._untold = 0
        self._trouble: str | None = None
        self._task: asyncio.Task[None] | None = None

    def record(self, entry: Entry) -> None:
        """Never waits and never raises."""
        if len(self._entries) >= _KEPT:
            self._lost += 1
            self._untold += 1
            return
        self._entries.append(written(entry, self._clock()))
        self._filled.set()

    def state(self) -> AuditState:
        return AuditState(len(self._entries), self._lost, self._trouble)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write(), name="audit log")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What waits is written, unless the disk takes nothing."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        while self._entries and await self._wrote():
            pass

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            while self._entries:
                if not await self._wrote():
                    await asyncio.sleep(self._retry)
            self._filled.clear()

    async def _wrote(self) -> bool:
        """Write the oldest entry; False where it could not be."""
        line, untold = self._entries[0], self._untold
        write = asyncio.ensure_future(asyncio.to_thread(self._append, line, untold))
        try:
            await asyncio.shield(write)
        except asyncio.CancelledError:
            await asyncio.wait({write})
            if write.exception() is None:
                self._written(untold)
            raise
        except (OSError, ValueError) as error:
            if self._trouble is None:
                log.error("the audit log cannot be written: %s", error)
            self._trouble = f"the audit log cannot be written: {error}"
            if isinstance(error, ValueError):  # no disk will ever take it
                self._entries.popleft()
                self._lost += 1
            return False
        self._written(untold)
        return True

    def _append(self, line: dict[str, object], untold: int) -> None:
        if untold:
            self._chain.append({"at": line["at"], "who": "presenter", "what": "lost", "detail": {"entries": untold}})
        self._chain.append(line)

    def _written(self, untold: int) -> None:
        self._entries.popleft()
        self._untold -= untold
        self._trouble = None


def written(entry: Entry, at: datetime) -> dict[str, object]:
    """The line of the log."""
    detail = {key[:_LONG]: value[:_LONG] if isinstance(value, str) else value for key, value in entry.detail.items()}
    return {
        "at": at.isoformat(timespec="milliseconds"),
        "who": entry.who[:_LONG],
        "what": entry.what[:_LONG],
        "session": entry.session[:_LONG],
        "detail": detail,
    }
