"""A presenter of a small museum, made of shipped engines without weights, each of which can be broken for a turn."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from agent.engines.lexicon import Lexicon
from agent.guard import Guard
from agent.model import PLAINLY, Ask, ChatModel, Message, Part, ToolCall
from agent.moderation.findings import Finding, ModerationError
from agent.presenter import Presenter
from agent.tools.tool import Arguments, Context, Result
from avatar.speech import Audio, SpeechPart, Utterance, Voice
from configs.language import Lang, detect
from configs.prompt import PromptSettings
from configs.safety import SafetySettings
from configs.settings import Limits
from knowledge.documents import Hit, KnowledgeUnavailable, Passage, Place, Retrieval
from knowledge.lexical import question_terms, terms
from tests.doubles import HOME, BreakingVoice, Facts, presenter, scripted, tone

LIMITS = Limits(first_token=3, next_token=2, first_audio=3, next_audio=2, retrieval=2)
FACTS: Mapping[Lang, Mapping[str, str]] = {
    "zh": {
        "门票": "成人票每张60元。儿童票每张30元。学生票每张40元，凭学生证购买。",
        "开放时间": "科学馆周二至周日上午9:30开馆，下午17:00闭馆。周一闭馆。",
        "停车": "地下停车场有200个车位，停车每小时收费5元。",
        "球幕影院": "球幕影院每天放映六场，第一场电影10:30开始。每场电影放映40分钟，球幕影院有180个座位。",
        "餐厅": "餐厅在二楼，午餐从11:00供应到14:00。",
        "地铁": "乘地铁2号线到海港站，从C口出来，步行五分钟就到科学馆。",
        "储物柜": "储物柜在一楼大厅，一共有120个，免费使用。",
        "机器人": "机器人展厅在三楼，展出12台机器人，每天15:00有机器人表演。",
        "轮椅": "服务台可以免费借用轮椅，一共有15辆。",
        "志愿者": "志愿者须年满16岁，每年3月和9月报名。",
        "团体": "20人以上的团体门票打八折，须提前三天预约。",
        "纪念品": "纪念品商店在一楼出口旁边，17:30关门。",
    },
    "en": {
        "Tickets": "An adult ticket costs 60 yuan. A child ticket costs 30 yuan. "
        "A student ticket costs 40 yuan with a student card.",
        "Opening hours": "The museum opens at 9:30 and closes at 17:00, Tuesday to Sunday. It is closed on Mondays.",
        "Parking": "The underground car park has 200 places, and parking costs 5 yuan an hour.",
        "Dome theatre": "The dome theatre shows six films a day, and the first film begins at 10:30. "
        "Each film lasts 40 minutes, and the dome theatre has 180 seats.",
        "Restaurant": "The restaurant is on the second floor, and lunch is served from 11:00 to 14:00.",
        "Metro": "Take metro line 2 to Harbour station and leave by exit C, and the museum is a walk of five minutes.",
        "Lockers": "The lockers are in the hall on the first floor, there are 120 of them, and they are free.",
        "Robots": "The robot hall is on the third floor, shows 12 robots, and has a robot show at 15:00 every day.",
        "Wheelchairs": "The service desk lends 15 wheelchairs free of charge.",
        "Volunteers": "Volunteers must be at least 16 years old, and sign up in March or September.",
        "Groups": "Groups of 20 or more pay 80 percent of the ticket price, and book three days ahead.",
        "Souvenirs": "The souvenir shop is beside the exit on the first floor, and closes at 17:30.",
    },
}
Trouble = Literal["fails", "hangs"]


class Library(Facts):
    """Finds the passages that share words with the question, or fails. `trouble`: how."""

    trouble: Trouble | None = None

    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        match self.trouble:
            case "fails":
                raise KnowledgeUnavailable("the library cannot be read")
            case "hangs":
                await asyncio.Event().wait()
        lang = detect(question) or "en"
        wanted = [question_terms(text) for text in (question, *also)]
        found = []
        for title, text in FACTS[lang].items():
            has = set(terms(f"{title} {text}"))
            if (share := max(len(one & has) / len(one) for one in wanted)) >= 0.3:
                passage = Passage(f"{lang}-{title}", lang, title, text, Place((title,), None, 0, len(text)))
                found.append(Hit(passage, 3 * share, 9 * share, share, None))
        return Retrieval(question, tuple(sorted(found, key=lambda hit: -hit.score)[:count]), {})


class Mind:
    """The scripted model, or another one that takes its place for a turn."""

    window = None

    def __init__(self) -> None:
        self.usual: ChatModel = scripted(delay=0.4, pace=0.03)
        self.now = self.usual
        self.prompts: list[str] = []

    def stream(self, messages: Sequence[Part], ask: Ask = PLAINLY) -> AsyncGenerator[str | ToolCall, None]:
        self.prompts.append("\n".join(part.text for part in messages))
        return self.now.stream(messages, ask)

    async def warm(self, messages: Sequence[Message]) -> None:
        pass

    async def aclose(self) -> None:
        pass


class Throat:
    """The tone voice, or another one that takes its place for a turn."""

    def __init__(self) -> None:
        self.usual: Voice = tone(delay=0.1)
        self.now = self.usual

    @property
    def rate(self) -> int:
        return self.usual.rate

    def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        return self.now.synthesize(utterance)

    async def warm(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


class Halting(BreakingVoice):
    """Slower than it speaks, so that its listener waits between two stretches of sound."""

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        async for part in super().synthesize(utterance):
            await asyncio.sleep(0.8 if isinstance(part, Audio) else 0)
            yield part


class Watchman:
    """The lexicon that ships, or none that answers. `trouble`: how it fails."""

    def __init__(self) -> None:
        self._lexicon = Lexicon(Lexicon.Options(), HOME)
        self.trouble: Trouble | None = None

    async def judge(self, text: str, lang: Lang) -> tuple[Finding, ...]:
        match self.trouble:
            case "fails":
                raise ModerationError("unreachable", "no answer")
            case "hangs":
                await asyncio.Event().wait()
        return await self._lexicon.judge(text, lang)

    async def aclose(self) -> None:
        pass


class Weather:
    """A stranger's tool. `trouble`: "hangs" for ever; without it, it is only slow."""

    name, seconds = "weather", 3.0
    description: Mapping[Lang, str] = {"zh": "今天的天气。", "en": "Today's weather."}
    parameters: Mapping[str, object] = {"type": "object", "properties": {}, "additionalProperties": False}
    trouble: Trouble | None = None

    async def call(self, arguments: Arguments, context: Context) -> Result:
        if self.trouble is not None:
            await asyncio.Event().wait()
        await asyncio.sleep(2)
        return Result("今天海港多云，气温25度。" if context.lang == "zh" else "It is cloudy today, and 25 degrees.")


