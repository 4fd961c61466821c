"""Engines that fail on purpose, and a presenter made of shipped engines without weights."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from agent.engines.scripted import Scripted, ScriptedOptions
from agent.grounding import Grounding
from agent.guard import Guard
from agent.model import PLAINLY, Ask, ChatModel, Message, ModelError, Part
from agent.persona import load as load_persona
from agent.presenter import Presenter
from agent.tools.builtin import built_in
from agent.tools.tool import Tool
from agent.tools.toolbox import Toolbox
from avatar.engines.tone import Tone, ToneOptions
from avatar.speech import Audio, SpeechPart, Utterance, Voice, VoiceError
from configs.home import Home
from configs.language import Lang
from configs.prompt import PromptSettings
from configs.safety import SafetySettings
from configs.settings import KnowledgeSettings, Limits
from configs.tools import ToolSettings
from knowledge.documents import Document, Hit, KnowledgeUnavailable, Passage, Place, Retrieval
from knowledge.ingest import Reading, read
from knowledge.parse import FileLimits

HOME = Home(Path("/dev/null/data"), Path("/dev/null/cache"))


def scripted(**options: object) -> Scripted:
    return Scripted(ScriptedOptions.model_validate(options), HOME)


def tone(**options: object) -> Tone:
    return Tone(ToneOptions.model_validate(options), HOME)


def presenter(
    model: ChatModel | None = None,
    voice: Voice | None = None,
    knowledge: "Facts | None" = None,
    limits: Limits | None = None,
    grounded: bool = True,
    settings: KnowledgeSettings | None = None,
    *,
    persona: str = "guide",
    guard: Guard | None = None,
    tools: Sequence[Tool] = (),
    prompts: PromptSettings | None = None,
) -> Presenter:
    """A whole presenter on the scripted model, the tone voice and two passages of the museum.

    Its guard has no moderators; `tools` come besides those that are built in.
    """
    known, who = knowledge or Facts(), load_persona(persona)
    toolbox = Toolbox(
        (*built_in(ToolSettings(), known), *tools), (*who.tools, *(tool.name for tool in tools)), ToolSettings()
    )
    return Presenter(
        who,
        model or scripted(),
        voice or tone(),
        known,
        grounding=Grounding(),
        guard=guard or Guard((), SafetySettings()),
        toolbox=toolbox,
        limits=limits or Limits(),
        settings=settings or KnowledgeSettings(grounded=grounded),
        prompts=prompts or PromptSettings(),
    )


class Facts:
    """A knowledge base of one passage a language: every question finds it, wholly covered."""

    TEXT: dict[Lang, str] = {
        "zh": "海港科学馆周二至周日上午9:30开馆，下午17:00闭馆，周一闭馆。成人票每张60元，儿童票每张30元。",
        "en": "Harbour Science Museum opens at 9:30 and closes at 17:00, Tuesday to Sunday. "
        "An adult ticket costs 60 yuan and a child ticket costs 30 yuan.",
    }

    async def document(self, identifier: str, revision: int | None = None) -> Document | None:
        return None

    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        lang: Lang = "en" if question.isascii() else "zh"
        text = self.TEXT[lang]
        place = Place(("票价" if lang == "zh" else "Tickets",), None, 0, len(text))
        passage = Passage(f"{lang}-1", lang, "参观指南" if lang == "zh" else "Visitor guide", text, place)
        return Retrieval(question, (Hit(passage, 2.0, 9.0, 1.0, 0.9),), {"lexical": 0.1})


class Unavailable(Facts):
    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        raise KnowledgeUnavailable("the library cannot be read")


class Hanging(Facts):
    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        await asyncio.Event().wait()
        raise AssertionError("never reached")


class HereReader:
    """Reads files in a thread of this process: for files of our own."""

    async def read(self, source: str, data: bytes) -> Reading:
        return await asyncio.to_thread(read, source, data, FileLimits())


class BreakingModel:
    """Says `text` a character at a time, then raises or, with `stalls`, says nothing more."""

    window = None

    def __init__(self, text: str = "", *, stalls: bool = False) -> None:
        self._text, self._stalls = text, stalls
        self.open = 0
        self.asked = 0

    async def stream(self, messages: Sequence[Part], ask: Ask = PLAINLY) -> AsyncGenerator[str, None]:
        self.open += 1
        self.asked += 1
        try:
            for char in self._text:
                yield char
            if self._stalls:
                await asyncio.Event().wait()
            raise ModelError("interrupted", "the server closed the stream")
        finally:
            self.open -= 1

    async def warm(self, messages: Sequence[Message]) -> None:
        pass

    async def aclose(self) -> None:
        pass


class BreakingVoice:
    """Fails the first `times` utterances it is asked for, then speaks as the tone voice does."""

    def __init__(
        self, times: int, *, stalls: bool = False, midway: bool = False, error: type[Exception] = VoiceError
    ) -> None:
        self._times, self._stalls, self._midway, self._error = times, stalls, midway, error
        self._tone = tone()
        self.open = 0

    @property
    def rate(self) -> int:
        return self._tone.rate

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        self.open += 1
        try:
            if self._times > 0:
                self._times -= 1
                if self._midway:
                    yield Audio(bytes(4800), self.rate)
                if self._stalls:
                    await asyncio.Event().wait()
                raise self._error("the voice is hoarse")
            async for part in self._tone.synthesize(utterance):
                yield part
        finally:
            self.open -= 1

    async def warm(self) -> None:
        pass

    async def aclose(self) -> None:
        pass
