"""`python -m tests.agent.voice_to_voice`: from the user's last sound to the answer's first, in virtual time.

The stages take what they are declared to: a turn's end 300 ms at most, retrieval 80, the model 450, the voice 250; the
ear is the real one, its detector reads frames of 32 ms. `steady`: each takes all of its budget, every time; else
between half of it and all.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache

from agent.events import Speech, SpeechStopped
from agent.model import Ask, ChatModel, Part, ToolCall
from avatar.speech import SpeechPart, Utterance, Voice
from configs.language import LANGUAGES, Lang
from configs.listening import ListeningSettings
from knowledge.documents import Retrieval
from tests import virtual
from tests.agent.hearing import CHUNK, Caller
from tests.agent.interrupting import percentile
from tests.doubles import Facts, presenter, scripted, tone

TURN_END, RETRIEVAL, MODEL, VOICE = 0.3, 0.08, 0.45, 0.25
RECOGNISER = 0.05
"""Seconds: one that has understood while it was listening."""
QUESTIONS: dict[Lang, tuple[str, ...]] = {
    "zh": (
        *("科学馆几点开门？", "门票多少钱一张？", "儿童票怎么卖？", "机器人展厅在几楼？", "你们星期一开放吗？"),
        *("停车场怎么走？", "馆里有没有餐厅？", "请介绍一下天文馆。", "今天有什么表演？", "可以带宠物进去吗？"),
        *(
            "老人有优惠吗？",
            "为什么天空是蓝色的？",
            "哪里可以存包？",
            "讲解什么时候开始？",
            "我们想看恐龙化石",
            "我要两张成人票",
        ),
    ),
    "en": (
        *(
            "When does the museum open?",
            "How much is a ticket?",
            "Where is the robot hall?",
            "Are you open on Mondays?",
        ),
        *("Is there a restaurant inside?", "Tell me about the planetarium.", "Can I take pictures here?"),
        *("What shows are on today?", "Do you have a family ticket?", "How long does the tour take?"),
        *("Why is the sky blue?", "Where can I leave my bag?", "Is the museum accessible by wheelchair?"),
        *("Which floor is the cafe on?", "We came to see the dinosaurs", "Two adult tickets"),
    ),
}
Lasting = Callable[[float], float]
"""How long a stage takes that has so many seconds."""


class SlowFacts(Facts):
    def __init__(self, lasting: Lasting) -> None:
        self._lasting = lasting

    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        await asyncio.sleep(self._lasting(RETRIEVAL))
        return await super().search(question, count, also=also)


class SlowModel:
    window = None

    def __init__(self, model: ChatModel, lasting: Lasting) -> None:
        self._model, self._lasting, self.begun = model, lasting, 0

    async def stream(self, messages: Sequence[Part], ask: Ask) -> AsyncGenerator[str | ToolCall, None]:
        self.begun += 1
        await asyncio.sleep(self._lasting(MODEL))
        async for one in self._model.stream(messages, ask):
            yield one

    async def warm(self, messages: Sequence[Part]) -> None: ...
    async def aclose(self) -> None: ...


class SlowVoice:
    def __init__(self, voice: Voice, lasting: Lasting) -> None:
        self._voice, self._lasting, self.rate = voice, lasting, voice.rate

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        await asyncio.sleep(self._lasting(VOICE))
        async for one in self._voice.synthesize(utterance):
            yield one

    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class Answered:
    """Seconds from the user's last sound."""

    turn_end: float
    sound: float


_presenter = cache(presenter)


async def _answered(text: str, lasting: Lasting, settings: ListeningSettings, offset: float) -> Answered:
    by = copy(_presenter(grounded=False))
    by._knowledge = SlowFacts(lasting)
    by.model, by.voice = SlowModel(scripted(), lasting), SlowVoice(tone(), lasting)
    caller = Caller(by=by, settings=settings, delay=RECOGNISER, reports=None)
    await caller.quiet(0.1 + offset)
    await caller.say(text, 0.25 * (len(text) if not text.isascii() else len(text.split())), 0.0)
    ended = caller.now
    async with asyncio.timeout(10):
        while not caller.events(Speech):
            await caller.quiet(CHUNK)
    at = {type(one.event): one.at - ended for one in reversed(caller.told)}
    await caller.leave()
    return Answered(at[SpeechStopped], at[Speech])


def answered(lang: Lang, *, steady: bool, settings: ListeningSettings | None = None, rounds: int = 2) -> list[Answered]:
    """Each question, said at `rounds` instants that are not in step with the detector's frames."""
    chance = random.Random(7)
    lasting: Lasting = float if steady else lambda seconds: seconds * chance.uniform(0.5, 1)
    told = settings or ListeningSettings()
    return [
        virtual.run(_answered(text, lasting, told, chance.uniform(0, 0.1)))
        for _ in range(rounds)
        for text in QUESTIONS[lang]
    ]


def main() -> None:
    off, eager = ListeningSettings(anticipate=False), ListeningSettings(speculate=True)
    ways = (
        ("as shipped, stages of half to all", False, ListeningSettings()),
        ("as shipped, stages of all", True, ListeningSettings()),
        ("anticipate: false, stages of all", True, off),
        ("speculate: true, stages of all", True, eager),
    )
    print("milliseconds from the user's last sound          | turn end p50  p95 | first sound p50   p95")
    for lang in LANGUAGES:
        for name, steady, settings in ways:
            told = answered(lang, steady=steady, settings=settings)
            ends, sounds = [one.turn_end for one in told], [one.sound for one in told]
            figures = [1000 * percentile(those, share) for those in (ends, sounds) for share in (0.5, 0.95)]
            print(f"{lang} {name:45} | {figures[0]:12.0f} {figures[1]:4.0f} | {figures[2]:15.0f} {figures[3]:5.0f}")


if __name__ == "__main__":
    main()
