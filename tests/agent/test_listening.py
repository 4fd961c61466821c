"""The ear in virtual time: whole sessions, both languages."""

import asyncio

import pytest

from agent.commands import Add, Clear, Commit, Heard, Listen, Microphone, Reply, Say
from agent.events import (
    Cleared,
    Committed,
    SpeechStarted,
    SpeechStopped,
    TextDelta,
    Transcribed,
    TurnEnded,
    TurnStarted,
    Unheard,
)
from avatar.hearing import RATE, Opus, Pcm
from avatar.intake import Intake
from configs.language import Lang
from configs.listening import ListeningSettings
from tests import virtual
from tests.agent.hearing import LOUD, SOFT, Caller, answering, silence

LANGS: tuple[Lang, ...] = ("zh", "en")
QUESTION = {"zh": "科学馆几点开门？", "en": "When does the museum open?"}
HALF = {"zh": "我想问一下那个", "en": "What time does the"}
REST = {"zh": "科学馆几点开门？", "en": "museum open today?"}
INTERRUPTION = {"zh": "门票多少钱一张？", "en": "How much is a ticket?"}
NODS = {"zh": ["嗯", "对对", "好的", "嗯，是的"], "en": ["mhm", "okay", "yeah right", "uh-huh"]}
ASIDES = {"zh": "小王，帮我拿一下杯子", "en": "Hey mom, can you hold my coat?"}


