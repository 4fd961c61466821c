"""The scripted model: grounded without a model, and on time."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from agent import prompt
from agent.engines.scripted import Scripted
from agent.model import PLAINLY, Ask, Called, Message, ModelError, Offer, Part, Returned, ToolCall
from agent.persona import load
from configs.home import current
from configs.language import Lang
from tests import virtual

GUIDE = prompt.Mandate(load("guide"))
ZH = "海港科学馆每周一闭馆。\n票种：成人票；价格：60元。\n票种：学生票；价格：30元。"
EN = "Dr. Lena Ortiz founded the museum in 1987. It is open from 10 a.m. to 5 p.m. on weekdays."


def engine(options: Mapping[str, object]) -> Scripted:
    return Scripted(Scripted.Options.model_validate(options), current())


async def said(options: Mapping[str, object], messages: Sequence[Part], ask: Ask = PLAINLY) -> str:
    return "".join([str(delta) async for delta in engine(options).stream(messages, ask)])


def asked(question: str, lang: Lang) -> Sequence[Message]:
    return prompt.compose(GUIDE, prompt.Material(question, lang, ZH if lang == "zh" else EN))


@pytest.mark.parametrize(
    ("question", "lang", "answer"),
    [
        ("学生票多少钱？", "zh", "30元"),
        ("星期一闭馆吗？", "zh", "每周一闭馆"),
        ("Who founded the museum?", "en", "Dr. Lena Ortiz founded the museum in 1987."),
        ("When is it open on weekdays?", "en", "from 10 a.m. to 5 p.m."),
    ],
)
async def test_it_quotes_the_sentence_that_answers(question: str, lang: Lang, answer: str) -> None:
    assert answer in await said({}, asked(question, lang))


async def test_it_says_what_it_is_told_in_the_language_it_is_asked_in() -> None:
    by_language = {"answer": {"zh": "周一闭馆。", "en": "Closed on Mondays."}}
    assert await said({"answer": "42 号。"}, asked("Why?", "en")) == "42 号。"
    assert await said(by_language, asked("周一开门吗？", "zh")) == "周一闭馆。"
    assert await said(by_language, asked("Are you open?", "en")) == "Closed on Mondays."


def test_it_keeps_the_pace_it_is_given() -> None:
    async def times() -> list[float]:
        loop = asyncio.get_running_loop()
        engine = Scripted(Scripted.Options(answer="one two three", delay=0.5, pace=0.02), current())
        return [round(loop.time(), 3) async for _ in engine.stream(asked("Why?", "en"))]

    assert virtual.run(times()) == [0.5, 0.52, 0.54]


OFFERED = Ask(offers=(Offer("clock", "Tells the time 报时", {"type": "object"}),))
CALLS = {"calls": [{"name": "clock", "arguments": {"zone": "上海"}}, {"name": "clock", "arguments": "{broken"}]}


async def test_it_calls_what_it_is_told_to_once_and_then_answers_from_what_came_back() -> None:
    question = asked("现在几点？", "zh")
    calls = [delta async for delta in engine(CALLS).stream(question, OFFERED)]
    assert calls == [ToolCall("call-0", "clock", '{"zone":"上海"}'), ToolCall("call-1", "clock", "{broken")]
    returned = [*question, Called((calls[0],)), Returned("call-0", "clock", "现在九点半。")]
    assert await said(CALLS, returned, OFFERED) == "现在九点半。"
    assert await said(CALLS | {"answer": "九点半。"}, returned, OFFERED) == "九点半。"
    assert "call" not in await said(CALLS, question), "nothing was offered"


@pytest.mark.parametrize("filled", [{"verdict": "yes"}, '{"verdict":"yes"}', "no JSON 不是"])
async def test_it_fills_a_schema_only_where_one_is_asked_for(filled: object) -> None:
    options = {"answer": "周一闭馆。", "filled": filled}
    expected = filled if isinstance(filled, str) else '{"verdict":"yes"}'
    assert await said(options, asked("Why?", "en"), Ask(schema={"type": "object"})) == expected
    assert await said(options, asked("Why?", "en")) == "周一闭馆。"


@pytest.mark.parametrize(("answer", "foreign"), [("周一闭馆。", "The documents"), ("Closed on Mondays.", "资料")])
async def test_its_flaws_are_the_ones_it_is_given(answer: str, foreign: str) -> None:
    question = asked("Why?", "en")
    assert await said({"answer": answer, "flaw": "torn tag"}, question) == f"{answer} [emotion:hap"
    assert (await said({"answer": answer, "flaw": "thinking"}, question)).strip() == answer
    assert (await said({"answer": answer, "flaw": "foreign"}, question)).startswith(foreign)
    with pytest.raises(ModelError, match="not there"):
        await said({"answer": answer, "flaw": "unreachable"}, question)
    heard = ""
    with pytest.raises(ModelError) as caught:
        async for delta in engine({"answer": answer, "flaw": "breaks off"}).stream(question):
            heard += str(delta)
    assert caught.value.code == "interrupted" and heard and answer.startswith(heard) and heard != answer


def test_an_endless_answer_and_a_silent_one_end_only_when_they_are_closed() -> None:
    async def count(flaw: str) -> int:
        counted = 0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                async for _ in engine({"answer": "好 ", "flaw": flaw, "pace": 0.01}).stream(asked("Why?", "en")):
                    counted += 1
        return counted

    assert virtual.run(count("endless")) >= 999
    assert virtual.run(count("silent")) == 0


def test_its_window_is_the_one_it_is_told() -> None:
    assert (engine({}).window, engine({"window": 512}).window) == (None, 512)
