"""An operator joins a session: watching, whispering, lines, taking over and giving back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.audit import Audit
from agent.chain import Chain
from agent.commands import Call, GiveBack, Heard, Interrupt, Line, Say, TakeOver, Whisper
from agent.conduct import Conduct
from agent.desk import Desk, Operator
from agent.events import Event, Notice, Speech, TextDelta, TurnEnded, TurnStarted
from agent.presenter import Presenter
from agent.session import Session
from agent.standing import Refused
from agent.tools.tool import Result
from agent.watchers import Asked, Missed, Seen, Watcher
from configs.conduct import ConductSettings
from configs.language import Lang
from tests import virtual
from tests.doubles import BreakingModel, Facts, presenter, scripted

QUESTION: dict[Lang, str] = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}
LINE: dict[Lang, str] = {"zh": "您好，我是值班的工作人员。", "en": "Hello, this is the duty officer."}
LANGS: list[Lang] = ["zh", "en"]


@dataclass
class Room:
    """One session at a desk, and everything its user was sent."""

    session: Session
    desk: Desk
    seen: list[Event]
    log: Chain

    def codes(self) -> list[str]:
        return [event.code for event in self.seen if isinstance(event, Notice)]

    def text(self, turn: int) -> str:
        return "".join(event.text for event in self.seen if isinstance(event, TextDelta) and event.turn == turn)

    def ends(self) -> dict[int, str]:
        return {event.turn: event.reason for event in self.seen if isinstance(event, TurnEnded)}

    async def until(self, turn: int) -> None:
        async with asyncio.timeout(600):
            while turn not in self.ends():
                await asyncio.sleep(0.05)


@asynccontextmanager
async def room(
    folder: Path, by: Presenter | None = None, *, settings: ConductSettings | None = None, **given: Any
) -> AsyncIterator[Room]:
    chain, settings = Chain(folder / "audit.jsonl"), settings or ConductSettings()
    session = Session(by or presenter(), conduct=Conduct(settings, **given))
    seen: list[Event] = []

    async def read() -> None:
        while True:
            seen.append(await session.event())

    async with Audit(chain) as audit:
        desk = Desk(audit, settings.grace)
        reader = asyncio.create_task(read())
        with desk.seating(session):
            yield Room(session, desk, seen, chain)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        await session.close()
        await desk.close()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


class Colleague:
    """A tool that any question calls, and that calls a human."""

    name, description, seconds = "colleague", {"zh": "请同事来", "en": "call a colleague"}, None
    parameters = {"type": "object", "properties": {}}

    def hears(self, question: str, lang: Lang) -> dict[str, Any]:
        return {}

    async def call(self, arguments: Any, context: Any) -> Result:
        return Result("…", handover=True)


def talk(lang: Lang) -> Presenter:
    """Speaks long enough to be cut."""
    return presenter(scripted(answer=Facts.TEXT[lang] * 9, pace=0.05), grounded=False)


async def drained(watcher: Watcher) -> list[Seen]:
    seen: list[Seen] = []
    with pytest.raises(TimeoutError):
        while True:
            async with asyncio.timeout(0.01):
                event = await watcher.event()
            assert event is not None
            seen.append(event)
    return seen


def test_of_two_watchers_the_slow_one_misses_the_oldest_and_is_told_and_the_user_waits_for_neither(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        async with room(tmp_path, settings=ConductSettings(watching=16)) as at:
            loop = asyncio.get_running_loop()
            with at.session.watch() as quick, at.session.watch() as slow:
                followed: list[Seen] = []

                async def follow() -> None:
                    while (event := await quick.event()) is not None:
                        followed.append(event)

                follower = asyncio.create_task(follow())
                began = loop.time()
                for lang in LANGS * 3:
                    await at.until(await at.session.say(Say(QUESTION[lang])))
                assert loop.time() - began < 5
                first, *rest = await drained(slow)
                assert isinstance(first, Missed) and len(rest) == 16
                assert first.count + 16 == len(followed)
                assert rest == followed[-16:]
                assert not any(isinstance(event, Missed | Speech) for event in followed)
                assert [event.text for event in followed if isinstance(event, Asked)] == [
                    QUESTION[x] for x in LANGS * 3
                ]
                await at.session.close()
                await follower

    virtual.run(go())


def test_a_watcher_who_comes_late_sees_what_was_before(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path) as at:
            await at.until(await at.session.say(Say(QUESTION["zh"])))
            with at.session.watch() as watcher:
                seen = await drained(watcher)
        assert isinstance(seen[0], Asked) and isinstance(seen[-1], TurnEnded)

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_taking_over_stops_the_answer_is_announced_and_the_operator_answers(tmp_path: Path, lang: Lang) -> None:
    async def go() -> None:
        async with room(tmp_path, talk(lang)) as at:
            with at.desk.attended("Mei") as mei:
                await at.session.say(Say(QUESTION[lang]))
                await asyncio.sleep(1)
                await at.session.handle(Heard(1, 0.5))
                await at.desk.direct(mei, at.session.id, TakeOver(""))
                await asyncio.sleep(1)
                assert at.ends() == {1: "interrupted"}
                assert at.session.standing().state == "waiting" and at.session.standing().operator == "Mei"
                assert at.codes() == ["takeover"]
                assert at.text(2) == at.session._presenter.persona.takeover[lang]
                await at.desk.direct(mei, at.session.id, Line(LINE[lang]))
                await at.until(2)
                assert at.text(2).endswith(LINE[lang]) and at.session.standing().state == "taken"
                started = [event for event in at.seen if isinstance(event, TurnStarted)]
                assert [(one.by, one.lang) for one in started] == [("presenter", lang), ("operator", lang)]
                await at.desk.direct(mei, at.session.id, GiveBack())
                await at.until(3)
                assert at.codes() == ["takeover", "returned"] and at.session.standing().state == "answering"
                first, second, _ = at.session.memory.exchanges
                assert first.asked == QUESTION[lang] and Facts.TEXT[lang].startswith(first.heard)
                assert second.heard.endswith(LINE[lang])

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_while_taken_a_question_waits_for_the_operator_with_a_word_of_patience(tmp_path: Path, lang: Lang) -> None:
    async def go() -> None:
        model = BreakingModel("60")
        async with room(tmp_path, presenter(model), settings=ConductSettings(hold=20)) as at:
            with at.desk.attended("Mei") as mei:
                await at.desk.direct(mei, at.session.id, TakeOver("x"))
                await at.until(1)
                hold = at.session._presenter.persona.hold[lang]
                await at.session.say(Say(QUESTION[lang]))
                await asyncio.sleep(19)
                assert at.text(2) == ""
                await asyncio.sleep(5)
                assert at.text(2) == hold
                await asyncio.sleep(40)
                twice = f"{hold} {hold} " if lang == "en" else hold * 2
                assert at.text(2) == twice.strip()
                await at.desk.direct(mei, at.session.id, Line(LINE[lang]))
                await at.until(2)
                assert at.text(2) == twice + LINE[lang]
                assert model.asked == 0, "the model answers nothing"

    virtual.run(go())


def test_new_words_of_a_user_who_waits_take_the_place_of_the_old_ones(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path) as at:
            with at.desk.attended("Mei") as mei:
                await at.desk.direct(mei, at.session.id, TakeOver(""))
                await at.session.say(Say(QUESTION["zh"]))
                await asyncio.sleep(3)
                await at.session.say(Say(QUESTION["en"]))
                await asyncio.sleep(3)
                await at.desk.direct(mei, at.session.id, GiveBack())
                await at.until(5)
                assert at.ends()[2] == at.ends()[3] == "interrupted"
                assert "60" in at.text(5) and "yuan" in at.text(5), "what the operator left is answered"

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_an_operator_whose_connection_dies_is_replaced_by_the_presenter_after_a_while(
    tmp_path: Path, lang: Lang
) -> None:
    async def go() -> None:
        async with room(tmp_path, settings=ConductSettings(grace=15)) as at:
            with at.desk.attended("Mei") as mei:
                await at.desk.direct(mei, at.session.id, TakeOver(""))
                await at.session.say(Say(QUESTION[lang]))
                await asyncio.sleep(1)
            await asyncio.sleep(14)
            assert at.session.standing().operator == "Mei"
            await asyncio.sleep(2)
            assert at.session.standing().operator is None
            await at.until(4)
            assert at.codes() == ["takeover", "returned"] and "60" in at.text(4)
        assert [entry["what"] for entry in at.log.records()] == [*("joined", "take over", "left", "give back")]

    virtual.run(go())


def test_an_operator_who_comes_back_in_time_goes_on(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path, settings=ConductSettings(grace=15)) as at:
            with at.desk.attended("Mei") as mei:
                await at.desk.direct(mei, at.session.id, TakeOver(""))
            await asyncio.sleep(10)
            with at.desk.attended("Mei") as mei:
                await asyncio.sleep(30)
                assert at.session.standing().operator == "Mei" and at.codes() == ["takeover"]
                with at.desk.attended("Mei") as again:  # the first connection is dead, and nobody knows yet
                    await at.desk.direct(again, at.session.id, Line(LINE["zh"]))
                    await at.until(2)
                await asyncio.sleep(10)
                await at.desk.direct(mei, at.session.id, GiveBack())
                await at.until(3)
                assert at.codes() == ["takeover", "returned"]

    virtual.run(go())


def test_a_session_that_one_operator_has_is_no_others(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path) as at:
            with at.desk.attended("Mei") as mei, at.desk.attended("Bob") as bob:
                await at.desk.direct(mei, at.session.id, TakeOver(""))
                for direction, code in ((TakeOver(""), "taken"), (Line("x"), "taken"), (GiveBack(), "not_taken")):
                    with pytest.raises(Refused) as refused:
                        await at.desk.direct(bob, at.session.id, direction)
                    assert refused.value.code == code
                with pytest.raises(Refused, match="no such session"):
                    await at.desk.direct(bob, "another", Line("x"))

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_a_whisper_reaches_the_model_for_some_turns_and_never_the_user(tmp_path: Path, lang: Lang) -> None:
    async def go() -> None:
        secret = {"zh": "多提一提蓝鲸骨架", "en": "mention the blue whale skeleton"}[lang]
        async with room(tmp_path, settings=ConductSettings(whispers=2)) as at:
            whispers = _whispers_of(at.session)
            with at.desk.attended("Mei") as mei:
                await at.desk.direct(mei, at.session.id, Whisper(secret))
                assert at.session.standing().whispers == 1
                for _ in range(3):
                    await at.until(await at.session.say(Say(QUESTION[lang])))
                assert whispers == [secret, secret, ""]
                await at.desk.direct(mei, at.session.id, Whisper(secret))
                await at.desk.direct(mei, at.session.id, Whisper(" "))
                await at.until(await at.session.say(Say(QUESTION[lang])))
                assert whispers[3:] == [""]
            assert secret not in repr(at.seen)
        assert secret not in repr(list(at.log.records())) and "sha256" in repr(list(at.log.records()))

    virtual.run(go())


def _whispers_of(session: Session) -> list[str]:
    """What the presenter is told at every question, from now on."""
    told: list[str] = []
    considers = session._presenter.consider

    async def consider(question: str, lang: Lang, situation: Any, **given: Any) -> Any:
        told.append(situation.whisper)
        return await considers(question, lang, situation, **given)

    session._presenter.consider = consider  # type: ignore[method-assign]
    return told


@pytest.mark.parametrize("lang", LANGS)
def test_a_line_is_said_when_the_running_answer_was_heard_and_can_be_stopped(tmp_path: Path, lang: Lang) -> None:
    async def go() -> None:
        async with room(tmp_path) as at:
            loop = asyncio.get_running_loop()
            with at.desk.attended("Mei") as mei:
                await at.session.say(Say(QUESTION[lang]))
                await at.until(1)
                done = loop.time()
                spoken = sum(event.audio.seconds for event in at.seen if isinstance(event, Speech))
                await at.desk.direct(mei, at.session.id, Line(LINE[lang] * 3))
                while 2 not in {event.turn for event in at.seen}:
                    await asyncio.sleep(0.05)
                assert loop.time() - done > spoken - 1, "the user's client is still playing the answer"
                await at.until(2)
                await at.session.handle(Interrupt(2, 0.4))
                heard = at.session.memory.exchanges[-1].heard
                assert heard and LINE[lang].startswith(heard) and heard != LINE[lang]
        assert [entry["what"] for entry in at.log.records()][1] == "line"
        assert LINE[lang][:5] not in repr(list(at.log.records()))

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_a_line_typed_at_once_is_the_answer_that_was_cut(tmp_path: Path, lang: Lang) -> None:
    async def go() -> None:
        async with room(tmp_path, talk(lang)) as at:
            with at.desk.attended("Mei") as mei:
                await at.session.say(Say(QUESTION[lang]))
                await asyncio.sleep(1)
                await at.desk.direct(mei, at.session.id, TakeOver(""))
                await at.desk.direct(mei, at.session.id, Line(LINE[lang]))
                await at.until(2)
                assert at.text(2).endswith(LINE[lang]) and at.session.standing().state == "taken"

    virtual.run(go())


def test_lines_are_not_taken_without_end(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path, talk("zh")) as at:
            with at.desk.attended("Mei") as mei:
                await at.session.say(Say(QUESTION["zh"]))
                with pytest.raises(Refused, match="several lines"):
                    for _ in range(20):
                        await at.desk.direct(mei, at.session.id, Line("等一下。"))

    virtual.run(go())


@pytest.mark.parametrize(("lang", "words"), [("zh", "转人工"), ("en", "Can I talk to a real person?")])
@pytest.mark.parametrize("there", [True, False])
def test_a_call_for_a_human_is_queued_and_told_honestly(tmp_path: Path, lang: Lang, words: str, there: bool) -> None:
    async def go() -> None:
        model = BreakingModel("60")
        async with room(tmp_path, presenter(model)) as at:
            persona = at.session._presenter.persona

            async def ask() -> None:
                await at.until(await at.session.say(Say(words)))
                assert at.text(1) == (persona.handover if there else persona.alone)[lang]
                assert at.codes() == ["handover"] and model.asked == 0
                standing = at.desk.standings()[0]
                assert (standing.wanted, standing.state) == ("asked", "answering")

            if not there:
                await ask()
                return
            with at.desk.attended("Mei") as mei:
                await ask()
                await at.desk.direct(mei, at.session.id, TakeOver(""))
                assert at.session.standing().wanted is None

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("there", [True, False])
def test_a_call_of_the_presenters_own_is_queued_and_told_honestly(tmp_path: Path, lang: Lang, there: bool) -> None:
    async def go() -> None:
        async with room(tmp_path, presenter(tools=[Colleague()])) as at:

            async def ask() -> None:
                await at.until(await at.session.say(Say(QUESTION[lang])))
                await asyncio.sleep(60)
                assert at.session.standing().wanted == "presenter" and at.codes()[0] == "handover"
                alone = at.session._presenter.persona.alone[lang]
                assert [at.text(turn) == alone for turn in at.ends()] == ([False] if there else [False, True])

            if not there:
                await ask()
                return
            with at.desk.attended("Mei"):
                await ask()

    virtual.run(go())


def test_a_button_calls_a_human_too_and_only_once_where_one_is_there(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path, talk("zh")) as at:
            with at.desk.attended("Mei") as mei:
                await at.session.say(Say(QUESTION["zh"]))
                await asyncio.sleep(0.5)
                await at.session.handle(Call())
                await at.until(2)
                await at.desk.direct(mei, at.session.id, TakeOver(""))
                await at.until(3)
                await at.session.handle(Call())
                await asyncio.sleep(5)
                assert at.codes() == ["handover", "takeover"] and max(at.ends()) == 3

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_two_refusals_in_a_row_call_a_human_after_the_second(tmp_path: Path, lang: Lang) -> None:
    class Elsewhere(Facts):
        async def search(self, question: str, count: int, **_: Any) -> Any:
            found = await super().search(question, count)
            return type(found)(question, (), {})

    async def go() -> None:
        asked = {"zh": "馆长的工资是多少？", "en": "What is the wifi password?"}[lang]
        async with room(tmp_path, presenter(knowledge=Elsewhere())) as at:
            await at.until(await at.session.say(Say(asked)))
            await asyncio.sleep(30)
            assert at.codes() == [] and at.session.standing().refusals == 1
            await at.until(await at.session.say(Say(asked)))
            await at.until(3)
            assert at.codes() == ["handover"] and at.session.standing().wanted == "refused"
            assert at.text(3) == at.session._presenter.persona.alone[lang]

    virtual.run(go())


def test_an_operator_who_comes_before_the_call_was_told_makes_it_needless(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path, talk("zh"), settings=ConductSettings(keywords=("票",))) as at:
            await at.session.say(Say(QUESTION["zh"]))
            await asyncio.sleep(2)
            assert at.session.standing().wanted == "keyword"
            with at.desk.attended("Mei") as mei:
                await at.desk.direct(mei, at.session.id, TakeOver(""))
                await at.desk.direct(mei, at.session.id, Line(LINE["zh"]))
                await asyncio.sleep(60)
                assert at.codes() == ["takeover"]

    virtual.run(go())


def test_a_notice_is_delivered_even_where_its_words_are_cut(tmp_path: Path) -> None:
    async def go() -> None:
        session = Session(presenter(), buffer=4)
        await session.direct(TakeOver("Mei"))
        await asyncio.sleep(1)
        await session.handle(Interrupt())
        first, second, third = [await session.event() for _ in range(3)]
        assert isinstance(first, TurnStarted) and isinstance(second, Notice) and isinstance(third, TurnEnded)
        assert third.reason == "interrupted"
        await session.close()

    virtual.run(go())


@pytest.mark.parametrize(("lang", "words"), [("zh", "退出"), ("en", "Stop talking to me.")])
def test_the_exit_word_ends_the_session_politely(tmp_path: Path, lang: Lang, words: str) -> None:
    async def go() -> None:
        async with room(tmp_path, talk(lang)) as at:
            await at.session.say(Say(QUESTION[lang]))
            over = asyncio.create_task(at.session.over())
            await asyncio.sleep(0.5)
            await at.until(await at.session.say(Say(words)))
            assert at.codes() == ["ended"] and at.text(2) == at.session._presenter.persona.ended[lang]
            assert not over.done(), "the goodbye is still being heard"
            await at.session.say(Say(QUESTION[lang]))
            await asyncio.sleep(60)
            assert not over.done(), "the user said more"
            await at.session.say(Say(words))
            await asyncio.wait_for(over, 60)

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_every_user_is_told_that_this_is_an_ai_and_aloud_where_nothing_is_shown(tmp_path: Path, lang: Lang) -> None:
    async def go() -> None:
        async with room(tmp_path, minor=True, wall=_noon) as at:
            await at.session.open(lang, voice_only=True)
            await at.until(1)
            assert at.codes() == ["ai", "minors"] and isinstance(at.seen[0], Notice)
            assert at.text(1) == at.seen[0].message == at.session._presenter.persona.ai_notice[lang]
            assert any(isinstance(event, Speech) for event in at.seen)

    virtual.run(go())


def _noon() -> Any:
    from datetime import datetime

    return datetime(2026, 11, 24, 12)


def test_long_use_is_followed_by_a_reminder(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path) as at:
            for _ in range(26):
                await at.session.say(Say(QUESTION["zh"]))
                await asyncio.sleep(300)
            assert at.codes() == ["reminder"]

    virtual.run(go())


def test_commands_of_user_and_operator_at_the_same_instant_leave_one_turn_running(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path, talk("zh")) as at:
            with at.desk.attended("Mei") as mei:
                for _ in range(8):
                    await asyncio.gather(
                        at.session.say(Say(QUESTION["zh"])),
                        at.desk.direct(mei, at.session.id, TakeOver("")),
                        at.session.handle(Interrupt()),
                        at.desk.direct(mei, at.session.id, Line("好的。")),
                        at.session.say(Say(QUESTION["en"])),
                        at.desk.direct(mei, at.session.id, GiveBack()),
                        return_exceptions=True,  # lines may be too many
                    )
                    await asyncio.sleep(0.3)
                    running = {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("turn ")}
                    assert len(running) <= 1
                await asyncio.sleep(120)
                started = [event.turn for event in at.seen if isinstance(event, TurnStarted)]
                assert started == sorted(set(started)) and set(started) == set(at.ends())

    virtual.run(go())


def test_the_desk_forgets_a_session_that_is_closed_and_tells_its_operators(tmp_path: Path) -> None:
    async def go() -> None:
        async with room(tmp_path) as at:
            with at.desk.attended("Mei") as mei:
                mei.changed.clear()
                other = Session(presenter())
                with at.desk.seating(other):
                    assert {one.id for one in at.desk.standings()} == {other.id, at.session.id}
                    await at.desk.direct(mei, other.id, TakeOver(""))
                assert mei.changed.is_set() and [one.id for one in at.desk.standings()] == [at.session.id]
                await other.close()
            assert isinstance(mei, Operator)

    virtual.run(go())
