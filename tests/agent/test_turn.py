import asyncio
from collections.abc import Sequence

import pytest

from agent.commands import Command, Heard, Interrupt, Say
from agent.events import (
    Caption,
    Citations,
    Event,
    Fault,
    Motion,
    SentenceEnded,
    SentenceStarted,
    Speech,
    TextDelta,
    TurnEnded,
    TurnStarted,
)
from agent.model import PLAINLY
from agent.presenter import Presenter
from agent.session import Session
from avatar.speech import Voice
from configs.settings import Limits
from knowledge.documents import Retrieval
from tests import virtual
from tests.doubles import BreakingModel, BreakingVoice, Facts, Hanging, Unavailable, presenter, scripted, tone

QUESTIONS = [("成人票多少钱？", "60"), ("How much is an adult ticket?", "60")]


async def turn_of(session: Session, question: str) -> list[Event]:
    number = await session.say(Say(question))
    return await until_end(session, number)


async def until_end(session: Session, number: int) -> list[Event]:
    seen: list[Event] = []
    while not (seen and isinstance(seen[-1], TurnEnded) and seen[-1].turn == number):
        seen.append(await session.event())
    return seen


def asked(question: str, by: Presenter) -> list[Event]:
    async def go() -> list[Event]:
        session = Session(by)
        seen = await turn_of(session, question)
        await session.close()
        return seen

    return virtual.run(go())


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def end_of(events: list[Event]) -> TurnEnded:
    ends = [event for event in events if isinstance(event, TurnEnded)]
    assert len(ends) == 1 and events[-1] is ends[0], "a turn ends once, and last"
    return ends[0]


def faults_of(events: list[Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, Fault)]


