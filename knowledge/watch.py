"""A folder that is watched: what is in it, and only that, is in the knowledge base too."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from watchfiles import Change, awatch

from knowledge.documents import DocumentError, Entry, Ingested, KnowledgeUnavailable
from knowledge.folder import Changed, File, Folder, Stillness, View, Why
from knowledge.parse import FileLimits

log = logging.getLogger(__name__)

_SKIPPED: dict[Why, str] = {
    "unsupported": "this is not a document; remove it, or save it in a format of the documents",
    "link": "this is not a file of the folder but leads elsewhere; copy the file itself into the folder",
    "twin": "another file has the same name, written with other characters; rename one of them",
    "unreadable": "this cannot be read; let the server's user read it",
}


class Desk(Protocol):
    """The part of a knowledge base that a watch needs: it raises DocumentError and KnowledgeUnavailable."""

    async def ingest(self, name: str, data: bytes) -> Ingested: ...
    async def remove(self, identifier: str) -> bool: ...
    def documents(self) -> list[Entry]: ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a file is not in the knowledge base as it is in the folder; `name` is empty where it is the folder itself."""

    name: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `settle`: how long a file must be left alone before it is read, or gone before its document goes.

    `sweep`: the folder is looked through this often though nothing was heard, for disks that tell nothing.
    `retry`: the wait for a folder that is not there, and for a knowledge base that takes no documents now.
    """

    settle: float = 0.5
    sweep: float = 60.0
    retry: float = 2.0


class _Deaf(Exception):
    """The system cannot tell what happens in the folder."""


class Watch:
    """Keeps the documents whose source begins with `mark:` as the files of a folder are; it touches no others.

    Events only say when to look; what has changed is found by looking, so that a missed event does no harm. A folder
    that is not there, or is empty at the first look though it has documents, is taken for a disk that is not
    mounted: its documents stay. A file that cannot be read leaves its document as it was. `report` is called for
    every trouble, once.
    """

    def __init__(
        self,
        folder: Path,
        desk: Desk,
        *,
        mark: str = "folder",
        limits: FileLimits | None = None,
        pace: Pace | None = None,
        report: Callable[[Trouble], None] | None = None,
    ) -> None:
        self._folder = Folder(folder, limits or FileLimits())
        self._desk = desk
        self._mark = f"{mark}:"
        self._pace = pace or Pace()
        self._report = report
        self._polling = False
        self._still = Stillness(self._pace.settle)
        self._done: dict[str, File] = {}
        self._troubles: dict[str, Trouble] = {}

    def troubles(self) -> list[Trouble]:
        """What stands between the folder and the knowledge base now."""
        return [self._troubles[name] for name in sorted(self._troubles)]

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            identity = await asyncio.to_thread(self._folder.identity)
            if identity is None:
                self._trouble("", "missing", "the folder is not there; its documents stay as they are")
                await asyncio.sleep(self._pace.retry)
                continue
            try:
                await self._follow(identity)
            except _Deaf:
                log.warning("the system does not watch the folder; it is looked through again and again instead")
                if self._polling:
                    await asyncio.sleep(self._pace.retry)
                self._polling = True

    async def _follow(self, identity: tuple[int, int]) -> None:
        """Returns when the folder is no longer the same one."""
        clock = asyncio.get_running_loop().time
        self._still = Stillness(self._pace.settle)
        fresh, due = True, 0.0
        async with aclosing(self._heard()) as heard:
            async for stirred in heard:
                if stirred is None or await asyncio.to_thread(self._folder.identity) != identity:
                    return
                if not stirred and clock() < due:
                    continue
                try:
                    view = await asyncio.to_thread(self._folder.view)
                except OSError:
                    self._trouble("", "unreadable", "the folder cannot be read; its documents stay as they are")
                    due = clock() + self._pace.retry
                    continue
                ours = self._ours()
                if fresh and ours and not view.files:
                    self._trouble("", "empty", "the folder is empty, perhaps not mounted; its documents stay")
                    due = clock() + self._pace.sweep
                    continue
                fresh = False
                due = clock() + await self._act(view, ours, clock())

    async def _heard(self) -> AsyncGenerator[bool | None, None]:
        """Whether anything happened, at least every `settle` seconds; None when the folder is gone."""
        tick = max(1, int(self._pace.settle * 1000))
        changes = awatch(
            self._folder.path,
            watch_filter=None,
            debounce=tick,
            rust_timeout=tick,
            yield_on_timeout=True,
            force_polling=self._polling or None,
            poll_delay_ms=int(self._pace.retry * 1000),
            ignore_permission_denied=True,
        )
        root = str(self._folder.path)
        try:
            async with aclosing(changes):
                async for batch in changes:
                    yield None if (Change.deleted, root) in batch else bool(batch)
        except FileNotFoundError:
            yield None
        except (OSError, RuntimeError) as error:
            raise _Deaf from error

    def _ours(self) -> dict[str, str]:
        """Names and ids of the documents that came from this folder."""
        entries = (entry for entry in self._desk.documents() if entry.source.startswith(self._mark))
        return {entry.source.removeprefix(self._mark): entry.id for entry in entries}

    async def _act(self, view: View, ours: dict[str, str], now: float) -> float:
        """Do what is settled; the seconds after which to look again."""
        for name in self._troubles.keys() - view.skipped.keys() - view.files.keys() - {""}:
            self._troubles.pop(name)
        for name, why in view.skipped.items():
            self._trouble(name, why, _SKIPPED[why])
        unsettled = False
        try:
            for name in sorted(ours.keys() | view.files.keys() | self._done.keys()):
                file = view.files.get(name)
                if file is None and view.hides(name) or file is not None and self._done.get(name) == file:
                    continue
                if not self._still.settled(name, file, now):
                    unsettled = True
                elif file is None:
                    await self._remove(name, ours.get(name))
                else:
                    unsettled |= not await self._take(name, file)
        except KnowledgeUnavailable as error:
            self._trouble("", "unavailable", str(error))
            return self._pace.retry
        self._troubles.pop("", None)
        return self._pace.settle if unsettled else self._pace.sweep

    async def _remove(self, name: str, identifier: str | None) -> None:
        if identifier is not None:
            await self._desk.remove(identifier)
        self._done.pop(name, None)
        self._still.forget(name)

    async def _take(self, name: str, file: File) -> bool:
        """Take the file in; False when it changed meanwhile."""
        try:
            data = await asyncio.to_thread(self._folder.read, name, file)
            await self._desk.ingest(f"{self._mark}{name}", data)
        except Changed:
            return False
        except DocumentError as error:
            self._trouble(name, error.code, str(error))
        except OSError:
            self._trouble(name, "unreadable", _SKIPPED["unreadable"])
        else:
            self._troubles.pop(name, None)
        self._done[name] = file
        self._still.forget(name)
        return True

    def _trouble(self, name: str, code: str, message: str) -> None:
        trouble = Trouble(name, code, message)
        if self._troubles.get(name) == trouble:
            return
        self._troubles[name] = trouble
        log.warning("the watched folder is not taken in whole: %s", code)
        if self._report is not None:
            self._report(trouble)
