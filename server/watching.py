"""The folders whose documents are those of a knowledge base, followed while the server runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from configs.background import started
from configs.engines import ConfigError
from configs.settings import Settings, WatchSettings
from knowledge.base import KnowledgeBase
from knowledge.bases import Bases, UnknownBase
from knowledge.documents import DocumentError
from knowledge.parse import FileLimits
from knowledge.watch import Trouble, Watch

log = logging.getLogger(__name__)


def watch(followed: WatchSettings, base: KnowledgeBase, settings: Settings, report: Callable[[Trouble], None]) -> Watch:
    """The folder's name goes before its documents' sources: several folders can fill one base."""
    limits = FileLimits(size=settings.server.upload_bytes)
    return Watch(followed.folder, base, mark=followed.folder.name, limits=limits, report=report)


def uploaded(name: str | None, base: str, settings: Settings) -> str:
    """An uploaded file's name. Raises DocumentError `watched` for one that would pass for a watched folder's."""
    given = name or "upload"
    mark, colon, _ = given.partition(":")
    if colon and any(followed.base == base and followed.folder.name == mark for followed in settings.knowledge.watch):
        raise DocumentError("watched", f"{mark}: is how files of the watched folder {mark} are called; rename the file")
    return given


@asynccontextmanager
async def watching(bases: Bases, settings: Settings) -> AsyncIterator[None]:
    """Follow every folder of the settings. Raises ConfigError for a base that is not there."""
    try:
        watches = [watch(each, bases.get(each.base), settings, _log) for each in settings.knowledge.watch]
    except UnknownBase as error:
        raise ConfigError(f"knowledge.watch: {error}") from error
    tasks = [started(each.run(), "watching a folder") for each in watches]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _log(trouble: Trouble) -> None:
    log.warning("a watched folder: %s", trouble.code)