@pytest.mark.parametrize(("question", "fact"), QUESTIONS)
def test_an_answer_is_spoken_with_motion_captions_and_citations(question: str, fact: str) -> None:
    events = asked(question, presenter())
    end = end_of(events)
    assert isinstance(events[0], TurnStarted)
    assert fact in text_of(events)
    assert (end.reason, end.refused, end.fallback) == ("done", False, None)
    assert end.timings.first_text is not None and end.timings.first_audio is not None
    kinds = {type(event) for event in events}
    assert {SentenceStarted, Motion, Caption, Speech, SentenceEnded, Citations} <= kinds
    citation = next(event for event in events if isinstance(event, Citations)).citations[0]
    assert citation.quote in Facts.TEXT["zh"] + Facts.TEXT["en"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_sentences_follow_each_other_on_one_clock_and_cues_precede_their_sound(lang: str) -> None:
    answer = {
        "zh": "开馆时间是9:30，周二至周日。闭馆时间是17:00。",
        "en": "It opens at 9:30, Tuesday to Sunday. It closes at 17:00.",
    }
    events = asked("几点开馆？" if lang == "zh" else "When does it open?", presenter(scripted(answer=answer[lang])))
    clock, sentence, spoken = 0.0, -1, 0.0
    for event in events:
        match event:
            case SentenceStarted(at=at):
                sentence, spoken = sentence + 1, 0.0
                assert event.sentence == sentence
                assert at == pytest.approx(clock)
            case Motion(visemes=visemes) if visemes:
                assert visemes[0].at >= spoken - 1e-6, "cues are for the sound that follows"
            case Speech(at=at, audio=audio):
                assert at == pytest.approx(spoken)
                spoken += audio.seconds
            case SentenceEnded(seconds=seconds):
                assert seconds == pytest.approx(spoken)
                clock += seconds
            case _:
                pass
    assert sentence >= 1 and clock > 0


def test_a_greeting_is_answered_without_documents() -> None:
    for greeting in ("你好！", "Hello!"):
        events = asked(greeting, presenter(knowledge=Unavailable()))
        end = end_of(events)
        assert end.reason == "done" and not end.refused
        assert text_of(events)


@pytest.mark.parametrize("question", ["馆长的工资是多少？", "What is the wifi password?"])
def test_what_the_documents_do_not_say_is_refused_in_the_users_language(question: str) -> None:
    class Elsewhere(Facts):
        async def search(self, asked: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
            return Retrieval(asked, (), {})

    events = asked(question, presenter(knowledge=Elsewhere()))
    end = end_of(events)
    assert end.refused and end.reason == "done"
    assert text_of(events).isascii() == question.isascii()
    assert not any(isinstance(event, Citations) for event in events)


@pytest.mark.parametrize(
    "question", ["😀😀", "\u0007\u0000", "？？！", "今日は何時に開きますか", "Во сколько открывается музей?"]
)
def test_a_question_it_cannot_read_is_answered_kindly(question: str) -> None:
    events = asked(question, presenter())
    assert end_of(events).reason == "done"
    assert text_of(events)


@pytest.mark.parametrize("question", [question for question, _ in QUESTIONS])
@pytest.mark.parametrize(
    ("model", "code"),
    [
        (BreakingModel(), "model_interrupted"),
        (BreakingModel("An adult 成人票"), "model_interrupted"),
        (BreakingModel(stalls=True), "model_stalled"),
        (BreakingModel("成人票", stalls=True), "model_stalled"),
    ],
    ids=["dies before", "dies in the middle", "never answers", "stalls in the middle"],
)
def test_a_model_that_fails_ends_in_a_spoken_fallback(model: BreakingModel, code: str, question: str) -> None:
    events = asked(question, presenter(model))
    end = end_of(events)
    assert (end.reason, end.fallback) == ("failed", code)
    assert faults_of(events) == [code]
    assert "60" in text_of(events), "the document is quoted where the model is silent"
    spoken = [event.text for event in events if isinstance(event, SentenceStarted)]
    assert "".join(spoken) == text_of(events)
    assert any(isinstance(event, Speech) for event in events)
    assert model.open == 0


@pytest.mark.parametrize("voice", [BreakingVoice(1), BreakingVoice(1, stalls=True)], ids=["raises", "stalls"])
def test_a_voice_that_fails_once_is_asked_again(voice: BreakingVoice) -> None:
    events = asked("成人票多少钱？", presenter(voice=voice))
    assert faults_of(events) == []
    assert all(event.seconds > 0 for event in events if isinstance(event, SentenceEnded))
    assert voice.open == 0


@pytest.mark.parametrize(
    "voice",
    [BreakingVoice(99), BreakingVoice(99, midway=True), BreakingVoice(99, error=KeyError)],
    ids=["silent", "midway", "a stranger's"],
)
@pytest.mark.parametrize("question", [question for question, _ in QUESTIONS])
def test_a_voice_that_always_fails_leaves_the_text_and_says_so_once(voice: BreakingVoice, question: str) -> None:
    events = asked(question, presenter(voice=voice))
    assert "60" in text_of(events)
    assert faults_of(events) == ["voice_failed"]
    assert end_of(events).reason == "done"


@pytest.mark.parametrize("knowledge", [Unavailable(), Hanging()], ids=["fails", "hangs"])
@pytest.mark.parametrize("question", [question for question, _ in QUESTIONS])
def test_without_its_documents_it_says_so_and_never_guesses(knowledge: Facts, question: str) -> None:
    model = BreakingModel("60")
    events = asked(question, presenter(model, knowledge=knowledge))
    assert faults_of(events) == ["knowledge_unavailable"]
    assert end_of(events).fallback == "knowledge_unavailable"
    assert model.asked == 0 and any(isinstance(event, Speech) for event in events)


def test_new_words_stop_the_running_turn_at_once() -> None:
    async def go() -> None:
        model = scripted(answer="成人票每张60元。" * 20, pace=0.05)
        session = Session(presenter(model))
        await session.say(Say("成人票多少钱？"))
        await asyncio.sleep(1.0)
        second = await session.say(Say("儿童票多少钱？"))
        events = await until_end(session, second)
        ends = [event for event in events if isinstance(event, TurnEnded)]
        assert [(end.turn, end.reason) for end in ends] == [(1, "interrupted"), (2, "done")]
        after = events[events.index(ends[0]) + 1 :]
        assert all(event.turn == 2 for event in after)
        await session.close()

    virtual.run(go())


@pytest.mark.parametrize("instant", [0.0, 0.01, 0.3, 0.77, 1.5, 4.0])
def test_an_interruption_at_any_instant_leaves_nothing_running(instant: float) -> None:
    async def go() -> None:
        model, voice = BreakingModel("成人票每张60元。", stalls=True), BreakingVoice(0)
        session = Session(presenter(model, voice))
        await session.say(Say("成人票多少钱？"))
        reader = asyncio.create_task(until_end(session, 1))
        await asyncio.sleep(instant)
        await session.interrupt()
        events = await reader
        assert end_of(events).reason == "interrupted"
        assert model.open == 0 and voice.open == 0
        await session.close()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    virtual.run(go())


@pytest.mark.parametrize("told", ["by the interruption", "by reports", "by reports, then new words"])
def test_memory_keeps_what_was_heard(told: str) -> None:
    async def go() -> None:
        session = Session(presenter(scripted(answer="成人票每张60元。")))
        await turn_of(session, "成人票多少钱？")
        assert session.memory.messages()[-1].text == "成人票每张60元。"
        match told:
            case "by the interruption":
                await session.handle(Interrupt(1, 0.3))
            case "by reports":
                await session.handle(Heard(1, 0.3))
                await session.handle(Interrupt())
            case _:
                await session.handle(Heard(1, 0.3))
                await session.handle(Heard(9, 7.0))
                await session.say(Say("儿童票多少钱？"))
        assert session.memory.messages()[1].text == "成人"
        await session.close()

    virtual.run(go())


@pytest.mark.parametrize("second", [Interrupt(), Say("儿童票多少钱？")], ids=["interrupt", "say"])
def test_a_turn_that_is_stopped_before_it_began_still_begins_and_ends(second: Command) -> None:
    async def go() -> None:
        session = Session(presenter())
        await session.handle(Say("成人票多少钱？"))
        await session.handle(second)
        first = await until_end(session, 1)
        assert [type(event) for event in first] == [TurnStarted, TurnEnded]
        assert end_of(first).reason == "interrupted"
        await session.close()

    virtual.run(go())


@pytest.mark.parametrize("question", [question for question, _ in QUESTIONS])
def test_a_defect_of_ours_ends_in_a_spoken_apology_and_an_error(question: str) -> None:
    class Defective(Facts):
        async def search(self, asked: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
            raise KeyError("a defect")

    events = asked(question, presenter(knowledge=Defective()))
    assert faults_of(events) == ["internal"]
    assert end_of(events).fallback == "internal"
    assert text_of(events) and any(isinstance(event, Speech) for event in events)


def test_a_voice_that_hangs_delays_the_text_once_and_not_at_every_clause() -> None:
    async def go() -> None:
        answer = "".join(f"第{number}号展厅很有意思，值得一看。" for number in range(20))
        loop = asyncio.get_running_loop()
        voice = BreakingVoice(99, stalls=True)
        session = Session(presenter(scripted(answer=answer), voice, limits=Limits(first_audio=4), grounded=False))
        began = loop.time()
        events = await turn_of(session, "成人票多少钱？")
        assert text_of(events) == answer
        assert faults_of(events) == ["voice_failed"]
        assert loop.time() - began < 4 * 2 + 1
        await session.close()

    virtual.run(go())


def test_a_question_that_is_too_long_is_declined_aloud() -> None:
    for question in ("问" * 3000, "why " * 3000):
        events = asked(question, presenter())
        assert end_of(events).reason == "done"
        assert any(isinstance(event, Speech) for event in events)
        assert len(text_of(events)) < 200


def test_a_late_interrupt_of_an_earlier_turn_does_not_stop_the_present_one() -> None:
    async def go() -> None:
        session = Session(presenter(scripted(answer="成人票每张60元。", pace=0.05)))
        await turn_of(session, "成人票多少钱？")
        number = await session.say(Say("儿童票多少钱？"))
        await session.handle(Interrupt(1, 0.5))
        assert end_of(await until_end(session, number)).reason == "done"
        await session.close()

    virtual.run(go())


def test_a_client_that_does_not_read_stalls_the_model_and_memory_stays_bounded() -> None:
    async def go() -> None:
        produced = 0

        class Endless(BreakingModel):
            async def stream(self, messages, ask=PLAINLY):  # type: ignore[no-untyped-def]
                nonlocal produced
                while True:
                    produced += 1
                    await asyncio.sleep(0.01)
                    yield "".join(chr(0x4E00 + 37 * produced % 20000 + 7 * at) for at in range(12)) + "。"

        session = Session(presenter(Endless(), grounded=False))
        await session.say(Say("成人票多少钱？"))
        await asyncio.sleep(60)
        stalled = produced
        await asyncio.sleep(60)
        assert produced == stalled < 100
        await session.close()

    virtual.run(go())


def test_two_sessions_never_see_each_others_events() -> None:
    async def go() -> None:
        shared = presenter()
        one, two = Session(shared), Session(shared)
        first, second = await asyncio.gather(
            turn_of(one, "成人票多少钱？"), turn_of(two, "How much is an adult ticket?")
        )
        assert "元" in text_of(first) and "yuan" not in text_of(first)
        assert "yuan" in text_of(second) and "元" not in text_of(second)
        await one.close()
        await two.close()

    virtual.run(go())


def test_limits_are_those_configured() -> None:
    async def go() -> None:
        loop = asyncio.get_running_loop()
        session = Session(presenter(BreakingModel(stalls=True), limits=Limits(first_token=2.5)))
        began = loop.time()
        await turn_of(session, "成人票多少钱？")
        assert 2.5 <= loop.time() - began < 3.5
        await session.close()

    virtual.run(go())


def test_every_voice_of_the_tests_speaks_at_its_own_rate() -> None:
    voice: Voice = tone(rate=16_000)
    events = asked("成人票多少钱？", presenter(voice=voice))
    assert {event.audio.rate for event in events if isinstance(event, Speech)} == {16_000}