@pytest.mark.parametrize("lang", LANGS)
def test_a_spoken_question_is_heard_told_and_answered(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller()
        await caller.say(QUESTION[lang], 1.0, 0.2)
        await caller.until(TurnEnded)
        kinds = [type(one.event) for one in caller.told]
        first = [kinds.index(kind) for kind in (SpeechStarted, Transcribed, SpeechStopped, Committed, TurnStarted)]
        assert first == sorted(first)
        final = [one for one in caller.events(Transcribed) if one.final]
        assert [one.text for one in final] == [QUESTION[lang]] and final[0].lang == lang
        assert all(QUESTION[lang].startswith(one.text) for one in caller.events(Transcribed))
        ended = next(one.at for one in caller.told if isinstance(one.event, SpeechStopped))
        assert ended <= 1.0 + 0.35, "the end of a complete question"
        assert caller.events(TurnStarted)[0].lang == lang
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_a_pause_in_mid_sentence_is_waited_for(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller()
        await caller.say(HALF[lang], 1.0, 1.1)
        await caller.say(REST[lang], 1.0, 2.0)
        final = [one.text for one in caller.events(Transcribed) if one.final]
        assert len(final) == 1 and HALF[lang] in final[0] and REST[lang] in final[0]
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_who_goes_on_before_the_answer_sounds_is_asked_all_of_it(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller()
        await caller.say(QUESTION[lang], 1.0, 0.36)
        await caller.say(INTERRUPTION[lang], 1.0, 0.5)
        await caller.quiet(3.0)
        asked = [one.asked for one in caller.session.memory.exchanges]
        assert QUESTION[lang] in asked[-1] and INTERRUPTION[lang] in asked[-1] or len(asked) == 2
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_an_interruption_ducks_holds_and_takes_the_floor(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller()
        turn = await answering(caller, lang)
        began = caller.now
        await caller.say(INTERRUPTION[lang], 1.2, 1.0)
        assert caller.floors() == [("ducked", "speech"), ("held", "speech"), ("yielded", "interruption")]
        at = {one.event.state: one.at - began for one in caller.told if hasattr(one.event, "state")}
        assert at["ducked"] <= 0.1 and at["held"] <= 0.3 and at["yielded"] <= 1.1
        ends = [one for one in caller.events(TurnEnded) if one.turn == turn]
        assert len(ends) == 1, "it had been made to its end"
        final = [one.text for one in caller.events(Transcribed) if one.final]
        assert final[-1] == INTERRUPTION[lang], "from its first word"
        assert caller.session.stage.number == turn + 1
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_nods_coughs_laughter_and_asides_let_the_presenter_go_on(lang: Lang) -> None:
    async def go() -> None:
        laugh = "哈哈哈" if lang == "zh" else "haha haha"
        cases = [(nod, "backchannel") for nod in NODS[lang]]
        for text, reason in [*cases, ("", "noise"), (laugh, "noise"), (ASIDES[lang], "aside")]:
            caller = Caller()
            turn = await answering(caller, lang)
            before = caller.loudspeaker.position(caller.now)
            await caller.say(text, 0.5 if reason != "aside" else 1.5, 0.6)
            assert caller.floors()[-1] == ("resumed", reason), text
            assert caller.session.stage.number == turn
            assert caller.loudspeaker.position(caller.now) > before, "it plays on"
            spoken = [one.text for one in caller.events(Transcribed) if one.final]
            assert spoken == [QUESTION[lang]], "no part of the conversation"
            await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_one_word_that_wants_silence_gets_it(lang: Lang) -> None:
    async def go() -> None:
        for word in {"zh": ["停", "等等", "别说了"], "en": ["stop", "wait", "hold on"]}[lang]:
            caller = Caller()
            await answering(caller, lang)
            await caller.say(word, 0.4, 0.5)
            assert caller.floors()[-1][0] == "yielded", word
            await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_talk_in_the_background_is_not_the_user(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller()
        turn = await answering(caller, lang)
        await caller.say(INTERRUPTION[lang], 1.5, 0.6, loud=SOFT)
        assert caller.floors()[-1] == ("resumed", "background")
        assert caller.session.stage.number == turn
        await caller.say(INTERRUPTION[lang], 1.5, 0.6, loud=LOUD)
        assert caller.floors()[-1] == ("yielded", "interruption")
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize(("seconds", "state"), [(0.5, "resumed"), (2.6, "yielded")])
@pytest.mark.parametrize("how", ["dead", "slow"])
@pytest.mark.parametrize("lang", LANGS)
def test_without_words_long_loud_speech_interrupts_and_short_does_not(
    lang: Lang, how: str, seconds: float, state: str
) -> None:
    async def go() -> None:
        caller = Caller()
        await answering(caller, lang)
        caller.reader.fails = "unreachable" if how == "dead" else None
        caller.reader.delay = 10.0 if how == "slow" else 0.05
        began = caller.now
        await caller.say(INTERRUPTION[lang], seconds, 2.5)
        assert caller.floors()[-1][0] == state
        assert caller.told[-1].at >= began
        held = next(one.at for one in caller.told if getattr(one.event, "state", "") == "held")
        over = next(one.at for one in caller.told if getattr(one.event, "state", "") == state)
        assert over - held <= 2.6
        if state == "yielded":
            await caller.quiet(16)
            code = "recognizer_unreachable" if how == "dead" else None
            assert [one.code for one in caller.events(Unheard)] == ([code] if code else [])
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_the_clients_wishes_whether_it_may_be_interrupted(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller()
        turn = await answering(caller, lang)
        await caller.send(Listen(interrupt=False))
        await caller.say(INTERRUPTION[lang], 1.2, 1.0)
        assert caller.floors() == [] and caller.session.stage.number == turn
        assert [one.text for one in caller.events(Transcribed) if one.final][-1] == INTERRUPTION[lang]
        await caller.quiet(30)
        assert caller.session.stage.number == turn + 1, "and answered after"
        assert [one.reason for one in caller.events(TurnEnded)][:1] == ["done"]
        await caller.leave()

        caller = Caller()
        turn = await answering(caller, lang)
        await caller.send(Listen(half_duplex=True))
        await caller.say(INTERRUPTION[lang], 1.2, 0.4)
        assert caller.floors() == [] and len(caller.events(SpeechStarted)) == 1
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_push_to_talk_add_and_reply(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller()
        await caller.send(Listen(turns="manual", answer=False))
        await caller.send(Commit())
        await caller.say(QUESTION[lang], 1.0, 2.0)
        assert caller.events(SpeechStopped) == [] and caller.events(Committed) == []
        await caller.send(Commit())
        await caller.send(Reply())
        await caller.quiet(1)
        assert [(one.code, one.utterance) for one in caller.events(Unheard)] == [("commit_empty", 0)]
        assert [one.text for one in caller.events(Transcribed) if one.final] == [QUESTION[lang]]
        assert caller.session.stage.current is not None
        assert caller.session.stage.current.say == Say(QUESTION[lang])
        await caller.say(QUESTION[lang], 0.5, 0.0)
        await caller.send(Clear())
        await caller.send(Commit())
        await caller.send(Add(INTERRUPTION[lang]))
        await caller.send(Reply(instructions="briefly"))
        await caller.quiet(1)
        assert len(caller.events(Cleared)) == 1 and caller.events(Unheard)[-1].code == "commit_empty"
        assert caller.session.stage.current.say == Say(INTERRUPTION[lang], instructions="briefly")
        await caller.send(Reply())
        await caller.quiet(1)
        assert caller.session.stage.current.say is None, "nothing to answer: a greeting"
        await caller.leave()

    virtual.run(go())


def test_words_wait_for_a_reply_where_the_client_wants_it() -> None:
    async def go() -> None:
        caller = Caller(delay=3.0)
        await caller.send(Listen(answer=False))
        await caller.say(QUESTION["zh"], 1.0, 2.0)
        await caller.send(Reply())
        await caller.quiet(4)
        assert caller.session.stage.number == 1 and caller.events(TurnStarted)
        assert caller.session.memory.exchanges[-1].asked == QUESTION["zh"]
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize(("fails", "delay", "code"), [("failed", 0.1, "failed"), (None, 20.0, "timeout")])
def test_a_recogniser_that_is_dead_or_slow_is_told_and_the_session_hears_on(
    fails: str | None, delay: float, code: str
) -> None:
    async def go() -> None:
        caller = Caller(fails=fails, delay=delay)
        await caller.say(QUESTION["en"], 1.0, 18.0)
        assert [one.code for one in caller.events(Unheard)] == [f"recognizer_{code}"]
        assert caller.session.stage.number == 0
        caller.reader.fails, caller.reader.delay = None, 0.05
        await caller.say(QUESTION["en"], 1.0, 1.0)
        assert caller.session.stage.number == 1
        await caller.leave()

    virtual.run(go())


def test_noise_is_no_turn_and_silence_for_an_hour_costs_nothing() -> None:
    async def go() -> None:
        caller = Caller()
        await caller.say("", 0.8, 1.0)
        assert [one.code for one in caller.events(Unheard)] == ["nothing_heard"]
        told = len(caller.told)
        hour, ear = silence(60.0), caller.session._client.ear
        for _ in range(60):
            await caller.session.handle(Microphone(hour, Pcm(RATE)))
            await asyncio.sleep(1)
        assert len(caller.told) == told and caller.reader.hears == 1
        assert len(ear._inlet._rest) < 2048 and sum(map(len, ear._before)) < 20_000
        await caller.leave()

    virtual.run(go())


def test_who_speaks_without_end_is_answered_at_the_limit() -> None:
    async def go() -> None:
        caller = Caller(settings=ListeningSettings(longest=5.0))
        await caller.say(QUESTION["zh"] * 4, 5.5, 0.0)
        assert len(caller.events(Committed)) == 1
        await caller.leave()

    virtual.run(go())


def test_a_client_that_sends_nothing_in_silence_has_finished_all_the_same() -> None:
    async def go() -> None:
        caller = Caller()
        await caller.say(QUESTION["zh"], 1.0, 0.0)
        await asyncio.sleep(2)
        assert caller.session.stage.number == 1
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("rate", [50, 8])
def test_sound_faster_than_time_in_odd_pieces_and_at_once(rate: int) -> None:
    async def go() -> None:
        caller = Caller()
        sound = caller.speaking.say(QUESTION["zh"], 1.0) + silence(1.0)
        step = 333 if rate == 50 else len(sound)
        for at in range(0, len(sound), step):
            await caller.session.handle(Microphone(sound[at : at + step], Pcm(RATE)))
        await asyncio.sleep(3)
        await caller.session.handle(Microphone(bytes(15 << 20), Pcm(RATE)))
        await asyncio.sleep(3)
        assert caller.session.stage.number == 1
        await caller.leave()

    virtual.run(go())


def test_garbage_is_told_once_and_the_session_hears_on() -> None:
    async def go() -> None:
        caller = Caller()
        caller.session._client.ear._inlet._intakes = Intake
        for _ in range(5):
            await caller.session.handle(Microphone(b"\xff\x07garbage", Opus(16000)))
            await asyncio.sleep(0.1)
        assert len(caller.events(Unheard)) == 1 and caller.events(Unheard)[0].code.startswith("bad")
        await caller.leave()

    virtual.run(go())


def test_the_session_can_close_in_the_middle_of_anything() -> None:
    async def go() -> None:
        for moment in (0.05, 0.3, 0.9, 1.2, 1.4, 2.0, 2.6, 3.0, 3.3):
            caller = Caller(delay=0.3)
            speaking = asyncio.create_task(caller.say(QUESTION["zh"] * 2, 2.4, 1.0))
            await asyncio.sleep(moment)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            await caller.leave()
            left = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
            assert left == [], moment

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_a_client_that_plays_on_is_believed(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller(obeys=False, reports=0.1)
        turn = await answering(caller, lang)
        caller.reader.delay = 1.0
        await caller.say("嗯" if lang == "zh" else "mhm", 0.4, 2.0)
        assert caller.floors()[-1] == ("resumed", "backchannel")
        position = caller.loudspeaker.position(caller.now)
        assert abs(caller.session.stage.position - position) <= 0.3
        await caller.session.handle(Heard(turn, position))
        await caller.leave()

    virtual.run(go())


def test_hot_words_are_expected() -> None:
    async def go() -> None:
        caller = Caller(words=lambda: [f"title {n}" for n in range(100)])
        await caller.say(QUESTION["zh"], 1.0, 1.0)
        assert list(caller.reader.expected[0].words)[:2] == ["title 0", "title 1"]
        assert len(caller.reader.expected[0].words) == ListeningSettings().names
        assert caller.events(TextDelta)
        await caller.leave()

    virtual.run(go())
