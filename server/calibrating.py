"""Each knowledge base's own measure of "do I know this?", fitted on it in the background when its documents change."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary, WeakSet

from agent.calibration import recalibrate, recall
from agent.grounding import Grounding
from configs.background import started
from configs.settings import Settings
from knowledge.base import KnowledgeBase
from knowledge.bases import Bases, UnknownBase
from knowledge.documents import KnowledgeUnavailable

log = logging.getLogger(__name__)

_EDITION = "calibrated"
"""The note that says for which edition, and by whose vectors, a base was calibrated last."""
_LOOK = 5.0
"""Seconds between two looks, and how long a base must have been at rest."""


@asynccontextmanager
async def calibrating(bases: Bases, settings: Settings) -> AsyncIterator[None]:
    """What was fitted before holds from the start, and what is fitted meanwhile from then on."""
    task = started(_calibrate(bases, settings), "calibrating")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _calibrate(bases: Bases, settings: Settings) -> None:
    recalled: WeakSet[KnowledgeBase] = WeakSet()
    seen: WeakKeyDictionary[KnowledgeBase, str] = WeakKeyDictionary()
    tried: WeakKeyDictionary[KnowledgeBase, str] = WeakKeyDictionary()
    while True:
        for name in bases.names():
            try:
                base = bases.get(name)
                if base.closed:
                    continue
                if base not in recalled:
                    await recall(base)
                    recalled.add(base)
                mark = _mark(base)
                at_rest, seen[base] = seen.get(base) == mark, mark
                if settings.knowledge.calibrate and at_rest and tried.get(base) != mark and await _due(base):
                    tried[base] = mark
                    await fit(base, settings)
            except (KnowledgeUnavailable, UnknownBase) as error:
                log.warning("knowledge base %s is not calibrated: %s", name, error)
            except Exception:
                log.exception("knowledge base %s is not calibrated", name)
        await asyncio.sleep(_LOOK)


async def _due(base: KnowledgeBase) -> bool:
    state = base.state()
    complete = not (state.pending or state.sentences or state.trouble)
    return complete and state.documents > 0 and await base.note(_EDITION) != _mark(base)


async def fit(base: KnowledgeBase, settings: Settings) -> None:
    """Ask the base its own sentences and keep the threshold. Raises KnowledgeUnavailable."""
    mark = _mark(base)
    found = await recalibrate(base, Grounding(), settings.knowledge.passages)
    await base.set_note(_EDITION, mark)
    log.info("knowledge base %s answers from a support of %.2f (%d questions)", base.name, found.enough, found.asked)


def _mark(base: KnowledgeBase) -> str:
    return f"{base.state().edition} {base.embedder}"
