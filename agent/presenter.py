"""The presenter: a persona with a mind and a voice, which every session shares, and how it decides what to say."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent import followup, prompt, smalltalk
from agent.events import Citation
from agent.grounding import Checker, Grounding, Supported, Unsupported
from agent.model import ChatModel, Message, ModelError
from agent.persona import Persona
from avatar.expression import Expression, Tone
from avatar.motion import EMOTIONS, GESTURES
from avatar.speech import Voice, VoiceError
from configs.language import LANGUAGES, Lang, detect
from configs.settings import KnowledgeSettings, Limits
from knowledge.documents import Curated as CuratedAnswer
from knowledge.documents import KnowledgeUnavailable, Retrieval

log = logging.getLogger(__name__)

_SHORT = 120
"""Characters of a question that is judged on the event loop, in about a millisecond; a longer one in a thread."""


class Knowledge(Protocol):
    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        """`also`: other wordings of the question."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """Words to say as they stand. `fault`: the stable code of what kept a real answer away."""

    text: str
    tone: Tone
    refused: bool = False
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Curated:
    """An answer of an editor's, to say word for word, and the row of the sheet that it stands in."""

    text: str
    lang: Lang
    expression: Expression
    citations: tuple[Citation, ...] = ()


class Check(Protocol):
    """What may be said of the model's answer: `feed` it piece by piece, `finish` at its end."""

    @property
    def closed(self) -> bool:
        """Nothing more of the model's will be said."""
        ...

    @property
    def refused(self) -> bool:
        """The documents were found not to say."""
        ...

    @property
    def origin(self) -> int | None:
        """Which citation bears out what was given last; None where none does."""
        ...

    def feed(self, piece: str) -> str | None: ...
    def finish(self) -> str | None: ...


class Unchecked:
    """Whatever the model says: for a presenter that may speak from the model's own knowledge."""

    closed = refused = False
    origin = None

    def feed(self, piece: str) -> str | None:
        return piece

    def finish(self) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer that the model is to write, what it is held to, and what it is written from."""

    messages: tuple[Message, ...]
    check: Check
    citations: tuple[Citation, ...]


Reply = Line | Curated | Composed


@dataclass(frozen=True, slots=True)
class Considered:
    """A reply, and the milliseconds that retrieval took (None: there was none)."""

    reply: Reply
    retrieval: float | None = None


class Presenter:
    def __init__(
        self,
        persona: Persona,
        model: ChatModel,
        voice: Voice,
        knowledge: Knowledge,
        grounding: Grounding,
        limits: Limits,
        settings: KnowledgeSettings,
    ) -> None:
        self.persona, self.model, self.voice, self.limits = persona, model, voice, limits
        self._knowledge, self._grounding = knowledge, grounding
        self._passages, self._grounded, self._rewrite = settings.passages, settings.grounded, settings.rewrite

    def language(self, text: str, wanted: Lang | None) -> Lang:
        """The language to answer in: the client's wish, else the question's, else the persona's own."""
        return wanted or detect(text) or self.persona.language

    async def consider(self, question: str, lang: Lang, history: Sequence[Message]) -> Considered:
        """Decide, before the model is asked, whether and from what to answer."""
        persona = self.persona
        if len(question) > self.limits.question_characters:
            return Considered(Line(persona.too_long[lang], "refusal"))
        if not any(char.isalnum() for char in question):
            return Considered(Line(persona.unclear[lang], "refusal"))
        if (words := smalltalk.reply(question, lang, persona)) is not None:
            return Considered(Line(words, "greeting"))
        if detect(question) is None and any(char.isalpha() for char in question):
            return Considered(Line(persona.other_language[lang], "refusal", refused=True))
        began = time.perf_counter()
        wordings = await self._wordings(question, history)
        try:
            async with asyncio.timeout(self.limits.retrieval):
                retrieval = await self._knowledge.search(question, self._passages, also=wordings)
        except (KnowledgeUnavailable, TimeoutError) as error:
            log.warning("knowledge base unavailable: %s", type(error).__name__)
            return Considered(Line(persona.unavailable[lang], "apology", fault="knowledge_unavailable"))
        milliseconds = (time.perf_counter() - began) * 1000
        if retrieval.curated is not None:
            return Considered(_curated(retrieval.curated, retrieval), milliseconds)
        asked = followup.standing(question, wordings)
        if len(asked) <= _SHORT:
            return Considered(self._reply(asked, lang, retrieval, history), milliseconds)
        reply = await asyncio.to_thread(self._reply, asked, lang, retrieval, history)
        return Considered(reply, milliseconds)

    async def _wordings(self, question: str, history: Sequence[Message]) -> tuple[str, ...]:
        """What else to search for where the question leans on the dialogue."""
        match self._rewrite:
            case "off":
                return ()
            case "rules":
                return followup.rewrite(question, history)
            case "model":
                return await followup.model_rewrite(self.model, question, history)

    def _reply(self, question: str, lang: Lang, retrieval: Retrieval, history: Sequence[Message]) -> Reply:
        judged = self._grounding.judge(question, lang, retrieval)
        match judged:
            case Supported(evidence=evidence, sure=sure):
                messages = prompt.compose(question, lang, evidence.text, self.persona, history)
                refusal = None if sure else self.persona.refusal(lang)
                check = Checker(evidence, question, lang, refusal) if self._grounded else Unchecked()
                return Composed(messages, check, evidence.citations)
            case Unsupported() if self._grounded:
                return Line(self.persona.refusal(lang), "refusal", refused=True)
            case Unsupported():
                return Composed(prompt.compose(question, lang, "", self.persona, history), Unchecked(), ())

    async def warm(self) -> None:
        """Make the voice ready, and fill the model's prefix cache with what every prompt begins with.

        A model or voice that cannot be reached yet is no reason not to start: a turn will tell.
        """
        try:
            async with asyncio.timeout(self.limits.first_audio):
                await self.voice.warm()
        except (VoiceError, TimeoutError) as error:
            log.warning("the voice is not warm yet: %s", str(error) or "out of time")
        try:
            for lang in LANGUAGES:
                async with asyncio.timeout(self.limits.first_token):
                    await self.model.warm((prompt.system(lang, self.persona),))
        except (ModelError, TimeoutError) as error:
            log.warning("the model is not warm yet: %s", str(error) or "out of time")


def _curated(curated: CuratedAnswer, retrieval: Retrieval) -> Curated:
    """Names of emotions and gestures that the presenter has not are left out."""
    entry = curated.entry
    emotion = next((emotion for emotion in EMOTIONS if emotion == entry.emotion), None)
    gesture = next((gesture for gesture in GESTURES if gesture == entry.gesture), None)
    cited = tuple(
        Citation(one.document, one.title, one.source, one.text, one.place, one.revision)
        for one in (hit.passage for hit in retrieval.hits)
    )
    return Curated(entry.answer, curated.lang, Expression(emotion, gesture), cited)
