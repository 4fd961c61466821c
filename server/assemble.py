"""The composition root: settings in, a running service out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

from agent.grounding import Grounding
from agent.persona import Persona
from agent.persona import load as load_persona
from agent.presenter import Presenter
from configs.engines import ConfigError, EngineSpec, Kind, build, reason
from configs.home import Home
from configs.settings import Settings
from knowledge.base import KnowledgeBase
from knowledge.parse import FileLimits
from knowledge.sample import sample_documents
from knowledge.store import VectorStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """`serving`: questions are taken. `ready`: and every part is well."""

    serving: bool
    ready: bool
    report: dict[str, Any]


class Service:
    """Everything one process serves with: built once from settings, opened in the background, closed at the end.

    `close` closes what there is of it, also after an `open` that failed or was cancelled.
    """

    def __init__(self, settings: Settings, home: Home) -> None:
        self.settings, self.home = settings, home
        self.failed: str | None = None
        self._presenter: Presenter | None = None
        self._knowledge: KnowledgeBase | None = None
        self._persona: Persona = load_persona(settings.persona)
        self._parts = AsyncExitStack()

    @property
    def presenter(self) -> Presenter:
        if self._presenter is None:
            raise RuntimeError("the service is not open yet")
        return self._presenter

    @property
    def knowledge(self) -> KnowledgeBase:
        if self._knowledge is None:
            raise RuntimeError("the service is not open yet")
        return self._knowledge

    @property
    def rate(self) -> int:
        return self._presenter.voice.rate if self._presenter else 0

    @property
    def introduction(self) -> dict[str, Any]:
        """What a client may know of the persona before the first question."""
        persona = self._persona
        return {part: getattr(persona, part).model_dump(mode="json") for part in ("name", "greeting", "suggestions")}

    async def open(self) -> None:
        """Build every engine off the event loop, side by side. Raises ConfigError that says what could not be."""
        try:
            await self._open()
        except* (ConfigError, RuntimeError, OSError) as group:
            self.failed = "; ".join(str(error) for error in _leaves(group))
        except* Exception as group:  # noqa: BLE001 - a stranger's engine may raise anything
            log.exception("the service cannot be opened")
            self.failed = "; ".join(reason(error) for error in _leaves(group))
        if self.failed is not None:
            raise ConfigError(self.failed)

    async def _open(self) -> None:
        settings = self.settings
        async with asyncio.TaskGroup() as tasks:
            knowledge = tasks.create_task(self._open_knowledge())
            model = tasks.create_task(self._build("models", settings.model, _aclose))
            voice = tasks.create_task(self._build("voices", settings.voice, _aclose))
        self._knowledge = knowledge.result()
        presenter = Presenter(
            self._persona,
            model.result(),
            voice.result(),
            self._knowledge,
            Grounding(),
            settings.limits,
            settings.knowledge,
        )
        await presenter.warm()
        self._presenter = presenter
        log.info("ready: %d documents", len(self._knowledge.documents()))

    async def _open_knowledge(self) -> KnowledgeBase:
        embedder = await self._build("embedders", self.settings.embedder, _nothing)
        store = await self._build("stores", self.settings.store, _close)
        knowledge = KnowledgeBase(self.home.data, embedder, store, FileLimits(size=self.settings.server.upload_bytes))
        self._parts.push_async_callback(knowledge.close)
        await knowledge.open()
        if self.settings.knowledge.sample and not knowledge.documents():
            for name, data in sample_documents():
                await knowledge.ingest(name, data)
        return knowledge

    async def _build(self, kind: Kind, spec: EngineSpec, close: Callable[[Any], Awaitable[None]]) -> Any:
        """A thread cannot be stopped: what it builds is closed with the service even if nobody waits for it."""
        building = asyncio.create_task(asyncio.to_thread(build, kind, spec, self.home))

        async def end() -> None:
            with suppress(ConfigError):
                await close(await building)

        self._parts.push_async_callback(end)
        return await asyncio.shield(building)

    def readiness(self) -> Readiness:
        if self.failed is not None:
            return Readiness(False, False, {"status": "failed", "reason": self.failed})
        if self._presenter is None or self._knowledge is None:
            return Readiness(False, False, {"status": "starting"})
        state = self._knowledge.state()
        report = {
            "status": "degraded" if state.trouble else "ready",
            "knowledge": {
                "documents": state.documents,
                "passages": state.passages,
                "vectors_pending": state.pending,
                "trouble": state.trouble,
            },
        }
        return Readiness(True, state.trouble is None, report)

    async def close(self) -> None:
        """Close every part, the last one first, even if one of them raises."""
        await self._parts.aclose()


async def _aclose(engine: Any) -> None:
    await engine.aclose()


async def _close(store: VectorStore) -> None:
    await asyncio.to_thread(store.close)


async def _nothing(_: Any) -> None:
    """An embedder holds nothing that is to be closed."""


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
