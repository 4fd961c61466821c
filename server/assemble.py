"""The composition root: settings in, a running service out."""

import asyncio
import logging
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

from agent.audit import Audit, Entry, fingerprint
from agent.chain import Chain
from agent.desk import Desk
from agent.grounding import Grounding
from agent.listening import Ears
from agent.memory.memories import Memories
from agent.model import ChatModel
from agent.persona import Persona
from agent.persona import load as load_persona
from agent.presenter import Presenter
from agent.several import Several
from avatar.labels import Producer
from avatar.loudness import Levelled
from avatar.remembered import Remembered
from avatar.speech import Voice
from configs.engines import ConfigError, reason
from configs.home import Home
from configs.settings import Settings
from knowledge.bases import MAIN, Bases, Named
from knowledge.sample import sample_documents
from server.building import aclose, built
from server.calibrating import calibrating
from server.equipment import Equipment, equipped
from server.listening import Listening, listening
from server.recording import LOG
from server.remembering import remembering
from server.stock import opened
from server.vocabulary import Vocabulary
from server.watching import watching

log = logging.getLogger(__name__)

_INTRODUCED = ("name", "greeting", "suggestions")


@dataclass(frozen=True, slots=True)
class Readiness:
    """`serving`: questions are taken. `ready`: and every part is well."""

    serving: bool
    ready: bool
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Parts:
    bases: Bases
    model: ChatModel
    voice: Voice
    equipment: Equipment
    memories: Memories
    listening: Listening
    vocabulary: Vocabulary


class Service:
    """Everything one process serves with: built once from settings, opened in the background, closed at the end.

    `close` closes what there is of it, also after an `open` that failed or was cancelled.
    """

    def __init__(self, settings: Settings, home: Home) -> None:
        self.settings, self.home = settings, home
        self.persona: Persona = load_persona(settings.persona)
        self.audit = Audit(Chain(home.data / LOG))
        self.desk = Desk(self.audit, settings.conduct.grace)
        self.producer = Producer.of(settings.labels)
        self.failed: str | None = None
        self._parts: _Parts | None = None
        self._undo = AsyncExitStack()

    @property
    def bases(self) -> Bases:
        return self._opened.bases

    @property
    def listening(self) -> Listening:
        return self._opened.listening

    @property
    def vocabulary(self) -> Vocabulary:
        return self._opened.vocabulary

    def ears_for(self, *bases: str, first: Sequence[str] = ()) -> Ears:
        """For users who are answered from these knowledge bases: what is written there is likely to be spoken of,
        after what their client says of itself."""
        parts = self._opened
        known = parts.vocabulary.of(*bases)
        return parts.listening.expecting(lambda: list(dict.fromkeys((*first, *known()))))

    def words_for(self, *bases: str) -> Sequence[str]:
        """What users who speak of these knowledge bases are likely to say."""
        return self._opened.vocabulary.of(*bases)()

    @property
    def voice(self) -> Voice:
        return self._opened.voice

    @property
    def rate(self) -> int:
        return self._parts.voice.rate if self._parts else 0

    @property
    def introduction(self) -> dict[str, Any]:
        """What a client may know of the persona before the first question."""
        return {part: getattr(self.persona, part).model_dump(mode="json") for part in _INTRODUCED}

    @property
    def memories(self) -> Memories:
        return self._opened.memories

    def presenter_for(self, *bases: str) -> Presenter:
        """The presenter who answers from these knowledge bases. Raises UnknownBase."""
        return self._presenter(self._opened, bases)

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
        settings, home, undo = self.settings, self.home, self._undo
        await undo.enter_async_context(self.audit)
        self.audit.record(_started(settings, self.persona))
        undo.push_async_callback(self.desk.close)
        async with asyncio.TaskGroup() as tasks:
            model = tasks.create_task(built(undo, "models", settings.model, home, aclose))
            knowledge = tasks.create_task(self._open_knowledge(model))
            voice = tasks.create_task(built(undo, "voices", settings.voice, home, aclose))
            equipment = tasks.create_task(equipped(undo, settings, home, self.audit))
            hearing = tasks.create_task(listening(undo, settings, home))
        bases = knowledge.result()
        memories = await undo.enter_async_context(remembering(settings, home, model.result(), bases.embedding))
        levelled = Levelled(voice.result(), settings.speaking.loudness)
        spoken = Remembered(levelled, settings.limits.speech_bytes)
        vocabulary = Vocabulary(bases, (settings.listening.names + 1) // 2)
        undo.push_async_callback(vocabulary.aclose)
        parts = _Parts(bases, model.result(), spoken, equipment.result(), memories, hearing.result(), vocabulary)
        await self._presenter(parts, (MAIN,)).warm()
        await undo.enter_async_context(watching(parts.bases, settings))
        await undo.enter_async_context(calibrating(parts.bases, settings))
        self._parts = parts
        log.info("ready: %d knowledge bases", len(parts.bases.names()))

    async def _open_knowledge(self, model: Awaitable[ChatModel]) -> Bases:
        bases = await self._undo.enter_async_context(opened(self.settings, self.home, model))
        main = bases.get(MAIN)
        if self.settings.knowledge.sample and not main.documents():
            await main.publish(list(sample_documents()), note="sample documents", ahead=False)
        return bases

    def _presenter(self, parts: _Parts, names: Sequence[str]) -> Presenter:
        settings = self.settings
        bases = [Named(parts.bases, name) for name in names]
        knowledge = bases[0] if len(bases) == 1 else Several(bases)
        return Presenter(
            self.persona,
            parts.model,
            parts.voice,
            knowledge,
            grounding=Grounding(),
            guard=parts.equipment.guard,
            toolbox=parts.equipment.toolbox(self.persona.tools, knowledge),
            limits=settings.limits,
            settings=settings.knowledge,
            prompts=settings.prompt,
        )

    @property
    def _opened(self) -> _Parts:
        if self._parts is None:
            raise RuntimeError("the service is not open yet")
        return self._parts

    def readiness(self) -> Readiness:
        """`report["knowledge"]` tells of each base by its name, `memory` and `audit` of what could not be written."""
        if self.failed is not None:
            return Readiness(False, False, {"status": "failed", "reason": self.failed})
        if self._parts is None:
            return Readiness(False, False, {"status": "starting"})
        bases = self._parts.bases
        states = {name: bases.get(name).state() for name in bases.names()}
        memory, audit = self._parts.memories.state(), self.audit.state()
        well = all(
            trouble is None for trouble in (*(one.trouble for one in states.values()), memory.trouble, audit.trouble)
        )
        knowledge = {
            name: {
                "embedder": bases.get(name).embedder,
                "documents": state.documents,
                "passages": state.passages,
                "vectors_pending": state.pending,
                "sentences_pending": state.sentences,
                "edition": state.edition,
                "trouble": state.trouble,
            }
            for name, state in states.items()
        }
        report = {
            "status": "ready" if well else "degraded",
            "knowledge": knowledge,
            "memory": asdict(memory),
            "audit": asdict(audit),
        }
        return Readiness(True, well, report)

    async def close(self) -> None:
        """Close every part, the last one first, even if one of them raises."""
        await self._undo.aclose()


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _started(settings: Settings, persona: Persona) -> Entry:
    """What is in force from now on, by its sha256: a change of settings or persona shows as another one."""
    shown = settings.model_dump_json(), persona.model_dump_json()
    configured, spoken = (str(fingerprint(text)["sha256"]) for text in shown)
    return Entry(
        "presenter", "started", detail={"profile": settings.profile, "settings": configured, "persona": spoken}
    )
