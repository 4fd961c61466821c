"""Who may speak when: half-duplex, push-to-talk, a wake word on the client, resumption, and going on after an early
answer."""

import asyncio

import pytest

from agent.commands import Commit, Heard, Listen, Reply
from agent.events import Committed, Floor, SpeechStarted, Transcribed, TurnEnded, TurnStarted
from configs.language import Lang
from tests import virtual
from tests.agent.hearing import LANGS, Caller, answering
from tests.doubles import presenter, scripted, tone

QUESTION: dict[Lang, str] = {"zh": "科学馆几点开门？", "en": "When does the museum open?"}
MORE: dict[Lang, str] = {"zh": "还有门票多少钱？", "en": "And how much is a ticket?"}
NOD: dict[Lang, str] = {"zh": "嗯", "en": "mhm"}


@pytest.mark.parametrize("lang", LANGS)
def test_half_duplex_hears_nothing_of_its_own_answer_and_all_that_follows(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller(reports=None)
        await caller.send(Listen(half_duplex=True))
        await caller.say(QUESTION[lang], 1.0, 0.5)
        async with asyncio.timeout(60):
            while caller.session.stage.current is not None:
                await caller.say(QUESTION[lang], 0.5, 0.0)
        assert len(caller.events(Committed)) == 1 and not caller.events(Floor)
        await caller.quiet(0.5)
        await caller.say(MORE[lang], 1.0, 1.0)
        assert [one.text for one in caller.events(Transcribed) if one.final] == [QUESTION[lang], MORE[lang]]
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_push_to_talk_is_an_interruption_where_the_client_says_so(lang: Lang) -> None:
    """The button goes down while the presenter speaks: the client interrupts, talks, and commits."""

    async def go() -> None:
        caller = Caller()
        turn = await answering(caller, lang)
        heard = caller.loudspeaker.position(caller.now)
        await caller.send(Listen(turns="manual"))
        await caller.session.interrupt(turn, heard)
        await caller.say(MORE[lang], 1.0, 2.0)
        assert caller.session.stage.number == turn, "no silence ends it"
        await caller.send(Commit())
        await caller.quiet(0.5)
        assert caller.session.stage.number == turn + 1
        assert [one.text for one in caller.events(Transcribed) if one.final][-1] == MORE[lang]
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_a_wake_word_that_the_client_knows_is_greeted_and_what_follows_is_answered(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller()
        await caller.send(Listen(active=False))
        await caller.say(QUESTION[lang], 1.0, 1.0)
        assert not caller.events(SpeechStarted), "the microphone is closed"
        await caller.session.greet()
        await caller.send(Listen())
        await caller.quiet(0.5)
        assert len(caller.events(TurnStarted)) == 1
        await caller.say(QUESTION[lang], 1.2, 1.0)
        assert caller.session.stage.number == 2
        assert caller.session.memory.exchanges[-1].asked in ("", QUESTION[lang])
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("obeys", [True, False])
@pytest.mark.parametrize("lang", LANGS)
def test_after_a_nod_the_answer_goes_on_from_the_same_word(lang: Lang, obeys: bool) -> None:
    """Nothing of it is lost or said twice: all that was sent is heard, once, and remembered whole."""

    async def go() -> None:
        caller = Caller(obeys=obeys, reports=0.2)
        turn = await answering(caller, lang)
        await caller.say(NOD[lang], 0.45, 0.5)
        floors = caller.floors()
        assert floors[-1] == ("resumed", "backchannel")
        await caller.quiet(40)
        speaker = caller.loudspeaker
        assert speaker.position(caller.now) == pytest.approx(sum(one.sound for one in speaker.sentences), abs=0.01)
        answer = "".join(one.text for one in speaker.sentences).strip()
        assert caller.session.memory.exchanges[-1].heard == answer
        assert [one.reason for one in caller.events(TurnEnded) if one.turn == turn] == ["done"]
        assert caller.session.stage.current is None
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("pause", [0.32, 0.5, 0.8])
def test_who_goes_on_after_an_early_answer_is_answered_all_of_it(lang: Lang, pause: float) -> None:
    """The question's end was taken for the turn's: nobody hears of it, and nothing said is lost."""

    async def go() -> None:
        caller = Caller(by=presenter(scripted(delay=0.45), tone(delay=0.25)))
        await caller.say(QUESTION[lang], 1.0, pause)
        await caller.say(MORE[lang], 1.2, 1.5)
        asked = [one.asked for one in caller.session.memory.exchanges]
        current = caller.session.stage.current
        last = current.say.text if current is not None and current.say is not None else asked[-1]
        assert QUESTION[lang] in last and MORE[lang] in last
        heard = [seconds for seconds, _ in caller.loudspeaker.heard.values()]
        assert all(seconds <= 0.0 for seconds in heard), "no answer was heard that had to be broken off"
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_what_was_taken_back_is_answered_where_nothing_understandable_follows(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller(by=presenter(scripted(delay=0.45), tone(delay=0.25)))
        await caller.say(QUESTION[lang], 1.0, 0.4)
        caller.reader.fails = "failed"
        await caller.say(MORE[lang], 1.6, 2.0)
        await caller.quiet(2.0)
        current = caller.session.stage.current
        assert current is not None and current.say is not None and current.say.text == QUESTION[lang]
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_every_change_of_the_floor_has_its_turn_and_a_reason(lang: Lang) -> None:
    async def go() -> None:
        caller = Caller()
        turn = await answering(caller, lang)
        await caller.say(NOD[lang], 0.4, 0.6)
        await caller.say("", 0.5, 0.6)
        await caller.say(MORE[lang], 1.2, 0.6)
        told = caller.events(Floor)
        assert {one.turn for one in told} == {turn}
        ends = [one.reason for one in told if one.state in ("resumed", "yielded")]
        assert ends == ["backchannel", "noise", "interruption"]
        await caller.send(Reply())
        await caller.session.handle(Heard(turn, 1.0))
        await caller.leave()

    virtual.run(go())
