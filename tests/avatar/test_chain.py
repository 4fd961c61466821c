"""A chain of voices: the next one speaks where the first fails, between sentences, and nothing is said twice."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

from agent.commands import Say
from agent.events import Event, Fault, Motion, SentenceEnded, SentenceStarted, Speech, TextDelta, TurnEnded
from agent.turn import Turn
from avatar.engines.chain import Breaker, Chain, ChainOptions
from avatar.speech import Audio, SpeechPart, UnknownVoice, Utterance, Voice, VoiceError, WordSpan
from configs.engines import ConfigError, EngineSpec, Options, options_of
from tests import virtual
from tests.doubles import HOME, Facts, presenter, scripted

SENTENCES = [Utterance("你好。", "zh"), Utterance("Good morning.", "en")]


class ScriptOptions(Options):
    """`name`: of the voice, which says its number in its samples. `plan`: of each sentence it is asked for, what it
    does; the last one goes on for ever."""

    name: int
    plan: tuple[str, ...] = ("ok",)
    rate: int = 24000
    knows: str = ""


class Script:
    """A voice that does what its plan says, and notes what it was asked."""

    Options = ScriptOptions
    made: ClassVar[dict[int, "Script"]] = {}

    def __init__(self, options: ScriptOptions, home: object) -> None:
        self.options, self.asked = options, list[Utterance]()
        self.made[options.name] = self

    @property
    def rate(self) -> int:
        return self.options.rate

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        if utterance.voice not in (None, self.options.knows):
            raise UnknownVoice(f"there are {self.options.knows}")
        self.asked.append(utterance)
        plan = self.options.plan
        does = plan[min(len(self.asked), len(plan)) - 1]
        yield WordSpan(str(self.options.name), 0.0, 0.5)
        if does == "hangs":
            await asyncio.sleep(3600)
        if does == "fails":
            raise VoiceError("hoarse")
        if does == "breaks":
            raise ZeroDivisionError
        for part in range(5):
            if part == 2 and does == "fails midway":
                raise VoiceError("hoarse")
            if part == 2 and does == "hangs midway":
                await asyncio.sleep(3600)
            await asyncio.sleep(0.01)
            yield Audio(bytes([0, self.options.name]) * (self.rate // 10), self.rate)

    async def warm(self) -> None:
        if self.options.plan[0] == "fails":
            raise VoiceError("hoarse")

    async def aclose(self) -> None:
        self.asked.clear()


@contextmanager
def offered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point = EntryPoint("script", f"{__name__}:Script", "zhubo.voices")
    monkeypatch.setattr("configs.engines.installed", lambda kind: {"script": point, "chain": point})
    yield


@pytest.fixture(autouse=True)
def _offered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with offered(monkeypatch):
        yield


def chain(*plans: tuple[str, ...], **options: object) -> Chain:
    voices = [{"engine": "script", "options": {"name": n, "plan": list(plan)}} for n, plan in enumerate(plans, 1)]
    return Chain(ChainOptions.model_validate({"voices": voices, **options}), HOME)


@dataclass
class Heard:
    words: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""
    waited: float = 0.0


async def said(voice: Voice, utterance: Utterance = SENTENCES[0]) -> Heard:
    heard, clock = Heard(), asyncio.get_running_loop().time
    began = clock()
    try:
        async with aclosing(voice.synthesize(utterance)) as parts:
            async for part in parts:
                match part:
                    case WordSpan(text):
                        heard.words.append(text)
                    case Audio():
                        heard.waited = heard.waited or clock() - began
                        heard.seconds += part.seconds
    except VoiceError as error:
        heard.error = str(error)
    return heard


def run(work: Coroutine[None, None, None]) -> None:
    virtual.run(work)


@pytest.mark.parametrize("utterance", SENTENCES, ids=["zh", "en"])
@pytest.mark.parametrize("fault", ["fails", "breaks"])
def test_a_voice_that_fails_before_its_sound_is_replaced_at_once(utterance: Utterance, fault: str) -> None:
    async def conversation() -> None:
        heard = await said(chain((fault,), ("ok",)), utterance)
        assert heard.words == ["2"] and heard.error == "" and heard.seconds == pytest.approx(0.5)
        assert heard.waited < 0.1

    run(conversation())


def test_a_voice_that_says_nothing_is_waited_for_only_so_long() -> None:
    async def conversation() -> None:
        heard = await said(chain(("hangs",), ("ok",), first_audio=1.5))
        assert heard.words == ["2"] and heard.waited == pytest.approx(1.51, abs=0.05)

    run(conversation())


@pytest.mark.parametrize("fault", ["fails midway", "hangs midway"])
def test_a_sentence_that_broke_off_is_not_begun_again_and_the_next_one_is_whole(fault: str) -> None:
    async def conversation() -> None:
        voice = chain((fault, "ok"), ("ok",), failures=1)
        first = await said(voice, SENTENCES[0])
        assert first.words == ["1"] and first.error and first.seconds == pytest.approx(0.2, abs=0.011)
        second = await said(voice, SENTENCES[1])
        assert second.words == ["2"] and second.error == ""
        assert [asked.text for asked in Script.made[2].asked] == [SENTENCES[1].text]

    run(conversation())


def test_after_so_many_failures_a_voice_rests_and_is_then_tried_with_one_sentence() -> None:
    async def conversation() -> None:
        voice = chain(("fails", "fails", "fails", "fails", "ok"), ("ok",), failures=3, rest=30)
        for _ in range(5):
            assert (await said(voice)).words == ["2"]
        assert len(Script.made[1].asked) == 3 and voice.resting() == ["script"]
        await asyncio.sleep(31)
        assert (await said(voice)).words == ["2"], "the trial failed: the sentence is said by the other one"
        assert (await said(voice)).words == ["2"]
        assert len(Script.made[1].asked) == 4
        await asyncio.sleep(31)
        assert (await said(voice)).words == ["1"] and voice.resting() == []
        assert len(Script.made[1].asked) == 5

    run(conversation())


def test_while_one_sentence_is_the_trial_no_other_is() -> None:
    async def conversation() -> None:
        voice = chain(("fails", "ok"), ("ok",), failures=1, rest=1)
        await said(voice)
        await asyncio.sleep(2)
        together = await asyncio.gather(*(said(voice) for _ in range(4)))
        assert sorted(heard.words[0] for heard in together) == ["1", "2", "2", "2"]

    run(conversation())


def test_one_success_forgives_the_failures_before_it() -> None:
    async def conversation() -> None:
        voice = chain(("fails", "fails", "ok", "fails", "fails", "ok"), ("ok",), failures=3)
        assert [(await said(voice)).words[0] for _ in range(6)] == ["2", "2", "1", "2", "2", "1"]

    run(conversation())


def test_an_interruption_is_no_failure_and_ends_a_trial() -> None:
    async def conversation() -> None:
        voice = chain(("fails", "ok"), ("ok",), failures=1, rest=1)
        await said(voice)
        await asyncio.sleep(2)
        async with aclosing(voice.synthesize(SENTENCES[0])) as parts:
            assert await anext(parts) == WordSpan("1", 0.0, 0.5)
        assert (await said(voice)).words == ["1"]

    run(conversation())


def test_when_all_are_dead_the_error_says_who_and_why_and_soon_comes_at_once() -> None:
    async def conversation() -> None:
        voice = chain(("hangs",), ("fails",), failures=2, first_audio=1.0)
        first = await said(voice)
        assert "nothing for 1 s" in first.error and "hoarse" in first.error and first.words == []
        await said(voice)
        before = asyncio.get_running_loop().time()
        assert "rests" in (await said(voice)).error
        assert asyncio.get_running_loop().time() == before

    run(conversation())


def test_the_last_voice_is_waited_for_and_counted_when_nobody_waits_any_longer() -> None:
    async def conversation() -> None:
        voice = chain(("fails",), ("hangs",), failures=1, first_audio=1.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4):
                await said(voice)
        assert voice.resting() == ["script", "script"]

    run(conversation())


def test_a_name_is_for_the_voice_that_knows_it_and_others_speak_as_themselves() -> None:
    async def conversation() -> None:
        voices = [{"engine": "script", "options": {"name": n, "knows": knows}} for n, knows in ((1, "ann"), (2, "bo"))]
        voice = Chain(ChainOptions.model_validate({"voices": voices}), HOME)
        assert (await said(voice, Utterance("Hi.", "en", voice="bo"))).words == ["2"]
        assert (await said(voice, Utterance("Hi.", "en", voice="cy"))).error == "there are bo"
        assert voice.resting() == []
        voices[0]["options"] = {"name": 1, "knows": "ann", "plan": ["fails"]}
        voice = Chain(ChainOptions.model_validate({"voices": voices}), HOME)
        assert (await said(voice, Utterance("Hi.", "en", voice="ann"))).words == ["2"]
        assert Script.made[2].asked[-1].voice is None

    run(conversation())


def test_a_voice_of_another_rate_is_resampled_to_that_of_the_first() -> None:
    async def conversation() -> None:
        plans = ({"name": 1, "plan": ["fails"]}, {"name": 2, "rate": 22050})
        voices = [{"engine": "script", "options": plan} for plan in plans]
        voice = Chain(ChainOptions.model_validate({"voices": voices}), HOME)
        parts = [part async for part in voice.synthesize(SENTENCES[0])]
        audio = [part for part in parts if isinstance(part, Audio)]
        assert {part.rate for part in audio} == {24000}
        assert sum(part.seconds for part in audio) == pytest.approx(0.5, abs=0.001)

    run(conversation())


def test_one_that_cannot_be_warmed_keeps_nobody_else_from_it() -> None:
    async def conversation() -> None:
        await chain(("fails",), ("ok",)).warm()
        with pytest.raises(VoiceError):
            await chain(("fails",), ("fails",)).warm()

    run(conversation())


@pytest.mark.parametrize(
    ("voices", "told"),
    [
        ([], "at least 1"),
        ([{"engine": "nobody"}], "nobody"),
        ([{"engine": "script", "options": {"name": "x"}}], "name"),
        ([{"engine": "chain", "options": {"voices": []}}], "link of a chain"),
    ],
)
def test_links_are_checked_before_anything_is_built(voices: list[object], told: str) -> None:
    from configs import engines

    point = EntryPoint("chain", "avatar.engines.chain:Chain", "zhubo.voices")
    offered = {**engines.installed("voices"), "chain": point}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("configs.engines.installed", lambda kind: offered)
        with pytest.raises(ConfigError, match=told):
            options_of("voices", EngineSpec(engine="chain", options={"voices": voices}))


def test_a_rate_that_cannot_be_made_another_is_a_wrong_setting() -> None:
    voices = [{"engine": "script", "options": {"name": 1, "rate": 23456}}]
    with pytest.raises(ConfigError, match="23456"):
        Chain(ChainOptions.model_validate({"voices": voices}), HOME)


def test_a_breaker_counts_failures_in_a_row() -> None:
    breaker = Breaker(2, 10.0)
    breaker.failed(0.0)
    breaker.well()
    breaker.failed(1.0)
    assert breaker.allows(1.0) and not breaker.open
    breaker.failed(1.0)
    assert not breaker.allows(10.9) and breaker.allows(11.0) and not breaker.allows(11.0)


@pytest.mark.parametrize("question", ["票多少钱？", "How much is a ticket?"])
def test_with_every_voice_dead_there_are_captions_an_idle_mouth_and_one_clear_event(question: str) -> None:
    async def conversation() -> None:
        events: list[Event] = []

        async def emit(event: Event) -> None:
            events.append(event)

        voice = chain(("fails",), ("hangs",), failures=1, first_audio=0.5)
        who = presenter(scripted(), voice, Facts())
        ended = await Turn(1, who, emit).run(Say(question))
        assert isinstance(ended, TurnEnded) and ended.reason == "done"
        assert not [event for event in events if isinstance(event, Speech)]
        assert not [event for event in events if isinstance(event, Motion) and event.visemes]
        faults = [event for event in events if isinstance(event, Fault)]
        lang = "en" if question.isascii() else "zh"
        assert [(fault.code, fault.message) for fault in faults] == [("voice_failed", who.persona.voiceless[lang])]
        shown = "".join(event.text for event in events if isinstance(event, TextDelta))
        started = [event.text for event in events if isinstance(event, SentenceStarted)]
        assert shown.split() == "".join(started).split() and len(started) >= 1
        assert [event.seconds for event in events if isinstance(event, SentenceEnded)] == [0.0] * len(started)

    run(conversation())


@pytest.mark.parametrize("question", ["票多少钱？", "How much is a ticket?"])
def test_a_turn_goes_on_with_the_next_voice(question: str) -> None:
    async def conversation() -> None:
        events: list[Event] = []

        async def emit(event: Event) -> None:
            events.append(event)

        voice = chain(("ok", "fails"), ("ok",), failures=1)
        await Turn(1, presenter(scripted(), voice, Facts()), emit).run(Say(question))
        await Turn(2, presenter(scripted(), voice, Facts()), emit).run(Say(question))
        assert not [event for event in events if isinstance(event, Fault)]
        assert [asked.text for asked in Script.made[1].asked][1:2] == [asked.text for asked in Script.made[2].asked][:1]
        assert sum(isinstance(event, SentenceEnded) and event.seconds == 0 for event in events) == 0

    run(conversation())
