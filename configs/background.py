"""Tasks that nobody waits for while they run: how they end is told in the log."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


def started(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A running task whose owner cancels and awaits it; an error that ends it before is logged at once."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell)
    return task


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s has ended", task.get_name(), exc_info=error)
