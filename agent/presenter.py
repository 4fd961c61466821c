"""The presenter: a persona with a mind and a voice, which every session shares, and how it decides what to say."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Protocol

from agent import briefing, followup, prompt, smalltalk
from agent.anticipation import Anticipation
from agent.events import Citation
from agent.evidence import HITS, Evidence, broadened
from agent.grounding import Checker, Grounding, Supported, Unsupported
from agent.guard import Guard
from agent.material import Mandate, Material
from agent.model import ChatModel, Message, ModelError
from agent.persona import Persona
from agent.replies import Composed, Considered, Curated, Errand, Line, Reply, Unchecked
from agent.situation import NOTHING, Situation
from agent.surroundings import surroundings
from agent.tools.tool import Source
from agent.tools.toolbox import Toolbox
from agent.verification import Verification
from avatar.markup import EmotionTag, GestureTag, stripped
from avatar.motion import EMOTIONS, GESTURES
from avatar.script import Mark, Phrase
from avatar.speech import Voice, VoiceError
from configs.language import LANGUAGES, Lang, detect
from configs.prompt import PromptSettings
from configs.settings import KnowledgeSettings, Limits
from knowledge.courtesy import core, parted
from knowledge.documents import Curated as CuratedAnswer
from knowledge.documents import Document, Hit, KnowledgeUnavailable, Retrieval

log = logging.getLogger(__name__)

_SHORT = 120
"""Characters of a question that is judged on the event loop, in about a millisecond; a longer one in a thread."""


class Knowledge(Protocol):
    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        """`also`: other wordings of the question."""
        ...

    async def document(self, identifier: str, revision: int | None = None) -> Document | None: ...


class Presenter:
    def __init__(
        self,
        persona: Persona,
        model: ChatModel,
        voice: Voice,
        knowledge: Knowledge,
        *,
        grounding: Grounding,
        guard: Guard,
        toolbox: Toolbox,
        limits: Limits,
        settings: KnowledgeSettings,
        prompts: PromptSettings,
    ) -> None:
        self.persona, self.model, self.voice, self.limits = persona, model, voice, limits
        self.guard, self.toolbox = guard, toolbox
        self._knowledge, self._grounding, self._prompts = knowledge, grounding, prompts
        self._anticipation: Anticipation | None = None
        self._passages, self._grounded, self._rewrite = settings.passages, settings.grounded, settings.rewrite
        self._verification = Verification(model, limits.first_token) if settings.verify == "model" else None

    def beside(self, guest: Source) -> "Presenter":
        """The same presenter in one conversation: with the client's tools in hand, and an ear for what is coming. To be
        left in the end."""
        presenter = copy(self)
        presenter.toolbox = self.toolbox.beside(guest)
        presenter._knowledge = presenter._anticipation = Anticipation(self._knowledge)
        return presenter

    def expect(self, question: str, history: Sequence[Message]) -> None:
        """It may be asked: its documents are looked for, unless that takes a model."""
        if self._anticipation is not None and self._rewrite != "model":
            told, asked = parted(core(question, self.persona.name[self.language(question, None)]))
            also = followup.rewrite(asked, (*history, *_said(told))) if self._rewrite == "rules" else ()
            self._anticipation.expect(asked, self._passages, also)

    async def leave(self) -> None:
        if self._anticipation is not None:
            await self._anticipation.aclose()

    def language(self, text: str, wanted: Lang | None) -> Lang:
        """The language to answer in: the client's wish, else the question's, else the persona's own."""
        return wanted or detect(text) or self.persona.language

    def opening(self, lang: Lang) -> Message:
        """What every prompt begins with, and no answer may give away."""
        return prompt.opening(self._mandate(lang), lang)

    async def consider(
        self, asked: str, lang: Lang, situation: Situation = NOTHING, *, errands: bool = True
    ) -> Considered:
        """Decide, before the model is asked, whether and from what to answer. `errands`: a tool may be the answer."""
        persona = self.persona
        if len(asked) > self.limits.question_characters:
            return Considered(Line(persona.too_long[lang], "refusal"), "")
        if not any(char.isalnum() for char in asked):
            return Considered(Line(persona.unclear[lang], "refusal"), asked)
        verdict = await self.guard.question(asked, lang, situation.history, minor=situation.minor)
        match verdict.action:
            case "block":
                return Considered(Line(verdict.text, "refusal", notice="moderated"), "")
            case "handover":
                return Considered(Line(verdict.text, "refusal", notice="handover"), "")
        question = verdict.text
        if (reply := self._offhand(question, lang, errands)) is not None:
            return Considered(reply, question)
        whole = core(question, self.persona.name[lang])
        told, alone = parted(whole)
        found = await self._looked_up(alone, lang, situation, told)
        if alone != whole and isinstance(found.reply, Line) and found.reply.refused:
            again = await self._looked_up(whole, lang, situation)
            found = replace(again, retrieval=(found.retrieval or 0.0) + (again.retrieval or 0.0))
        return replace(found, question=question)

    async def admitted(self, asked: str, lang: Lang, situation: Situation) -> str:
        """What may be remembered of words that somebody else answers; "" for nothing."""
        if not asked or len(asked) > self.limits.question_characters:
            return ""
        verdict = await self.guard.question(asked, lang, situation.history, minor=situation.minor)
        return "" if verdict.action in ("block", "handover") else verdict.text

    def _offhand(self, question: str, lang: Lang, errands: bool) -> Reply | None:
        """What needs no documents."""
        if errands and (call := self.toolbox.hear(question, lang)) is not None:
            return Errand(call)
        if (words := smalltalk.reply(question, lang, self.persona)) is not None:
            return Line(words, "greeting")
        if detect(question) is None and any(char.isalpha() for char in question):
            return Line(self.persona.other_language[lang], "refusal", refused=True)
        return None

    async def _looked_up(self, question: str, lang: Lang, situation: Situation, told: str = "") -> Considered:
        """`told`: what the user said besides in the same breath."""
        began = time.perf_counter()
        wordings = await self._wordings(question, (*situation.history, *_said(told)))
        try:
            async with asyncio.timeout(self.limits.retrieval):
                retrieval = await self._knowledge.search(question, self._passages, also=wordings)
                around = await self._around(retrieval)
        except (KnowledgeUnavailable, TimeoutError) as error:
            log.warning("knowledge base unavailable: %s", type(error).__name__)
            line = Line(self.persona.unavailable[lang], "apology", fault="knowledge_unavailable")
            return Considered(line, question)
        milliseconds = (time.perf_counter() - began) * 1000
        if retrieval.curated is not None:
            return Considered(_curated(retrieval.curated, retrieval), question, milliseconds)
        topic = self.persona.avoided(f"{told} {question}", [hit.passage.text for hit in retrieval.hits])
        if topic is not None:
            return Considered(Line(topic.instead[lang], "refusal", refused=True), question, milliseconds)
        standing = followup.standing(question, wordings)
        material = Material(
            standing,
            lang,
            hits=retrieval.hits[:HITS],
            surroundings=around,
            earlier=situation.passages,
            facts=situation.facts,
            summary=situation.summary,
            history=situation.history,
            whisper=situation.whisper,
        )
        if len(standing) <= _SHORT and self._prompts.size == "brief":
            reply = self._reply(material, retrieval)
        else:
            reply = await asyncio.to_thread(self._reply, material, retrieval)
        return Considered(await self._verified(reply, material, situation), question, milliseconds)

    async def _verified(self, reply: Reply, material: Material, situation: Situation) -> Reply:
        """The refusal in its place where the model itself finds no answer in the passages, and has nothing else."""
        if self._verification is None or not isinstance(reply, Composed) or not (self._grounded and reply.citations):
            return reply
        passages = "\n".join(hit.passage.text for hit in material.hits)
        judged = await self._verification.answered(material.question, passages, material.lang, situation.session)
        if judged.verdict != "no" or self._may_learn(material):
            return reply
        return Line(self.persona.refusal(material.lang), "refusal", refused=True)

    async def _wordings(self, question: str, history: Sequence[Message]) -> tuple[str, ...]:
        """What else to search for where the question leans on the dialogue."""
        match self._rewrite:
            case "off":
                return ()
            case "rules":
                return followup.rewrite(question, history)
            case "model":
                return await followup.model_rewrite(self.model, question, history)

    async def _around(self, retrieval: Retrieval) -> Mapping[str, str]:
        """The sections of the passages, for a model that is shown as much."""
        if self._prompts.size == "brief" or retrieval.curated is not None:
            return {}
        return await surroundings(self._knowledge, retrieval.hits[:HITS])

    def _reply(self, material: Material, retrieval: Retrieval) -> Reply:
        judged = self._grounding.judge(material.question, material.lang, retrieval)
        match judged:
            case Supported(evidence=evidence, sure=sure):
                refusal = None if sure else self.persona.refusal(material.lang)
                return self._answer(replace(material, text=evidence.text), evidence, refusal)
            case Unsupported(evidence=evidence) if self._grounded and self._may_learn(material):
                return self._answer(replace(material, hits=()), evidence, self.persona.refusal(material.lang))
            case Unsupported() if self._grounded:
                return Line(self.persona.refusal(material.lang), "refusal", refused=True)
            case Unsupported():
                return self._composed(material, Composed((), Unchecked()))

    def _answer(self, material: Material, evidence: Evidence, refusal: str | None) -> Composed:
        """From the documents, held to all of them that the model is shown, and to what an operator whispers."""
        if self._prompts.size == "full":
            evidence = broadened(evidence, material.hits, material.surroundings)
        check = Checker(evidence, material.question, material.lang, refusal) if self._grounded else Unchecked()
        check.learn([material.whisper] if material.whisper else [])
        return self._composed(material, Composed((), check, evidence.citations))

    def _composed(self, material: Material, composed: Composed) -> Composed:
        lang = material.lang
        shown = briefing.ordered(material.hits, material.earlier)
        return replace(
            composed,
            messages=prompt.compose(self._mandate(lang), material),
            passages=tuple(hit.passage.id for hit in shown),
            tools=self._prompts.size == "full" and bool(self.toolbox.offers(lang)),
        )

    def _may_learn(self, material: Material) -> bool:
        """Whether tools, or an operator, may tell a model what the documents do not."""
        return self._prompts.size == "full" and (self.toolbox.reaches_out or bool(material.whisper))

    def _mandate(self, lang: Lang) -> Mandate:
        """The model may tell its window late, and servers of tools what they have."""
        prompts = self._prompts.within(self.model.window)
        offers = self.toolbox.offers(lang) if prompts.size == "full" else ()
        return Mandate(self.persona, prompts, self._grounded, self.guard.canary, offers)

    async def warm(self) -> None:
        """Make the voice ready, and fill the model's prefix cache with what every prompt begins with. A greeting is
        taken apart, so that no question waits for the expressions to be read.

        A model or voice that cannot be reached yet is no reason not to start: a turn will tell.
        """
        await asyncio.to_thread(core, "您好, hello", self.persona.name[self.persona.language])
        try:
            async with asyncio.timeout(self.limits.first_audio):
                await self.voice.warm()
        except (VoiceError, TimeoutError) as error:
            log.warning("the voice is not warm yet: %s", str(error) or "out of time")
        try:
            for lang in LANGUAGES:
                async with asyncio.timeout(self.limits.first_token):
                    await self.model.warm((self.opening(lang),))
        except (ModelError, TimeoutError) as error:
            log.warning("the model is not warm yet: %s", str(error) or "out of time")


def _said(told: str) -> tuple[Message, ...]:
    return (Message("user", told),) if told else ()


def _curated(curated: CuratedAnswer, retrieval: Retrieval) -> Curated:
    """Names of emotions and gestures that the presenter has not are left out."""
    entry = curated.entry
    emotions = (Mark(0, EmotionTag(emotion)) for emotion in EMOTIONS if emotion == entry.emotion)
    gestures = (Mark(0, GestureTag(gesture)) for gesture in GESTURES if gesture == entry.gesture)
    return Curated(
        Phrase(stripped(entry.answer), (*emotions, *gestures)), curated.lang, tuple(map(_cited, retrieval.hits))
    )


def _cited(hit: Hit) -> Citation:
    one = hit.passage
    return Citation(one.document, one.title, one.source, one.text, one.place, one.revision)
