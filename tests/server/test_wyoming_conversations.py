"""Conversations over Wyoming between their questions: operators see them, take them over and give them back."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.commands import GiveBack, Line, TakeOver
from agent.desk import Desk, Operator
from agent.standing import Refused, Standing
from configs.language import Lang
from tests.server.wyoming_client import PATIENCE, Client, Served, wyoming

LANGS: list[Lang] = ["zh", "en"]
QUESTION: dict[Lang, str] = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}
HUMAN: dict[Lang, str] = {"zh": "我要转人工。", "en": "Can I talk to a human?"}
LINE: dict[Lang, str] = {"zh": "您好，我是值班的工作人员。", "en": "Hello, this is the duty officer."}
SAMPLE = {"ZHUBO__KNOWLEDGE__SAMPLE": "true"}


async def send(client: Client, lang: Lang, text: str, conversation: str = "kitchen") -> None:
    await client.send("transcript", {"text": text, "language": lang, "context": {"conversation_id": conversation}})


async def told(client: Client) -> tuple[str, str]:
    one = (await client.until("handled", "not-handled"))[-1]
    return one.type, one.data["text"]


async def asked(served: Served, lang: Lang, text: str, conversation: str = "kitchen") -> tuple[str, str]:
    """As Home Assistant asks: each question on a connection of its own."""
    async with served.client() as client:
        await send(client, lang, text, conversation)
        return await told(client)


async def standing(desk: Desk, suits: Callable[[Standing], bool]) -> Standing:
    async with asyncio.timeout(PATIENCE):
        while True:
            for one in desk.standings():
                if suits(one):
                    return one
            await asyncio.sleep(0.02)


async def refused(desk: Desk, operator: Operator, id: str, line: str) -> str:
    with pytest.raises(Refused) as one:
        await desk.direct(operator, id, Line(line))
    return one.value.code


@pytest.mark.parametrize("lang", LANGS)
async def test_an_operator_takes_over_between_two_questions_answers_and_gives_back(lang: Lang, tmp_path: Path) -> None:
    async with wyoming(tmp_path, **SAMPLE) as served:
        desk, persona = served.service.desk, served.service.persona
        with desk.attended("Mei") as mei:
            assert (await asked(served, lang, HUMAN[lang]))[1] == persona.handover[lang]
            one = await standing(desk, lambda one: one.wanted == "asked" and not one.reached)
            await desk.direct(mei, one.id, TakeOver("Mei"))
            assert await refused(desk, mei, one.id, LINE[lang]) == "unreached"
            async with served.client() as client:
                await send(client, lang, QUESTION[lang])
                waiting = await standing(desk, lambda one: one.state == "waiting")
                assert waiting.id == one.id and waiting.operator == "Mei" and waiting.reached
                await desk.direct(mei, one.id, Line(LINE[lang]))
                between = " " if lang == "en" else ""
                assert await told(client) == ("handled", f"{persona.takeover[lang]}{between}{LINE[lang]}")
            await standing(desk, lambda one: one.state == "taken" and not one.reached)
            await desk.direct(mei, one.id, GiveBack())
            kind, text = await asked(served, lang, QUESTION[lang])
            assert kind == "handled" and text.startswith(persona.returned[lang]) and "60" in text


@pytest.mark.parametrize("lang", LANGS)
async def test_a_question_that_an_operator_gives_back_is_answered_by_the_presenter(lang: Lang, tmp_path: Path) -> None:
    async with wyoming(tmp_path, **SAMPLE) as served:
        desk, persona = served.service.desk, served.service.persona
        with desk.attended("Mei") as mei:
            await asked(served, lang, QUESTION[lang])
            id = (await standing(desk, lambda one: one.state == "answering")).id
            await desk.direct(mei, id, TakeOver("Mei"))
            async with served.client() as client:
                await send(client, lang, QUESTION[lang])
                await standing(desk, lambda one: one.state == "waiting")
                await desk.direct(mei, id, GiveBack())
                kind, text = await told(client)
    assert kind == "handled" and persona.returned[lang] in text and "60" in text.partition(persona.returned[lang])[2]


@pytest.mark.parametrize("lang", LANGS)
async def test_a_user_who_goes_while_an_operator_is_waited_for_waits_no_more(lang: Lang, tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__SERVER__SESSIONS="1") as served:
        desk = served.service.desk
        with desk.attended("Mei") as mei:
            await asked(served, lang, QUESTION[lang])
            id = (await standing(desk, lambda one: one.state == "answering")).id
            await desk.direct(mei, id, TakeOver("Mei"))
            async with served.client() as client:
                await send(client, lang, QUESTION[lang])
                await standing(desk, lambda one: one.state == "waiting")
            await standing(desk, lambda one: one.id == id and one.state == "taken" and not one.reached)
            assert await refused(desk, mei, id, LINE[lang]) == "unreached"


@pytest.mark.parametrize("lang", LANGS)
async def test_a_call_for_a_human_after_refusals_is_told_with_the_answer(lang: Lang, tmp_path: Path) -> None:
    async with wyoming(tmp_path, **SAMPLE) as served:
        persona = served.service.persona
        with served.service.desk.attended("Mei"):
            for _ in range(2):
                kind, text = await asked(served, lang, "谁是美国总统？" if lang == "zh" else "Who is the president?")
                assert kind == "not-handled"
        assert text.endswith(persona.handover[lang])


async def test_a_conversation_without_a_name_is_over_with_its_connection(tmp_path: Path) -> None:
    async with wyoming(tmp_path) as served:
        desk = served.service.desk
        async with served.client() as client:
            await client.send("transcript", {"text": "你好", "language": "zh"})
            await told(client)
            assert len(desk.standings()) == 1
        async with asyncio.timeout(PATIENCE):
            while desk.standings():
                await asyncio.sleep(0.02)


async def test_conversations_are_bounded_and_forgotten_in_time(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__WYOMING__CONVERSATIONS="2") as served:
        desk = served.service.desk
        seen = []
        for name in ("one", "two", "one", "three"):
            await asked(served, "en", "Hello", name)
            seen.append({one.id for one in desk.standings()})
        assert [len(ids) for ids in seen] == [1, 2, 2, 2]
        assert seen[0] < seen[3] and seen[1] == seen[2]
    assert not desk.standings()
    async with wyoming(tmp_path, ZHUBO__WYOMING__FORGET="0.2") as served:
        await asked(served, "en", "My name is Ada.")
        async with asyncio.timeout(PATIENCE):
            while served.service.desk.standings():
                await asyncio.sleep(0.02)
        assert "Ada" not in (await asked(served, "en", "What is my name?"))[1]


@pytest.mark.parametrize("lang", LANGS)
async def test_strangers_push_out_no_conversation_that_a_human_has_or_is_waited_for_in(
    lang: Lang, tmp_path: Path
) -> None:
    async with wyoming(tmp_path, **SAMPLE, ZHUBO__WYOMING__CONVERSATIONS="3") as served:
        desk = served.service.desk
        with desk.attended("Mei") as mei:
            await asked(served, lang, QUESTION[lang], "taken")
            taken = desk.standings()[0].id
            await desk.direct(mei, taken, TakeOver("Mei"))
            await asked(served, lang, HUMAN[lang], "wanted")
            kept = {one.id for one in desk.standings()}
            for name in ("first", "second", "third"):
                assert (await asked(served, lang, QUESTION[lang], name))[0] == "handled"
                assert kept < {one.id for one in desk.standings()} and len(desk.standings()) == 3
            await asked(served, lang, HUMAN[lang], "third")
            kind, text = await asked(served, lang, QUESTION[lang], "fourth")
            assert kind == "not-handled" and "try again in a few minutes" in text and "请过几分钟再试" in text
            assert {one.id for one in desk.standings()} > kept and len(desk.standings()) == 3
            assert (await asked(served, lang, HUMAN[lang], "wanted"))[0] == "handled", "who has a place keeps it"
            await desk.direct(mei, taken, GiveBack())
            assert (await asked(served, lang, QUESTION[lang], "fourth"))[0] == "handled"


async def test_a_conversation_goes_on_with_a_base_that_was_made_anew(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__WYOMING__BASE="east") as served:
        bases = served.service.bases
        for price in ("60", "80"):
            base = await bases.create("east")
            await base.publish([("ticket.md", f"# Tickets\n\nAn adult ticket costs {price} yuan.".encode())])
            await asked(served, "en", "My name is Ada.")
            assert price in (await asked(served, "en", QUESTION["en"]))[1]
            await bases.delete("east")
            kind, text = await asked(served, "en", QUESTION["en"])
            assert kind == "not-handled" and "没有这个密钥对应的知识库" in text
        await bases.create("east")
        assert "Ada" in (await asked(served, "en", "What is my name?"))[1]
        assert len(served.service.desk.standings()) == 1


async def test_two_questions_at_once_in_one_conversation_are_answered_one_after_the_other(tmp_path: Path) -> None:
    async with wyoming(tmp_path, **SAMPLE) as served:
        texts = await asyncio.gather(*(asked(served, "en", QUESTION["en"]) for _ in range(3)))
        assert all("60" in text for _, text in texts) and len(served.service.desk.standings()) == 1