@dataclass(frozen=True)
class Breakage:
    """What takes the place of the model and the voice, and what is wrong with the rest."""

    name: str = ""
    model: ChatModel | None = None
    voice: Voice | None = None
    library: Trouble | None = None
    watchman: Trouble | None = None
    weather: Trouble | None = None


@dataclass
class Museum:
    """A presenter and the parts of it that can fail."""

    mind: Mind = field(default_factory=Mind)
    throat: Throat = field(default_factory=Throat)
    library: Library = field(default_factory=Library)
    watchman: Watchman = field(default_factory=Watchman)
    weather: Weather = field(default_factory=Weather)

    def presenter(self) -> Presenter:
        return presenter(
            self.mind,
            self.throat,
            self.library,
            LIMITS,
            guard=Guard((self.watchman,), SafetySettings()),
            tools=(self.weather,),
            prompts=PromptSettings(size="full"),
        )

    @contextmanager
    def broken(self, how: "Breakage") -> Iterator[None]:
        self.mind.now, self.throat.now = how.model or self.mind.usual, how.voice or self.throat.usual
        self.library.trouble, self.watchman.trouble, self.weather.trouble = how.library, how.watchman, how.weather
        try:
            yield
        finally:
            self.mind.now, self.throat.now = self.mind.usual, self.throat.usual
            self.library.trouble = self.watchman.trouble = self.weather.trouble = None
